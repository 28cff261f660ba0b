"""What a unit that reads `capacity` reports a day would have read of what escalated.

The test split is replayed day by day (local days). Each day's reports are put in the ranking's order and the first ones are
read: `capacity` of them, but on a day with few reports at most `max_day_share` of that day's (rounded up). Without that, a unit
whose capacity exceeds a day's arrivals would read everything, every ranking would be perfect, and nothing would be measured.
Recall at capacity is the share of escalated reports that were read, precision the share of read reports that escalated, both
over all days together. Reports without an arrival time count as one day. Beside it, the same effort is spent on one list of the
whole test split (`read_top`), as if every report could wait for the end: the backlog of a real unit lies between the two.

Rankings by counts have many ties, and the number depends on who comes first among equals. We give the exact expectation when
ties are broken at random, and the worst and best any order of equals could give (McSherry & Najork, Computing information
retrieval performance measures efficiently in the presence of tied scores, ECIR 2008).

The replay is made once, and gives every report a chance of having been read; intervals resample the outcomes with those chances
as they are (`risks.py`). Replaying resampled days instead would let a doubled report push others below the line, and would put
the number itself at the edge of its interval.

Limit: a real unit's queue also holds the unread reports of earlier days; replaying that is the backtest's work.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TINY = 1e-9  # keeps 0.2 * 5, which is a little over 1 in floating point, from being rounded up to 2


@dataclass(frozen=True)
class Queue:
    """Reports in reading order, cut into runs of equal score within a day.

    Attributes:
        order: Positions of the reports, by day and then by falling score, shape (n_reports,).
        lengths: Reports in each run of equals, shape (n_runs,).
        before: Reports of the same day that come before each run, shape (n_runs,).
        day_lengths: Reports of each day, shape (n_days,).
        day_of_run: Day of each run, shape (n_runs,).
    """

    order: np.ndarray
    lengths: np.ndarray
    before: np.ndarray
    day_lengths: np.ndarray
    day_of_run: np.ndarray


@dataclass(frozen=True)
class Read:
    """What was read.

    Attributes:
        chance: Probability that each report was read, ties broken at random, shape (n_reports,), in the reports' own order.
        worst: Escalated reports read if ties fall against us.
        best: Escalated reports read if ties fall for us.
    """

    chance: np.ndarray
    worst: float
    best: float


def local_days(received_at: pd.Series, timezone: str) -> np.ndarray:
    """Number of each report's local day, shape (n_reports,); reports without a time share the number -1."""
    days = received_at.dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    return np.asarray(pd.factorize(days, sort=True, use_na_sentinel=True)[0])


def make_queue(scores: np.ndarray, days: np.ndarray) -> Queue:
    """Put the reports of each day in order.

    Args:
        scores: Higher is read first, shape (n_reports,), at least one report.
        days: Day of each report, shape (n_reports,).
    """
    order = np.lexsort((-scores, days))
    day, score = days[order], scores[order]
    new_day = np.r_[True, day[1:] != day[:-1]]
    run_starts = np.flatnonzero(new_day | np.r_[True, score[1:] != score[:-1]])
    day_starts = np.flatnonzero(new_day)
    day_of_run = np.cumsum(new_day)[run_starts] - 1
    return Queue(
        order=order,
        lengths=np.diff(np.r_[run_starts, len(order)]),
        before=run_starts - day_starts[day_of_run],
        day_lengths=np.diff(np.r_[day_starts, len(order)]),
        day_of_run=day_of_run,
    )


def read_at_capacity(queue: Queue, escalated: np.ndarray, *, capacity: int, max_day_share: float) -> Read:
    """Replay the days with a fixed capacity.

    Args:
        queue: Reports in reading order.
        escalated: Shape (n_reports,), bool.
        capacity: Reports read in a day.
        max_day_share: Most of a day's reports that may be read, in (0, 1].
    """
    return _read(queue, escalated, np.minimum(capacity, np.ceil(max_day_share * queue.day_lengths - TINY)))


def read_share(queue: Queue, escalated: np.ndarray, *, share: float) -> Read:
    """Replay the days reading the same share of each; a fraction of a report counts as that chance of reading it."""
    return _read(queue, escalated, share * queue.day_lengths)


def read_top(scores: np.ndarray, escalated: np.ndarray, *, n_read: float) -> Read:
    """Read the first `n_read` of one list of all reports, whatever their day."""
    queue = make_queue(scores, np.zeros(len(scores), dtype=np.int64))
    return _read(queue, escalated, np.array([n_read]))


def _read(queue: Queue, escalated: np.ndarray, take: np.ndarray) -> Read:
    """Read the first `take` of each day; `take` has shape (n_days,)."""
    taken = np.clip(take[queue.day_of_run] - queue.before, 0.0, queue.lengths)
    run_of_report = np.repeat(np.arange(len(queue.lengths)), queue.lengths)
    n_escalated = np.bincount(run_of_report, weights=escalated[queue.order], minlength=len(queue.lengths))
    chance = np.empty(len(queue.order))
    chance[queue.order] = (taken / queue.lengths)[run_of_report]
    worst = np.maximum(taken - (queue.lengths - n_escalated), 0.0).sum()
    return Read(chance, float(worst), float(np.minimum(taken, n_escalated).sum()))
