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
from pipeline.sections import (
    BacktestParams,
    CalibrationParams,
    DatasetParams,
    EmergingParams,
    EvaluationParams,
    IntakeParams,
    ReviewParams,
    ScoringParams,
)
from pipeline.settings import Count, Section, Share, read_yaml


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
    review: ReviewParams


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


class Waiver(Section):
    """Somebody's written word that a group of reports may be served worse until a day, and why."""

    slice: Annotated[str, Field(pattern=r"^\w+=.+$")]
    why: Annotated[str, Field(min_length=1)]
    who: Annotated[str, Field(min_length=1)]
    until: date


class Profile(Section):
    """What one deployment learns from, and how its nights are run."""

    name: str
    taxonomy: str
    timezone: str
    as_of: date
    sources: dict[str, ProfileSource] = Field(min_length=1)
    nightly_sources: tuple[str, ...] = ()
    decision_sources: tuple[str, ...] = ()
    label_window_days: Count
    gap_days: Count
    re_report_reporters: Count
    capacity: Count
    waivers: tuple[Waiver, ...] = ()

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
    def behaviour(self) -> Path:
        """What a model is asked before it is promoted."""
        return self.root / "data" / "behaviour" / "reports.yaml"

    @property
    def planted(self) -> Path:
        """Planted personal data that redaction must take out."""
        return self.root / "data" / "behaviour" / "planted.yaml"

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
    def decisions(self) -> Path:
        """DECISIONS of intake."""
        return self.room("intake") / "decisions.parquet"

    @property
    def examples(self) -> Path:
        """EXAMPLES of dataset."""
        return self.room("dataset") / "examples.parquet"

    @property
    def between(self) -> Path:
        """EXAMPLES of the gaps between splits: without labels, each with the days it was followed."""
        return self.room("dataset") / "between.parquet"

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
    def matter_decisions(self) -> Path:
        """MATTER_DECISIONS."""
        return self.room("decisions") / "matters.parquet"

    @property
    def nights(self) -> Path:
        """One folder per published night."""
        return self.room("nights")


def load_project(root: Path) -> tuple[Params, Profile, Places]:
    """Parameters, the profile they choose, and where it keeps things.

    Raises:
        ParameterError: If `params.yaml` or the profile is missing or malformed.
    """
    params = load_params(root)
    profile = load_profile(root, params.profile)
    return params, profile, Places(root, profile.name)
