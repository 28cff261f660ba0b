"""Which engine this machine runs fastest: measured, not guessed.

What is fast follows the processor. With AMX or AVX512-BF16 a network in bfloat16 runs two to six times as fast as in 32 bits;
without either it is half as fast in torch. Two threads under load can be slower than one. So every engine that is installed is
tried on real reports, with one batch at a time up to as many as there are threads.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.classifier import NetworkClassifier
from pipeline.machine import Backend, EngineParams, Precision
from pipeline.scoring.engine import Engine
from pipeline.scoring.passes import Setting, is_installed, load_pass

_N_PASSES = 3


@dataclass(frozen=True)
class Measured:
    """How fast an engine was on the sample, in reports a second."""

    setting: Setting
    reports_per_second: float


def processor() -> str:
    """The processor's name and those of its instruction sets that matter here; empty names where the system does not say."""
    said = Path("/proc/cpuinfo")
    lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = sorted(flag for flag in facts.get("flags", "").split() if flag.startswith(("avx", "amx")))
    return " ".join([facts.get("model name", platform.processor()), *flags])


def candidates(params: EngineParams) -> Iterator[tuple[Backend, Precision]]:
    """Engines that are installed and that this processor has instructions for."""
    import torch  # takes seconds, so only where there is a network to run

    from pipeline.precision import has_bfloat16

    in_16_bits = has_bfloat16(torch.device("cpu"))
    for backend in params.backends:
        for precision in params.precisions:
            possible = {
                "openvino": precision != "bfloat16" or in_16_bits,
                "onnxruntime": precision != "bfloat16",  # it has no kernels for it on processors
                "torch": precision == "float32" or (precision == "bfloat16" and in_16_bits),
            }[backend]
            if possible and is_installed(backend):
                yield backend, precision


def measure(
    steps: NetworkClassifier,
    pair: tuple[Backend, Precision],
    reports: pd.DataFrame,
    *,
    folder: Path,
    n_threads: int,
    params: EngineParams,
) -> list[Measured]:
    """Time an engine with one stream up to one a thread.

    The numbers of streams take turns, and the best of three passes each counts: whatever else the machine does for a while then
    hits all alike. A pass before them compiles what new shapes need.

    Args:
        steps: The classifier.
        pair: Backend and precision, exported to the folder.
        reports: Real ones, of mixed lengths.
        folder: Where the exports are.
        n_threads: Most streams.
        params: Sizes of batches.
    """
    settings = [Setting(*pair, n_streams) for n_streams in range(1, n_threads + 1)]
    engines = [Engine(steps, load_pass(setting, folder, steps.network), params) for setting in settings]
    seconds = np.full((_N_PASSES + 1, len(engines)), np.inf)
    for turn in range(_N_PASSES + 1):
        for place, engine in enumerate(engines):
            started = time.perf_counter()
            engine.predict(reports)
            seconds[turn, place] = time.perf_counter() - started
    best = seconds[1:].min(axis=0)
    return [Measured(setting, len(reports) / float(took)) for setting, took in zip(settings, best, strict=True)]


def fastest(measured: Sequence[Measured]) -> list[Measured]:
    """By speed, the fastest first; of several streams of one engine only the best."""
    best: dict[tuple[str, str], Measured] = {}
    for one in sorted(measured, key=lambda found: -found.reports_per_second):
        best.setdefault((one.setting.backend, one.setting.precision), one)
    return list(best.values())
