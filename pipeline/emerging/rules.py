"""The simple rules every method has to beat: a moving average with its deviation, and a fixed count."""

import numpy as np

from pipeline.emerging.series import Integers, Reals

SMALLEST_DEVIATION = 0.5
"""Deviation of a baseline that never varied; otherwise the first report after a silence would be infinitely unusual."""


def moving_average(observed: Integers, *, baseline_steps: int) -> Reals:
    """Distance of each step from the mean of the steps before it, in their standard deviations.

    Args:
        observed: Counts, shape (n_series, n_steps).
        baseline_steps: Steps before that make mean and deviation.

    Returns:
        Same shape; minus infinity where fewer steps lie before. The rule "mean + 2 sigma" alarms above 2.
    """
    scores = np.full(observed.shape, -np.inf)
    if observed.shape[1] > baseline_steps:
        views = np.lib.stride_tricks.sliding_window_view(observed[:, :-1].astype(np.float64), baseline_steps, axis=1)
        deviation = np.maximum(views.std(axis=2, ddof=1), SMALLEST_DEVIATION)
        scores[:, baseline_steps:] = (observed[:, baseline_steps:] - views.mean(axis=2)) / deviation
    return scores


def raw_count(observed: Integers) -> Reals:
    """The count itself: one threshold for all series and days."""
    return observed.astype(np.float64)
