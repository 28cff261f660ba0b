"""The engine beside the Hugging Face pipeline and the linear baseline: the same real messages, one after the other, in one run.

Needs a project whose transformer is fitted and calibrated, with at least 3,000 messages: its folder is `TRIAGE_BENCH_PROJECT`.
Each way runs in a process of its own with two threads, cold start included. `TRIAGE_BENCH_MESSAGES` scores fewer.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from pipeline.params import load_project
from pipeline.precision import has_bfloat16
from pipeline.scoring.priority import priority, severity_weights
from pipeline.scoring.ranking import rank
from pipeline.taxonomy import load_taxonomy
from tests.bench.contender import messages
from tests.bench.history import record
from tests.conftest import ROOT

pytestmark = pytest.mark.bench
N_MESSAGES = int(os.environ.get("TRIAGE_BENCH_MESSAGES", "3000"))
N_THREADS = 2
WAYS = ("pipeline-1", "pipeline-32", "exact", "engine", "baseline")


@pytest.fixture(scope="module")
def root():
    folder = os.environ.get("TRIAGE_BENCH_PROJECT")
    if folder is None or not list(Path(folder).glob("models/transformer/*/calibrators.json")):
        pytest.skip("needs a project with a fitted transformer: set TRIAGE_BENCH_PROJECT to its folder")
    return Path(folder)


def _run(way, root):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(N_THREADS)}
    command = [sys.executable, "-m", "tests.bench.contender", way, str(root.resolve()), str(N_MESSAGES)]
    said = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(said.stdout.splitlines()[-1])


def _peak(dtype):
    """The best of a few matrix products, in operations a second."""
    torch.set_num_threads(N_THREADS)
    one, two = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(8):
        started = time.perf_counter()
        one @ two
        best = max(best, 2 * 2048**3 / (time.perf_counter() - started))
    return best


def _work(root, reports):
    """Tokens of the reports, and operations of the encoder's matrix products on them."""
    from pipeline.transformer.model import Transformer

    model = Transformer.load(next((root / "models" / "transformer").glob("*/fitted")))
    from pipeline.transformer.export import TransformerSteps

    config = model.fitted_.encoder.network.config
    lengths = TransformerSteps(model).encode(reports).lengths.astype(np.float64)
    width, inner = config.hidden_size, config.intermediate_size
    per_token = 8 * width**2 + 4 * width * inner + 4 * width * lengths  # projections, feed-forward, attention
    return lengths.sum(), float((lengths * per_token).sum() * config.num_hidden_layers)


def _ranking_seconds(root, reports, scores):
    _, profile, places = load_project(root)
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    started = time.perf_counter()
    weights = severity_weights(taxonomy, taxonomy.ids)
    order = priority(np.array(scores["risk"]), np.array(scores["probabilities"]), weights)
    known = reports.assign(priority=order, lane=scores["lane"])
    rank(known, capacity=40, audit_share=0.1, unclear_share=0.1, seed=7)
    return time.perf_counter() - started, order


def test_the_engine_beside_the_pipeline_and_the_baseline(root):
    reports = messages(root, N_MESSAGES)
    n_messages = len(reports)
    found = {way: _run(way, root) for way in WAYS}
    n_tokens, n_operations = _work(root, reports)
    able = has_bfloat16(torch.device("cpu"))
    known = (torch.float32, torch.bfloat16) if able else (torch.float32,)  # without, it takes minutes
    peaks = {str(dtype).removeprefix("torch."): _peak(dtype) for dtype in known}
    seconds = {way: facts["seconds"] for way, facts in found.items()}
    better = min(seconds["pipeline-1"], seconds["pipeline-32"])
    figures = {}
    for way, took in seconds.items():
        compared, mib = f"{better / took:.2f} x the better pipeline", f"{found[way]['mib']:.0f} MiB"
        used = found[way]["processor_seconds"]
        figures[f"{n_messages} messages, {way}"] = f"{took:.1f} s, {compared}, {used:.1f} processor s, {mib}"
    figures["engine chosen"] = found["engine"]["engine"]
    figures["engine, tokens a second"] = round(n_tokens / seconds["engine"])
    for name, peak in peaks.items():
        figures[f"engine, share of the {name} matmul peak"] = (
            f"{n_operations / seconds['engine'] / peak:.0%} of {peak / 1e9:.0f} GFLOP/s"
        )
    for size in (10_000, 100_000):
        figures[f"engine, seconds for {size} such messages"] = round(seconds["engine"] * size / n_messages)
    figures |= _agreement(root, reports, found)
    record("engine", figures)


def _agreement(root, reports, found):
    exact, fast = found["exact"]["scores"], found["engine"]["scores"]
    _, by_exact = _ranking_seconds(root, reports, exact)
    took, by_fast = _ranking_seconds(root, reports, fast)
    tops = [set(np.argsort(-order, kind="stable")[:40].tolist()) for order in (by_exact, by_fast)]
    labelled = (reports["category"].notna() & (reports["split"] == "test")).to_numpy()
    f1 = [
        f1_score(reports["category"][labelled], np.array(scores["category"])[labelled], average="macro")
        for scores in (exact, fast)
    ]
    return {
        "labels equal to 32 bits": f"{np.mean(np.array(exact['category']) == np.array(fast['category'])):.2%}",
        "top 40 in common with 32 bits": len(tops[0] & tops[1]),
        f"macro-F1 of {labelled.sum()} test messages, 32 bits and engine": f"{f1[0]:.4f} {f1[1]:.4f}",
        "ranking step, seconds": round(took, 3),
    }
