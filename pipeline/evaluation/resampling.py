"""Bootstrap intervals for any metric that can be computed from weights.

Reports of one matter, and copies of one text, rise and fall together; resampling them one by one would make intervals too
narrow. So whole clusters are drawn with replacement (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, percentile
method; clusters as in Field & Welsh, J. R. Stat. Soc. B 69(3), 2007). A resample is a weight a report, how often its cluster
was drawn, and a metric takes a matrix of weights and gives one value a row; so a thousand resamples are a few array operations.
All metrics see the same resamples, hence differences between two rankings are paired.

Limits: percentile intervals are a little narrow with few clusters; a resample in which a metric is undefined (no escalation was
drawn) is left out of its interval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

Measure = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""Takes weights, shape (n_resamples, n_reports); gives metrics by name, one value a resample, NaN where undefined."""

WEIGHTS_AT_ONCE = 4_000_000  # 32 MB in double precision; a metric needs a few times that


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval; NaN where undefined."""

    point: float
    low: float
    high: float

    @property
    def defined(self) -> bool:
        """Whether there was anything to measure."""
        return bool(np.isfinite(self.point))


@dataclass(frozen=True)
class Resampled:
    """Metrics on the reports as they are, and on every resample.

    Attributes:
        points: Name to value.
        draws: Name to values on the resamples, shape (n_resamples,).
        confidence: Of the intervals.
    """

    points: Mapping[str, float]
    draws: Mapping[str, np.ndarray]
    confidence: float

    def estimate(self, name: str) -> Estimate:
        """A metric with its interval."""
        return self._interval(self.points[name], self.draws[name])

    def difference(self, name: str, other: str) -> Estimate:
        """How far one metric exceeds another on the same resamples, with its interval."""
        return self._interval(self.points[name] - self.points[other], self.draws[name] - self.draws[other])

    def _interval(self, point: float, draws: np.ndarray) -> Estimate:
        draws = draws[np.isfinite(draws)]
        if not np.isfinite(point) or len(draws) == 0:
            return Estimate(float("nan"), float("nan"), float("nan"))
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(draws, [tail, 1 - tail])
        return Estimate(float(point), float(low), float(high))


def resample(measures: Sequence[Measure], clusters: pd.Series, *, n_resamples: int, confidence: float, seed: int) -> Resampled:
    """Compute every metric on the reports and on resamples of their clusters.

    Args:
        measures: Each gives metrics under names no other gives; all see the same weights.
        clusters: Cluster of each report, shape (n_reports,).
        n_resamples: How many resamples.
        confidence: Of the intervals, in (0, 1).
        seed: Of the draws.
    """
    codes, names = pd.factorize(clusters)
    rng = np.random.default_rng(seed)
    points = {name: float(values[0]) for name, values in _all(measures, np.ones((1, len(codes)))).items()}
    step = max(1, WEIGHTS_AT_ONCE // max(1, len(codes)))
    parts = [
        _all(measures, _draw(rng, min(step, n_resamples - start), len(names))[:, codes])
        for start in range(0, n_resamples, step)
    ]
    return Resampled(points, {name: np.concatenate([part[name] for part in parts]) for name in points}, confidence)


def _all(measures: Sequence[Measure], weights: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values for measure in measures for name, values in measure(weights).items()}


def _draw(rng: np.random.Generator, n_resamples: int, n_clusters: int) -> np.ndarray:
    """How often each cluster was drawn, shape (n_resamples, n_clusters)."""
    drawn = rng.integers(n_clusters, size=(n_resamples, n_clusters)) + n_clusters * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n_resamples * n_clusters).reshape(n_resamples, n_clusters).astype(np.float64)
