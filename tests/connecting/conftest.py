"""One small project, learned and promoted once for all tests of the connecting pages."""

import shutil
from importlib import import_module

import pytest

from pipeline import registry
from pipeline.promotion import promote
from tests.project import make_project


@pytest.fixture(scope="session")
def learned_project(tmp_path_factory):
    """The project after `dvc repro` and `triage promote baseline`; tests must leave all but its nights as they were."""
    root = make_project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
        for stage in ("intake", "dataset", "baseline"):
            import_module(f"pipeline.{stage}.stage").run(root)
        for stage in ("calibration", "evaluation"):
            import_module(f"pipeline.{stage}.stage").run(root, "baseline")
        registry.log_evaluated(root, "baseline")
        promote(root, "baseline", who="test", why="for the tests", waivers={})
    return root


@pytest.fixture
def project(learned_project, monkeypatch):
    """The learned project with no night run yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
    shutil.rmtree(learned_project / "data" / "nights", ignore_errors=True)
    return learned_project
