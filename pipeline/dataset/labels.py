"""What became of each report, as known on the day we look from.

A report is escalated if, within the label window after it arrived, a declared outcome was recorded for its matter or enough
other people reported the matter again: `received_at <= instant < received_at + window`, except that a re-report must come
strictly later. The label is known once the window has closed by `as_of`, and null before. That holds for reports that have
escalated already, too: of the reports whose window is still open only those with a quick outcome would be known, and a model
that learns from them would think recent reports escalate more often than they do.

Beside the label stands what is known of every report, settled or not: `followed_days`, for how many days after its arrival
its outcomes are known, and `outcome_days`, when in them the first one came. A model that reckons with censoring learns from
those (`pipeline/hazard.py`). They go beyond the label window, to `follow_up_days`, so that the risk within longer periods can
be learned too; and they are censored twice. Nothing is known on or after `as_of`. And what a split teaches must have been
known when the next split began, since that is the day from which a model learned from it is judged: `censor_at_next_split`
cuts there. (Labels need no such cut: the gap before a split is at least the window.)

A report's category is the one its own source gave it; copies of a labelled report are not labelled for it.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.dataset.matters import MICROSECONDS_A_DAY, UNKNOWN, Matter, microseconds, repeated_matters
from pipeline.params import DateSplit, ProfileSource, midnight

RE_REPORTED = "re_reported"
_NEVER = np.iinfo(np.int64).max


def add_labels(
    reports: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    sources: Mapping[str, ProfileSource],
    as_of: pd.Timestamp,
    label_window_days: int,
    follow_up_days: int,
    re_report_reporters: int,
) -> pd.DataFrame:
    """Add labels and follow-up, and clear categories that the profile does not take from their source.

    Args:
        reports: REPORTS received before `as_of`; what is received later must not be among them.
        outcomes: OUTCOMES; those recorded at or after `as_of` play no part.
        sources: What each source supplies, and which outcomes count for its reports.
        as_of: The instant from which we look, aware.
        label_window_days: Days after arrival in which an outcome counts.
        follow_up_days: Days after arrival for which a report is followed; the label window, if that is longer.
        re_report_reporters: Other reporters who must report the matter again for `re_reported`.

    Returns:
        `reports` with `escalated` True, False or null (window still open, no date, or a source that supplies no such label),
        `escalated_at`, the first instant that made it so, null unless True; `followed_days`, null where no outcome of a report
        can be known; and `outcome_days`, days from arrival to its first outcome, null unless below `followed_days`.
    """
    received = microseconds(reports["received_at"])
    followed = max(follow_up_days, label_window_days) * MICROSECONDS_A_DAY
    end = received + followed
    source = reports["source"]
    first = _first_of_any(reports, outcomes, end, sources, as_of, re_report_reporters)
    supplying = [name for name, supplies in sources.items() if "escalated" in supplies.supplies]
    now = int(microseconds(pd.Series([as_of]))[0])
    supplied = source.isin(supplying).to_numpy() & reports["received_at"].notna().to_numpy()
    closes = received + label_window_days * MICROSECONDS_A_DAY
    known = supplied & (closes <= now)
    happened = known & (first < closes)
    escalated = pd.Series(happened, index=reports.index).astype("boolean").mask(~known)
    instants = pd.to_datetime(np.where(happened, first, 0), unit="us", utc=True).as_unit("us")
    followed_days = np.where(supplied, np.minimum(now - received, followed) / MICROSECONDS_A_DAY, np.nan)
    came = supplied & (first != _NEVER)
    outcome_days = np.where(came, (np.where(came, first, received) - received) / MICROSECONDS_A_DAY, np.nan)
    labelling = [name for name, supplies in sources.items() if "category" in supplies.supplies]
    return reports.assign(
        escalated=escalated,
        escalated_at=pd.Series(instants, index=reports.index).where(happened),
        followed_days=followed_days,
        outcome_days=np.where(outcome_days < followed_days, outcome_days, np.nan),
        category=reports["category"].where(source.isin(labelling), None),
    )


def censor_at_next_split(examples: pd.DataFrame, *, sources: Mapping[str, ProfileSource], timezone: str) -> pd.DataFrame:
    """Forget what became of reports on or after the day the next split begins.

    Args:
        examples: With `split`, `followed_days` and `outcome_days`.
        sources: The split rule of each; those divided by group have no next split in time and stay as they are.
        timezone: IANA name; whose midnight divides days.

    Returns:
        The examples with `followed_days` and `outcome_days` cut.
    """
    followed, outcome = examples["followed_days"].to_numpy(copy=True), examples["outcome_days"].to_numpy(copy=True)
    for name, source in sources.items():
        if not isinstance(source.split, DateSplit):
            continue
        split = source.split
        for part, next_day in (("train", split.validation), ("validation", split.calibration), ("calibration", split.test)):
            rows = ((examples["source"] == name) & (examples["split"] == part)).to_numpy()
            begins = pd.Timestamp(midnight(next_day, timezone))
            days = (begins - examples.loc[rows, "received_at"]).dt.total_seconds().to_numpy() / 86_400
            followed[rows] = np.minimum(followed[rows], days)
    return examples.assign(followed_days=followed, outcome_days=np.where(outcome < followed, outcome, np.nan))


def _first_of_any(
    reports: pd.DataFrame,
    outcomes: pd.DataFrame,
    end: NDArray[np.int64],
    sources: Mapping[str, ProfileSource],
    as_of: pd.Timestamp,
    re_report_reporters: int,
) -> NDArray[np.int64]:
    """Microseconds of the first thing before `end` that escalates each report, by its own source's outcomes, or _NEVER."""
    first = np.full(len(reports), _NEVER)
    again = _reported_again(reports, end, re_report_reporters)
    for name, supplies in sources.items():
        of_source = (reports["source"] == name).to_numpy()
        if RE_REPORTED in supplies.outcomes:
            first[of_source] = again[of_source]
        recorded = _recorded(reports, outcomes, set(supplies.outcomes) - {RE_REPORTED}, as_of)
        first[of_source] = np.minimum(first, _first_outcome(reports, recorded, end))[of_source]
    return first


