"""Seasons that a series shares with others: the recent level of the rest of the wider series it belongs to.

Within the two months of a baseline, calls for wages rise by half before New Year and noise of building sites doubles towards
summer, in every area at once. A small series cannot tell that from a surge by itself, but the same category in all other areas
can: its level over the eight weeks before a day, against its level before the days of the baseline, is what would have been
expected of the series too. Both lag behind by the same four weeks, so for a steady growth the lag cancels. The series' own
reports are left out, so a surge never raises its own yardstick, and of the eight weeks the two largest and the two smallest do
not count, so that a surge elsewhere does not raise it either.

Limit: a surge of most areas at once that lasts for weeks is taken for a season; the series over all areas sees it in full.
"""

import numpy as np

from pipeline.emerging.baseline import running
from pipeline.emerging.series import Integers, Reals

WEEK = 7
N_WEEKS = 8
"""Weeks whose middle half is the level, as many as in a baseline of two months; four cost a tenth of the surges found."""
LEFT_OUT = 2
"""Largest and smallest weeks that do not count: a week's surge lies in two."""
SEASON_STEPS = N_WEEKS * WEEK
FEWEST_REPORTS = 100
"""Reports of the rest in eight weeks, below which chance moves its level by more than seasons do."""


def wider(observed: Integers, parents: Integers) -> Integers:
    """The series whose rest tells each one's season, -1 where that has too few reports; shape (n_series,).

    Args:
        observed: Counts, shape (n_series, n_steps).
        parents: Index of the wider series of each series, -1 for none; shape (n_series,).
    """
    rest = np.where(parents >= 0, observed[parents].sum(axis=1) - observed.sum(axis=1), 0)
    return np.where(rest * SEASON_STEPS >= FEWEST_REPORTS * max(observed.shape[1], SEASON_STEPS), parents, -1)


def season(observed: Integers, exposure: Reals, parents: Integers) -> Reals:
    """Level of the rest of the wider series before each step, relative to that after the first eight weeks.

    Args:
        observed: Counts, shape (n_series, n_steps).
        exposure: Calendar factor times completeness, same shape.
        parents: From `wider`.

    Returns:
        Factors on the exposure, shape (n_series, n_steps); 1 for series without a wider one, and in the first eight weeks. A
        step's depends on steps before it only.
    """
    factors = np.ones_like(exposure)
    rows = np.flatnonzero(parents >= 0)
    n_steps = observed.shape[1]
    if not len(rows) or n_steps <= SEASON_STEPS:
        return factors
    seen = running(observed[parents[rows]] - observed[rows])
    exposed = running(exposure[parents[rows]])
    ends = np.arange(SEASON_STEPS, n_steps)[:, None] - WEEK * np.arange(N_WEEKS)  # (n_steps - SEASON_STEPS, N_WEEKS)
    weeks = (seen[:, ends] - seen[:, ends - WEEK] + 0.5) / np.maximum(exposed[:, ends] - exposed[:, ends - WEEK], 1e-9)
    level = np.sort(weeks, axis=2)[:, :, LEFT_OUT:-LEFT_OUT].mean(axis=2)
    factors[rows, SEASON_STEPS:] = level / level[:, :1]
    return factors
