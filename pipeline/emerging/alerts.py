"""Alerts: what people are told about, one row each, from the first night it is seen until it has subsided.

Every night finds anew what is emerging. What it finds is the same alert as an open one of the same kind about the same series,
matter or candidate, however its counts have changed since; only what no open alert is about is raised. An alert whose subject
has not been found for some days closes by itself and stays in the table. If its subject comes back after that, a new alert is
raised, with a new id.

The table of a night follows from that of the night before and from what the night found, so replaying nights gives the same
alerts with the same ids.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from pipeline import schema


@dataclass(frozen=True)
class Finding:
    """Something a night found emerging.

    Attributes:
        kind: One of `schema.ALERT_KINDS`.
        area: Its area, None where it is not of one area.
        category: Its category, None where it is not of one.
        matter_id: The matter it is about, or the one that explains most of it.
        candidate_id: The group of reports without a category it is about.
        first_seen: First day on which it showed.
        last_seen: Last day on which it did.
        window_days: Days that the counts are of.
        n_reports: Reports in them.
        expected: Reports, or reporters of a growing matter, that would have been usual.
        low: Lower end of the interval in which 95 % of usual counts lie.
        high: Its upper end.
        n_reporters: Different people, None where reports do not say.
        confidence: Probability that it is what it says; each kind says how it is meant.
        report_ids: Examples, the newest first.
        terms: Characteristic words, for what has no category.
    """

    kind: str
    area: str | None
    category: str | None
    matter_id: str | None
    candidate_id: str | None
    first_seen: date
    last_seen: date
    window_days: int
    n_reports: int
    expected: float
    low: float
    high: float
    n_reporters: int | None
    confidence: float
    report_ids: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def subject(self) -> tuple[str, ...]:
        """What makes two findings the same alert."""
        if self.kind == schema.SURGE:
            return self.kind, self.area or "", self.category or ""
        return self.kind, self.matter_id or self.candidate_id or ""


_RENEWED = ("last_seen", "window_days", "n_reports", "expected", "low", "high", "n_reporters", "confidence")


def renew(
    ledger: pd.DataFrame,
    findings: Sequence[Finding],
    *,
    as_of: date,
    units: dict[str, str],
    close_after_days: int,
) -> pd.DataFrame:
    """Bring the table of alerts up to a night.

    Args:
        ledger: ALERTS as the night before left it.
        findings: What this night found.
        as_of: The morning of the night; what was last seen `close_after_days` or more before it closes.
        units: Category to the unit that answers for it.
        close_after_days: Days without being seen after which an alert closes.

    Returns:
        ALERTS: the ledger's alerts in order, then those raised tonight, in the order found.
    """
    rows: dict[str, Any] = {str(row["alert_id"]): row for row in ledger.to_dict("records")}
    is_open = {_subject(row): alert_id for alert_id, row in rows.items() if row["state"] == schema.OPEN}
    for finding in findings:
        alert_id = is_open.get(finding.subject)
        if alert_id is None:
            raised = _raise(finding, as_of)
            is_open[finding.subject] = str(raised["alert_id"])
            rows[str(raised["alert_id"])] = raised
        else:
            _renew(rows[alert_id], finding)
    for row in rows.values():
        row["unit"] = units.get(str(row["category"])) if row["unit"] is None else row["unit"]
        if row["state"] == schema.OPEN and row["last_seen"] <= as_of - timedelta(days=close_after_days + 1):
            row["state"], row["closed_on"] = schema.CLOSED, as_of
    return schema.ALERTS.check(pd.DataFrame(list(rows.values()), columns=schema.ALERTS.arrow.names)) if rows else ledger


def _subject(row: dict[str, Any]) -> tuple[str, ...]:
    """As `Finding.subject`, of a row of the table."""
    area, category, matter, candidate = (row[name] for name in ("area", "category", "matter_id", "candidate_id"))
    if row["kind"] == schema.SURGE:
        return schema.SURGE, str(area or ""), str(category or "")
    return str(row["kind"]), str(matter or candidate or "")


def _raise(finding: Finding, as_of: date) -> dict[str, Any]:
    """A new row. Its id follows from what it is about and when it was raised, so replayed nights give the same."""
    said = "|".join((*finding.subject, as_of.isoformat()))
    return {
        "alert_id": f"{finding.kind}-{hashlib.sha256(said.encode()).hexdigest()[:12]}",
        "state": schema.OPEN, "raised_on": as_of, "closed_on": None, "unit": None,
        **{name: getattr(finding, name) for name in ("kind", "area", "category", "matter_id", "candidate_id", "first_seen")},
        **{name: getattr(finding, name) for name in _RENEWED},
        "report_ids": list(finding.report_ids), "terms": list(finding.terms),
    }  # fmt: skip


def _renew(row: dict[str, Any], finding: Finding) -> None:
    """What tonight says of an alert that is open: its counts, examples, and what explains it; its first day stays."""
    row.update({name: getattr(finding, name) for name in _RENEWED})
    row["report_ids"], row["terms"] = list(finding.report_ids), list(finding.terms)
    if row["kind"] == schema.SURGE:
        row["matter_id"] = finding.matter_id
    else:
        row["area"], row["category"] = finding.area, finding.category
