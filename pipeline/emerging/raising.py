"""A night's alerts, from what is known that morning: surges, growing matters and something new, in one table.

Values in, values out: the connecting page reads and writes the tables, this page says what is in them.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from pipeline import schema
from pipeline.emerging import growing, novelty, surges
from pipeline.emerging.alerts import Finding, renew
from pipeline.emerging.charts import Chart
from pipeline.emerging.series import CountSeries, counts, running_since
from pipeline.emerging.surge_alerts import examples, surge_findings
from pipeline.sections import EmergingParams

_A_MONTH = 30  # days
_RECENT_DAYS = 120
"""Days of reports whose words tell what is usual."""


@dataclass(frozen=True)
class Known:
    """What a night knows.

    Attributes:
        reports: REPORTS of this and all earlier nights.
        counted: COUNTED of the same.
        alerts: ALERTS as the night before left them.
        candidates: CANDIDATES likewise.
        new: Ids of the reports this night admitted.
    """

    reports: pd.DataFrame
    counted: pd.DataFrame
    alerts: pd.DataFrame
    candidates: pd.DataFrame
    new: frozenset[str]


@dataclass(frozen=True)
class Raised:
    """What a night raises.

    Attributes:
        alerts: ALERTS, those of earlier nights included.
        candidates: CANDIDATES.
        charts: Each open alert's chart.
    """

    alerts: pd.DataFrame
    candidates: pd.DataFrame
    charts: dict[str, Chart]


def raise_alerts(
    known: Known, as_of: date, *, params: EmergingParams, timezone: str, seed: int, units: dict[str, str]
) -> Raised:
    """Find what is emerging and bring the alerts up to date.

    Args:
        known: What the night knows.
        as_of: The morning; what was received or recorded on it or later plays no part.
        params: Section `emerging`.
        timezone: Zone in which days begin.
        seed: Of everything drawn in calibrating surges.
        units: Category to the unit that answers for it.
    """
    reports = dated(known, as_of, timezone)
    detected = surges.detect(count_series(reports, as_of, params, timezone), as_of=as_of, params=params, seed=seed)
    found = surge_findings(detected.surges, reports, as_of=as_of, params=params)
    outlook = growing.look(reports, as_of=as_of, timezone=timezone, params=params.growth)
    is_open = known.alerts[(known.alerts["state"] == schema.OPEN) & (known.alerts["kind"] == schema.GROWING)]
    told = frozenset(is_open["matter_id"].dropna())
    found += growing.growing_findings(outlook, reports, as_of=as_of, still_open=told, params=params)
    candidates, new_things = _something_new(known, reports, as_of, params, timezone)
    alerts = renew(known.alerts, [*found, *new_things], as_of=as_of, units=units, close_after_days=params.close_after_days)
    rows = alerts[alerts["state"] == schema.OPEN].to_dict("records")
    charts = {str(row["alert_id"]): _chart(row, detected, outlook, reports, candidates, as_of, params) for row in rows}
    return Raised(alerts, candidates, {alert_id: chart for alert_id, chart in charts.items() if chart is not None})


def dated(known: Known, as_of: date, timezone: str) -> pd.DataFrame:
    """Dated reports received before `as_of`, with how each is counted and its naive local `day`."""
    reports = known.reports[known.reports["received_at"].notna()].drop(columns="category")
    reports = reports.merge(known.counted, on="report_id", how="left")
    reports = reports.assign(day=reports["received_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.floor("D"))
    return reports[reports["day"] < pd.Timestamp(as_of)].sort_values(["received_at", "report_id"], ignore_index=True)


def count_series(reports: pd.DataFrame, as_of: date, params: EmergingParams, timezone: str) -> CountSeries:
    """Counts of `dated` reports as known at the start of a day, since they have come in without a long silence."""
    since = running_since(reports["day"])
    return counts(reports, as_of=as_of, timezone=timezone, max_delay_days=params.max_delay_days, first_day=since)


def _something_new(
    known: Known, reports: pd.DataFrame, as_of: date, params: EmergingParams, timezone: str
) -> tuple[pd.DataFrame, list[Finding]]:
    """Group the night's reports that fit no category; a group large enough is told about."""
    recent = reports[reports["day"] >= pd.Timestamp(as_of - timedelta(days=_RECENT_DAYS))]
    is_unclear = novelty.fits_no_category(recent, params.novelty)
    unclear, usual = recent[is_unclear], recent[~is_unclear & recent["category_probability"].notna()]
    fresh = unclear[unclear["report_id"].isin(known.new)]
    fresh = fresh[fresh["day"] >= pd.Timestamp(as_of - timedelta(days=params.novelty.window_days))]
    grouped = novelty.group(known.candidates, fresh, unclear, usual, params.novelty)
    told = _told(known.alerts, as_of, params, timezone)
    found = novelty.candidates(grouped, unclear, usual, params.novelty, timezone=timezone, told=told)
    return grouped, [_new_thing(one, reports, as_of, params) for one in found]


