"""Surge-free counts drawn from what a series usually does: the yardstick for every threshold.

A drawn series has the level, calendar, quick and slow variance of the real one and nothing else. The slow part is a
log-normal level that wanders with a memory of weeks, the quick part a gamma factor anew every step, the rest is Poisson.

Limit: a negative quick part, of days that hang together, is left out, so drawn days stray as far as their weeks do; thresholds
for sudden surges are then a little too high.
"""

import numpy as np

from pipeline.emerging.series import Integers, Reals

MEMORY_STEPS = 28.0
"""Steps after which the wandering level has lost two thirds of its memory; shorter would average out in a baseline."""


def draw(level: Reals, exposure: Reals, slow: Reals, quick: Reals, *, rng: np.random.Generator) -> Integers:
    """Draw surge-free counts.

    Args:
        level: Expected count of a step of exposure 1, shape (n_rows,).
        exposure: Shape (n_rows, n_steps).
        slow: Relative variance of the wandering level, shape (n_rows,).
        quick: Relative variance of a single step, shape (n_rows,); none where it is negative.
        rng: Source of randomness.

    Returns:
        Counts, shape (n_rows, n_steps).
    """
    n_rows, n_steps = exposure.shape
    mean = level[:, None] * exposure * _wander(np.log1p(slow), n_steps, rng)
    size = np.where(quick > 1e-6, 1.0 / np.maximum(quick, 1e-6), 1.0)
    factor = rng.standard_gamma(np.broadcast_to(size[:, None], exposure.shape)) / size[:, None]
    return rng.poisson(np.where((quick > 1e-6)[:, None], mean * factor, mean))


def _wander(variance: Reals, n_steps: int, rng: np.random.Generator) -> Reals:
    """Log-normal autoregressive factors of mean 1, shape (n_rows, n_steps)."""
    kept = np.exp(-1.0 / MEMORY_STEPS)
    place = rng.standard_normal(len(variance))
    path = np.empty((len(variance), n_steps))
    for step in range(n_steps):
        path[:, step] = place
        place = kept * place + np.sqrt(1.0 - kept**2) * rng.standard_normal(len(variance))
    factors: Reals = np.exp(np.sqrt(variance)[:, None] * path - variance[:, None] / 2.0)
    return factors
