"""The house rules of the design, held by a test: who may import whom, and how big things may grow."""

import ast
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

PACKAGE = ROOT / "pipeline"
VOCABULARY = {"errors", "schema", "taxonomy", "settings", "machine", "limits", "sections", "params", "classifier", "tracking"}
VOCABULARY |= {"casework", "period", "desks", "precision", "hazard", "joint"}
LEARNING = {"intake", "dataset", "encoder", "baseline", "transformer", "calibration", "evaluation"}
NIGHTLY = {"scoring", "emerging", "store", "review", "bulletin"}
CONNECTING = {
    *("registry", "acceleration", "champions", "judging", "promotion", "ensemble", "comparison", "alerting", "matter_commands"),
    *("nightly", "nights", "refits", "orders", "past", "past_alerts", "backtest", "capacity", "cli", "checking", "printing"),
    *("publishing", "serving", "exporting", "desk", "commands", "champion_commands"),
}
OUTSIDE = {"simulator"}
HEAVY = {"torch", "transformers", "mlflow", "datasets", "pandas", "sklearn", "pyarrow", "matplotlib", "sqlalchemy", "pydantic"}
HEAVY |= {"alembic", "fastapi", "jinja2", "argon2", "uvicorn", "jwt", "openpyxl"}
DRAWERS = {"utils", "helpers", "common", "misc"}
PIPELINES = (ROOT / "dvc.yaml", ROOT / "models" / "dvc.yaml")
FILES = sorted(PACKAGE.rglob("*.py"))


def _place(path: Path) -> str:
    """The room, vocabulary module or connecting page a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module == "pipeline":
                found.update(f"pipeline.{alias.name}" for alias in node.names)
    return found


def _ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name in _imports(path) if name.startswith("pipeline.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_keeps_to_its_place(path):
    place = _place(path)
    if place == "__init__":
        assert _ours(path) == set()
    elif place in VOCABULARY:
        assert _ours(path) <= VOCABULARY, "the vocabulary imports only itself"
    elif place in OUTSIDE:
        assert _ours(path) <= {"errors", "taxonomy", "settings", "params", *OUTSIDE}, "the simulator stands outside the door"
    elif place in LEARNING | NIGHTLY:
        assert _ours(path) <= VOCABULARY | {place}, "rooms import the vocabulary and themselves, never each other"
    else:
        assert place in CONNECTING, f"{place} is not in the design"


def test_only_the_command_line_imports_the_simulator():
    importing = {_place(path) for path in FILES if "simulator" in _ours(path)} - OUTSIDE
    assert importing <= {"cli"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_has_over_300_lines_and_no_function_over_40(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            said = (docstring.end_lineno - docstring.lineno + 1) if docstring is not None else 0
            assert node.end_lineno - node.lineno + 1 - said <= 40, f"{node.name} in {path.name} is too long"


def test_no_file_is_a_drawer_without_a_name():
    assert not [path for path in FILES if path.stem in DRAWERS]


def test_only_the_command_line_prints():
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        prints = any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls)
        assert not prints or _place(path) == "cli", f"{path} prints"


def test_the_command_line_loads_nothing_heavy_until_a_command_needs_it():
    seen, waiting = set(), {PACKAGE / "cli.py"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for name in _imports(path, top_level_only=True):
            assert name.split(".")[0] not in HEAVY, f"{path.name} imports {name} at the top"
            ours = ROOT / Path(*name.split(".")).with_suffix(".py")
            if name.startswith("pipeline.") and ours.exists() and ours not in seen:
                waiting.add(ours)


def test_rooms_stages_and_parameters_share_their_names():
    stages = {name for path in PIPELINES for name in yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]}
    sections = {
        key
        for key, value in yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")).items()
        if isinstance(value, dict)
    }
    for stage in stages:
        assert (PACKAGE / stage / "stage.py").exists(), f"stage {stage} has no room"
        assert (ROOT / "tests" / stage).is_dir(), f"stage {stage} has no tests folder"
    for section in sections:
        assert (PACKAGE / section).is_dir() or section in CONNECTING, f"parameters '{section}' belong to no room or page"
