"""Surges: days on which an area, a category, or both together bring more reports than the past and the calendar explain.

    calibration = what is known before the month begins (see calibration.py)
    every night: score each series by its method, turn scores into p-values, compare with the month's threshold

Alarms of one series at most a few days apart are one surge, which keeps its first day, and so its identity, from night to
night. Every day looked at is judged with the calibration of its own month and the level of the days before it, so what a night
says of yesterday does not depend on when it is asked, unless reports have arrived since.

What can be found depends on how many reports a series usually has. On simulated counts (195 series, seasons, drift, two false
surges a month declared) a week of twice as many was found in a fifth of the series with 1 to 3 reports a day, in two thirds
with 5 to 8 and in nine tenths with 12 to 20; a week of three times as many in 59 % with 1 to 2 and in over 95 % from 3 on, half
of them by its second day. Over all series that is 0.48 and 0.87 with 1,000 reports a day, 0.72 and 0.98 with 2,000, 0.82 and
0.97 with 3,000. The two false surges a month declared were 0.9 to 2.3 on steady counts, 0.6 to 1.9 with seasons and drift up to
3,000 reports a day, and 3.0 with 10,000, where a category's own season over all areas is significant.

Limits: a series needs seven days before anything is said; a rise that lasts longer than two months becomes the new level;
a surge that goes on for longer than two months is given a new first day.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.stats import nbinom

from pipeline.emerging import methods
from pipeline.emerging.baseline import Window
from pipeline.emerging.calibration import Calibration, calibrate, calibration_day
from pipeline.emerging.series import CountSeries, Integers, Reals, Truths
from pipeline.emerging.thresholds import adjusted, first_alarms
from pipeline.sections import EmergingParams

BANDS = (
    "area", "category", "level", "day", "observed", "expected", "low", "high", "upper", "p_value", "false_discovery_rate",
    "method", "window_days", "window_observed", "window_expected", "window_low", "window_high", "n_reporters", "alarm",
    "surge_id",
)  # fmt: skip
SURGES = (
    "surge_id", "area", "category", "level", "first_day", "last_day", "n_days", "ongoing", "observed", "expected", "low",
    "high", "upper", "p_value", "false_discovery_rate", "method", "window_days", "n_reporters",
)  # fmt: skip

USUAL = 0.95
"""Share of usual counts that lie in the interval shown."""
REMEMBERED_STEPS = 28
"""Steps judged before those shown, so that a surge keeps its first day when that leaves the days shown."""


@dataclass(frozen=True)
class Detection:
    """What a night sees.

    Attributes:
        bands: One row per series and day looked at: `observed` and `expected` count of the day; `low` and `high`, between
            which 95 % of usual counts lie; `upper`, the count from which the day alone would alarm; `p_value`, the
            probability that a day without a surge looks as unusual; `false_discovery_rate` among the series of the day; the
            `method`; the window it speaks of with its counts; the day's different reporters (null where not known);
            `alarm`, and the surge the alarm belongs to.
        surges: One row per surge: its series, first and last day of alarm, whether the last day looked at still alarms, and
            the counts, expectation and p-value of its most unusual window. `n_reporters` is the largest number of different
            reporters on one of its days: at least so many people.
    """

    bands: pd.DataFrame
    surges: pd.DataFrame


def detect(
    series: CountSeries,
    *,
    as_of: date,
    params: EmergingParams,
    seed: int,
) -> Detection:
    """Find the surges known at the start of `as_of`.

    Args:
        series: Counts, from `series.counts`; days from `as_of` on are not looked at.
        as_of: Day from which we look.
        params: Section `emerging`.
        seed: Of everything drawn in calibrating.

    Returns:
        Bands of the last `watched_days` days, and the surges among them; both empty while history is too short.
    """
    known = series.before(as_of)
    n_shown = min(max(params.watched_days // known.step_days, 1), len(known.days))
    n_asked = min(n_shown + REMEMBERED_STEPS, len(known.days))
    pieces = []
    asked = known.days[len(known.days) - n_asked :]
    holding = [calibration_day(day.astype(date), known, params=params) for day in asked]
    for begins in sorted({begins for begins, day in zip(holding, asked, strict=True) if begins <= day.astype(date)}):
        judged = calibrate(known, begins, params=params, seed=seed)
        own = [day for holds, day in zip(holding, asked, strict=True) if holds == begins <= day.astype(date)]
        if judged is not None:
            last = own[-1].astype(date) + timedelta(days=1)
            pieces.append(_judge(known.before(last), judged, len(own), params))
    if not pieces:
        return Detection(pd.DataFrame(columns=list(BANDS)), pd.DataFrame(columns=list(SURGES)))
    bands = _named(pd.concat(pieces, ignore_index=True), known, params)
    surges = merge(bands)
    shown = pd.Timestamp(known.days[-n_shown])
    return Detection(
        bands[bands["day"] >= shown].reset_index(drop=True), surges[surges["last_day"] >= shown].reset_index(drop=True)
    )


def _judge(series: CountSeries, calibration: Calibration, n_asked: int, params: EmergingParams) -> pd.DataFrame:
    """Bands of the last `n_asked` days of the series, without surge ids."""
    watched = calibration.watched(series, country=params.country)
    p_values, lengths = calibration.p_values(watched, n_asked=n_asked, params=params, step_days=series.step_days)
    sums = methods.sums(watched, n_asked=n_asked, params=params)
    single = sums[0]
    size = 1.0 / single.dispersion
    upper = nbinom.isf(calibration.cut, size, size / (size + single.expected)) + 1.0
    low, high = usual_counts(single.expected, single.dispersion)
    seen, window_expected, window_dispersion = _of_window(sums, lengths)
    window_low, window_high = usual_counts(window_expected, window_dispersion)
    days = series.days[len(series.days) - n_asked :]
    n_series = len(series.keys)
    keys = series.keys.loc[series.keys.index.repeat(n_asked)].reset_index(drop=True)
    reporters = series.n_reporters[:, -n_asked:].ravel() if series.n_reporters is not None else np.nan
    alarm = p_values <= calibration.cut
    return keys.assign(
        day=np.tile(days, n_series),
        observed=series.observed[:, -n_asked:].ravel(),
        expected=single.expected.ravel(),
        low=low.ravel(),
        high=high.ravel(),
        upper=upper.ravel(),
        p_value=p_values.ravel(),
        false_discovery_rate=adjusted(p_values).ravel(),
        method=np.repeat(np.array(calibration.method, dtype=object), n_asked),
        window_days=lengths.ravel() * series.step_days,
        window_observed=seen.ravel(),
        window_expected=window_expected.ravel(),
        window_low=window_low.ravel(),
        window_high=window_high.ravel(),
        n_reporters=pd.array(np.broadcast_to(reporters, n_series * n_asked), dtype="Int64"),
        alarm=alarm.ravel(),
    )


def usual_counts(expected: Reals, dispersion: Reals) -> tuple[Reals, Reals]:
    """Between which counts `USUAL` of usual ones lie, of negative-binomial counts with these means and dispersions."""
    size = 1.0 / np.maximum(dispersion, 1e-9)
    share = size / (size + expected)
    low, high = (nbinom.ppf(tail, size, share) for tail in ((1.0 - USUAL) / 2.0, (1.0 + USUAL) / 2.0))
    return low, high


def _of_window(sums: list[Window], lengths: Integers) -> tuple[Reals, Reals, Reals]:
    """Counts of the windows the scores speak of, what the days before each led to expect, and the dispersion of that."""
    seen, expected, dispersion = (np.zeros(lengths.shape) for _ in range(3))
    for window in sums:
        chosen = lengths == window.length
        seen[chosen], expected[chosen] = window.observed[chosen], window.expected[chosen]
        dispersion[chosen] = window.dispersion[chosen]
    return seen, expected, dispersion


def _named(bands: pd.DataFrame, series: CountSeries, params: EmergingParams) -> pd.DataFrame:
    """Bands sorted by series and day, every alarm with the id of its surge."""
    order = {key: row for row, key in enumerate(zip(series.keys["area"], series.keys["category"], strict=True))}
    row = np.array([order[key] for key in zip(bands["area"], bands["category"], strict=True)])
    bands = bands.iloc[np.lexsort((bands["day"].to_numpy(), row))].reset_index(drop=True)
    n_days = bands["day"].nunique()
    alarms: Truths = bands["alarm"].to_numpy(dtype=bool).reshape(-1, n_days)
    begins = first_alarms(alarms, merge_gap=params.merge_gap_days)
    first = np.maximum.accumulate(np.where(begins, np.arange(n_days), -1), axis=1)
    days = bands["day"].to_numpy().reshape(-1, n_days)
    ids = np.full(alarms.shape, None, dtype=object)
    for at, day in np.argwhere(alarms):
        key = series.keys.iloc[at]
        began = np.datetime_as_string(days[at, first[at, day]].astype("datetime64[D]"))
        said = f"{key['area'] or ''}|{key['category'] or ''}|{began}"
        ids[at, day] = hashlib.sha256(said.encode()).hexdigest()[:16]
    return bands.assign(surge_id=ids.ravel())[list(BANDS)]


def merge(bands: pd.DataFrame) -> pd.DataFrame:
    """One row per surge, the most unusual first; see Detection for the columns."""
    alarms = bands[bands["alarm"]]
    if alarms.empty:
        return pd.DataFrame(columns=list(SURGES))
    groups = alarms.groupby("surge_id", sort=False)
    strongest = alarms.loc[groups["p_value"].idxmin()].set_index("surge_id")
    span = groups.agg(
        first_day=("day", "min"), last_day=("day", "max"), n_days=("day", "size"), n_reporters=("n_reporters", "max")
    )
    merged = span.join(
        strongest[["area", "category", "level", "upper", "p_value", "false_discovery_rate", "method", "window_days"]]
    )
    for name in ("observed", "expected", "low", "high"):
        merged[name] = strongest[f"window_{name}"]
    merged["ongoing"] = merged["last_day"] == bands["day"].max()
    merged = merged.reset_index().sort_values(["p_value", "surge_id"], ignore_index=True)
    return merged[list(SURGES)]
