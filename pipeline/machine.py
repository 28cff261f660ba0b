"""Parameters of the engine that scores a night, and of the comparison it must pass; read with section `scoring`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.settings import Count, Section, Share

Backend = Literal["openvino", "onnxruntime", "torch"]
Precision = Literal["int8", "bfloat16", "float32"]
NotNegative = Annotated[float, Field(ge=0.0)]


class EngineParams(Section):
    """How a network is run."""

    backends: tuple[Backend, ...]
    precisions: tuple[Precision, ...]
    tokens_per_batch: Count
    max_reports_per_batch: Count
    length_step: Count
    chunk_reports: Count
    shard_reports: Count
    measured_reports: Count
    quantized_on_reports: Count

    @model_validator(mode="after")
    def _holds_a_chunk(self) -> Self:
        if self.shard_reports < self.chunk_reports:
            raise ValueError(f"shard_reports ({self.shard_reports}) is below chunk_reports ({self.chunk_reports})")
        return self


class ParityParams(Section):
    """How far a fast engine may differ from the exact one."""

    n_reports: Count
    median_difference: NotNegative
    p99_difference: NotNegative
    label_flips: Share
    top_reports: Count
    top_overlap: Share
    calibration_error_change: NotNegative
