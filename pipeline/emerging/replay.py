"""Past nights once more: what each would have raised, and when."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.emerging.calibration import calibrate, calibration_day
from pipeline.emerging.series import CountSeries, Reals
from pipeline.emerging.surges import detect
from pipeline.sections import EmergingParams


def replay(
    series: CountSeries, *, first: date, last: date, params: EmergingParams, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the detection of every night from `first` to `last`.

    Args:
        series: Count series; each night looks only at days before it.
        first: First `as_of`.
        last: Last `as_of`, included.
        params: Section `emerging`.
        seed: Of everything drawn in calibrating.

    Returns:
        The bands of each night's newest day, and every surge once, as the night that first raised it saw it, with that
        night as `raised_on`.
    """
    newest: list[pd.DataFrame] = []
    raised: dict[str, pd.DataFrame] = {}
    night = first
    while night <= last:
        found = detect(series, as_of=night, params=params, seed=seed)
        if len(found.bands):
            newest.append(found.bands[found.bands["day"] == found.bands["day"].max()])
        fresh = found.surges[~found.surges["surge_id"].isin(list(raised))]
        for surge_id, row in fresh.groupby("surge_id"):
            raised[str(surge_id)] = row.assign(raised_on=night)
        night += timedelta(days=series.step_days)
    bands = pd.concat(newest, ignore_index=True) if newest else pd.DataFrame()
    surges = pd.concat(raised.values(), ignore_index=True) if raised else pd.DataFrame()
    return bands, surges


@dataclass(frozen=True)
class Sweep:
    """Every step judged as its night would have judged it.

    Attributes:
        p_values: Shape (n_series, n_steps); 1 where history was too short.
        cuts: p-value at or below which each step's calibration alarms, shape (n_steps,); 0 where there was none.
        methods: Method of each series at each step, shape (n_series, n_steps); empty where there was none.
    """

    p_values: Reals
    cuts: Reals
    methods: "np.ndarray"


def sweep(series: CountSeries, *, params: EmergingParams, seed: int, n_asked: int | None = None) -> Sweep:
    """Judge every step of complete counts, one calibration at a time.

    Says what `replay` says, and far faster, where no report arrives late: what a night says of a day then does not depend on
    the night.

    Args:
        series: Count series.
        params: Section `emerging`; its days are steps.
        seed: Of everything drawn in calibrating.
        n_asked: Steps to judge, the last ones; all of them if not given. The others are left as where history was too short.
    """
    p_values, cuts = np.ones(series.observed.shape), np.zeros(len(series.days))
    methods = np.full(series.observed.shape, "", dtype=object)
    days = [day.astype(date) for day in series.days]
    begins = np.array([calibration_day(day, series, params=params) for day in days])
    asked = np.arange(len(days)) >= (0 if n_asked is None else len(days) - n_asked)
    for begin in sorted(set(begins[asked].tolist())):
        steps = np.flatnonzero((begins == begin) & (np.array(days) >= begin) & asked)
        judged = calibrate(series, begin, params=params, seed=seed)
        if judged is None or not len(steps):
            continue
        part = series.before(days[steps[-1]] + timedelta(days=1))
        watched = judged.watched(part, country=params.country)
        p_values[:, steps], _ = judged.p_values(watched, n_asked=len(steps), params=params, step_days=series.step_days)
        cuts[steps] = judged.cut
        methods[:, steps] = np.array(judged.method, dtype=object)[:, None]
    return Sweep(p_values, cuts, methods)
