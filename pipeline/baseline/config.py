"""What `models/baseline/config.yaml` decides."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.baseline.ngrams import MAX_N
from pipeline.settings import Count, Section

Positive = Annotated[float, Field(gt=0.0)]


class BaselineConfig(Section):
    """How the baseline sees a text and how strongly it is held back.

    Attributes are explained, with units and reasons, in the YAML file.
    """

    min_n: Count
    max_n: Count
    min_reports: Count
    max_features: Count
    lead_characters: Count
    lead_weight: Positive
    balance_categories: bool
    category_strengths: tuple[Positive, ...] = Field(min_length=1)
    risk_labels: Literal["mature", "hazard"]
    risk_days: tuple[Count, ...] = Field(min_length=1)
    risk_text_strengths: tuple[Positive, ...] = Field(min_length=1)
    risk_penalty: Positive
    risk_blocks: int = Field(ge=2)

    @model_validator(mode="after")
    def _n_grams_fit(self) -> Self:
        if not self.min_n <= self.max_n <= MAX_N:
            raise ValueError(f"min_n ({self.min_n}) <= max_n ({self.max_n}) <= {MAX_N} must hold")
        return self
