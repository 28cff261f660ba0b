"""What a unit would have got on past nights, from what each reading order gave it to read and what became of the reports.

A report is read in time if a night gave it to somebody before its outcome. Recall is the share of escalated reports that were
read in time; some escalate before the first morning on which anybody could have read them, so `reachable` says what recall the
best order could have had. Precision is the share of read reports that were read in time and escalated. Lead is the time from
the morning on which a report was first given to somebody to its outcome. Reports whose label window has not closed are left out
of both.

Every order keeps its own open reports: what one order gives out, another may still have waiting. Intervals resample matters, as
reports of one matter rise and fall together, with what was read as it was (`resampling.py`); all orders see the same resamples,
so differences are paired.

Limits: the reading of a night counts from its morning, though a report read last waits some hours more; and resampling reads
does not show how a different month would have filled the queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation.metrics import ratio
from pipeline.evaluation.resampling import Estimate, Measure, resample

MODEL = "model"
MEASURED = ("recall", "precision", "lead_median", "lead_share")
_MICROSECONDS_A_DAY = 86_400_000_000
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Fates:
    """What became of the reports of a replay; the n-th entry everywhere is the n-th report.

    Attributes:
        matters: Matter of each, shape (n_reports,).
        first_night: Number of the first night on which each could be read, shape (n_reports,).
        settled: Whether the label window has closed, shape (n_reports,).
        escalated: Whether it escalated; False where not settled, shape (n_reports,).
        outcome_at: Microseconds since 1970 of the outcome, or far in the future, shape (n_reports,).
        mornings: Microseconds since 1970 at which each night's day begins, ascending, shape (n_nights,).
    """

    matters: np.ndarray
    first_night: np.ndarray
    settled: np.ndarray
    escalated: np.ndarray
    outcome_at: np.ndarray
    mornings: np.ndarray

    @property
    def last_night(self) -> np.ndarray:
        """Number of the last night on which reading each report is in time, shape (n_reports,); -1 if there is none."""
        return np.asarray(np.searchsorted(self.mornings, self.outcome_at, side="left") - 1)

    def in_time(self, night: np.ndarray) -> np.ndarray:
        """Whether each report escalated after the night that gave it to somebody; `night` as from `replay`."""
        return self.escalated & (night >= 0) & (night <= self.last_night)

    def lead_days(self, night: np.ndarray) -> np.ndarray:
        """Days from being given to somebody to the outcome, shape (n_reports,); meaningless where not read in time."""
        return np.asarray((self.outcome_at - self.mornings[np.maximum(night, 0)]) / _MICROSECONDS_A_DAY)


def fates(reports: pd.DataFrame, mornings: Sequence[pd.Timestamp]) -> Fates:
    """Line up what became of reports.

    Args:
        reports: `received_at`, `matter_id`, `escalated` (null where the window is open) and `escalated_at`.
        mornings: The instant at which each night's day begins, ascending; every report was received before the last.
    """
    begins = np.array([morning.tz_convert("UTC").tz_localize(None) for morning in mornings], dtype="datetime64[us]").astype(
        "int64"
    )
    known = reports["escalated"].notna().to_numpy(dtype=bool)
    escalated = reports["escalated"].fillna(False).to_numpy(dtype=bool)
    happened = reports["escalated_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    received = reports["received_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    return Fates(
        matters=reports["matter_id"].to_numpy(),
        first_night=np.searchsorted(begins, received, side="right"),
        settled=known,
        escalated=escalated,
        outcome_at=np.where(escalated, happened, _NEVER),
        mornings=begins,
    )


@dataclass(frozen=True)
class BacktestResult:
    """What was measured.

    Attributes:
        n_reports: Reports that could be read.
        n_settled: Those whose label window has closed.
        n_escalated: Those of them that escalated.
        n_matters: Different matters among the escalated; the independent evidence there is.
        n_reachable: Escalated ones that could have been read before their outcome.
        n_read: Reading order to reports it gave out.
        n_in_time: Reading order to escalations it gave out before their outcome.
        rankings: For each order, estimates by the names in `MEASURED`.
        gains: For each order but the model's, how far the model exceeds it, by the names in `MEASURED`.
        nights: One row a night and order: `night`, `ranking`, `n_read`, `n_in_time`, `n_open_escalated`, `precision`, `recall`.
        leads: For each order, days of lead of what was read in time, ascending.
    """

    n_reports: int
    n_settled: int
    n_escalated: int
    n_matters: int
    n_reachable: int
    n_read: Mapping[str, int]
    n_in_time: Mapping[str, int]
    rankings: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Mapping[str, Estimate]]
    nights: pd.DataFrame
    leads: Mapping[str, np.ndarray]


def measure_backtest(
    fate: Fates, read: Mapping[str, np.ndarray], *, lead_days: float, n_resamples: int, confidence: float, seed: int
) -> BacktestResult:
    """Measure what each reading order gave a unit.

    Args:
        fate: What became of the reports.
        read: Reading order to the number of the night that gave each report to somebody, -1 for none; each (n_reports,).
            The first is the model's.
        lead_days: Days of lead that leave time to act.
        n_resamples: Of the intervals.
        confidence: Of the intervals, in (0, 1).
        seed: Of the resamples.
    """
    measures = [_of_order(name, fate, night, lead_days) for name, night in read.items()]
    found = resample(measures, pd.Series(fate.matters), n_resamples=n_resamples, confidence=confidence, seed=seed)
    first, *others = read
    in_time = {name: fate.in_time(night) for name, night in read.items()}
    return BacktestResult(
        n_reports=len(fate.matters),
        n_settled=int(fate.settled.sum()),
        n_escalated=int(fate.escalated.sum()),
        n_matters=len(np.unique(fate.matters[fate.escalated])),
        n_reachable=int((fate.escalated & (fate.first_night <= fate.last_night)).sum()),
        n_read={name: int((night >= 0).sum()) for name, night in read.items()},
        n_in_time={name: int(hits.sum()) for name, hits in in_time.items()},
        rankings={name: {key: found.estimate(f"{name}.{key}") for key in MEASURED} for name in read},
        gains={name: {key: found.difference(f"{first}.{key}", f"{name}.{key}") for key in MEASURED} for name in others},
        nights=pd.concat([_by_night(name, fate, night) for name, night in read.items()], ignore_index=True),
        leads={name: np.sort(fate.lead_days(read[name])[hits]) for name, hits in in_time.items()},
    )


def _of_order(name: str, fate: Fates, night: np.ndarray, lead_days: float) -> Measure:
    hits = fate.in_time(night)
    order = np.flatnonzero(hits)[np.argsort(fate.lead_days(night)[hits], kind="stable")]
    leads = fate.lead_days(night)[order]
    is_read = ((night >= 0) & fate.settled).astype(np.float64)
    early = (leads >= lead_days).astype(np.float64)

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        of_hits = weights[:, order]
        n_hits = of_hits.sum(axis=1)
        return {
            f"{name}.recall": ratio(n_hits, weights @ fate.escalated.astype(np.float64)),
            f"{name}.precision": ratio(n_hits, weights @ is_read),
            f"{name}.lead_median": _median(leads, of_hits),
            f"{name}.lead_share": ratio(of_hits @ early, n_hits),
        }

    return measure


def _median(ascending: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted median of each row of weights, shape (n_resamples,); NaN where all weights are zero."""
    if not len(ascending):
        return np.full(len(weights), np.nan)
    passed = weights.cumsum(axis=1)
    place = (passed >= passed[:, -1:] / 2).argmax(axis=1)
    return np.where(passed[:, -1] > 0, ascending[place], np.nan)


def _by_night(name: str, fate: Fates, night: np.ndarray) -> pd.DataFrame:
    """What each night gave out, and how many escalations still to come were open to be given out."""
    n_nights = len(fate.mornings)
    read = night >= 0
    hits = fate.in_time(night)
    n_read = np.bincount(night[read & fate.settled], minlength=n_nights)
    n_hits = np.bincount(night[hits], minlength=n_nights)
    start, stop = fate.first_night, np.minimum(np.where(read, night, n_nights), fate.last_night) + 1
    waits = fate.escalated & (stop > start)
    change = np.bincount(start[waits], minlength=n_nights + 2)[: n_nights + 1].astype(np.int64)
    change -= np.bincount(np.minimum(stop[waits], n_nights), minlength=n_nights + 1)[: n_nights + 1]
    n_open = change.cumsum()[:n_nights]
    return pd.DataFrame(
        {
            "night": np.arange(n_nights), "ranking": name, "n_read": n_read, "n_in_time": n_hits, "n_open_escalated": n_open,
            "precision": ratio(n_hits, n_read), "recall": ratio(n_hits, n_open),
        }
    )  # fmt: skip
