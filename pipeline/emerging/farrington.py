"""The flexible Farrington method: the last week against the same weeks of earlier years.

Noufaily, Enki, Farrington, Garthwaite, Andrews and Charlett (Statistics in Medicine 32, 2013, 1206-1222): a quasi-Poisson
log-linear model of weekly counts with a trend and a ten-level seasonal factor, one level for the weeks within three of the
current one in earlier years and nine for the rest; the last 26 weeks are left out; weeks whose Anscombe residual exceeds
2.58 are weighted down by its inverse square; the upper tail is that of a negative-binomial count with the fitted mean and
dispersion; fewer than five reports in four weeks raise nothing. The trend is kept unless it leads above every past week.

Days are summed to weeks that end on the day looked at, so every night sees a full week; the calendar enters as an offset. All
series and days are fitted at once: they share the design matrix, only the weights differ.
"""

import numpy as np
from scipy.stats import nbinom

from pipeline.emerging.baseline import Watched
from pipeline.emerging.series import Reals

WEEKS_A_YEAR = 52
HALF_WINDOW = 3
N_PERIODS = 10
LEFT_OUT_WEEKS = 26
RESIDUAL_LIMIT = 2.58
MIN_REPORTS, MIN_REPORTS_WEEKS = 5, 4
MAX_YEARS = 5
MOST = 600.0
"""Surprise beyond which numbers no longer tell tails apart."""
ROUNDS, MORE_ROUNDS = 6, 3
"""Newton steps of a fit, and of one that starts from a fit with other weights; a log-linear model settles in about six."""


def exceedance(watched: Watched, *, n_asked: int, block_steps: int, min_years: int) -> Reals:
    """Surprise at the last week of each of the last `n_asked` steps.

    Args:
        watched: The series, with all the history there is.
        n_asked: Steps to look at, the last ones.
        block_steps: Steps a week: 7 for days, 1 for weekly series.
        min_years: Years of earlier weeks without which nothing is said.

    Returns:
        Minus the natural logarithm of the upper tail probability, shape (n_series, n_asked), non-negative; 0 where history
        is too short or reports are too few.
    """
    n_series, n_steps = watched.observed.shape
    scores = np.zeros((n_series, n_asked))
    for asked in range(n_asked):
        end = n_steps - n_asked + asked + 1
        n_weeks = end // block_steps
        n_past = min(n_weeks - 1, MAX_YEARS * WEEKS_A_YEAR + HALF_WINDOW)
        if n_past < min_years * WEEKS_A_YEAR + HALF_WINDOW:
            continue
        start = end - (n_past + 1) * block_steps
        weekly = watched.observed[:, start:end].reshape(n_series, n_past + 1, block_steps).sum(axis=2)
        exposure = watched.exposure[:, start:end].reshape(n_series, n_past + 1, block_steps).sum(axis=2)
        scores[:, asked] = _surprise(weekly, exposure)
    return scores


def _surprise(weekly: Reals, exposure: Reals) -> Reals:
    """Surprise at the last of the weeks, shape (n_series,)."""
    n_past = weekly.shape[1] - 1
    back = np.arange(n_past, 0, -1)  # weeks before the current one
    used = back > LEFT_OUT_WEEKS
    season = _periods(back[used])
    design = np.concatenate([(season[:, None] == np.unique(season)), (-back[used] / WEEKS_A_YEAR)[:, None]], axis=1)
    now = np.zeros(design.shape[1])
    now[0] = 1.0  # period 0, trend 0: the current week
    past, offset = weekly[:, :-1][:, used], np.maximum(exposure[:, :-1][:, used], 1e-9)
    share = exposure[:, -1]
    expected, spread = _forecast(design, past, offset, now, share)
    level_only, level_spread = _forecast(design[:, :-1], past, offset, now[:-1], share)
    runaway = expected > np.max(past / offset, axis=1) * share
    expected, spread = np.where(runaway, level_only, expected), np.where(runaway, level_spread, spread)
    expected = np.maximum(expected, 1e-6)
    tail = nbinom.logsf(weekly[:, -1] - 1, expected / (spread - 1.0), 1.0 / spread)
    recent = weekly[:, -MIN_REPORTS_WEEKS:].sum(axis=1)
    return np.where(recent >= MIN_REPORTS, np.clip(-tail, 0.0, MOST), 0.0)


