"""How well alarms find known surges: detection, delay, and false alarms, at equal false-alarm rates.

A rule is a matrix of scores and a threshold. A surge counts as found if its own series alarms while it lasts (or within the
lead granted before it); the delay is counted from its first step to the first alarm. A false alarm is a run of alarms, gaps
merged as in detection, that touches no surge: neither of its series nor of one that contains it or is contained in it, and
not within the steps after a surge in which a window still holds it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.emerging.series import Reals, Truths
from pipeline.emerging.thresholds import first_alarms

ALARMING = 0.1
"""A rule that alarms on more than this share of steps is of no use, at whatever rate."""


@dataclass(frozen=True)
class Truth:
    """Known surges.

    Attributes:
        surges: Columns `series` (row), `start` (step) and `length` (steps).
        related: Series whose alarms a surge explains, shape (n_series, n_series), row by row; the diagonal is True.
        lead: Steps before the start in which an alarm already counts.
        after: Steps after the end in which an alarm is not false.
    """

    surges: pd.DataFrame
    related: Truths
    lead: int
    after: int


@dataclass(frozen=True)
class Outcome:
    """What a rule achieved.

    Attributes:
        threshold: Smallest score that alarms.
        n_false: False surges raised: runs of alarms that touch no known surge.
        n_false_steps: Steps of all series that alarm outside known surges.
        found: Whether each surge was found, shape (n_surges,).
        delay: Steps from its start to the first alarm, NaN where not found; negative within the lead.
    """

    threshold: float
    n_false: int
    n_false_steps: int
    found: Truths
    delay: Reals


def related(keys: pd.DataFrame) -> Truths:
    """Which series contain or are contained in which, from their areas and categories; shape (n_series, n_series)."""
    area, category = keys["area"].to_numpy(dtype=object), keys["category"].to_numpy(dtype=object)
    wider = np.ones((len(keys), len(keys)), dtype=bool)
    for names in (area, category):
        missing = np.array([name is None for name in names])
        wider &= (names[:, None] == names[None, :]) | missing[None, :]
    both: Truths = wider | wider.T
    return both


def judge(scores: Reals, threshold: float, truth: Truth, *, merge_gap: int) -> Outcome:
    """Apply a threshold (alarm at or above) and compare with what is known.

    Args:
        scores: Shape (n_series, n_steps).
        threshold: Smallest score that alarms.
        truth: Known surges on the same steps.
        merge_gap: Alarms of a series at most so many steps apart are one.
    """
    alarms = scores >= threshold
    runs = np.cumsum(first_alarms(alarms, merge_gap=merge_gap), axis=1) + np.arange(len(alarms))[:, None] * alarms.shape[1]
    explained = _explained(truth, alarms.shape)
    n_false = len(np.setdiff1d(runs[alarms & ~explained], runs[alarms & explained]))
    found, delay = [], []
    for series, start, length in truth.surges[["series", "start", "length"]].itertuples(index=False):
        first = max(start - truth.lead, 0)
        heard = np.flatnonzero(alarms[series, first : start + length])
        found.append(len(heard) > 0)
        delay.append(float(heard[0] + first - start) if len(heard) else np.nan)
    return Outcome(threshold, n_false, int((alarms & ~explained).sum()), np.array(found, dtype=bool), np.array(delay))


def _explained(truth: Truth, shape: tuple[int, ...]) -> Truths:
    """Steps at which an alarm is not false."""
    explained = np.zeros(shape, dtype=bool)
    for series, start, length in truth.surges[["series", "start", "length"]].itertuples(index=False):
        rows = np.flatnonzero(truth.related[series])
        explained[rows, max(start - truth.lead, 0) : start + length + truth.after] = True
    return explained


def match(scores: Reals, truth: Truth, *, n_false: float, merge_gap: int) -> Outcome:
    """The lowest threshold with at most so many false surges, found by bisection over the highest tenth of the scores.

    Among lower thresholds alarms run into each other and the number of runs falls again.
    """
    levels = np.unique(scores[np.isfinite(scores)])
    levels = levels[levels >= np.quantile(scores[np.isfinite(scores)], 1.0 - ALARMING)]
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if judge(scores, float(levels[middle]), truth, merge_gap=merge_gap).n_false > n_false:
            low = middle + 1
        else:
            high = middle
    return judge(scores, float(levels[low]), truth, merge_gap=merge_gap)
