"""What calibrated numbers promise: parameters of calibration and of equal care, and who answers where a promise is not kept."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.settings import Count, Section, Share


class CalibrationParams(Section):
    """How logits become probabilities, category sets and lanes."""

    min_positives: Count
    risk_method: Literal["auto", "platt", "isotonic", "venn_abers"]
    n_folds: Annotated[int, Field(ge=2)]
    n_bootstrap: Count
    interval_confidence: Annotated[float, Field(gt=0.0, lt=1.0)]
    conformal_level: Annotated[float, Field(gt=0.0, lt=1.0)]
    min_conformal_reports: Count
    max_choices: Count

    @model_validator(mode="after")
    def _a_category_can_be_left_out(self) -> Self:
        needed = 1 / (1 - self.conformal_level)
        if self.min_conformal_reports < needed - 1:
            raise ValueError(
                f"min_conformal_reports ({self.min_conformal_reports}) is below {needed - 1:.0f}: at conformal_level "
                f"{self.conformal_level} a category with so few reports could never be left out of a set"
            )
        return self


class EqualCareParams(Section):
    """How far groups of reports may differ at the cut-off before it must be answered for."""

    min_group_reports: Count
    min_group_escalated: Count
    max_recall_gap: Share
    max_precision_gap: Share
    max_risk_gap: Share


class Waiver(Section):
    """Somebody's written word that a group of reports may be served worse until a day, and why."""

    slice: Annotated[str, Field(pattern=r"^\w+=.+$")]
    why: Annotated[str, Field(min_length=1)]
    who: Annotated[str, Field(min_length=1)]
    until: date
