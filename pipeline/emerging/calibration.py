"""What is known before the month begins: calendar, variance, method and threshold of every series.

Calibrated once a month (a quarter for weekly series) from what came before, so that two nights of a month judge alike and a
night costs little. The day of calibration follows from `as_of` alone.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from pipeline.emerging import ears, methods
from pipeline.emerging.baseline import Watched, present_level
from pipeline.emerging.choosing import choose
from pipeline.emerging.series import CountSeries, Integers, Reals
from pipeline.emerging.thresholds import DAYS_A_MONTH, Tail, fit_tail, group, place, quiet, tightened
from pipeline.emerging.usual import MONTH_STEPS, VARIANCE_STEPS, Usual, day_kinds, learn, watch
from pipeline.sections import EmergingParams

LONG_ROWS = 300
"""Drawn months for Farrington's tail; each needs years of history, and its p-values need little correction."""
MARGIN = 0.65
"""Share of the declared false alarms that drawn months may raise; the rest is for what drawn months do not know. On surge-free
counts with seasons and drift the alarms raised are up to twice the drawn ones."""


@dataclass(frozen=True)
class Calibration:
    """How every series is judged until the next calibration.

    Attributes:
        day: First day it holds for; everything it rests on came before.
        factors: Calendar factors, shape (n_series, N_DAY_TYPES).
        wider: Series whose rest tells each one's season, -1 for none, shape (n_series,).
        slow: Relative variance that does not average out, shape (n_series,).
        quick: Relative variance of a step beyond it, shape (n_series,); negative where weeks stray further than days.
        groups: Group of similar series, shape (n_series,).
        method: Method of each series.
        tails: Scores without a surge, by method and group.
        cut: p-value at or below which an alarm is raised.
    """

    day: date
    factors: Reals
    wider: Integers
    slow: Reals
    quick: Reals
    groups: Integers
    method: tuple[str, ...]
    tails: dict[tuple[str, int], Tail]
    cut: float

    def watched(self, series: CountSeries, *, country: str) -> Watched:
        """The series with their exposure by this calibration's calendar and their seasons."""
        kinds = day_kinds(series, n_ahead=0, country=country)
        return watch(series, self.factors[:, kinds], self.wider, self.slow, self.quick)

    def p_values(self, watched: Watched, *, n_asked: int, params: EmergingParams, step_days: int) -> tuple[Reals, Integers]:
        """p-values of the last `n_asked` steps and the steps each speaks of, both of shape (n_series, n_asked)."""
        p_values = np.ones((len(self.method), n_asked))
        lengths = np.ones((len(self.method), n_asked), dtype=np.int64)
        chosen = np.array(self.method)
        for method in sorted(set(self.method)):
            rows = np.flatnonzero(chosen == method)
            part = watched.rows(rows)
            scores, lengths[rows] = methods.score(method, part, n_asked=n_asked, params=params, step_days=step_days)
            for at in np.unique(self.groups[rows]):
                inside = self.groups[rows] == at
                p_values[rows[inside]] = self.tails[method, int(at)].p_values(scores[inside])
        return p_values, lengths


