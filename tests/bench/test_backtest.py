"""How long a replay of 90 nights with 1,000 reports a night takes.

Run with `make bench`; everything is printed. The simulated town writes reports for 60 days before the first night.
"""

import os
import shutil
import time
from datetime import date, timedelta

import pytest
import yaml

from pipeline.backtest import backtest
from pipeline.simulator import simulate
from tests.conftest import ROOT

pytestmark = pytest.mark.bench
START, BEFORE_DAYS, N_NIGHTS, PER_DAY, CAPACITY = date(2025, 1, 1), 60, 90, 1000, 40


def _change(path, **values):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | values, allow_unicode=True), encoding="utf-8")


def make_town(root):
    """The sample's project with a larger town in place of the sample."""
    shutil.copy2(ROOT / "params.yaml", root / "params.yaml")
    for folder in ("data/taxonomy", "data/registry", "data/profiles", "models/baseline"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("sample", "citizen", "fraud"))
    raw, n_days = root / "data" / "raw", BEFORE_DAYS + N_NIGHTS
    simulate(raw / "sample", n_reports=PER_DAY * n_days, seed=7, scenario="plain", start=START, days=n_days)
    (raw / "sample-outcomes").mkdir()
    (raw / "sample" / "outcomes.csv").rename(raw / "sample-outcomes" / "outcomes.csv")
    for source, file in (("sample", "reports.csv"), ("sample-outcomes", "outcomes.csv")):
        files = [{"path": f"{source}/{file}", "sha256": None}]
        _change(root / "data" / "registry" / f"{source}.yaml", files=files, n_rows=None, as_of_day=None)
    settings = {"label_window_days": 6, "gap_days": 6, "capacity": CAPACITY}  # six days, or sixty would not make four splits
    _change(root / "data" / "profiles" / "sample.yaml", as_of=START + timedelta(days=n_days), **settings)
    return root


def test_ninety_nights_of_a_thousand_reports(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
    root = make_town(tmp_path)
    first = START + timedelta(days=BEFORE_DAYS)
    started, used = time.perf_counter(), sum(os.times()[:4])
    found = backtest(root, first, first + timedelta(days=N_NIGHTS - 1))
    seconds = time.perf_counter() - started
    print(f"\n{N_NIGHTS} nights of {PER_DAY} reports: {seconds:.0f} s ({sum(os.times()[:4]) - used:.0f} s of processors)")
    print(f"models {len(found.models)}; read in time {dict(found.result.n_in_time)} of {found.result.n_escalated}")
