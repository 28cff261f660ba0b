"""Counts with known surges, at the level of counts: areas and categories of unequal size, weekdays, drift, seasons."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.emerging.calendar import day_types
from pipeline.emerging.series import ALL, AREA, AREA_CATEGORY, CATEGORY, CountSeries

WEEK = np.array([1.15, 1.1, 1.05, 1.05, 1.05, 0.85, 0.75, 0.6, 1.1])  # Monday to Sunday, holiday, worked weekend


@dataclass(frozen=True)
class Setting:
    reports_per_day: float
    n_areas: int = 12
    n_categories: int = 14
    history_days: int = 180
    watched_days: int = 90
    quick: float = 0.05  # relative variance of a day beyond Poisson's
    slow: float = 0.01  # relative variance of the wandering level
    season: float = 0.15  # share by which the level swings over a year, each category in its own phase
    spread: float = 0.6  # standard deviation of the log sizes of areas and of categories
    first_day: date = date(2019, 1, 7)


def simulate(setting: Setting, *, n_surges: int, seed: int, rises=(1.5, 2.0, 3.0), surge_days: int = 7):
    """Counts at all levels, and the surges put in: row of the series, first step, rise, base rate a day."""
    rng = np.random.default_rng(seed)
    n_days = setting.history_days + setting.watched_days
    days = np.arange(np.datetime64(setting.first_day, "D"), np.datetime64(setting.first_day, "D") + n_days)
    share = np.exp(setting.spread * rng.standard_normal((setting.n_areas, 1, 1)))
    share = share * np.exp(setting.spread * rng.standard_normal((1, setting.n_categories, 1)))
    share = share * np.exp(0.5 * setting.spread * rng.standard_normal((setting.n_areas, setting.n_categories, 1)))
    phase = rng.uniform(0, 2 * np.pi, (1, setting.n_categories, 1))
    seasonal = 1 + setting.season * np.sin(2 * np.pi * np.arange(n_days) / 365.25 + phase)
    calendar = WEEK[day_types(days, country="CN")]
    rate = setting.reports_per_day * share / share.sum() * seasonal * calendar
    rate = rate * _wandering(setting, n_days, rng)
    base = rate.reshape(-1, n_days).copy()
    cells = rng.permutation(len(base))[:n_surges]
    truth = []
    for place, cell in enumerate(cells):
        start = setting.history_days + int(rng.integers(0, setting.watched_days - surge_days + 1))
        rise = rises[place % len(rises)]
        truth.append((int(cell), start, rise, float(base[cell, start : start + surge_days].mean())))
        rate.reshape(-1, n_days)[cell, start : start + surge_days] *= rise
    noise = rng.gamma(1 / setting.quick, setting.quick, rate.shape) if setting.quick > 0 else 1.0
    observed = rng.poisson(rate * noise)
    surges = pd.DataFrame(truth, columns=["series", "start", "rise", "base"])
    return levels(observed, days), surges


def _wandering(setting, n_days, rng):
    shape = (setting.n_areas, setting.n_categories)
    place, path = rng.standard_normal(shape), []
    for _ in range(n_days):
        path.append(place)
        place = np.exp(-1 / 28) * place + np.sqrt(1 - np.exp(-2 / 28)) * rng.standard_normal(shape)
    return np.exp(np.sqrt(setting.slow) * np.stack(path, axis=-1) - setting.slow / 2)


def levels(observed, days) -> CountSeries:
    """All levels of counts of shape (n_areas, n_categories, n_days)."""
    n_areas, n_categories, n_days = observed.shape
    areas, categories = [f"area {i:02d}" for i in range(n_areas)], [f"category {i:02d}" for i in range(n_categories)]
    keys = [(a, c, AREA_CATEGORY) for a in areas for c in categories]
    keys += [(None, c, CATEGORY) for c in categories] + [(a, None, AREA) for a in areas] + [(None, None, ALL)]
    rows = [observed.reshape(-1, n_days), observed.sum(axis=0), observed.sum(axis=1), observed.sum(axis=(0, 1))[None]]
    frame = pd.DataFrame(keys, columns=["area", "category", "level"], dtype=object)
    return CountSeries(frame, days, np.concatenate(rows).astype(np.int64), None, np.ones(n_days))