def _periods(back: "np.ndarray") -> "np.ndarray":
    """Seasonal period of earlier weeks: 0 within three weeks of the current season, 1 to 9 evenly around the year."""
    phase = (-back) % WEEKS_A_YEAR
    near = (phase <= HALF_WINDOW) | (phase >= WEEKS_A_YEAR - HALF_WINDOW)
    others = WEEKS_A_YEAR - 2 * HALF_WINDOW - 1
    place = (phase - HALF_WINDOW - 1) * (N_PERIODS - 1) // others + 1
    return np.where(near, 0, np.clip(place, 1, N_PERIODS - 1))


def _forecast(design: Reals, past: Reals, offset: Reals, now: Reals, share: Reals) -> tuple[Reals, Reals]:
    """Expected count of the current week and its dispersion (above 1), after weighting surprising weeks down."""
    weights: Reals = np.ones_like(past)
    rate = (past.sum(axis=1) + 0.5) / offset.sum(axis=1)
    fitted: Reals = (past + rate[:, None] * offset) / 2.0 + 1e-6
    fitted, coefficients = _fit(design, past, offset, weights, fitted, ROUNDS)
    for _ in range(2):
        residual, spread = _anscombe(design, past, fitted, weights)
        weights = np.where(residual > RESIDUAL_LIMIT, np.maximum(residual, 1e-9) ** -2.0, 1.0)
        weights *= past.shape[1] / weights.sum(axis=1, keepdims=True)
        fitted, coefficients = _fit(design, past, offset, weights, fitted, MORE_ROUNDS)
    spread = _spread(design, past, fitted, weights)
    return np.exp(np.clip(coefficients @ now, -20.0, 20.0)) * share, spread


def _fit(design: Reals, past: Reals, offset: Reals, weights: Reals, fitted: Reals, rounds: int) -> tuple[Reals, Reals]:
    """Weighted quasi-Poisson log-linear fits, one a series, from `fitted` on: fitted means, shape as `past`, coefficients."""
    n_terms = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)  # (n_weeks, n_terms ** 2)
    ridge = 1e-4 * np.eye(n_terms)
    coefficients: Reals = np.zeros((len(past), n_terms))
    for _ in range(rounds):
        working = np.log(fitted / offset) + (past - fitted) / fitted
        heavy = weights * fitted
        left = (heavy @ outer).reshape(-1, n_terms, n_terms) + ridge
        solved = np.linalg.solve(left, ((heavy * working) @ design)[:, :, None])
        coefficients = np.asarray(solved[:, :, 0], dtype=np.float64)
        fitted = np.maximum(np.exp(np.clip(coefficients @ design.T, -20.0, 20.0)) * offset, 1e-6)
    return fitted, coefficients


def _spread(design: Reals, past: Reals, fitted: Reals, weights: Reals) -> Reals:
    """Dispersion of each series, slightly above 1 at least so that a negative-binomial tail exists."""
    pearson = (weights * (past - fitted) ** 2 / fitted).sum(axis=1) / (past.shape[1] - design.shape[1])
    spread: Reals = np.maximum(pearson, 1.0 + 1e-4)
    return spread


def _anscombe(design: Reals, past: Reals, fitted: Reals, weights: Reals) -> tuple[Reals, Reals]:
    """Standardized Anscombe residuals of Poisson counts, and the dispersion they are standardized by."""
    spread = _spread(design, past, fitted, weights)
    residual = 1.5 * (past ** (2 / 3) - fitted ** (2 / 3)) / fitted ** (1 / 6) / np.sqrt(spread)[:, None]
    return residual, spread
