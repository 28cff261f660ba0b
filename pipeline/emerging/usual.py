"""What the series usually do, and surge-free months drawn from it."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.emerging.baseline import Watched, calendar_factors
from pipeline.emerging.calendar import N_DAY_TYPES, day_types
from pipeline.emerging.dispersion import Strays, strays
from pipeline.emerging.nulls import draw
from pipeline.emerging.season import season, wider
from pipeline.emerging.series import ALL, AREA_CATEGORY, CATEGORY, CountSeries, Integers, Reals
from pipeline.sections import EmergingParams

VARIANCE_STEPS = 120
"""Steps whose forecasts tell how far series stray; longer would remember habits that are over."""
MONTH_STEPS = 28
"""Steps of a drawn month, beyond its history."""


@dataclass(frozen=True)
class Usual:
    """What the series usually do.

    Attributes:
        watched: The series themselves, with exposure and variances.
        factors: Calendar factors, shape (n_series, N_DAY_TYPES).
        n_reports: Reports each factor rests on, same shape.
        strays: How far each series strays.
        kinds: Kinds of the days of the history and of the month after it, shape (n_steps + MONTH_STEPS,).
        wider: Series whose rest tells each one's season, -1 for none, shape (n_series,).
        season: Season after the last step, a factor on the exposure, shape (n_series,).
    """

    watched: Watched
    factors: Reals
    n_reports: Reals
    strays: Strays
    kinds: Integers
    wider: Integers
    season: Reals

    def months(self, level: Reals, rows: Integers, n_steps: int, *, rng: np.random.Generator) -> Watched:
        """Draw surge-free series, one for each of `rows`, that differ from the estimates by as much as those may be wrong.

        Args:
            level: Expected count of an ordinary day of the present season, shape (n_series,).
            rows: Series each drawn one is like, shape (n_rows,).
            n_steps: Steps to draw; they end with the month after the history.
            rng: Source of randomness.
        """
        kinds = self.kinds[-n_steps:]
        certain = np.minimum(self.n_reports[rows], 1e9)
        factors = self.factors[rows] * rng.standard_gamma(certain) / certain
        slow, quick = self.strays.possible(rows, rng=rng)
        observed = draw(level[rows], factors[:, kinds], slow, quick, rng=rng).astype(np.float64)
        return Watched(observed, self.factors[rows][:, kinds], self.watched.slow[rows], self.watched.quick[rows])


def learn(series: CountSeries, *, params: EmergingParams) -> Usual:
    """Learn what the series usually do from all their days."""
    n_series, n_steps = series.observed.shape
    kinds = day_kinds(series, n_ahead=MONTH_STEPS, country=params.country)
    factors, n_reports = np.ones((n_series, N_DAY_TYPES)), np.full((n_series, N_DAY_TYPES), np.inf)
    parents = _parents(series)
    if series.step_days == 1:
        factors, n_reports = calendar_factors(series.observed, series.completeness, kinds[:n_steps], parents)
    seasonal = wider(series.observed, parents)
    nothing = np.zeros(n_series)
    watched = watch(series, factors[:, kinds[:n_steps]], seasonal, nothing, nothing)
    found = strays(
        watched,
        series.keys["level"].tolist(),
        baseline_steps=params.baseline_days,
        min_steps=params.min_history_days,
        n_asked=min(VARIANCE_STEPS, n_steps - params.min_history_days + 1),
    )
    slow, quick = found.parts()
    now = watched.exposure[:, -1] / np.maximum(factors[:, kinds[n_steps - 1]] * series.completeness[-1], 1e-9)
    return Usual(replace(watched, slow=slow, quick=quick), factors, n_reports, found, kinds, seasonal, now)


def watch(series: CountSeries, calendar: Reals, seasonal: Integers, slow: Reals, quick: Reals) -> Watched:
    """The series with their exposure: calendar, completeness and season.

    Args:
        series: The series.
        calendar: Calendar factor of each day, shape (n_series, n_steps).
        seasonal: As `Usual.wider`.
        slow: As `Watched.slow`.
        quick: As `Watched.quick`.
    """
    exposure = calendar * series.completeness
    exposure = exposure * season(series.observed, exposure, seasonal)
    return Watched(series.observed.astype(np.float64), exposure, slow, quick)


def day_kinds(series: CountSeries, *, n_ahead: int, country: str) -> Integers:
    """Kind of each day of the series and of `n_ahead` more; all alike where a step is not a day."""
    if series.step_days != 1:
        return np.zeros(len(series.days) + n_ahead, dtype=np.int64)
    days = np.arange(series.days[0], series.days[-1] + 1 + n_ahead, dtype="datetime64[D]")
    return day_types(days, country=country)


def _parents(series: CountSeries) -> Integers:
    """Index of the wider series of each: everything for a category or an area, the category for area x category."""
    levels, categories = series.keys["level"].tolist(), series.keys["category"].tolist()
    top = levels.index(ALL) if ALL in levels else -1
    by_category = {category: row for row, category in enumerate(categories) if levels[row] == CATEGORY}
    parents = [
        -1 if level == ALL else by_category.get(category, top) if level == AREA_CATEGORY else top
        for level, category in zip(levels, categories, strict=True)
    ]
    return np.array(parents, dtype=np.int64)
