"""Surges of negative-binomial counts: the likelihood-ratio CUSUM and the generalized likelihood ratio.

Höhle and Paul (Computational Statistics & Data Analysis 52, 2008, 4357-4368) compare, at every step n, the in-control mean
mu with a mean raised by the factor exp(kappa) since some step k, and take the k that speaks loudest:

    CUSUM:  max over k of          sum over t = k..n of log f(x_t; mu_t exp(kappa)) / f(x_t; mu_t),   kappa given
    GLR:    max over k and kappa of the same sum.

Here k goes back at most the longest window (their window-limited form), the counts of a window are taken as one
negative-binomial sum whose dispersion belongs to sums of that length (see baseline.py), and the mean is estimated from the
steps before k, so that a surge never raises its own yardstick. For one sum S with mean M and dispersion a the best factor
is S / M, and the ratio has a closed form; no iteration is needed. A window speaks only while its newest step by itself speaks
for the rise: the sum would not have grown otherwise, so no surge is found later for it, and a surge that is over is not raised
again for as long as a window still remembers it.
"""

from collections.abc import Iterable

import numpy as np

from pipeline.emerging.baseline import Window
from pipeline.emerging.series import Integers, Reals


def log_ratio(observed: Reals, expected: Reals, dispersion: Reals, rise: Reals | float) -> Reals:
    """Log-likelihood of a mean of `rise` times `expected` less that of `expected`, of negative-binomial counts.

    Args:
        observed: Counts.
        expected: Means, positive.
        dispersion: Variance beyond Poisson's in units of the squared mean, positive.
        rise: Factor on the mean, positive.
    """
    size = 1.0 / dispersion
    ratio: Reals = observed * np.log(rise) - (observed + size) * np.log((size + expected * rise) / (size + expected))
    return ratio


def glr(sums: Iterable[Window]) -> tuple[Reals, Integers]:
    """The generalized likelihood ratio, and the window it is found in.

    Args:
        sums: Windows of the same steps.

    Returns:
        Log-ratios, shape (n_series, n_steps), 0 where no window holds more than expected; the length of the best window.
    """
    return _loudest((window, np.maximum(window.observed / window.expected, 1.0)) for window in sums)


def cusum(sums: Iterable[Window], *, rise: float) -> tuple[Reals, Integers]:
    """The CUSUM designed for a given rise, and the window it is found in.

    Args:
        sums: Windows of the same steps.
        rise: Factor on the mean that is to be found fastest, above 1.

    Returns:
        As `glr`.
    """
    return _loudest((window, rise) for window in sums)


def _loudest(rises: Iterable[tuple[Window, Reals | float]]) -> tuple[Reals, Integers]:
    """The best log-ratio over windows, each with the rise it is to be read for."""
    best: Reals | None = None
    where = np.zeros((0, 0), dtype=np.int64)
    for window, rise in rises:
        ratio = log_ratio(window.observed, window.expected, window.dispersion, rise)
        newest = log_ratio(window.newest, window.newest_expected, window.newest_dispersion, rise)
        said = np.where((newest > 0.0) & (ratio > 0.0), ratio, 0.0)  # also where the mean is unknown (NaN)
        if best is None:
            best, where = said, np.full(said.shape, window.length, dtype=np.int64)
        else:
            where = np.where(said > best, window.length, where)
            best = np.maximum(best, said)
    return (best if best is not None else np.zeros((0, 0))), where
