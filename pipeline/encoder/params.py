"""Parameters of the encoder, read from `models/encoder/config.yaml`; reasons and units stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.settings import Count, LearningPrecision, Section, Share

Positive = Annotated[float, Field(gt=0.0)]
LOG = "log.jsonl"
"""What a pre-training run writes as it goes, in its folder."""


class Rewrite(Section):
    """One regular expression by which a corpus is brought to the words intake uses."""

    pattern: str
    replacement: str
    share: Share

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return value


class CorpusParams(Section):
    """Where the raw text lies and how it becomes token ids."""

    folder: str
    shards: str
    held_out_share: Share
    rewrites: tuple[Rewrite, ...]


class VocabularyParams(Section):
    """What the tokenizer knows."""

    size: Annotated[int, Field(ge=32, le=65_535)]
    n_characters: Count
    han_words: bool
    max_piece_chars: Count
    min_frequency: Count
    sample_every: Count
    placeholders: tuple[str, ...]

    @field_validator("placeholders")
    @classmethod
    def _are_bracketed(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [word for word in value if not (word.startswith("[") and word.endswith("]"))]
        if bad or len(set(value)) != len(value):
            raise ValueError(f"placeholders must be distinct and in square brackets, got {bad or value}")
        return value


class ModelParams(Section):
    """Shape of the network."""

    n_layers: Count
    width: Count
    n_heads: Count
    feed_forward: Count
    activation: Literal["gelu", "gelu_pytorch_tanh", "relu"]
    max_positions: Count

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.n_heads:
            raise ValueError(f"width ({self.width}) must be a multiple of n_heads ({self.n_heads})")
        return self


class InitializationParams(Section):
    """How the embedding table starts."""

    svd: bool
    window: Count
    context_smoothing: Share
    scale: Positive


class PretrainingParams(Section):
    """How the network learns from raw text."""

    sequence_length: Annotated[int, Field(ge=8)]
    rows_per_batch: Annotated[int, Field(ge=4, multiple_of=2)]
    batches_per_step: Count
    mask_share: Annotated[float, Field(gt=0.0, lt=1.0)]
    span_probabilities: tuple[Share, ...]
    contrast_weight: Annotated[float, Field(ge=0.0)]
    contrast_temperature: Positive
    contrast_min_tokens: Count
    optimizer: Literal["adamw", "muon"]
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0.0)]
    max_gradient_norm: Positive
    warmup_tokens: Count
    stable_tokens: Count
    decay_tokens: Count
    precision: LearningPrecision
    checkpoint_minutes: Positive
    log_every_steps: Count
    held_out_every_steps: Count
    held_out_batches: Count
    threads: Count
    seed: int

    @model_validator(mode="after")
    def _spans_sum_to_one(self) -> Self:
        if abs(sum(self.span_probabilities) - 1.0) > 1e-6:
            raise ValueError(f"span_probabilities must sum to 1, got {sum(self.span_probabilities):.4f}")
        return self


class AdaptationParams(Section):
    """How pre-training goes on with a deployment's own reports; what is not named here stays as in `pretraining`."""

    warmup_tokens: Count
    stable_tokens: Count
    decay_tokens: Count
    learning_rate: Positive


class PairingParams(Section):
    """How titles learn to find their bodies."""

    pairs_per_batch: Annotated[int, Field(ge=2)]
    max_title_tokens: Count
    max_body_tokens: Count
    temperature: Positive
    learning_rate: Positive
    epochs: Count


class EncoderParams(Section):
    """The whole of `models/encoder/config.yaml`."""

    name: str
    corpus: CorpusParams
    vocabulary: VocabularyParams
    model: ModelParams
    initialization: InitializationParams
    pretraining: PretrainingParams
    adaptation: AdaptationParams
    pairing: PairingParams

    @model_validator(mode="after")
    def _fits_positions(self) -> Self:
        if self.pretraining.sequence_length > self.model.max_positions:
            raise ValueError(
                f"pretraining.sequence_length ({self.pretraining.sequence_length}) is above "
                f"model.max_positions ({self.model.max_positions})"
            )
        return self

    def work(self, root: Path) -> Path:
        """Folder of the run at work: vocabulary, tokens, checkpoint and `LOG`."""
        return root / "data" / "processed" / "encoder" / self.name

    def exported(self, root: Path) -> Path:
        """Folder that takes the finished encoder."""
        return root / "models" / "encoder" / self.name

    def adapted(self, profile: str) -> EncoderParams:
        """The parameters with which pre-training goes on for a profile, under a name of its own."""
        pretraining = self.pretraining.model_copy(update=self.adaptation.model_dump())
        return self.model_copy(update={"name": f"{self.name}-{profile}", "pretraining": pretraining})
