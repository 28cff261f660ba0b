"""From scores to p-values, and from p-values to a declared number of false alarms a month.

A method's score is turned into the probability that a step without a surge scores as high, learned from surge-free counts
drawn from what the series usually do (see nulls.py), in groups of series of similar size because counts of two and counts of
two hundred have different tails. Beyond the last percent the tail is continued exponentially. One threshold for all series is
then placed so that the surges raised on drawn months, neighbouring alarm days merged as they are on real ones, number what
was declared. Simulation rather than a formula: days overlap in their windows, so their alarms come in clusters.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.emerging.series import Integers, Reals, Truths

DAYS_A_MONTH = 365.25 / 12
TAIL = 0.01
"""Share of the drawn scores whose excesses give the continuation."""

QUIET = 0.004
"""p-values compared between real and drawn quiet days: small enough to tell a tail, common enough to be counted."""
FEW = 20.0
"""Days so unusual that must be seen before their number is believed half way."""
MOST_EXCESS = 3.0
"""A larger excess is many small surges rather than a model that is wrong."""


@dataclass(frozen=True)
class Tail:
    """Distribution of a method's scores without a surge: sorted scores, and how fast the last percent thins out."""

    scores: Reals
    start: float
    scale: float

    def p_values(self, scores: Reals) -> Reals:
        """Probability of at least this score on a step without a surge, in (0, 1]."""
        above = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        within = (above + 1.0) / (len(self.scores) + 1.0)
        beyond = TAIL * np.exp(-np.minimum(np.maximum(scores - self.start, 0.0) / self.scale, 600.0))
        return np.where(scores > self.start, beyond, np.minimum(within, 1.0))


def fit_tail(scores: Reals) -> Tail:
    """Learn a tail from scores of steps without a surge, of any shape."""
    ordered = np.sort(scores[np.isfinite(scores)].ravel())
    start = float(np.quantile(ordered, 1.0 - TAIL))
    excess = ordered[ordered > start] - start
    return Tail(ordered, start, max(float(excess.mean()) if len(excess) else 0.0, 1e-3))


def count_surges(alarms: Truths, *, merge_gap: int) -> int:
    """Surges in a matrix of alarms: alarms of a row at most `merge_gap` steps apart are one."""
    return int(first_alarms(alarms, merge_gap=merge_gap).sum())


def first_alarms(alarms: Truths, *, merge_gap: int) -> Truths:
    """Alarms that begin a surge: none in the `merge_gap` steps before; same shape."""
    recent = np.zeros_like(alarms)
    for back in range(1, merge_gap + 1):
        recent[:, back:] |= alarms[:, :-back]
    return alarms & ~recent


def place(p_values: Reals, *, surges_wanted: float, merge_gap: int) -> float:
    """The p-value at or below which to raise an alarm, so that so many surges are raised on these steps.

    Args:
        p_values: Of steps without a surge, shape (n_rows, n_steps).
        surges_wanted: Number of surges over the whole matrix.
        merge_gap: As in `count_surges`.
    """
    low, high = -14.0, -1.0  # powers of ten
    for _ in range(40):
        middle = (low + high) / 2.0
        if count_surges(p_values <= 10.0**middle, merge_gap=merge_gap) > surges_wanted:
            high = middle
        else:
            low = middle
    return float(10.0**low)


def quiet(p_values: Reals, *, cut: float, around: int) -> Reals:
    """p-values of the steps that lie not within `around` steps of an alarm, shape (n_quiet,)."""
    alarms = p_values <= cut
    near = alarms.copy()
    for shift in range(1, around + 1):
        near[:, shift:] |= alarms[:, :-shift]
        near[:, :-shift] |= alarms[:, shift:]
    return p_values[~near]


def tightened(cut: float, *, seen: Reals, drawn: Reals) -> float:
    """Lower a threshold where quiet days look more unusual than drawn ones.

    Drawn months know no seasons, campaigns, or matters that gather reports. Where small p-values are more frequent on real
    quiet days than on drawn ones, p-values are read as p ** gamma with the gamma that makes them equally frequent, never
    above 1.

    Args:
        cut: Threshold that holds on drawn months.
        seen: p-values of real quiet days, shape (n_seen,).
        drawn: The same of drawn ones, shape (n_drawn,).
    """
    if not len(seen) or not len(drawn):
        return cut
    expected = (drawn <= QUIET).mean() * len(seen)
    excess = ((seen <= QUIET).sum() + FEW) / (expected + FEW)
    excess = min(max(float(excess), 1.0), MOST_EXCESS)
    gamma = np.log(excess * QUIET) / np.log(QUIET)
    return float(cut ** (1.0 / gamma))


def group(level: Reals) -> Integers:
    """Groups of series of similar expected count, shape (n_series,): up to six, of about equally many."""
    n_groups = int(np.clip(len(level) // 4, 1, 6))
    order = pd.Series(level).rank(method="first").to_numpy() - 1.0
    groups: Integers = (order * n_groups // len(level)).astype(np.int64)
    return groups


def adjusted(p_values: Reals) -> Reals:
    """Benjamini and Hochberg's false-discovery rates (JRSS B 57, 1995, 289-300) down each column, one column a step."""
    n_series = len(p_values)
    order = np.argsort(p_values, axis=0)
    ranked = np.take_along_axis(p_values, order, axis=0) * n_series / np.arange(1, n_series + 1)[:, None]
    rates = np.minimum.accumulate(ranked[::-1], axis=0)[::-1]
    result = np.empty_like(p_values)
    np.put_along_axis(result, order, np.minimum(rates, 1.0), axis=0)
    return result
