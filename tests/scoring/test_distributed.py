"""Scoring on a real Ray cluster of two nodes on this machine, one of which is killed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import ParameterError
from pipeline.schema import HISTORY
from pipeline.scoring.distributed import on_ray
from pipeline.scoring.shards import score_in_shards
from tests.made_up import scores_by_length

N_REPORTS, SHARD_REPORTS = 60, 5
SECONDS_A_SHARD = 0.5


def _reports():
    texts = [f"第{number}件{'吵' * (number % 7)}" for number in range(N_REPORTS)]
    return pd.DataFrame({"title": "", "text": texts, **dict.fromkeys(HISTORY, 0.0), "area": "never sent"})


def _score(reports):
    assert "area" not in reports, "only what a model reads travels"
    time.sleep(SECONDS_A_SHARD)
    return scores_by_length(reports)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start_node(*where, folder):
    command = [str(Path(sys.executable).with_name("ray")), "start", *where, "--num-cpus=1", "--block", "--disable-usage-stats"]
    command += ["--object-store-memory=100000000"]
    environment = {**os.environ, "RAY_TMPDIR": str(folder), "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(Path.cwd())}
    environment["RAY_AUTH_MODE"] = "disabled"  # or a token left at home by an earlier cluster would be asked for
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)


def _kill(node):
    """Without a word, with everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(node.pid, signal.SIGKILL)
    node.wait()


@pytest.fixture
def cluster(monkeypatch):
    """Address of a cluster of two nodes of one processor each, and the second node's process."""
    import ray

    folder = Path("/tmp") / f"triage-ray-{os.getpid()}"  # sockets must have short names
    folder.mkdir()
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    port = _free_port()
    head = _start_node("--head", f"--port={port}", "--include-dashboard=false", folder=folder)
    second = None
    try:
        _wait_for_port(port)
        second = _start_node(f"--address=127.0.0.1:{port}", folder=folder)
        yield f"127.0.0.1:{port}", second
    finally:
        ray.shutdown()
        for node in (second, head):
            if node is not None:
                _kill(node)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_port(port):
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the head node did not start")


def _wait_for_nodes(n_nodes):
    import ray

    for _ in range(600):
        if sum(node["Alive"] for node in ray.nodes()) == n_nodes:
            return
        time.sleep(0.1)
    raise TimeoutError(f"there are not {n_nodes} nodes")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_node_that_is_killed_changes_no_score(cluster, tmp_path):
    address, second = cluster
    here = _reports().drop(columns="area")
    undisturbed = score_in_shards(here, _score, folder=tmp_path / "here", identity="m", shard_reports=SHARD_REPORTS)
    elsewhere = on_ray(address)(_score)
    _wait_for_nodes(2)
    folder = tmp_path / "there"

    def kill_when_some_are_finished():
        while len(list(folder.glob("*.arrow"))) < 2:
            time.sleep(0.05)
        _kill(second)

    killer = threading.Thread(target=kill_when_some_are_finished)
    killer.start()
    scores = score_in_shards(_reports(), None, folder=folder, identity="m", shard_reports=SHARD_REPORTS, elsewhere=elsewhere)
    killer.join()
    _wait_for_nodes(1)
    pd.testing.assert_frame_equal(scores, undisturbed)
    for file in (tmp_path / "here").glob("*.arrow"):
        assert (folder / file.name).read_bytes() == file.read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_without_a_cluster_it_says_what_to_do():
    with pytest.raises(ParameterError, match="ray start --head"):
        on_ray(f"127.0.0.1:{_free_port()}")


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_does_not_let_us_in_says_how_to_send_a_token(monkeypatch):
    import ray

    def refuse(**given):
        raise ConnectionError("InvalidAuthToken")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(ParameterError, match="RAY_AUTH_TOKEN"):
        on_ray(f"127.0.0.1:{listening.getsockname()[1]}")