def calibration_day(day: date, series: CountSeries, *, params: EmergingParams) -> date:
    """The day whose calibration `day` is judged by, from the first day of the series and `day` alone.

    That is the first of the month (of the quarter for series that are not daily) once there are `short_history_days` steps
    before it, and until then every seventh step from the first with `min_history_days` before it, or that first one.
    """
    period = day.replace(day=1) if series.step_days == 1 else day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    start: date = series.days[0].astype(date)
    if (period - start).days >= params.short_history_days * series.step_days:
        return period
    n_steps = (day - start).days // series.step_days - params.min_history_days
    return start + timedelta(days=(params.min_history_days + max(n_steps, 0) // 7 * 7) * series.step_days)


_made: dict[bytes, Calibration] = {}
"""What was calibrated last by this process, at most `_KEPT`: replayed nights ask for the same ones again and again."""
_KEPT = 16


def calibrate(series: CountSeries, day: date, *, params: EmergingParams, seed: int) -> Calibration | None:
    """Learn how to judge each series from `day` on.

    Args:
        series: Count series; what came in on `day` or later is not looked at.
        day: First day the calibration is to hold for.
        params: Section `emerging`; its days are steps of the series.
        seed: Of the drawn months and the trials.

    Returns:
        The calibration, or None if there are fewer than `min_history_days` steps before `day`.
    """
    series = series.before(day)
    if len(series.days) < params.min_history_days:
        return None
    key = _digest(series, day, params, seed)
    if key not in _made:
        if len(_made) == _KEPT:
            del _made[next(iter(_made))]
        _made[key] = _calibrate(series, day, params=params, seed=seed)
    return _made[key]


def _digest(series: CountSeries, day: date, params: EmergingParams, seed: int) -> bytes:
    """Of everything a calibration depends on."""
    given = (day.isoformat(), str(seed), params.model_dump_json(), str(series.step_days), series.keys.to_json())
    parts = [text.encode("utf-8") for text in given]
    arrays = (series.days.astype("int64"), series.observed, series.completeness)
    parts += [np.ascontiguousarray(part).tobytes() for part in arrays]
    return hashlib.sha256(b"\0".join(parts)).digest()


def _calibrate(series: CountSeries, day: date, *, params: EmergingParams, seed: int) -> Calibration:
    rng = np.random.default_rng([seed, day.toordinal()])
    usual = learn(series, params=params)
    watched, step_days = usual.watched, series.step_days
    at_exposure_1 = present_level(watched, baseline_steps=params.baseline_days)
    level = at_exposure_1 * usual.season
    groups = group(level)
    allowed = _allowed(len(series.days), params, step_days)
    drawn = {
        method: _draw_month(method, usual, level, groups, params=params, step_days=step_days, rng=rng) for method in allowed
    }
    tails = {(method, at): tail for method, month in drawn.items() for at, tail in month.tails.items()}
    cut = _cut(drawn, [allowed[0]] * len(level), params, step_days)
    chosen = choose(
        watched, at_exposure_1, groups, tails, allowed=allowed, cut=cut, params=params, step_days=step_days, rng=rng
    )
    cut = _cut(drawn, chosen, params, step_days)
    made = Calibration(day, usual.factors, usual.wider, watched.slow, watched.quick, groups, tuple(chosen), tails, cut)
    return replace(made, cut=_tightened(made, watched, drawn, params=params, step_days=step_days))


@dataclass(frozen=True)
class Month:
    """Drawn months of a method: the series each is like, its p-values (n_rows, MONTH_STEPS), and each group's tail."""

    rows: Integers
    p_values: Reals
    tails: dict[int, Tail]

    def of(self, method_of: "np.ndarray", method: str) -> Reals:
        """p-values of the series watched by this method."""
        kept: Reals = self.p_values[method_of[self.rows] == method]
        return kept


def _draw_month(
    method: str,
    usual: Usual,
    level: Reals,
    groups: Integers,
    *,
    params: EmergingParams,
    step_days: int,
    rng: np.random.Generator,
) -> Month:
    n_rows = LONG_ROWS if method == methods.FARRINGTON else params.n_simulated
    rows = np.tile(np.arange(len(level)), max(1, round(n_rows / len(level))))
    n_known = usual.watched.observed.shape[1]
    n_steps = min(methods.reach(method, n_asked=MONTH_STEPS, params=params), n_known + MONTH_STEPS)
    null = usual.months(level, rows, n_steps, rng=rng)
    scores, _ = methods.score(method, null, n_asked=MONTH_STEPS, params=params, step_days=step_days)
    p_values, tails = np.ones_like(scores), {}
    for at in np.unique(groups):
        inside = groups[rows] == at
        tails[int(at)] = fit_tail(scores[inside])
        p_values[inside] = tails[int(at)].p_values(scores[inside])
    return Month(rows, p_values, tails)


def _allowed(n_steps: int, params: EmergingParams, step_days: int) -> list[str]:
    """Methods that so much history is enough for, the usual one first."""
    if n_steps < params.short_history_days:
        return [methods.SHORT if n_steps >= ears.BASELINE_STEPS + ears.GUARD_STEPS else methods.SHORTEST]
    weeks = n_steps * step_days / 7
    names = [methods.USUAL, *(name for name in methods.METHODS if name != methods.USUAL)]
    return [name for name in names if name != methods.FARRINGTON or weeks > params.long_history_years * 53]


def _cut(drawn: dict[str, Month], chosen: list[str], params: EmergingParams, step_days: int) -> float:
    """The p-value that raises the declared number of surges a month when every series is watched by its method."""
    method_of = np.array(chosen)
    most = max(1, round(params.n_simulated / len(chosen)))  # drawn months a series
    parts = []
    for method in sorted(set(chosen)):
        n_drawn = len(drawn[method].rows) // len(chosen)
        parts.append(np.tile(drawn[method].of(method_of, method), (max(1, round(most / n_drawn)), 1)))
    wanted = MARGIN * params.false_alarms_per_month * most * MONTH_STEPS * step_days / DAYS_A_MONTH
    return place(np.concatenate(parts), surges_wanted=wanted, merge_gap=params.merge_gap_days)


def _tightened(
    made: Calibration, watched: Watched, drawn: dict[str, Month], *, params: EmergingParams, step_days: int
) -> float:
    """The threshold, lowered where the quiet days of the history look more unusual than drawn ones."""
    method_of = np.array(made.method)
    nulls = np.concatenate([drawn[method].of(method_of, method) for method in sorted(set(made.method))])
    n_past = min(VARIANCE_STEPS, watched.observed.shape[1] - params.min_history_days)
    if n_past < params.short_history_days:
        return made.cut
    seen, _ = made.p_values(watched, n_asked=n_past, params=params, step_days=step_days)
    around = params.max_window_days
    return tightened(made.cut, seen=quiet(seen, cut=made.cut, around=around), drawn=quiet(nulls, cut=made.cut, around=around))
