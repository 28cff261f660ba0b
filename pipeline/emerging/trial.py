"""How large a surge would have been found: surges put into past counts, and what each rule says of them.

Real counts come without a list of their surges. So surges of several sizes are put into the days looked at, in series of one
area and category, and every rule is asked day by day. The simple rules are given the lowest threshold at which they would have
raised at most as many surges as ours did on the counts as they were, but at least one, so that what is compared is what they
find for the same attention; the moving average also stands there as it is commonly used, with two deviations. What would have
alarmed anyway earns nothing.

Limits: what is raised on the counts as they were counts as attention, not as false, for some of it will have been real. A surge
put in brings the same number every day. Several are put in at once, which moves the variance and the seasons that ours learns
a little, and by more where there are few series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pipeline.emerging.evaluation import Truth, judge, match, related
from pipeline.emerging.replay import sweep
from pipeline.emerging.rules import moving_average, raw_count
from pipeline.emerging.series import AREA_CATEGORY, CountSeries, Integers, Reals
from pipeline.emerging.thresholds import DAYS_A_MONTH
from pipeline.sections import EmergingParams

RISES = (1.5, 2.0, 3.0)
"""Factors on a series' usual count that the surges put in have."""
SURGES, AVERAGE, AVERAGE_ALIKE, COUNT_ALIKE = "surges", "mean_2_sigma", "mean_k_sigma", "raw_count"
N_SURGES = 180
"""Surges to put in, a third of each size: a share found is then known to within 0.13 at 95 %; fewer where series are few."""
MOST_ROUNDS = 8
"""Copies of the counts at most; each is calibrated anew, which takes seconds a month."""
SERIES_A_SURGE = 3
"""Series of one area and category for each surge of a round, so that most of the counts stay as they were."""
FEWEST_A_DAY = 1 / 7
"""Usual reports a day below which a series is not tried: three times nearly nothing is nothing to find."""
USUAL_DAYS = 28
"""Days before a surge whose mean it multiplies."""
BASELINE_DAYS = 28
"""Days of the moving average."""


@dataclass(frozen=True)
class Tried:
    """What a rule made of the surges put in.

    Attributes:
        rule: One of SURGES, AVERAGE, AVERAGE_ALIKE, COUNT_ALIKE.
        raised_a_month: Surges it raised on the counts as they were, over all series.
        n_surges: Surges put in, by size.
        found: Share of them found while they lasted, by size.
        delay: Median days from their first day to the first alarm, by size; NaN where none was found.
    """

    rule: str
    raised_a_month: float
    n_surges: dict[float, int]
    found: dict[float, float]
    delay: dict[float, float]


@dataclass(frozen=True)
class _Rule:
    """Scores on the counts as they were, the threshold, and how to score others."""

    name: str
    scores: Reals
    threshold: float
    n_raised: int


def try_surges(series: CountSeries, *, n_watched: int, params: EmergingParams, seed: int) -> list[Tried]:
    """Put surges into the last days of some counts, and ask every rule.

    Args:
        series: Daily counts as they were.
        n_watched: Days looked at, the last ones; there must be more before them.
        params: Section `emerging`.
        seed: Of the surges and of the calibrations.

    Returns:
        One entry a rule, ours first; none where no series has enough reports or the days are fewer than a surge's.
    """
    rng = np.random.default_rng([seed, n_watched])
    rounds = list(_rounds(series, n_watched, params, rng))
    if not rounds:
        return []
    rules = _rules(series, n_watched, params, seed)
    outcomes: dict[str, list[tuple[float, float]]] = {rule.name: [] for rule in rules}
    for changed, places in rounds:
        scores = _scores(changed, n_watched, params, seed)
        truth = Truth(places.surges(params.surge_days), np.eye(len(series.keys), dtype=bool), lead=0, after=0)
        for rule in rules:
            fresh = np.where(rule.scores >= rule.threshold, -np.inf, scores[rule.name])
            said = judge(fresh, rule.threshold, truth, merge_gap=params.merge_gap_days)
            outcomes[rule.name] += list(zip(places.rises.tolist(), said.delay.tolist(), strict=True))
    return [_tried(rule, outcomes[rule.name], n_watched) for rule in rules]


@dataclass(frozen=True)
class _Places:
    """Where surges were put: row, first of the watched days, size, and usual reports a day; one entry a surge."""

    rows: Integers
    starts: Integers
    rises: Reals
    usual: Reals

    def surges(self, length: int) -> pd.DataFrame:
        return pd.DataFrame({"series": self.rows, "start": self.starts, "length": length})


