"""EARS C1, C2 and C3: a day against the seven before it, for series too young for anything else.

Hutwagner, Thompson, Seeman and Treadwell (Journal of Urban Health 80, 2003, i89-i96): with mean and standard deviation of a
seven-day baseline, C1 = (x - mean) / deviation with the baseline right before the day, C2 with two days left between, and
C3 the sum over today and two days before of what each C2 exceeds 1. Counts are divided by their exposure first, so that a
weekday is compared with what it would be on an average day. Thresholds are not the paper's 3, 3 and 2 but come from
simulation, as for every method here (see thresholds.py). The statistics have a heavy tail where the baseline is all
zeros, so their logarithm is returned; the order of days is the same.
"""

import numpy as np

from pipeline.emerging.baseline import Watched
from pipeline.emerging.series import Reals

BASELINE_STEPS = 7
GUARD_STEPS = 2
SMALLEST_DEVIATION = 0.2
"""Seven equal days have no deviation; one report more is then not infinitely surprising."""


def c1(watched: Watched, *, n_asked: int) -> Reals:
    """C1 of the last `n_asked` steps, as log(1 + C1); shape (n_series, n_asked), 0 where there is no baseline."""
    return np.log1p(np.maximum(_deviation(watched, n_asked, guard=0), 0.0))


def c2(watched: Watched, *, n_asked: int) -> Reals:
    """C2 likewise."""
    return np.log1p(np.maximum(_deviation(watched, n_asked, guard=GUARD_STEPS), 0.0))


def c3(watched: Watched, *, n_asked: int) -> Reals:
    """C3 likewise."""
    over = np.maximum(_deviation(watched, n_asked + 2, guard=GUARD_STEPS) - 1.0, 0.0)
    total: Reals = np.log1p(over[:, 2:] + over[:, 1:-1] + over[:, :-2])
    return total


def _deviation(watched: Watched, n_asked: int, *, guard: int) -> Reals:
    """Standardized distance of each of the last steps from its baseline."""
    needed = n_asked + guard + BASELINE_STEPS
    rates = watched.observed[:, -needed:] / np.maximum(watched.exposure[:, -needed:], 1e-9)
    lacking = needed - rates.shape[1]
    if lacking > 0:
        rates = np.concatenate([np.full((len(rates), lacking), np.nan), rates], axis=1)
    views = np.lib.stride_tricks.sliding_window_view(rates[:, : n_asked + BASELINE_STEPS - 1], BASELINE_STEPS, axis=1)
    mean, deviation = views.mean(axis=2), views.std(axis=2, ddof=1)
    distance = (rates[:, -n_asked:] - mean) / np.maximum(deviation, SMALLEST_DEVIATION)
    known: Reals = np.nan_to_num(distance, nan=0.0)
    return known
