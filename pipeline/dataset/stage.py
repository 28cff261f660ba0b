"""`triage run dataset`: the profile's reports and outcomes become examples and their card."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.dataset.card import make_card, to_json, to_markdown
from pipeline.dataset.decided import use_decisions
from pipeline.dataset.history import add_history
from pipeline.dataset.labels import add_labels, censor_at_next_split
from pipeline.dataset.splits import SPLITS, assign_splits, between_splits
from pipeline.errors import SplitError
from pipeline.params import Places, Profile, load_project, midnight
from pipeline.schema import DECISIONS, EXAMPLES, OUTCOMES, REPORTS
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetSummary:
    """What the stage did.

    Attributes:
        n_reports: Reports received before `as_of`.
        n_examples: Examples made of them.
        n_by_split: Examples of train, validation, calibration and test.
        n_escalated: Examples known to have escalated.
        warnings: What will be hard to learn or measure.
        digest: SHA-256 of the examples.
        examples: The table's file.
        seconds: Of the whole stage.
    """

    n_reports: int
    n_examples: int
    n_by_split: dict[str, int]
    n_escalated: int
    warnings: tuple[str, ...]
    digest: str
    examples: Path
    seconds: float


def run(root: Path) -> DatasetSummary:
    """Write `examples.parquet`, `between.parquet`, `card.json`, and the folder `card` for those who read.

    Args:
        root: The project's folder.

    Raises:
        SplitError: If there is no report to divide, or a split would be empty.
    """
    started = time.perf_counter()
    params, profile, places = load_project(root)
    reports, outcomes = REPORTS.read(places.reports), OUTCOMES.read(places.outcomes)
    as_of = pd.Timestamp(midnight(profile.as_of, profile.timezone))
    reports = reports[reports["received_at"].isna() | (reports["received_at"] < as_of)].reset_index(drop=True)
    if reports.empty:
        raise SplitError(f"Profile '{profile.name}' has no report received before {profile.as_of}. Run `triage run intake`.")
    follow_up_days, seed = params.dataset.follow_up_days, params.seed
    examples, between = make_examples(
        reports, outcomes, profile=profile, follow_up_days=follow_up_days, seed=seed, decisions=_decisions(places)
    )
    card = make_card(
        examples,
        reports,
        profile=profile,
        categories=load_taxonomy(places.taxonomy(profile.taxonomy)).ids,
        min_examples_per_category=params.dataset.min_examples_per_category,
    )
    EXAMPLES.write(examples, places.examples)
    EXAMPLES.write(between, places.between)
    shown = places.room("dataset") / "card"
    shown.mkdir(exist_ok=True)
    (places.room("dataset") / "card.json").write_text(to_json(card), encoding="utf-8")
    (shown / "card.md").write_text(to_markdown(card), encoding="utf-8")
    seconds = time.perf_counter() - started
    logger.info(
        "dataset: %d reports, %d examples, %d warnings (%.1f s)", len(reports), len(examples), len(card["warnings"]), seconds
    )
    return DatasetSummary(
        n_reports=len(reports),
        n_examples=len(examples),
        n_by_split={name: int((examples["split"] == name).sum()) for name in SPLITS},
        n_escalated=int(examples["escalated"].fillna(False).sum()),
        warnings=tuple(card["warnings"]),
        digest=card["digest"],
        examples=places.examples,
        seconds=seconds,
    )


def _decisions(places: Places) -> pd.DataFrame:
    """What reviewers decided; nothing where intake has not taken any in."""
    return DECISIONS.read(places.decisions) if places.decisions.exists() else DECISIONS.empty()


def make_examples(
    reports: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    profile: Profile,
    follow_up_days: int,
    seed: int,
    decisions: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Label reports, add history, and divide them.

    Args:
        reports: REPORTS received before the profile's `as_of`.
        outcomes: OUTCOMES.
        profile: What is learned from, and how.
        follow_up_days: Days after arrival for which a report is followed.
        seed: Chooses the held-out groups of undated sources.
        decisions: DECISIONS, whose categories stand over those that came with the reports; None where nobody decided yet.

    Returns:
        EXAMPLES of the splits, and EXAMPLES of the gaps between them, which have no labels but were followed for some days.
    """
    labelled = add_labels(
        reports,
        outcomes,
        sources=profile.sources,
        as_of=pd.Timestamp(midnight(profile.as_of, profile.timezone)),
        label_window_days=profile.label_window_days,
        follow_up_days=follow_up_days,
        re_report_reporters=profile.re_report_reporters,
    )
    if decisions is not None:
        labelled = use_decisions(labelled, decisions, as_of=pd.Timestamp(midnight(profile.as_of, profile.timezone)))
    with_history = add_history(labelled, earlier=reports.iloc[:0])
    sources, gap_days, timezone = profile.sources, profile.gap_days, profile.timezone
    examples = assign_splits(with_history, sources=sources, gap_days=gap_days, timezone=timezone, seed=seed)
    between = between_splits(with_history, examples, sources=sources, gap_days=gap_days, timezone=timezone)
    censored = [censor_at_next_split(part, sources=sources, timezone=timezone) for part in (examples, between)]
    return EXAMPLES.check(censored[0]), EXAMPLES.check(censored[1])
