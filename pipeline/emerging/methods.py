"""The methods that watch a series, under one signature."""

from collections.abc import Callable

import numpy as np

from pipeline.emerging import cusum, ears, farrington
from pipeline.emerging.baseline import Watched, Window, windows
from pipeline.emerging.series import Integers, Reals
from pipeline.sections import EmergingParams

GLR, CUSUM, FARRINGTON, EARS = "nb_glr", "nb_cusum", "farrington", ("ears_c1", "ears_c2", "ears_c3")
METHODS = (GLR, CUSUM, *EARS, FARRINGTON)
SHORTEST, SHORT, USUAL = "ears_c1", "ears_c2", GLR
"""The method of a very short series, of a short one, and of any other unless another proves better in the backtest."""
_EARS: dict[str, Callable[..., Reals]] = {"ears_c1": ears.c1, "ears_c2": ears.c2, "ears_c3": ears.c3}


def sums(watched: Watched, *, n_asked: int, params: EmergingParams, lengths: tuple[int, ...] | None = None) -> list[Window]:
    """Windows of every length the CUSUM looks at (or of the given ones), for the last `n_asked` steps."""
    return list(
        windows(
            watched,
            lengths=lengths if lengths is not None else window_lengths(params),
            n_asked=n_asked,
            baseline_steps=params.baseline_days,
            min_steps=params.min_history_days,
        )
    )


def window_lengths(params: EmergingParams) -> tuple[int, ...]:
    """1 to the length of a surge step by step, then sparser."""
    longer = range(params.surge_days + 3, params.max_window_days + 1, 4)
    return (*range(1, params.surge_days + 1), *longer)


def score(method: str, watched: Watched, *, n_asked: int, params: EmergingParams, step_days: int) -> tuple[Reals, Integers]:
    """Score the last `n_asked` steps: the higher, the less usual; comparable within a method only.

    Args:
        method: One of METHODS.
        watched: The series.
        n_asked: Steps to look at, the last ones.
        params: Section `emerging`; its days are steps.
        step_days: Days a step.

    Returns:
        Scores, non-negative, and the number of steps each speaks of; both of shape (n_series, n_asked).
    """
    if method in _EARS:
        found = _EARS[method](watched, n_asked=n_asked)
        return found, np.full(found.shape, 3 if method == "ears_c3" else 1, dtype=np.int64)
    if method == FARRINGTON:
        week = 7 // step_days
        found = farrington.exceedance(watched, n_asked=n_asked, block_steps=week, min_years=params.long_history_years)
        return found, np.full(found.shape, week, dtype=np.int64)
    looked = sums(watched, n_asked=n_asked, params=params)
    return cusum.glr(looked) if method == GLR else cusum.cusum(looked, rise=params.design_rise)


def reach(method: str, *, n_asked: int, params: EmergingParams) -> int:
    """Steps of history a method can use to score `n_asked` steps."""
    if method in _EARS:
        return n_asked + params.min_history_days + 2
    if method == FARRINGTON:
        return n_asked + 7 * (farrington.MAX_YEARS * farrington.WEEKS_A_YEAR + farrington.HALF_WINDOW + 1)
    return n_asked + 2 * params.baseline_days + params.max_window_days
