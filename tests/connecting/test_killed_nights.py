"""A night that is killed again and again comes to the queue of an undisturbed one."""

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
import yaml

from tests.conftest import ROOT

DAY, N_KILLS = "2025-08-05", 10


def _start(root, notes):
    command = [sys.executable, "-W", "ignore", "-m", "tests.connecting.killed_night", str(root), DAY, str(notes)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _queue(root):
    return (root / "data" / "nights" / "desk" / DAY / "queue.parquet").read_bytes()


def _begin_anew(root, notes):
    """Forget a night that came through before the kill; its shards are gone with it."""
    shutil.rmtree(root / "data" / "nights")
    notes.unlink()


@pytest.fixture
def small_shards(project):
    """The project with all reports of half a year open, five to a shard."""
    path = project / "params.yaml"
    before = path.read_text(encoding="utf-8")
    params = yaml.safe_load(before)
    params["scoring"]["opening_days"] = 40
    params["scoring"]["engine"] |= {"shard_reports": 5, "chunk_reports": 5}
    path.write_text(yaml.safe_dump(params), encoding="utf-8")
    yield project
    path.write_text(before, encoding="utf-8")


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_byte_and_no_finished_shard_is_scored_again(small_shards, tmp_path):
    root = small_shards
    started = time.perf_counter()
    assert _start(root, tmp_path / "undisturbed").wait() == 0
    undisturbed, seconds = _queue(root), time.perf_counter() - started
    shutil.rmtree(root / "data" / "nights")
    notes, rng, n_killed, at_work = tmp_path / "killed", np.random.default_rng(17), 0, 0
    while n_killed < N_KILLS:
        night = _start(root, notes)
        try:
            code = night.wait(timeout=seconds * rng.uniform(0.3, 0.9))
        except subprocess.TimeoutExpired:
            night.send_signal(signal.SIGKILL)
            night.wait()
            if (root / "data" / "nights" / "desk" / DAY).exists():  # killed when all was done but leaving
                _begin_anew(root, notes)
                continue
            n_killed += 1
            at_work += any((root / "data" / "nights" / "desk").glob(".scoring-*/*.arrow"))
            continue
        assert code == 0
        _begin_anew(root, notes)
    assert _start(root, notes).wait() == 0
    assert _queue(root) == undisturbed
    assert at_work > 0, "no kill fell into scoring"
    assert max(Counter(notes.read_text(encoding="utf-8").split()).values()) == 1
    assert not list((root / "data" / "nights" / "desk").glob(".*"))
