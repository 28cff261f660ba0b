"""Seasons that a series shares with others: the recent level of the rest of the wider series it belongs to.

Within the two months of a baseline, calls for wages rise by half before New Year and noise of building sites doubles towards
summer, in every area at once. A small series cannot tell that from a surge by itself, but the same category in all other areas
can: its level over the eight weeks before a day, against its level before the days of the baseline, is what
would have been expected of the series too. Both lag behind by the same four weeks, so for a steady growth the lag cancels. The
series' own reports are left out, so a surge never raises its own yardstick.

Limit: a surge in many areas at once is partly taken for a season; the series over all areas sees it in full.
"""

import numpy as np

from pipeline.emerging.baseline import running
from pipeline.emerging.series import Integers, Reals

SEASON_STEPS = 56
"""Steps whose mean is the level, as many as in a baseline; with half as many, chance cost a tenth of the surges found."""
FEWEST_REPORTS = 100
"""Reports of the rest in as many steps, below which chance moves its level by more than seasons do."""


def wider(observed: Integers, parents: Integers) -> Integers:
    """The series whose rest tells each one's season, -1 where that has too few reports; shape (n_series,).

    Args:
        observed: Counts, shape (n_series, n_steps).
        parents: Index of the wider series of each series, -1 for none; shape (n_series,).
    """
    rest = np.where(parents >= 0, observed[parents].sum(axis=1) - observed.sum(axis=1), 0)
    return np.where(rest * SEASON_STEPS >= FEWEST_REPORTS * observed.shape[1], parents, -1)


def season(observed: Integers, exposure: Reals, parents: Integers) -> Reals:
    """Level of the rest of the wider series before each step, relative to that before the last.

    Args:
        observed: Counts, shape (n_series, n_steps).
        exposure: Calendar factor times completeness, same shape.
        parents: From `wider`.

    Returns:
        Factors on the exposure, shape (n_series, n_steps); 1 for series without a wider one. A step's depends on steps before
        it only, but for their common scale.
    """
    factors = np.ones_like(exposure)
    rows = np.flatnonzero(parents >= 0)
    if not len(rows) or observed.shape[1] < 2:
        return factors
    end = np.maximum(np.arange(observed.shape[1]), 1)
    first = np.maximum(end - SEASON_STEPS, 0)
    seen = running(observed[parents[rows]] - observed[rows])
    exposed = running(exposure[parents[rows]])
    level = (seen[:, end] - seen[:, first] + 0.5) / np.maximum(exposed[:, end] - exposed[:, first], 1e-9)
    factors[rows] = level / level[:, -1:]
    return factors