def _recorded(reports: pd.DataFrame, outcomes: pd.DataFrame, declared: set[str], as_of: pd.Timestamp) -> pd.DataFrame:
    """Declared outcomes known by then, with the matter they concern: `matter_id`, `recorded_at`, ascending."""
    counting = outcomes[outcomes["outcome"].isin(declared) & (outcomes["recorded_at"] < as_of)]
    matters = reports.set_index("report_id")["matter_id"]
    known = counting.assign(matter_id=counting["report_id"].map(matters)).dropna(subset=["matter_id"])
    return known[["matter_id", "recorded_at"]].sort_values("recorded_at", ignore_index=True)


def _first_outcome(reports: pd.DataFrame, recorded: pd.DataFrame, end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds of the first outcome of each report's matter from its arrival on and before `end`, or _NEVER."""
    first = np.full(len(reports), _NEVER)
    dated = np.flatnonzero(reports["received_at"].notna().to_numpy())
    if not len(recorded) or not len(dated):
        return first
    left = pd.DataFrame({"place": dated, "matter_id": reports["matter_id"].to_numpy()[dated]})
    left["at"] = microseconds(reports["received_at"])[dated]
    right = pd.DataFrame({"matter_id": recorded["matter_id"], "recorded": microseconds(recorded["recorded_at"])})
    right["at"] = right["recorded"]
    found = pd.merge_asof(left.sort_values("at"), right, on="at", by="matter_id", direction="forward").dropna()
    places, instants = found["place"].to_numpy(), found["recorded"].to_numpy(dtype=np.int64)
    within = instants < end[places]
    first[places[within]] = instants[within]
    return first


def _reported_again(reports: pd.DataFrame, end: NDArray[np.int64], n_reporters: int) -> NDArray[np.int64]:
    """Microseconds at which the last of `n_reporters` other people reported each report's matter again, or _NEVER."""
    again = np.full(len(reports), _NEVER)
    for matter in repeated_matters(reports):
        for position, place in enumerate(matter.places):
            again[place] = _time_of_others(matter, position, int(end[place]), n_reporters)
    return again


def _time_of_others(matter: Matter, position: int, end: int, n_reporters: int) -> int:
    """When the last of `n_reporters` different other reporters came after a report and before `end`, or _NEVER.

    A report without a reporter counts for nobody; for a report that has none itself, anybody known is somebody else.
    """
    others: set[int] = set()
    for later in range(position + 1, len(matter.places)):
        if matter.received[later] >= end:
            break
        reporter = matter.reporters[later]
        if reporter in (UNKNOWN, matter.reporters[position]) or matter.received[later] == matter.received[position]:
            continue
        others.add(reporter)
        if len(others) == n_reporters:
            return matter.received[later]
    return int(_NEVER)
