"""Growing matters: which to tell people about, and the curve that shows why.

A matter is told about once enough different people have reported it and enough more are likely to. How likely is set by the
history: the lowest probability at which past matters, each raised when it first passed it, gave no more false alarms a month
than declared. An alert stays while its matter is at least half as likely to grow as it had to be to be raised.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.emerging.alerts import Finding
from pipeline.emerging.arrivals import Arrivals, days_since_1970, local_arrivals
from pipeline.emerging.charts import Chart
from pipeline.emerging.growth import Growth, fit
from pipeline.emerging.moments import Moments, past_moments, present_moments
from pipeline.emerging.series import Reals
from pipeline.emerging.surge_alerts import examples
from pipeline.emerging.thresholds import DAYS_A_MONTH
from pipeline.sections import EmergingParams, GrowthParams

USUAL = 0.95
"""Share of matters, and of forecasts, that lie in the interval shown."""
STAYS = 0.5
"""Share of the probability needed to be raised at which an alert stays."""
MARGIN = 0.3
"""Share of the declared false alarms that the past may have given. The past is looked at on some mornings only and has chosen
the threshold: on two simulated towns 0.25 and 0.5 false alarms a month came of 1.0 declared, and 1.2 and 1.0 with 0.7 here."""
_STEPS = np.arange(0.0, 0.96, 0.05)


@dataclass(frozen=True)
class Outlook:
    """Matters and their growth as seen from one morning.

    Attributes:
        past: First reports of people.
        growth: How matters grow.
        now: Every matter as it stands.
        probability: Of `more_reporters` more people within the horizon, shape (n_matters,).
        threshold: Probability from which a matter is raised.
    """

    past: Arrivals
    growth: Growth
    now: Moments
    probability: Reals
    threshold: float


def look(reports: pd.DataFrame, *, as_of: date, timezone: str, params: GrowthParams) -> Outlook:
    """See how matters stand and may grow at the start of a day.

    Args:
        reports: `received_at`, `matter_id`, `reporter_hash`, `duplicate_group` of reports received before it.
        as_of: The day.
        timezone: Zone in which days begin.
        params: Section `emerging.growth`.
    """
    at = float(days_since_1970(as_of))
    past = local_arrivals(reports, timezone)
    moments = past_moments(past, horizon_days=params.horizon_days)
    known = (moments.days + params.horizon_days <= at) & (moments.days > at - params.memory_days)
    growth = fit(moments.where(known), more=params.more_reporters)
    now = present_moments(past, at=at)
    threshold = raising_threshold(growth, moments.where(known), params)
    return Outlook(past, growth, now, growth.probability(now), threshold)


def raising_threshold(growth: Growth, moments: Moments, params: GrowthParams) -> float:
    """The lowest probability, from `min_probability` on, at which the past gave no more false alarms than declared.

    Args:
        growth: How matters grow.
        moments: Moments of the past, their horizon closed.
        params: Section `emerging.growth`.
    """
    enough = moments.where(moments.n_people >= params.min_reporters)
    if not len(enough.days):
        return params.min_probability
    allowed = MARGIN * params.false_alarms_per_month * (moments.days.max() - moments.days.min() + 1.0) / DAYS_A_MONTH
    order = np.lexsort((enough.days, enough.matters))
    matters, false = enough.matters[order], (enough.later < params.more_reporters)[order]
    probability = growth.probability(enough)[order]
    for threshold in np.maximum(_STEPS, params.min_probability):
        raised = np.flatnonzero(probability >= threshold)
        _, first = np.unique(matters[raised], return_index=True)
        if false[raised[first]].sum() <= allowed:
            return float(threshold)
    return 1.0


def growing_findings(
    outlook: Outlook, reports: pd.DataFrame, *, as_of: date, still_open: Set[str], params: EmergingParams
) -> list[Finding]:
    """What to tell of growing matters.

    Args:
        outlook: How matters stand.
        reports: The reports it was made of, with `report_id`, `area`, `category` and naive `day`.
        as_of: The morning of the night.
        still_open: Ids of matters told about already.
        params: Section `emerging`.

    Returns:
        One finding a matter, the likeliest to grow first. `confidence` is the probability of growth; `expected`, `low` and
        `high` are people that matters of its age usually have.
    """
    enough = outlook.now.n_people >= params.growth.min_reporters
    stays = np.isin(outlook.past.matter_ids, sorted(still_open)) & (outlook.probability >= STAYS * outlook.threshold)
    told = np.flatnonzero(enough & ((outlook.probability >= outlook.threshold) | stays))
    told = told[np.argsort(-outlook.probability[told], kind="stable")]
    return [_finding(outlook, int(matter), reports, as_of, params) for matter in told]


def _finding(outlook: Outlook, matter: int, reports: pd.DataFrame, as_of: date, params: EmergingParams) -> Finding:
    matter_id = str(outlook.past.matter_ids[matter])
    own = reports[reports["matter_id"] == matter_id]
    first = own["day"].min().date()
    age = (as_of - first).days
    mean, low, high = usual_people(outlook.past, np.array([float(age)]), at=outlook.now.days[matter])
    known = own["reporter_hash"].notna().any()
    return Finding(
        kind=schema.GROWING, area=_most(own["area"]), category=_most(own["category"]), matter_id=matter_id, candidate_id=None,
        first_seen=first, last_seen=as_of - timedelta(days=1), window_days=age, n_reports=len(own), expected=float(mean[0]),
        low=float(low[0]), high=float(high[0]), n_reporters=int(own["reporter_hash"].nunique()) if known else None,
        confidence=float(outlook.probability[matter]), report_ids=examples(own, params.n_examples),
    )  # fmt: skip


def _most(values: "pd.Series[str]") -> str | None:
    counted = values.value_counts()
    return str(counted.index[0]) if len(counted) else None


def usual_people(past: Arrivals, ages: Reals, *, at: float) -> tuple[Reals, Reals, Reals]:
    """How many people matters of some ages have: mean, and the interval in which most of them lie; each (n_ages,).

    Args:
        past: First reports of people.
        ages: Days since a matter's first report.
        at: Days since 1970 from which we look; only matters that were that old by then count.
    """
    first = past.days[past.starts[:-1]]
    since = past.days - np.repeat(first, past.sizes)
    found = np.ones((3, len(ages)))
    for place, age in enumerate(ages):
        old = first <= at - age
        if old.any():
            people = np.bincount(past.matters[since <= age], minlength=len(first))[old]
            tails = np.quantile(people, [(1.0 - USUAL) / 2.0, (1.0 + USUAL) / 2.0], method="inverted_cdf")
            found[:, place] = people.mean(), *tails
    return found[0], found[1], found[2]


def curve(outlook: Outlook, matter_id: str, *, title: str, as_of: date, raised_on: date, horizon_days: int) -> Chart | None:
    """People so far by day, those usual for a matter of that age, and how many are to be expected within the horizon."""
    place = int(np.searchsorted(outlook.past.matter_ids, matter_id))
    if place >= len(outlook.past.matter_ids) or outlook.past.matter_ids[place] != matter_id:
        return None
    own = outlook.past.days[outlook.past.starts[place] : outlook.past.starts[place + 1]]
    at = outlook.now.days[place]
    shown = np.arange(max(np.floor(own[0]), at - 60.0), at)
    people = [float((own < day + 1.0).sum()) for day in shown]
    mean, low, high = usual_people(outlook.past, shown + 1.0 - own[0], at=at)
    ahead = np.arange(1, horizon_days + 1) / horizon_days
    one = outlook.now.where(np.array([place]))
    few, many = outlook.growth.interval(one, USUAL)
    days = [as_of + timedelta(days=int(day - at)) for day in [*shown, *(at + np.arange(horizon_days))]]
    return Chart(
        title=title, days=days, observed=[*people, *[None] * horizon_days],
        expected=[*mean.tolist(), *(len(own) + ahead * outlook.growth.expected(one)[0]).tolist()],
        low=[*low.tolist(), *(len(own) + ahead * few[0]).tolist()],
        high=[*high.tolist(), *(len(own) + ahead * many[0]).tolist()], raised_on=raised_on,
    )  # fmt: skip
