"""Writes a network in the formats other libraries read: OpenVINO, directly from torch, and ONNX; in 32 bits and in 8.

8 bits are static: the ranges of activations come from real training reports, run through the network once. For OpenVINO NNCF
sets them, with SmoothQuant (Xiao et al., ICML 2023), which shifts what is hard to round from activations to weights. The heads
stay as they are: rounded too, all risks moved by two points and 7 of the 40 reports on top were others; without them none was,
at no cost in speed. For ONNX Runtime the rounding is dynamic, every batch setting its own ranges; it needs no reports.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.classifier import NetworkClassifier
from pipeline.errors import ArtifactError
from pipeline.machine import Backend, Precision
from pipeline.scoring.passes import exported_name

Inputs = Sequence[tuple[np.ndarray, ...]]
_OUTPUTS = ("category", "risk")


def export(backend: Backend, precision: Precision, steps: NetworkClassifier, samples: Inputs, folder: Path) -> Path | None:
    """Write a network; what is there already is kept.

    Args:
        backend: Which library will read it; torch needs nothing written.
        precision: bfloat16 is read from the file of float32.
        steps: The classifier whose network it is.
        samples: The network's inputs for real reports; the first serves to trace it, all to set the ranges of 8 bits.
        folder: Where it goes.

    Returns:
        The file; None where nothing is needed.

    Raises:
        ArtifactError: If the library cannot take the network.
    """
    if backend == "torch":
        return None
    file = folder / exported_name(backend, precision)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write = _write_openvino if backend == "openvino" else _write_onnx
        try:
            with _quiet():
                write(steps, samples, file, in_8_bits=precision == "int8")
        except (RuntimeError, ValueError, ImportError, OSError) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ArtifactError(f"The network could not be exported to {backend} in {precision}: {said}.") from error
    return file


@contextmanager
def _quiet() -> Iterator[None]:
    """Tracing warns of every branch on a shape; the parity check is what tells whether one mattered."""
    loggers = [logging.getLogger(name) for name in ("nncf", "torch.onnx", "root")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _write_openvino(steps: NetworkClassifier, samples: Inputs, file: Path, *, in_8_bits: bool) -> None:
    import openvino
    import torch

    with torch.inference_mode():
        model = openvino.convert_model(steps.network, example_input=tuple(torch.from_numpy(values) for values in samples[0]))
    if in_8_bits:
        import nncf

        exact = nncf.IgnoredScope(patterns=[f".*{name}.*" for name in steps.heads], validate=False)
        model = nncf.quantize(
            model,
            nncf.Dataset(list(samples)),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(samples),
            ignored_scope=exact,
        )
    openvino.save_model(model, str(file), compress_to_fp16=False)


def _write_onnx(steps: NetworkClassifier, samples: Inputs, file: Path, *, in_8_bits: bool) -> None:
    import torch

    names = [f"input_{number}" for number in range(len(samples[0]))]
    with tempfile.TemporaryDirectory() as aside:
        whole = Path(aside) / file.name
        torch.onnx.export(
            steps.network,
            tuple(torch.from_numpy(values) for values in samples[0]),
            str(whole),
            input_names=names,
            output_names=list(_OUTPUTS),
            dynamic_axes=dict.fromkeys(names, {0: "reports", 1: "tokens"}) | dict.fromkeys(_OUTPUTS, {0: "reports"}),
            dynamo=False,
        )
        if in_8_bits:
            from onnxruntime.quantization import QuantType, quantize_dynamic

            quantize_dynamic(str(whole), str(file), weight_type=QuantType.QInt8)
        else:
            file.write_bytes(whole.read_bytes())
