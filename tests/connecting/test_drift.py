"""A simulated town whose world changes on 1 September: the gates refuse the model of the old world on the new one.

The champion of the old world passes its gates in August. In January a model learned from the new world alone becomes champion,
and the old one, measured on December, may not come back: what leads to harm has changed, so its risks are worse than a
constant.
"""

import json
import shutil
from datetime import date
from importlib import import_module

import pandas as pd
import pytest
import yaml

from pipeline import champions, registry
from pipeline.errors import GateError
from pipeline.promotion import promote
from pipeline.simulator import simulate
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
CHANGES = "2025-09-01"
YOUNG = "the new world is three months old, and its model has seen too little harm to know the words for it"
WAIVERS = {f"behaviour: {kind}": YOUNG for kind in ("threats", "weapons", "self_harm", "children", "denied_below_affirmed")}


def _make_town(root):
    """The sample's files with the reports of a changing year in place of the shipped ones."""
    for folder in ("data/taxonomy", "data/behaviour", "data/registry", "data/profiles"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copytree(
        ROOT / "models" / "baseline", root / "models" / "baseline", ignore=shutil.ignore_patterns("sample", "citizen")
    )
    _edit(root / "params.yaml", ROOT / "params.yaml", profile="sample", threads=1)
    raw = root / "data" / "raw"
    simulate(raw / "sample", n_reports=15_000, seed=7, scenario="drift", start=date(2025, 1, 1), days=365)
    (raw / "sample-outcomes").mkdir()
    shutil.move(raw / "sample" / "outcomes.csv", raw / "sample-outcomes" / "outcomes.csv")
    for name, file in (("sample", "reports.csv"), ("sample-outcomes", "outcomes.csv")):
        path = root / "data" / "registry" / f"{name}.yaml"
        _edit(path, path, files=[{"path": file, "sha256": None}], n_rows=None)
    return root


def _edit(path, original, **changes):
    content = yaml.safe_load(original.read_text(encoding="utf-8")) | changes
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _learn(root, *, as_of, window_days, validation, calibration, test):
    path = root / "data" / "profiles" / "sample.yaml"
    sources = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    days = {"validation": validation, "calibration": calibration, "test": test}
    sources["sample"]["split"] = {"rule": "date"} | {name: date.fromisoformat(day) for name, day in days.items()}
    changes = {"as_of": date.fromisoformat(as_of), "capacity": 8, "label_window_days": window_days, "gap_days": window_days}
    _edit(path, path, sources=sources, **changes)
    for stage in ("intake", "dataset", "baseline"):
        import_module(f"pipeline.{stage}.stage").run(root)
    for stage in ("calibration", "evaluation"):
        import_module(f"pipeline.{stage}.stage").run(root, "baseline")
    registry.log_evaluated(root, "baseline")


def _forget_the_old_world(root):
    reports, outcomes = (root / "data" / "raw" / name for name in ("sample/reports.csv", "sample-outcomes/outcomes.csv"))
    kept = pd.read_csv(reports, dtype=str, keep_default_na=False)
    kept = kept[kept["received_at"] >= CHANGES]
    later = pd.read_csv(outcomes, dtype=str, keep_default_na=False)
    kept.to_csv(reports, index=False)
    later[later["report_id"].isin(kept["report_id"])].to_csv(outcomes, index=False)


def test_the_gates_refuse_the_model_of_a_world_that_has_changed(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
    root = _make_town(tmp_path)
    model = root / "models" / "baseline" / "sample"

    _learn(root, as_of=CHANGES, window_days=14, validation="2025-04-15", calibration="2025-05-20", test="2025-07-10")
    promote(root, "baseline", who="tester", why="the old world", waivers={})
    old = shutil.copytree(model, tmp_path / "old")

    _forget_the_old_world(root)
    _learn(root, as_of="2026-01-01", window_days=7, validation="2025-10-20", calibration="2025-11-10", test="2025-12-01")
    promote(root, "baseline", who="tester", why="the new world", waivers=WAIVERS)

    shutil.rmtree(model)
    shutil.copytree(old, model)
    registry.log_evaluated(root, "baseline")
    with pytest.raises(GateError):
        promote(root, "baseline", who="tester", why="back to the old one", waivers=WAIVERS)
    pack = sorted((root / "data" / "evidence" / "sample").glob("*-refused"))[-1]
    gates = json.loads((pack / "evidence.json").read_text(encoding="utf-8"))["gates"]
    refused = {gate["name"] for gate in gates if not gate["passed"] and gate["group"] != "behaviour"}
    assert "risk Brier skill over the known base rate" in refused
    assert champions.champion_number(root, "sample") == "2"
