"""Transformer and ensemble in service: fitted, evaluated, promoted, and a night ranked by them."""

import shutil
from datetime import date
from importlib import import_module

import pytest
import yaml

from pipeline import nightly, promotion, registry, schema
from pipeline.ensemble import stage as ensemble_stage
from pipeline.errors import ArtifactError
from pipeline.promotion import promote
from tests.transformer.small import small_params


@pytest.fixture(scope="module")
def project(learned_project, tmp_path_factory):
    """A copy of the learned project with a small transformer fitted in it, and nothing promoted."""
    root = tmp_path_factory.mktemp("other") / "project"
    left_behind = shutil.ignore_patterns("mlflow.db*", "mlartifacts", "nights")
    shutil.copytree(learned_project, root, ignore=left_behind)
    config = root / "models" / "transformer" / "config.yaml"
    config.parent.mkdir(parents=True)
    small = small_params(optimization={"epochs": 3, "checkpoint_minutes": 60.0})
    config.write_text(yaml.safe_dump(small.model_dump()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
        import_module("pipeline.transformer.stage").run(root)
        yield root


def test_an_ensemble_needs_its_members_first(project, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(project, root)
    shutil.rmtree(root / "models" / "transformer" / "desk" / "fitted")
    with pytest.raises(ArtifactError, match="triage run transformer"):
        ensemble_stage.run(root)


def _evaluate(project, model):
    for stage in ("calibration", "evaluation"):
        import_module(f"pipeline.{stage}.stage").run(project, model)
    registry.log_evaluated(project, model)


def _promote_and_run_a_night(project, model):
    version = promote(project, model, who="test", why="for the night", waivers={}).version
    night = nightly.run_night(project, date(2025, 8, 5))
    queue = schema.QUEUE.read(project / "data" / "nights" / "desk" / "2025-08-05" / "queue.parquet")
    champion = registry.champion(project, "desk")
    assert (champion.name, champion.version) == (model, str(version))
    assert len(queue) == night.n_open > 0


@pytest.mark.slow
def test_a_promoted_transformer_ranks_the_night_and_its_card_has_the_figures(project, monkeypatch):
    monkeypatch.setattr(promotion, "judge", lambda *_: ([], ""))  # so small a network passes none; gates have their own tests
    _evaluate(project, "transformer")
    _promote_and_run_a_night(project, "transformer")
    card = (project / "data" / "evaluation" / "desk" / "transformer" / "README.md").read_text(encoding="utf-8")
    assert "### Per class" in card
    assert "| metric | value | interval | baseline |" in card


@pytest.mark.slow
def test_a_promoted_ensemble_ranks_the_night(project, monkeypatch):
    monkeypatch.setattr(promotion, "judge", lambda *_: ([], ""))
    ensemble_stage.run(project)
    _evaluate(project, "ensemble")
    _promote_and_run_a_night(project, "ensemble")


def test_the_artifact_pins_what_a_network_needs_without_its_build(project, tmp_path):
    calibrate = import_module("pipeline.calibration.stage").run
    calibrate(project, "transformer")
    artifact = registry.assemble(project, "transformer", tmp_path / "artifact")
    pins = dict(line.split("==") for line in (artifact / "requirements.txt").read_text(encoding="utf-8").split())
    assert {"torch", "transformers", "tokenizers"} <= set(pins)
    assert "+" not in pins["torch"]
