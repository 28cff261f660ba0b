"""A whole night of simulated reports, intake to queue, with the baseline as champion: time, memory, and how both grow.

The sizes are those of `TRIAGE_BENCH_REPORTS`, 10,000 and 100,000 if it is not set; each runs as `triage nightly` in a process
of its own, whose memory and that of its children is looked at ten times a second.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import date

import psutil
import pytest
import yaml

from pipeline.simulator import simulate
from tests.bench.history import record
from tests.conftest import ROOT

pytestmark = pytest.mark.bench
SIZES = tuple(int(size) for size in os.environ.get("TRIAGE_BENCH_REPORTS", "10000 100000").split())
COMMANDS = (
    ["run", "intake"], ["run", "dataset"], ["run", "baseline"], ["run", "calibration"], ["run", "evaluation"],
    ["promote", "baseline"],
)  # fmt: skip


def _triage(root, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRIAGE_SECRET_KEY": "a key for the bench"}
    command = [sys.executable, "-m", "pipeline.cli", "--project", str(root), *arguments]
    return subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The sample learned and its baseline promoted."""
    root = tmp_path_factory.mktemp("night")
    for name in ("data", "models", "params.yaml"):
        ignored = shutil.ignore_patterns("sample.dvc", "encoder", "citizen", "fraud")
        source = ROOT / name
        shutil.copytree(source, root / name, ignore=ignored) if source.is_dir() else shutil.copy2(source, root / name)
    for command in COMMANDS:
        assert _triage(root, *command).wait() == 0
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["scoring"]["opening_days"] = 400  # so that all reports are open
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return root


def _give(root, n_reports):
    """Put simulated reports in the sample's place."""
    folder = root / "data" / "raw" / "sample"
    shutil.rmtree(folder)
    simulate(folder, n_reports=n_reports, seed=7, scenario="plain", start=date(2025, 1, 1), days=274)
    path = root / "data" / "registry" / "sample.yaml"
    source = yaml.safe_load(path.read_text(encoding="utf-8"))
    source |= {"n_rows": None, "files": [{"path": "reports.csv", "sha256": None}]}
    path.write_text(yaml.safe_dump(source, allow_unicode=True), encoding="utf-8")
    shutil.rmtree(root / "data" / "nights", ignore_errors=True)


def _night(root):
    """Run one; returns its manifest and the most memory it took, in MiB."""
    running = _triage(root, "nightly", "--as-of", "2025-10-02")
    process, peak = psutil.Process(running.pid), 0
    while running.poll() is None:
        try:
            peak = max(peak, sum(one.memory_info().rss for one in (process, *process.children(recursive=True))))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.1)
    assert running.returncode == 0
    manifest = root / "data" / "nights" / "sample" / "2025-10-02" / "manifest.json"
    return json.loads(manifest.read_text(encoding="utf-8")), peak / 2**20


def test_a_night_of_simulated_reports(root):
    figures, took = {}, []
    for size in SIZES:
        _give(root, size)
        started = time.perf_counter()
        manifest, mib = _night(root)
        took.append(time.perf_counter() - started)
        parts = ", ".join(f"{name} {seconds:.0f}" for name, seconds in manifest["seconds"].items())
        figures[f"{size} reports"] = f"{took[-1]:.0f} s ({parts}), at most {mib:.0f} MiB, {manifest['n_open']} in the queue"
    if len(took) > 1:
        figures[f"{SIZES[-1] / SIZES[0]:.0f} times the reports"] = f"{took[-1] / took[0]:.1f} times the time"
    record("night, baseline", figures)
