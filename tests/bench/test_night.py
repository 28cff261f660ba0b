"""A whole night of simulated reports, intake to queue, with the baseline as champion: time, memory, and how both grow.

The sizes are those of `TRIAGE_BENCH_REPORTS`, 10,000 and 100,000 if it is not set; each runs as `triage nightly` in a process
of its own, whose memory and that of its children is looked at ten times a second. `TRIAGE_BENCH_HISTORY` (1,000,000 if it is
not set, 0 for none) is how many reports earlier nights admitted before a night of 10,000. With `TRIAGE_BENCH_TRANSFORMER=1` a
small transformer of random first weights is fitted on the sample and scores a night too, here and on Ray: it takes as long
as a good one.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta

import psutil
import pytest
import yaml

from pipeline.simulator import simulate
from tests.bench.history import record
from tests.conftest import ROOT

pytestmark = pytest.mark.bench
SIZES = tuple(int(size) for size in os.environ.get("TRIAGE_BENCH_REPORTS", "10000 100000").split())
HISTORY = int(os.environ.get("TRIAGE_BENCH_HISTORY", "1000000"))
WITH_TRANSFORMER = os.environ.get("TRIAGE_BENCH_TRANSFORMER") == "1"
A_NIGHT = 10_000
FIRST_DAY, LAST_NIGHT = date(2025, 1, 1), date(2025, 10, 2)
COMMANDS = (
    ["run", "intake"], ["run", "dataset"], ["run", "baseline"], ["run", "calibration"], ["run", "evaluation"],
    ["promote", "baseline", "--why", "measuring a night"],
)  # fmt: skip


def _python(root, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRIAGE_SECRET_KEY": "a key for the bench"}
    return subprocess.Popen([sys.executable, "-m", *arguments], cwd=root, env=environment, stdout=subprocess.DEVNULL)


def _triage(root, *arguments):
    return _python(root, "pipeline.cli", "--project", str(root), *arguments)


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
    return root


def _open_for(root, days):
    """Let the first night take reports of so many days as open."""
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["scoring"]["opening_days"] = days
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def _give(root, n_reports, *, start=FIRST_DAY):
    """Put simulated reports in the sample's place."""
    folder = root / "data" / "raw" / "sample"
    shutil.rmtree(folder)
    simulate(folder, n_reports=n_reports, seed=7, scenario="plain", start=start, days=(LAST_NIGHT - start).days)
    path = root / "data" / "registry" / "sample.yaml"
    source = yaml.safe_load(path.read_text(encoding="utf-8"))
    source |= {"n_rows": None, "files": [{"path": "reports.csv", "sha256": None}]}
    path.write_text(yaml.safe_dump(source, allow_unicode=True), encoding="utf-8")
    shutil.rmtree(root / "data" / "nights", ignore_errors=True)


def _night(root, as_of=LAST_NIGHT, *, running=None):
    """Run one, or wait for the one running; returns its manifest and the most memory it took, in MiB."""
    running = _triage(root, "nightly", "--as-of", as_of.isoformat()) if running is None else running
    process, peak = psutil.Process(running.pid), 0
    while running.poll() is None:
        try:
            peak = max(peak, sum(one.memory_info().rss for one in (process, *process.children(recursive=True))))
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.1)
    assert running.returncode == 0
    manifest = root / "data" / "nights" / "sample" / as_of.isoformat() / "manifest.json"
    return json.loads(manifest.read_text(encoding="utf-8")), peak / 2**20


def _said(manifest, seconds, mib):
    parts = ", ".join(f"{name} {part:.0f}" for name, part in manifest["seconds"].items())
    return f"{seconds:.0f} s ({parts}), at most {mib:.0f} MiB, {manifest['n_new']} new, {manifest['n_open']} in the queue"


def test_a_night_of_simulated_reports(root):
    _open_for(root, 400)  # so that all reports are open
    figures, took = {}, []
    for size in SIZES:
        _give(root, size)
        started = time.perf_counter()
        manifest, mib = _night(root)
        took.append(time.perf_counter() - started)
        figures[f"{size} reports"] = _said(manifest, took[-1], mib)
    if len(took) > 1:
        figures[f"{SIZES[-1] / SIZES[0]:.0f} times the reports"] = f"{took[-1] / took[0]:.1f} times the time"
    record("night, baseline", figures)


@pytest.mark.skipif(not HISTORY, reason="TRIAGE_BENCH_HISTORY is 0")
def test_a_night_after_a_long_history(root):
    _open_for(root, 7)
    _give(root, HISTORY + A_NIGHT, start=LAST_NIGHT - timedelta(days=max(HISTORY // A_NIGHT, 1) + 1))
    figures = {}
    for name, as_of in {"history": LAST_NIGHT - timedelta(days=1), "night": LAST_NIGHT}.items():
        started = time.perf_counter()
        manifest, mib = _night(root, as_of)
        figures[name] = _said(manifest, time.perf_counter() - started, mib)
    record("night after a history, baseline", figures)


SMALL_ENCODER = {
    "tokenizer": None, "vocabulary_size": 8000, "n_layers": 4, "width": 256, "n_heads": 4, "feed_forward": 1024,
    "max_positions": 512,
}  # fmt: skip


@pytest.mark.skipif(not WITH_TRANSFORMER, reason="TRIAGE_BENCH_TRANSFORMER is not 1")
def test_a_night_with_a_transformer_here_and_on_ray(root):
    path = root / "models" / "transformer" / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["encoder"] = {"random": SMALL_ENCODER}
    config["optimization"]["epochs"] = 2
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    for command in (["run", "transformer"], ["run", "calibration", "--model", "transformer"]):
        assert _triage(root, *command).wait() == 0
    _open_for(root, 400)
    assert _python(root, "tests.bench.night", str(root), "transformer").wait() == 0
    figures, queues = {}, {}
    for size, where in ((SIZES[0], "local"), (SIZES[0], "ray"), (SIZES[-1], "local")):
        _give(root, size)
        started = time.perf_counter()
        running = _python(root, "tests.bench.night", str(root), "transformer", LAST_NIGHT.isoformat(), where)
        manifest, mib = _night(root, running=running)
        figures[f"{size} reports, {where}"] = f"{manifest['engine']}: {_said(manifest, time.perf_counter() - started, mib)}"
        queues[size, where] = (root / "data" / "nights" / "sample" / LAST_NIGHT.isoformat() / "queue.parquet").read_bytes()
    figures["queue of Ray equal to the one from here"] = queues[SIZES[0], "local"] == queues[SIZES[0], "ray"]
    record("night, transformer", figures)
