"""A small project folder in which the learning stages can run."""

import shutil
from pathlib import Path

import pandas as pd
import yaml

from pipeline.params import Places
from pipeline.schema import EXAMPLES
from tests.conftest import ROOT
from tests.made_up import CATEGORIES, make_examples

PROFILE = {
    "name": "made-up",
    "taxonomy": "made-up",
    "timezone": "Asia/Shanghai",
    "as_of": "2025-12-01",
    "sources": {
        "made-up": {
            "supplies": ["category", "escalated"],
            "outcomes": ["injury_or_threat_to_life"],
            "outcome_sources": ["made-up-outcomes"],
            "split": {"rule": "date", "validation": "2025-05-01", "calibration": "2025-07-01", "test": "2025-09-01"},
        }
    },
    "nightly_sources": ["made-up"],
    "label_window_days": 30,
    "gap_days": 30,
    "re_report_reporters": 2,
    "capacity": 2,
}
TAXONOMY = {
    "name": "made-up",
    "version": 1,
    "units": {"office": {"zh": "调解室", "en": "Office"}},
    "categories": [
        {"id": name, "zh": zh, "en": name.title(), "kind": "dispute", "unit": "office", "response_hours": 24,
         "severity_weight": 1.0, "keywords": keywords}
        for name, zh, keywords in zip(
            CATEGORIES, ("工资", "邻里", "诈骗"), (["工资", "工钱"], ["邻居", "楼上"], ["骗"]), strict=True)
    ],
}  # fmt: skip


def make_project(root: Path, examples: pd.DataFrame | None = None) -> Places:
    """Write parameters, profile, taxonomy, the baseline's configuration and EXAMPLES; return where they lie."""
    places = Places(root, "made-up")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["profile"] = "made-up"
    params["evaluation"]["n_bootstrap"] = 50
    _write(root / "params.yaml", params)
    _write(root / "data/profiles/made-up.yaml", PROFILE)
    _write(places.taxonomy("made-up"), TAXONOMY)
    shutil.copy(ROOT / "data/taxonomy/harm_words.yaml", places.taxonomy("harm_words"))
    places.config("baseline").parent.mkdir(parents=True)
    shutil.copy(ROOT / "models/baseline/config.yaml", places.config("baseline"))
    EXAMPLES.write(made_up_splits() if examples is None else examples, places.examples)
    EXAMPLES.write(EXAMPLES.empty(), places.between)
    return places


def made_up_splits() -> pd.DataFrame:
    """240, 60, 120 and 120 reports of the four splits, a few a day."""
    parts = [
        make_examples(240, split="train", start="2025-01-01"),
        make_examples(60, split="validation", start="2025-05-01"),
        make_examples(120, split="calibration", start="2025-07-01"),
        make_examples(120, split="test", start="2025-09-01"),
    ]
    return pd.concat(parts, ignore_index=True)


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
