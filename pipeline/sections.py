"""The sections of `params.yaml`: one object a room, each key explained where it has its value."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.limits import GateParams
from pipeline.machine import EngineParams, ParityParams
from pipeline.settings import Count, Section, Share


class IntakeParams(Section):
    """How source rows become reports."""

    max_text_characters: Count
    reject_limit: Share
    simplify: bool
    batch_rows: Count
    near_duplicate_similarity: Share
    matter_similarity: Share
    matter_similarity_other_area: Share
    matter_log_odds: float
    matter_chance: Share
    matter_window_days: Count


class DatasetParams(Section):
    """How reports become examples."""

    min_examples_per_category: Count
    follow_up_days: Count


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


class EvaluationParams(Section):
    """How a model is measured."""

    n_bootstrap: Count
    confidence: Share
    min_slice_reports: Count
    n_bins: Count
    max_day_share: Share
    min_macro_f1_gain: float
    gates: GateParams
    equal_care: EqualCareParams


class ScoringParams(Section):
    """How a night's queue is made."""

    opening_days: Count
    audit_share: Share
    unclear_share: Share
    n_reasons: Count
    engine: EngineParams
    parity: ParityParams


class BacktestParams(Section):
    """How past nights are replayed, and what a unit can read in a day."""

    model: Literal["baseline"]
    refit_days: Count
    lead_days: Annotated[float, Field(gt=0.0)]
    hours_per_day: Annotated[float, Field(gt=0.0, le=24.0)]
    more_reviewers: Count


class GrowthParams(Section):
    """How matters that will gather more reporters are told."""

    more_reporters: Count
    horizon_days: Count
    memory_days: Count
    min_reporters: Count
    min_probability: Share
    false_alarms_per_month: Annotated[float, Field(gt=0.0)]


class NoveltyParams(Section):
    """How reports that fit no category are grouped."""

    max_category_probability: Share
    similarity: Share
    min_reports: Count
    min_reporters: Count
    min_days: Count
    told_a_month: Count
    window_days: Count
    n_terms: Count


class EmergingParams(Section):
    """How surges, growing matters and new things are found, and when an alert is raised and closed."""

    country: str
    false_alarms_per_month: Annotated[float, Field(gt=0.0)]
    watched_days: Count
    min_history_days: Count
    short_history_days: Count
    long_history_years: Count
    baseline_days: Count
    surge_days: Count
    max_window_days: Count
    design_rise: Annotated[float, Field(gt=1.0)]
    merge_gap_days: Count
    max_delay_days: Count
    n_simulated: Count
    n_trials: Count
    max_false_discovery_rate: Share
    close_after_days: Count
    n_examples: Count
    counted_days: Count
    growth: GrowthParams
    novelty: NoveltyParams

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not self.min_history_days <= self.short_history_days <= self.baseline_days:
            raise ValueError("days of history must ascend: min_history_days <= short_history_days <= baseline_days")
        if self.surge_days > self.max_window_days:
            raise ValueError(f"surge_days ({self.surge_days}) is above max_window_days ({self.max_window_days})")
        return self


class ReviewParams(Section):
    """How the review pages hand out and check work."""

    claim_minutes: Count
    session_hours: Count
    lockout_attempts: Count
    lockout_minutes: Count
    second_share: Share
    known_share: Share
    blind_share: Share
    page_size: Count
