"""What became of growing matters that were told about, beside a rule that counts people.

A matter told about has come true if, within the horizon, at least so many more people reported it as the alert spoke of. The
simple rule tells of a matter when enough different people have reported it within a week, with the number at which it would
have told of as many matters as were told of, or of the next fewer.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.emerging.arrivals import Arrivals, arrivals
from pipeline.emerging.moments import FAR, past_moments
from pipeline.emerging.series import Integers, Reals
from pipeline.emerging.thresholds import DAYS_A_MONTH
from pipeline.sections import GrowthParams

WEEK = 7.0
MOST_PEOPLE = 50
"""People within a week beyond which the simple rule is not looked at."""


@dataclass(frozen=True)
class Foretold:
    """What a rule told of growing matters, and what became of them.

    Attributes:
        n_told: Matters told about whose horizon has closed.
        n_true: Those that grew as told.
        n_grew_told: Matters that grew and were told about before they did.
        false_a_month: Matters told about that did not grow, per month.
        people: Median number of people at the time of telling; NaN where nothing was told.
    """

    n_told: int
    n_true: int
    n_grew_told: int
    false_a_month: float
    people: float


@dataclass(frozen=True)
class Grown:
    """What was told, by alerts and by the simple rule, and how many matters there were to tell of.

    Attributes:
        n_grew: Matters that, on some morning, enough people had reported and enough more would within the horizon.
        alerts: What the alerts told.
        counting: What the simple rule would have told.
        count: People within a week from which the simple rule tells.
    """

    n_grew: int
    alerts: Foretold
    counting: Foretold
    count: int


def look_back(
    alerts: pd.DataFrame, reports: pd.DataFrame, *, first: date, last: date, until: date, timezone: str, params: GrowthParams
) -> Grown:
    """Compare what was told of growing matters with what came.

    Args:
        alerts: ALERTS of the last night.
        reports: All reports known by now: `received_at`, `matter_id`, `reporter_hash`, `duplicate_group`.
        first: First night.
        last: Last night.
        until: Day before which reports are known; of what was told within a horizon of it nothing can be said.
        timezone: Zone in which days begin.
        params: Section `emerging.growth`.
    """
    local = reports["received_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.tz_localize("UTC")
    past = arrivals(reports.assign(received_at=local))
    begin, end = float(_day(first)), float(min(_day(last), _day(until) - params.horizon_days))
    told = alerts[alerts["kind"] == schema.GROWING].sort_values("raised_on").drop_duplicates("matter_id")
    days = np.array([_day(day) for day in told["raised_on"]], dtype=np.float64)
    place = pd.Series(np.arange(len(past.matter_ids)), index=past.matter_ids)
    rows = place.reindex(told["matter_id"]).to_numpy(dtype=np.float64)
    kept = np.isfinite(rows) & (days >= begin) & (days <= end)
    moments = past_moments(past, horizon_days=params.horizon_days)
    grew = (moments.days >= begin) & (moments.days <= end) & (moments.n_people >= params.min_reporters)
    growing = np.unique(moments.matters[grew & (moments.later >= params.more_reporters)])
    months = max(end - begin + 1.0, 1.0) / DAYS_A_MONTH
    ours = _judge(past, rows[kept].astype(np.int64), days[kept], growing, months, params)
    count, counting = _by_counting(past, begin, end, growing, months, params, at_most=max(ours.n_told, 1))
    return Grown(len(growing), ours, counting, count)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _judge(past: Arrivals, matters: Integers, days: Reals, growing: Integers, months: float, params: GrowthParams) -> Foretold:
    """What became of matters told about at the start of some days."""
    people, later = (np.zeros(len(matters)) for _ in range(2))
    for at, (matter, day) in enumerate(zip(matters, days, strict=True)):
        own = past.days[past.starts[matter] : past.starts[matter + 1]]
        people[at] = (own < day).sum()
        later[at] = ((own >= day) & (own < day + params.horizon_days)).sum()
    true = later >= params.more_reporters
    median = float(np.median(people)) if len(people) else float("nan")
    n_grew = len(np.intersect1d(matters[true], growing))
    return Foretold(len(matters), int(true.sum()), n_grew, float((~true).sum()) / months, median)


def _by_counting(
    past: Arrivals, begin: float, end: float, growing: Integers, months: float, params: GrowthParams, *, at_most: int
) -> tuple[int, Foretold]:
    """The smallest number of people within a week at which at most so many matters are told about, and what that gives."""
    matters = past.matters
    places = np.searchsorted(matters * FAR + past.days, matters * FAR + past.days - WEEK, side="right")
    within = np.arange(len(past.days)) - places + 1
    mornings = np.floor(past.days) + 1.0
    inside = (mornings >= begin) & (mornings <= end)
    for count in range(params.min_reporters, MOST_PEOPLE):
        raised = np.flatnonzero(inside & (within >= count))
        told, first = np.unique(matters[raised], return_index=True)
        if len(told) <= at_most:
            break
    return count, _judge(past, told.astype(np.int64), mornings[raised[first]], growing, months, params)