def _told(alerts: pd.DataFrame, as_of: date, params: EmergingParams, timezone: str) -> novelty.Told:
    """Which candidates earlier nights told about."""
    told = alerts[alerts["kind"] == schema.NOVEL]
    lately = told["raised_on"] > as_of - timedelta(days=_A_MONTH)
    still_open = frozenset(told.loc[told["state"] == schema.OPEN, "candidate_id"])
    quiet_since = pd.Timestamp(as_of - timedelta(days=params.close_after_days), tz=timezone)
    return novelty.Told(still_open, tuple(int(n) for n in told.loc[lately, "n_reports"]), quiet_since)


def _new_thing(candidate: novelty.Candidate, reports: pd.DataFrame, as_of: date, params: EmergingParams) -> Finding:
    """What to tell of a candidate; `confidence`: the mean probability that a report of it has another category."""
    own = reports[reports["report_id"].isin(candidate.reports["report_id"])]
    first, last = own["day"].min().date(), own["day"].max().date()
    areas = own["area"].unique().tolist()
    return Finding(
        kind=schema.NOVEL, area=str(areas[0]) if len(areas) == 1 and not pd.isna(areas[0]) else None, category=None,
        matter_id=None, candidate_id=candidate.candidate_id, first_seen=first, last_seen=last,
        window_days=(as_of - first).days, n_reports=len(own), expected=0.0, low=0.0, high=0.0,
        n_reporters=int(own["reporter_hash"].nunique()) if own["reporter_hash"].notna().any() else None,
        confidence=float(1.0 - own["category_probability"].mean()), report_ids=examples(own, params.n_examples),
        terms=candidate.terms,
    )  # fmt: skip


def _chart(
    row: dict[Any, Any],
    detected: surges.Detection,
    outlook: growing.Outlook,
    reports: pd.DataFrame,
    candidates: pd.DataFrame,
    as_of: date,
    params: EmergingParams,
) -> Chart | None:
    """The chart of an alert, None where nothing of it is left to be seen."""
    title = " · ".join(str(row[name]) for name in ("kind", "area", "category") if row[name] is not None)
    if row["kind"] == schema.GROWING:
        days = params.growth.horizon_days
        matter, raised = str(row["matter_id"]), row["raised_on"]
        return growing.curve(outlook, matter, title=title, as_of=as_of, raised_on=raised, horizon_days=days)
    if row["kind"] == schema.SURGE:
        same = [detected.bands[name].isna() if row[name] is None else detected.bands[name] == row[name] for name in _SERIES]
        bands = detected.bands[same[0] & same[1]]
        observed, expected, low, high = (
            bands[name].astype(object).where(bands[name].notna(), None).tolist() for name in _SHOWN
        )
        shown = [day.date() for day in bands["day"]]
        return Chart(title, shown, observed, expected, low, high, raised_on=row["first_seen"]) if shown else None
    own = candidates.loc[candidates["candidate_id"] == row["candidate_id"], "report_id"]
    counted = reports.loc[reports["report_id"].isin(own), "day"].value_counts()
    every = pd.date_range(as_of - timedelta(days=params.watched_days), as_of - timedelta(days=1))
    unknown: list[float | None] = [None] * len(every)
    observed = [float(counted.get(day, 0)) for day in every]
    return Chart(title, [day.date() for day in every], observed, unknown, unknown, unknown, raised_on=row["raised_on"])


_SERIES, _SHOWN = ("area", "category"), ("observed", "expected", "low", "high")
