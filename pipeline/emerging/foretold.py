"""What became of growing matters that were told about, beside a rule that counts people.

A matter told about has come true if, within the horizon, at least so many more people reported it as the alert spoke of. The
simple rule tells of a matter in the morning once enough different people have reported it within the week before, with the
number at which it would have told of at most as many matters as were told of, but of one at least if there is one. What was
told on the first morning is left out: a replay begins without alerts and tells of everything that is going on by then.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.emerging.arrivals import Arrivals, days_since_1970, local_arrivals
from pipeline.emerging.moments import FAR, past_moments
from pipeline.emerging.series import Integers, Reals
from pipeline.emerging.thresholds import DAYS_A_MONTH
from pipeline.sections import GrowthParams

WEEK = 7.0


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
        n_days: Mornings that can be judged; with none the rest says nothing.
        n_grew: Matters that enough people had reported and enough more would within the horizon, on one of the mornings on
            which growth is learned.
        alerts: What the alerts told.
        counting: What the simple rule would have told.
        count: People within a week from which the simple rule tells.
    """

    n_days: int
    n_grew: int
    alerts: Foretold
    counting: Foretold
    count: int


@dataclass(frozen=True)
class _Judge:
    """First reports of people, the mornings that are judged, and the matters that grew."""

    past: Arrivals
    begin: float
    end: float
    growing: Integers
    params: GrowthParams

    def __call__(self, matters: Integers, days: Reals) -> Foretold:
        """What became of matters told about at the start of some days."""
        people, later = (np.zeros(len(matters)) for _ in range(2))
        for at, (matter, day) in enumerate(zip(matters, days, strict=True)):
            own = self.past.days[self.past.starts[matter] : self.past.starts[matter + 1]]
            people[at] = (own < day).sum()
            later[at] = ((own >= day) & (own < day + self.params.horizon_days)).sum()
        true = later >= self.params.more_reporters
        median = float(np.median(people)) if len(people) else float("nan")
        months = max(self.end - self.begin + 1.0, 1.0) / DAYS_A_MONTH
        n_grew = len(np.intersect1d(matters[true], self.growing))
        return Foretold(len(matters), int(true.sum()), n_grew, float((~true).sum()) / months, median)


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
    past = local_arrivals(reports, timezone)
    begin = float(days_since_1970(first) + 1)
    end = float(min(days_since_1970(last), days_since_1970(until) - params.horizon_days))
    told = alerts[alerts["kind"] == schema.GROWING].sort_values("raised_on").drop_duplicates("matter_id")
    days = np.array([days_since_1970(day) for day in told["raised_on"]], dtype=np.float64)
    place = pd.Series(np.arange(len(past.matter_ids)), index=past.matter_ids)
    rows = place.reindex(told["matter_id"]).to_numpy(dtype=np.float64)
    kept = np.isfinite(rows) & (days >= begin) & (days <= end)
    moments = past_moments(past, horizon_days=params.horizon_days)
    grew = (moments.days >= begin) & (moments.days <= end) & (moments.n_people >= params.min_reporters)
    growing = np.unique(moments.matters[grew & (moments.later >= params.more_reporters)])
    judge = _Judge(past, begin, end, growing, params)
    ours = judge(rows[kept].astype(np.int64), days[kept])
    count, counting = _by_counting(judge, at_most=max(ours.n_told, 1))
    return Grown(max(int(end - begin) + 1, 0), len(growing), ours, counting, count)


def _by_counting(judge: _Judge, *, at_most: int) -> tuple[int, Foretold]:
    """The smallest number of people within a week at which at most so many matters are told about, and what that gives."""
    past = judge.past
    matters, mornings = past.matters, np.floor(past.days) + 1.0
    keys = matters * FAR + past.days
    within = np.searchsorted(keys, matters * FAR + mornings) - np.searchsorted(keys, matters * FAR + mornings - WEEK)
    inside = (mornings >= judge.begin) & (mornings <= judge.end)
    count = judge.params.min_reporters
    while True:
        raised = np.flatnonzero(inside & (within >= count))
        told, first = np.unique(matters[raised], return_index=True)
        if len(told) <= at_most:
            return count, judge(told.astype(np.int64), mornings[raised[first]])
        count += 1
