"""Parameters of the transformer, read from `models/transformer/config.yaml`; units and reasons stand there."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.settings import Count, LearningPrecision, Section, Share

Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
BelowOne = Annotated[float, Field(ge=0.0, lt=1.0)]
_SPECIAL_TOKENS_AT_MOST = 4


class PretrainedEncoder(Section):
    """An encoder somebody trained: a folder of the project, or a name on a hub."""

    name: str = Field(min_length=1)
    revision: str | None
    download: bool


class RandomEncoder(Section):
    """An encoder that starts from nothing; the comparison every pre-trained one must win."""

    tokenizer: str | None
    vocabulary_size: Annotated[int, Field(ge=64)]
    n_layers: Count
    width: Count
    n_heads: Count
    feed_forward: Count
    max_positions: Count

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.width % self.n_heads:
            raise ValueError(f"width ({self.width}) must be a multiple of n_heads ({self.n_heads})")
        return self


class EncoderChoice(Section):
    """Which encoder: exactly one of the two."""

    pretrained: PretrainedEncoder | None = None
    random: RandomEncoder | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.pretrained is None) == (self.random is None):
            raise ValueError("name exactly one of encoder.pretrained and encoder.random")
        return self


class InputParams(Section):
    """How title and text become tokens."""

    joining: Literal["pair", "joined"]
    max_tokens: Count
    max_title_tokens: Count
    head_share: Share

    @model_validator(mode="after")
    def _leaves_room_for_the_text(self) -> Self:
        if self.max_title_tokens + _SPECIAL_TOKENS_AT_MOST >= self.max_tokens:
            raise ValueError(
                f"max_title_tokens ({self.max_title_tokens}) must leave room for the text in max_tokens ({self.max_tokens})"
            )
        return self


class NetworkParams(Section):
    """What stands on the encoder."""

    pooling: Literal["first", "mean"]
    dropout: BelowOne
    attention_dropout: BelowOne


class WideParams(Section):
    """Hashed n-grams beside the encoder; no buckets, no wide part."""

    buckets: Annotated[int, Field(ge=0)]
    max_n: Count


class LossParams(Section):
    """What is minimized."""

    category: Literal["plain", "balanced", "logit_adjusted"]
    adjustment: Positive
    label_smoothing: BelowOne
    risk_weight: NotNegative


class HistoryParams(Section):
    """How history joins the risk."""

    penalty: Positive


class RegularizationParams(Section):
    """What keeps the network from learning the training reports by heart; 0 turns each off."""

    r_drop: NotNegative
    fgm: NotNegative
    token_dropout: BelowOne = 0.0  # models saved before there was one load as they were
    average_decay: BelowOne


class OptimizationParams(Section):
    """How it is minimized."""

    learning_rate: Positive
    head_learning_rate: Positive
    wide_learning_rate: Positive
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)]
    weight_decay: NotNegative
    max_gradient_norm: Positive
    epochs: Count
    patience_epochs: Count
    warmup_share: BelowOne
    decay: Literal["linear", "cosine"]
    tokens_per_batch: Count
    max_reports_per_batch: Count
    gradient_checkpointing: bool
    precision: LearningPrecision
    checkpoint_minutes: NotNegative


class TransformerParams(Section):
    """The whole of `models/transformer/config.yaml`."""

    encoder: EncoderChoice
    input: InputParams
    network: NetworkParams
    wide: WideParams
    loss: LossParams
    history: HistoryParams
    regularization: RegularizationParams
    optimization: OptimizationParams
    refuse_absent_categories: bool

    @model_validator(mode="after")
    def _batch_holds_a_report(self) -> Self:
        if self.optimization.tokens_per_batch < self.input.max_tokens:
            raise ValueError(
                f"optimization.tokens_per_batch ({self.optimization.tokens_per_batch}) is below input.max_tokens "
                f"({self.input.max_tokens}): the longest report would not fit a batch"
            )
        return self
