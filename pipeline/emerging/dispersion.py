"""How far series stray from what is expected of them, learned from forecasts of earlier days.

The relative variance of sums over one and over seven days is estimated by moments for every series, and drawn towards what the
other series of its level say, so that a drifting series is not mistaken for one that surges. From both follow the part that
averages out over days and the part that does not. Where matters gather reports for weeks, days hang together and weeks stray
further than days do; the quick part is negative then.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.emerging.baseline import CAP_DEVIATIONS, Watched, windows
from pipeline.emerging.series import Integers, Reals

USUAL_DISPERSION = 0.1
"""Relative variance assumed before anything is known."""
SMALLEST_DISPERSION = 1e-4
"""Relative variance that every series is taken to have at least, however large."""
CLUSTERING = 0.2
"""How far the variance may exceed the mean for the clusters that reports come in, before anything is known."""


@dataclass(frozen=True)
class Strays:
    """How far each series strays, as relative variances of its sums over one and seven steps, with their errors.

    Attributes:
        one: Relative variance of one step, shape (n_series,).
        seven: Relative variance of seven steps together, shape (n_series,).
        one_error: Standard error of `one`, shape (n_series,).
        seven_error: Standard error of `seven`, shape (n_series,).
    """

    one: Reals
    seven: Reals
    one_error: Reals
    seven_error: Reals

    def parts(self) -> tuple[Reals, Reals]:
        """The slow and the quick part, shape (n_series,) each; the quick is negative where weeks stray further than days."""
        slow = np.maximum(self.seven - (self.one - self.seven) / 6.0, 0.0)
        return slow, self.one - slow

    def possible(self, rows: Integers, *, rng: np.random.Generator) -> tuple[Reals, Reals]:
        """Slow and quick parts that the estimates leave possible, one draw for each of `rows`."""
        one = _gamma(self.one[rows], self.one_error[rows], rng)
        seven = _gamma(self.seven[rows], self.seven_error[rows], rng)
        return Strays(one, seven, self.one_error[rows], self.seven_error[rows]).parts()


def _gamma(mean: Reals, error: Reals, rng: np.random.Generator) -> Reals:
    """Positive draws with this mean and standard deviation."""
    shape = (np.maximum(mean, 1e-6) / np.maximum(error, 1e-6)) ** 2
    draws: Reals = rng.standard_gamma(np.clip(shape, 0.05, 1e6)) / np.clip(shape, 0.05, 1e6) * mean
    return draws


def strays(watched: Watched, levels: list[str], *, baseline_steps: int, min_steps: int, n_asked: int) -> Strays:
    """How far each series strays, from forecasts of its last `n_asked` steps.

    The relative variance of sums over one and seven steps is estimated by moments and drawn towards that of all series of
    the same level, by how well the series itself tells it and how much the series differ (a random-effects mean).

    Args:
        watched: The series; their `slow` and `quick` are not used.
        levels: Level of each series.
        baseline_steps: As in `windows`.
        min_steps: As in `windows`.
        n_asked: Steps to forecast, the last ones.
    """
    usual = np.full(len(watched.observed), USUAL_DISPERSION)
    watched = Watched(watched.observed, watched.exposure, usual / 10, usual)
    estimates = []
    sums = windows(watched, lengths=(1, 7), n_asked=n_asked, baseline_steps=baseline_steps, min_steps=min_steps)
    for window in sums:
        good = np.isfinite(window.expected)
        expected = np.where(good, window.expected, 0.0)
        relative = window.dispersion
        cap = expected + (CAP_DEVIATIONS + 1.0) * np.sqrt(expected + relative * expected**2) + 1.0
        error = np.where(good, np.minimum(window.observed, cap) - expected, 0.0)
        certain = relative - (watched.slow + watched.quick / window.length)[:, None]
        excess = (error**2 - expected - certain * expected**2).sum(axis=1)
        estimates.append(_borrowed(excess, expected, np.asarray(levels), overlap=window.length))
    (one, one_error), (seven, seven_error) = estimates
    return Strays(one, seven, one_error, seven_error)


def _borrowed(excess: Reals, expected: Reals, levels: "np.ndarray", *, overlap: int) -> tuple[Reals, Reals]:
    """Relative variance of each series, between its own moment estimate and what its level and size say, and its error.

    Series of a level share a variance that grows with the square of the mean (all drift and jump by like shares) and one that
    grows with the mean, which small series feel most: reports of one matter come in clusters, whatever the size of the town.
    """
    squares = (expected**2).sum(axis=1) + 1e-12
    own, per_report = excess / squares, expected.sum(axis=1) / squares
    result, error = np.zeros(len(excess)), np.zeros(len(excess))
    for level in np.unique(levels):
        rows = levels == level
        common, differ = np.full(int(rows.sum()), USUAL_DISPERSION / overlap), 1.0
        for _ in range(6):
            within = overlap * 2.0 * ((expected[rows] + common[:, None] * expected[rows] ** 2) ** 2).sum(axis=1)
            within = within / squares[rows] ** 2
            sure = 1.0 / (within + differ * common**2)
            common = _by_size(own[rows], per_report[rows], sure, opinion=USUAL_DISPERSION / overlap)
            scatter = (sure**2 * common**2 * ((own[rows] - common) ** 2 - within)).sum() + 1.0
            differ = max(scatter / (((sure * common**2) ** 2).sum() + 1.0), 0.01)
        between = differ * common**2
        weight = between / (between + within)
        result[rows] = np.clip(weight * own[rows] + (1.0 - weight) * common, 0.0, None)
        error[rows] = np.sqrt(weight * within)
    return result, error


def _by_size(own: Reals, per_report: Reals, sure: Reals, *, opinion: float) -> Reals:
    """Fit `own` by a constant and a part in `per_report`, neither negative, beside one uncertain opinion on each."""
    design = np.stack([np.ones_like(own), per_report], axis=1)
    left = (design * sure[:, None]).T @ design + np.diag([opinion**-2, CLUSTERING**-2])
    right = (design * sure[:, None]).T @ own + np.array([opinion**-1, 0.0])
    constant, clustered = np.linalg.solve(left, right)
    if clustered < 0.0:
        constant, clustered = right[0] / left[0, 0], 0.0
    if constant < SMALLEST_DISPERSION:
        constant = SMALLEST_DISPERSION
        clustered = max((right[1] - left[0, 1] * constant) / left[1, 1], 0.0)
    fitted: Reals = constant + clustered * per_report
    return fitted
