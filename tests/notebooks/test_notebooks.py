import shutil
from importlib import import_module

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NO_MODELS = shutil.ignore_patterns("sample", "citizen", "fraud", "*.safetensors")


@pytest.fixture(scope="module")
def learned_sample(tmp_path_factory):
    """The shipped sample, learned from in a folder of its own."""
    root = tmp_path_factory.mktemp("sample")
    shutil.copy2(ROOT / "params.yaml", root)
    for folder in ("profiles", "registry", "taxonomy", "raw/sample", "raw/sample-outcomes"):
        shutil.copytree(ROOT / "data" / folder, root / "data" / folder)
    shutil.copytree(ROOT / "models" / "baseline", root / "models" / "baseline", ignore=NO_MODELS)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
        for stage in ("intake", "dataset", "baseline"):
            import_module(f"pipeline.{stage}.stage").run(root)
        for stage in ("calibration", "evaluation"):
            import_module(f"pipeline.{stage}.stage").run(root, "baseline")
    return root


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
@pytest.mark.filterwarnings("ignore:.*Kernel is running over TCP:RuntimeWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_shipped_sample(path, learned_sample):
    notebook = nbformat.read(learned_sample / "notebooks" / path.name, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(learned_sample / "notebooks")}}).execute()
    assert any(output.output_type == "display_data" for cell in notebook.cells for output in cell.get("outputs", []))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_its_pictures_and_starts_with_the_answer(path):
    notebook = nbformat.read(path, as_version=4)
    assert "**In short.**" in notebook.cells[0].source
    assert any("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
