"""What a series usually does: its calendar, its recent level, and how far it strays from them.

The expected count of a day is the level of the days before it times the day's exposure (its calendar factor times its
completeness). A count strays from that in two ways: quickly, anew every day, and slowly, because the level itself drifts
while it is being estimated. Over a window of w days the variance of the sum S with expectation M is

    M + (slow + quick / w + 1 / n) M^2,

n being the reports in the baseline: the quick part averages out, the slow part does not, and the last part is the
uncertainty of the level itself. Where reports of one matter come for weeks, days hang together and weeks stray further than
days do: the quick part is negative then. How both are learned stands in dispersion.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.emerging.calendar import HOLIDAY, N_DAY_TYPES, WORKED_WEEKEND
from pipeline.emerging.series import Integers, Reals

LOCAL_STEPS = 35
"""Five weeks: the level against which a weekday is compared holds every weekday equally often."""
FACTOR_REPORTS = 50.0
"""Reports a calendar factor of the wider series counts for, beside the series' own."""
CAP_DEVIATIONS = 4.0
"""A day further above its expectation counts only up to here in later baselines, so one surge does not hide the next."""
START_REPORTS = 0.5
"""Reports added to every baseline (Jeffreys), so that a series of zeros has a small level, not none."""


@dataclass(frozen=True)
class Watched:
    """Series as every method sees them.

    Attributes:
        observed: Counts, shape (n_series, n_steps).
        exposure: Calendar factor times completeness, same shape; an ordinary complete step has about 1.
        slow: Relative variance that does not average out, shape (n_series,).
        quick: Relative variance of a single step beyond it, shape (n_series,); negative where weeks stray further than days.
    """

    observed: Reals
    exposure: Reals
    slow: Reals
    quick: Reals

    def last(self, n_steps: int) -> "Watched":
        """The same with the last `n_steps` only."""
        return Watched(self.observed[:, -n_steps:], self.exposure[:, -n_steps:], self.slow, self.quick)

    def rows(self, rows: Integers) -> "Watched":
        """The same with these series only."""
        return Watched(self.observed[rows], self.exposure[rows], self.slow[rows], self.quick[rows])


@dataclass(frozen=True)
class Window:
    """Sums over the last `length` steps, each of shape (n_series, n_steps_asked).

    Attributes:
        length: Steps of the window.
        observed: Reports in the window.
        expected: Reports to be expected from the steps before it.
        dispersion: Relative variance of the sum beyond Poisson's, the uncertainty of its expectation included.
        newest: Reports of the newest step.
        newest_expected: Reports to be expected in it.
        newest_dispersion: As `dispersion`, of the newest step alone.
    """

    length: int
    observed: Reals
    expected: Reals
    dispersion: Reals
    newest: Reals
    newest_expected: Reals
    newest_dispersion: Reals


def calendar_factors(observed: Integers, completeness: Reals, kinds: Integers, parents: Integers) -> tuple[Reals, Reals]:
    """Factor of each kind of day in each series, borrowing from the wider series.

    Args:
        observed: Counts, shape (n_series, n_days).
        completeness: Share of each day's reports that is known, shape (n_days,).
        kinds: Kind of each day, shape (n_days,).
        parents: Index of the wider series of each series, -1 for none; shape (n_series,).

    Returns:
        Factors, shape (n_series, N_DAY_TYPES), whose seven weekdays average 1, and the number of reports each rests on. A
        weekend day that is worked is taken for an average working day, and a holiday for a Sunday, until enough reports
        say otherwise.
    """
    factors = np.ones((len(observed), N_DAY_TYPES))
    of_kind = np.eye(N_DAY_TYPES)[kinds]  # (n_days, n_kinds)
    for _ in range(2):
        exposure = factors[:, kinds] * completeness
        level = _centered(observed) / np.maximum(_centered(exposure), 1e-9)
        seen, usual = observed @ of_kind, (level * completeness) @ of_kind
        factors = _shrunk(seen, usual, parents)
    return factors, usual + FACTOR_REPORTS


