"""What the alerts of past nights were worth: those raised, surges put into the counts, and what became of growing matters."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema
from pipeline.emerging import foretold
from pipeline.emerging.raising import Known, count_series, dated
from pipeline.emerging.thresholds import DAYS_A_MONTH
from pipeline.emerging.trial import try_surges
from pipeline.evaluation.backtest_alerts import AlertsFound
from pipeline.past import Past

_TABLES = ("alerts.parquet", "counted.parquet")


def look_at_alerts(past: Past) -> AlertsFound | None:
    """Measure the alerts of published nights but the first, which tells of everything that is going on by then.

    Args:
        past: The nights, one after the other.

    Returns:
        What they were worth; None if a night has no alerts, as those from before there were any, or there is one only.
    """
    params, timezone = past.params.emerging, past.profile.timezone
    first, last = past.days[0], past.days[-1]
    if first == last or not all((_night(past, day) / name).exists() for day in past.days for name in _TABLES):
        return None
    alerts = schema.ALERTS.read(_night(past, last) / "alerts.parquet")
    raised = alerts[(alerts["raised_on"] > first) & (alerts["raised_on"] <= last)]
    months = (last - first).days / DAYS_A_MONTH
    grown = foretold.look_back(
        raised, past.known.reports, first=first, last=last, until=past.profile.as_of, timezone=timezone, params=params.growth
    )
    return AlertsFound(
        raised_a_month={kind: float((raised["kind"] == kind).sum()) / months for kind in schema.ALERT_KINDS},
        declared_a_month={
            schema.SURGE: params.false_alarms_per_month,
            schema.GROWING: params.growth.false_alarms_per_month,
        },
        surges=_surges(past, first, last),
        growing=asdict(grown),
    )


def _night(past: Past, day: date) -> Path:
    return past.nights / day.isoformat()


def _surges(past: Past, first: date, last: date) -> list[Mapping[str, Any]]:
    """What surges put into the counts of the nights would have brought, by rule."""
    params = past.params.emerging
    counted = pd.concat([schema.COUNTED.read(_night(past, day) / "counted.parquet") for day in past.days])
    known = Known(past.known.reports, counted, schema.ALERTS.empty(), schema.CANDIDATES.empty(), frozenset())
    timezone = past.profile.timezone
    series = count_series(dated(known, last, timezone), last, params, timezone)
    n_watched = (last - first).days
    return [asdict(rule) for rule in try_surges(series, n_watched=n_watched, params=params, seed=past.params.seed)]
