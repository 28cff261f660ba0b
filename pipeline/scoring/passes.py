"""A network's pass over batches, by OpenVINO, ONNX Runtime or torch; all three give 32-bit numbers back.

Every batch is computed by one thread, and `n_streams` batches are computed at once. On two cores that is faster than two
threads for one batch (OpenVINO, 4 layers of 256, bfloat16: 173 reports/s against 133), and a batch's numbers then depend
neither on how many run beside it nor on which thread took it. Whatever is not installed is simply no candidate.
"""

from __future__ import annotations

import importlib.util
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.machine import Backend, Precision

logger = logging.getLogger(__name__)

Batch = tuple[np.ndarray, tuple[np.ndarray, ...]]
"""Row numbers of some reports and the network's inputs for them."""
Exported = dict[str, bytes]
"""An exported network's files by their endings; bytes, so that a pass can be sent to another machine."""
Deliver = Callable[[np.ndarray, np.ndarray, np.ndarray], None]
"""Takes row numbers, category values of shape (n_rows, n_learned) and risk values of shape (n_rows,)."""
MODULES = {"openvino": "openvino", "onnxruntime": "onnxruntime", "torch": "torch"}


@dataclass(frozen=True)
class Setting:
    """How the pass is made.

    Attributes:
        backend: The library.
        precision: Of weights and activations.
        n_streams: Batches computed at once, one thread each.
    """

    backend: Backend
    precision: Precision
    n_streams: int

    def __str__(self) -> str:
        return f"{self.backend} {self.precision} x{self.n_streams}"


class Pass(Protocol):
    """Makes the pass over batches as they come, and delivers each when it is done, in any order."""

    def __call__(self, batches: Iterable[Batch], deliver: Deliver) -> None:
        """Go through all batches."""


def exported_name(backend: Backend, precision: Precision) -> str:
    """The file an export of the network is kept in; bfloat16 is made from 32 bits when the network is loaded."""
    ending = {"openvino": "xml", "onnxruntime": "onnx", "torch": "none"}[backend]
    return f"network-{'int8' if precision == 'int8' else 'float32'}.{ending}"


def is_installed(backend: Backend) -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec(MODULES[backend]) is not None


def load_pass(setting: Setting, folder: Path, network: Any) -> Pass:
    """Make a pass ready.

    Args:
        setting: How.
        folder: Where the exports are.
        network: The `torch.nn.Module`, for torch.
    """
    if setting.backend == "torch":
        return TorchPass(network, setting)
    file = folder / exported_name(setting.backend, setting.precision)
    if setting.backend == "onnxruntime":
        return OnnxPass({"onnx": file.read_bytes()}, setting)
    return OpenVinoPass({"xml": file.read_bytes(), "bin": file.with_suffix(".bin").read_bytes()}, setting)


class OpenVinoPass:
    """OpenVINO on the processor."""

    def __init__(self, exported: Exported, setting: Setting) -> None:
        import openvino

        self._made_of = (exported, setting)
        precision = "f32" if setting.precision == "float32" else "bf16"
        core = openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            precision = "f32"  # what int8 leaves over is then computed in 32 bits
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": setting.n_streams,
            "INFERENCE_NUM_THREADS": setting.n_streams,
        }
        model = core.read_model(exported["xml"], exported["bin"])
        self._queue = openvino.AsyncInferQueue(core.compile_model(model, "CPU", options), setting.n_streams)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the export, to be compiled there."""
        return OpenVinoPass, self._made_of

    def __call__(self, batches: Iterable[Batch], deliver: Deliver) -> None:
        """Go through all batches; the next is made ready while `n_streams` are computed."""

        def done(request: Any, rows: np.ndarray) -> None:
            deliver(rows, request.get_output_tensor(0).data, request.get_output_tensor(1).data)

        self._queue.set_callback(done)
        for rows, inputs in batches:
            self._queue.start_async(list(inputs), rows)
        self._queue.wait_all()


class OnnxPass:
    """ONNX Runtime on the processor."""

    def __init__(self, exported: Exported, setting: Setting) -> None:
        import onnxruntime

        self._made_of = (exported, setting)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(exported["onnx"], options, providers=["CPUExecutionProvider"])
        self._names = [entry.name for entry in self._session.get_inputs()]
        self._n_streams = setting.n_streams

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the export, to be loaded there."""
        return OnnxPass, self._made_of

    def __call__(self, batches: Iterable[Batch], deliver: Deliver) -> None:
        """Go through all batches."""
        _in_threads(self._one, batches, deliver, self._n_streams)

    def _one(self, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        category, risk = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return category, risk


class TorchPass:
    """torch itself; the exact engine where the precision is float32."""

    def __init__(self, network: Any, setting: Setting) -> None:
        self._network = network
        self._setting = setting

    def __call__(self, batches: Iterable[Batch], deliver: Deliver) -> None:
        """Go through all batches."""
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            _in_threads(self._one, batches, deliver, self._setting.n_streams)
        finally:
            torch.set_num_threads(before)

    def _one(self, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        import torch

        lower = self._setting.precision == "bfloat16"
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=lower):
            category, risk = self._network(*(torch.from_numpy(values) for values in inputs))
        return category.float().numpy(), risk.float().numpy()


def _in_threads(
    one: Callable[[tuple[np.ndarray, ...]], tuple[np.ndarray, np.ndarray]],
    batches: Iterable[Batch],
    deliver: Deliver,
    n_threads: int,
) -> None:
    """Compute batches in threads, holding no more of them than are computed."""
    waiting: deque[tuple[np.ndarray, Future[tuple[np.ndarray, np.ndarray]]]] = deque()
    with ThreadPoolExecutor(n_threads) as threads:
        for rows, inputs in batches:
            waiting.append((rows, threads.submit(one, inputs)))
            if len(waiting) > n_threads:
                first, future = waiting.popleft()
                deliver(first, *future.result())
        for first, future in waiting:
            deliver(first, *future.result())
