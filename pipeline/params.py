"""Parameters, profiles and places: what a deployment decided, read once and frozen.

`params.yaml` holds the numbers of the pipeline, `data/profiles/<name>.yaml` what one deployment learns from, and
`models/<name>/config.yaml` one model. Each is read into a frozen pydantic object; an unknown or missing key, or values that
contradict each other, are refused with the file and the key named. Defaults are written in YAML and nowhere else.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, model_validator

from pipeline.errors import ParameterError
from pipeline.settings import Count, Section, Share, read_yaml


class IntakeParams(Section):
    """How source rows become reports."""

    max_text_characters: Count
    reject_limit: Share
    simplify: bool
    batch_rows: Count
    near_duplicate_similarity: Share
    matter_similarity: Share
    matter_similarity_other_area: Share
    matter_chance: Share
    matter_window_days: Count


class DatasetParams(Section):
    """How reports become examples."""

    min_examples_per_category: Count


class CalibrationParams(Section):
    """How logits become probabilities."""

    min_positives: Count


class EvaluationParams(Section):
    """How a model is measured."""

    n_bootstrap: Count
    confidence: Share
    min_slice_reports: Count
    n_bins: Count
    max_day_share: Share
    min_macro_f1_gain: float


class ScoringParams(Section):
    """How a night's queue is made."""

    opening_days: Count
    audit_share: Share
    n_reasons: Count


class BacktestParams(Section):
    """How past nights are replayed, and what a unit can read in a day."""

    model: Literal["baseline"]
    refit_days: Count
    lead_days: Annotated[float, Field(gt=0.0)]
    hours_per_day: Annotated[float, Field(gt=0.0, le=24.0)]
    more_reviewers: Count


class EmergingParams(Section):
    """How surges of counts are found."""

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

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if not self.min_history_days <= self.short_history_days <= self.baseline_days:
            raise ValueError("days of history must ascend: min_history_days <= short_history_days <= baseline_days")
        if self.surge_days > self.max_window_days:
            raise ValueError(f"surge_days ({self.surge_days}) is above max_window_days ({self.max_window_days})")
        return self


class Params(Section):
    """The whole of `params.yaml`; rooms receive their own section only."""

    profile: str
    seed: int
    threads: Count
    intake: IntakeParams
    dataset: DatasetParams
    calibration: CalibrationParams
    evaluation: EvaluationParams
    scoring: ScoringParams
    backtest: BacktestParams
    emerging: EmergingParams


class DateSplit(Section):
    """First day of each later split, ascending; `gap_days` are dropped before each."""

    rule: Literal["date"]
    validation: date
    calibration: date
    test: date

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.validation < self.calibration < self.test:
            raise ValueError("split days must ascend: validation < calibration < test")
        return self


class GroupSplit(Section):
    """Shares of the duplicate groups, for sources without dates; train gets the rest."""

    rule: Literal["group"]
    validation: Share
    calibration: Share
    test: Share

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.validation + self.calibration + self.test >= 1.0:
            raise ValueError("validation + calibration + test must leave a share for train")
        return self


class ProfileSource(Section):
    """What one source gives a profile.

    `supplies` names the labels taken from it; `outcomes` those that count as escalation, with `re_reported` derived from
    matters when named here; `outcome_sources` the registered files in which the other outcomes are recorded.
    """

    supplies: tuple[Literal["category", "escalated"], ...]
    outcomes: tuple[str, ...] = ()
    outcome_sources: tuple[str, ...] = ()
    split: DateSplit | GroupSplit = Field(discriminator="rule")


class Profile(Section):
    """What one deployment learns from, and how its nights are run."""

    name: str
    taxonomy: str
    timezone: str
    as_of: date
    sources: dict[str, ProfileSource] = Field(min_length=1)
    nightly_sources: tuple[str, ...] = ()
    label_window_days: Count
    gap_days: Count
    re_report_reporters: Count
    capacity: Count

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if self.gap_days < self.label_window_days:
            raise ValueError(
                f"gap_days ({self.gap_days}) is below label_window_days ({self.label_window_days}): labels of one split "
                "would be settled inside the next"
            )
        unknown = sorted(set(self.nightly_sources) - set(self.sources))
        if unknown:
            raise ValueError(f"nightly_sources names {', '.join(unknown)}, which 'sources' does not list")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"timezone '{self.timezone}' is not an IANA time zone such as Asia/Shanghai") from error
        return self


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which a day begins in a time zone, in UTC."""
    return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)


def load_params(root: Path) -> Params:
    """Read `params.yaml` of the project in `root`."""
    return read_yaml(root / "params.yaml", Params)


def load_profile(root: Path, name: str) -> Profile:
    """Read a profile and see that its name is the file's.

    Raises:
        ParameterError: If it is missing, malformed, or named otherwise.
    """
    path = root / "data" / "profiles" / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise ParameterError(f"There is no profile '{name}' ({path}). Known profiles: {known}. Set 'profile' in params.yaml.")
    profile = read_yaml(path, Profile)
    if profile.name != name:
        raise ParameterError(f"{path}: 'name' is '{profile.name}', but the file is called '{name}'. Make them the same.")
    return profile


@dataclass(frozen=True)
class Places:
    """Where a profile keeps things; nothing of one profile lies in another's folder."""

    root: Path
    profile: str

    def raw(self, source: str) -> Path:
        """Folder of a source's files as they came."""
        return self.root / "data" / "raw" / source

    def source_file(self, source: str) -> Path:
        """The registry file of a source."""
        return self.root / "data" / "registry" / f"{source}.yaml"

    def taxonomy(self, name: str) -> Path:
        """A taxonomy file."""
        return self.root / "data" / "taxonomy" / f"{name}.yaml"

    @property
    def outcome_definitions(self) -> Path:
        """The declared outcomes."""
        return self.root / "data" / "taxonomy" / "outcomes.yaml"

    def room(self, room: str) -> Path:
        """What a learning room wrote for this profile, such as `data/intake/<profile>`."""
        return self.root / "data" / room / self.profile

    @property
    def reports(self) -> Path:
        """REPORTS of intake."""
        return self.room("intake") / "reports.parquet"

    @property
    def rejected(self) -> Path:
        """REJECTED of intake."""
        return self.room("intake") / "rejected.parquet"

    @property
    def outcomes(self) -> Path:
        """OUTCOMES of intake."""
        return self.room("intake") / "outcomes.parquet"

    @property
    def examples(self) -> Path:
        """EXAMPLES of dataset."""
        return self.room("dataset") / "examples.parquet"

    def config(self, model: str) -> Path:
        """The configuration of a model."""
        return self.root / "models" / model / "config.yaml"

    def model(self, model: str) -> Path:
        """A model's results for this profile: `fitted/`, `logits.parquet`, `calibrators.json`, `probabilities.parquet`."""
        return self.root / "models" / model / self.profile

    def evaluation(self, model: str) -> Path:
        """Metrics, plots and the report of a model."""
        return self.room("evaluation") / model

    @property
    def nights(self) -> Path:
        """One folder per published night."""
        return self.room("nights")
