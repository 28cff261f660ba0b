"""The limits a model must keep before it is promoted: section `evaluation.gates` of `params.yaml`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.settings import Count, Section, Share

GateGroup = Literal["measured", "champion", "calibration", "categories", "slices", "behaviour", "speed", "redaction"]
"""What a gate is about; a person may waive gates of the groups in `waivable`, with a reason."""


class GateParams(Section):
    """What a challenger must show; each key is explained where it has its value."""

    max_baseline_drop: Share
    max_capacity_drop: Share
    max_macro_f1_drop: Share
    min_category_reports: Count
    min_category_recall: Share
    max_category_recall_drop: Share
    max_category_calibration_excess: Share
    max_risk_calibration_excess: Share
    max_coverage_gap: Share
    max_category_brier: Annotated[float, Field(ge=0.0, le=2.0)]
    min_risk_brier_skill: Annotated[float, Field(le=1.0)]
    behaviour_tolerance: Annotated[float, Field(ge=0.0)]
    min_behaviour_share: dict[str, Share]
    night_reports: Count
    night_minutes: Annotated[float, Field(gt=0.0)]
    timed_reports: Count
    min_redaction_recall: Share
    waivable: tuple[GateGroup, ...]

    @model_validator(mode="after")
    def _some_things_are_never_waived(self) -> Self:
        never = sorted({"measured", "redaction"} & set(self.waivable))
        if never:
            raise ValueError(f"waivable names {', '.join(never)}: a model without these is never promoted")
        return self