def _rounds(
    series: CountSeries, n_watched: int, params: EmergingParams, rng: np.random.Generator
) -> Iterator[tuple[CountSeries, _Places]]:
    """Copies of the counts with surges in them."""
    n_before = len(series.days) - n_watched
    if n_watched < params.surge_days or n_before < USUAL_DAYS:
        return
    cells = (series.keys["level"] == AREA_CATEGORY).to_numpy()
    rows = np.flatnonzero(cells & (series.observed[:, n_before - USUAL_DAYS :].mean(axis=1) >= FEWEST_A_DAY))
    a_round = min(max(len(rows) // SERIES_A_SURGE, min(len(rows), 1)), N_SURGES)
    for number in range(min(-(-N_SURGES // a_round), MOST_ROUNDS) if a_round else 0):
        own = rng.permutation(rows)[:a_round]
        starts = rng.integers(0, n_watched - params.surge_days + 1, a_round)
        rises = np.array(RISES)[(number * a_round + np.arange(a_round)) % len(RISES)]
        usual = np.array(
            [
                series.observed[row, n_before + at - USUAL_DAYS : n_before + at].mean()
                for row, at in zip(own, starts, strict=True)
            ]
        )
        kept = usual >= FEWEST_A_DAY
        places = _Places(own[kept], starts[kept], rises[kept], usual[kept])
        if len(places.rows):
            yield _with_surges(series, n_before, places, params.surge_days, rng), places


def _with_surges(series: CountSeries, n_before: int, places: _Places, length: int, rng: np.random.Generator) -> CountSeries:
    """The counts with surges added to the series of an area and category, and to the wider ones that contain it."""
    observed, holding = series.observed.copy(), related(series.keys)
    for row, at, rise, usual in zip(places.rows, places.starts + n_before, places.rises, places.usual, strict=True):
        observed[holding[row], at : at + length] += rng.poisson((rise - 1.0) * usual, length)
    return replace(series, observed=observed)


def _scores(series: CountSeries, n_watched: int, params: EmergingParams, seed: int) -> dict[str, Reals]:
    """Scores of every rule on the watched days; ours are decades of p-value below the threshold."""
    swept = sweep(series, params=params, seed=seed, n_asked=n_watched)
    ours = np.log10(np.maximum(swept.cuts, 1e-300)) - np.log10(np.maximum(swept.p_values, 1e-300))
    average = moving_average(series.observed, baseline_steps=BASELINE_DAYS)
    cells = (series.keys["level"] == AREA_CATEGORY).to_numpy()[:, None]
    count = np.where(cells, raw_count(series.observed), -np.inf)
    scores = {SURGES: ours, AVERAGE: average, AVERAGE_ALIKE: average, COUNT_ALIKE: count}
    return {name: values[:, -n_watched:] for name, values in scores.items()}


def _rules(series: CountSeries, n_watched: int, params: EmergingParams, seed: int) -> list[_Rule]:
    """The rules with their thresholds."""
    nothing = Truth(pd.DataFrame(columns=["series", "start", "length"]), np.eye(len(series.keys), dtype=bool), 0, 0)
    rules: list[_Rule] = []
    for name, scores in _scores(series, n_watched, params, seed).items():
        fixed = {SURGES: 0.0, AVERAGE: 2.0}.get(name)
        gap = params.merge_gap_days
        if fixed is not None:
            said = judge(scores, fixed, nothing, merge_gap=gap)
        else:
            said = match(scores, nothing, n_false=max(rules[0].n_raised, 1), merge_gap=gap)
        rules.append(_Rule(name, scores, said.threshold, said.n_false))
    return rules


def _tried(rule: _Rule, outcomes: list[tuple[float, float]], n_watched: int) -> Tried:
    n_surges, found, delay = {}, {}, {}
    for rise in RISES:
        delays = np.array([late for size, late in outcomes if size == rise])
        n_surges[rise] = len(delays)
        found[rise] = float(np.isfinite(delays).mean()) if len(delays) else float("nan")
        delay[rise] = float(np.nanmedian(delays)) if np.isfinite(delays).any() else float("nan")
    return Tried(rule.name, rule.n_raised * DAYS_A_MONTH / n_watched, n_surges, found, delay)