def _centered(values: Reals | Integers) -> Reals:
    """Sums over the five weeks around each day, fewer at the ends."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    n_days = values.shape[1]
    start = np.clip(np.arange(n_days) - LOCAL_STEPS // 2, 0, max(n_days - LOCAL_STEPS, 0))
    end = np.minimum(start + LOCAL_STEPS, n_days)
    sums: Reals = total[:, end] - total[:, start]
    return sums


def _shrunk(seen: Reals, usual: Reals, parents: Integers) -> Reals:
    """Ratios of seen to usual, drawn towards the wider series' ratios; wider series come first."""
    factors = np.ones_like(seen)
    depth = np.where(parents < 0, 0, np.where(parents[parents] < 0, 1, 2))
    for at in range(3):
        rows = np.flatnonzero(depth == at)
        prior = factors[parents[rows]] if at else np.ones((len(rows), N_DAY_TYPES))
        own = (seen[rows] + FACTOR_REPORTS * prior) / (usual[rows] + FACTOR_REPORTS)
        if not at:
            prior[:, HOLIDAY], prior[:, WORKED_WEEKEND] = own[:, 6], own[:, :5].mean(axis=1)
            own = (seen[rows] + FACTOR_REPORTS * prior) / (usual[rows] + FACTOR_REPORTS)
        factors[rows] = own / own[:, :7].mean(axis=1, keepdims=True)
    return factors


def windows(
    watched: Watched, *, lengths: tuple[int, ...], n_asked: int, baseline_steps: int, min_steps: int
) -> Iterator[Window]:
    """Sums over the steps up to each of the last `n_asked`, and their expectation from the steps before the window.

    Args:
        watched: The series.
        lengths: Window lengths, in steps.
        n_asked: Steps to look at, the last ones.
        baseline_steps: Steps before the window that make its level.
        min_steps: With a shorter baseline than this nothing is expected (NaN).

    Yields:
        One Window per length; `dispersion` is the relative variance beyond Poisson's, level uncertainty included.
    """
    watched = watched.last(n_asked + 2 * baseline_steps + max(lengths))
    n_steps = watched.observed.shape[1]
    seen, exposed = running(watched.observed), running(watched.exposure)
    counted = running(_capped(watched, seen, exposed, baseline_steps))
    end = np.arange(n_steps - n_asked, n_steps) + 1
    for length in lengths:
        start = np.maximum(end - length, 0)
        first = np.maximum(start - baseline_steps, 0)
        n_reports = counted[:, start] - counted[:, first] + START_REPORTS
        level = n_reports / np.maximum(exposed[:, start] - exposed[:, first], 1e-9)
        level[:, start - first < min_steps] = np.nan
        lasting = watched.slow[:, None] + 1.0 / n_reports
        yield Window(
            length,
            observed=seen[:, end] - seen[:, start],
            expected=level * (exposed[:, end] - exposed[:, start]),
            dispersion=lasting + watched.quick[:, None] / length,
            newest=watched.observed[:, end - 1],
            newest_expected=level * watched.exposure[:, end - 1],
            newest_dispersion=lasting + watched.quick[:, None],
        )


def present_level(watched: Watched, *, baseline_steps: int) -> Reals:
    """Expected count of a step of exposure 1 after the last one, shape (n_series,), positive."""
    recent = watched.last(2 * baseline_steps)
    capped = _capped(recent, running(recent.observed), running(recent.exposure), baseline_steps)
    exposure = recent.exposure[:, -baseline_steps:].sum(axis=1)
    level: Reals = (capped[:, -baseline_steps:].sum(axis=1) + START_REPORTS) / np.maximum(exposure, 1e-9)
    return level


def running(values: Reals | Integers) -> Reals:
    """Sums of the steps before each, shape (n_series, n_steps + 1)."""
    sums: Reals = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    return sums


def _capped(watched: Watched, seen: Reals, exposed: Reals, baseline_steps: int) -> Reals:
    """Counts cut where they lie far above what the steps before them led to expect."""
    end = np.arange(watched.observed.shape[1])
    first = np.maximum(end - baseline_steps, 0)
    n_reports = seen[:, end] - seen[:, first] + START_REPORTS
    expected = n_reports / np.maximum(exposed[:, end] - exposed[:, first], 1e-9) * watched.exposure
    relative = (watched.slow + watched.quick)[:, None] + 1.0 / n_reports
    cap = expected + CAP_DEVIATIONS * np.sqrt(expected + relative * expected**2) + 1.0
    cap[:, 0] = np.inf  # nothing lies before the first step
    return np.minimum(watched.observed, cap)
