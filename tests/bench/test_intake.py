"""How fast simulated reports go through intake, near-duplicates and matters included, and in how much memory.

Run with `make bench`; everything is printed. Wall time means little on a busy machine, so processor time stands beside it.
"""

import os
import resource
import time
from collections import Counter
from datetime import UTC, date, datetime

import psutil
import pytest

from pipeline import schema
from pipeline.intake.admission import add_up, admit
from pipeline.intake.registration import SourceFile, load_source
from pipeline.intake.sources import read
from pipeline.params import load_params
from pipeline.simulator import simulate
from tests.conftest import ROOT

pytestmark = pytest.mark.bench
SIZES = (10_000, 100_000)
N_PROCESSES = 2


def _resident_mib():
    """Memory of this process and its children now."""
    here = psutil.Process()
    return sum(process.memory_info().rss for process in (here, *here.children(recursive=True))) / 2**20


def _run(folder):
    """Admit everything in a folder; returns seconds, processor seconds, peak memory in MiB, and what became of the rows."""
    source = load_source(ROOT, "sample").model_copy(update={"files": (SourceFile(path="reports.csv", sha256=None),)})
    params = load_params(ROOT).intake
    parts = admit(
        [(source, read(source, folder, batch_rows=params.batch_rows))],
        earlier=schema.REPORTS.empty(),
        as_of=datetime(2027, 1, 1, tzinfo=UTC),
        params=params,
        key=b"k" * 16,
        n_processes=N_PROCESSES,
    )
    started, used = time.perf_counter(), sum(os.times()[:4])
    tallies, peak = {"sample": Counter()}, 0.0
    for part in parts:
        add_up(tallies, part.tallies)
        peak = max(peak, _resident_mib())
    return time.perf_counter() - started, sum(os.times()[:4]) - used, peak, tallies["sample"]


def test_reports_a_second_through_intake(tmp_path):
    print(f"\n{'reports':>9} {'seconds':>8} {'a second':>9} {'processor s':>12} {'resident MiB':>13} {'duplicates':>11}")
    cost = []
    for size in SIZES:
        folder = tmp_path / str(size)
        simulate(folder, n_reports=size, seed=7, scenario="plain", start=date(2025, 1, 1), days=274)
        seconds, processor_seconds, mib, tally = _run(folder)
        cost.append(processor_seconds)
        rate, duplicates = tally["accepted"] / seconds, tally["duplicates"]
        print(f"{tally['accepted']:>9} {seconds:>8.1f} {rate:>9.0f} {processor_seconds:>12.1f} {mib:>13.0f} {duplicates:>11}")
        assert tally["read"] == size
    print(f"{SIZES[1] // SIZES[0]} times the rows cost {cost[1] / cost[0]:.1f} times the processor time")
    print(f"largest process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
