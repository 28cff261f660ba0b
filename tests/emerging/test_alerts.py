"""Alerts from night to night: raised once, renewed, closed, kept."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from pipeline import schema
from pipeline.emerging.alerts import Finding, renew

SURGE = Finding(
    kind=schema.SURGE, area="东区", category="housing", matter_id=None, candidate_id=None, first_seen=date(2025, 3, 1),
    last_seen=date(2025, 3, 2), window_days=2, n_reports=9, expected=3.0, low=1.0, high=6.0, n_reporters=8, confidence=0.97,
    report_ids=("r9", "r8"),
)  # fmt: skip
GROWING = replace(SURGE, kind=schema.GROWING, matter_id="m-r1", confidence=0.6)


def nights(*found, start=date(2025, 3, 3)):
    """The table after nights on consecutive days, one list of findings each."""
    ledger = schema.ALERTS.empty()
    for day, findings in enumerate(found):
        as_of = date.fromordinal(start.toordinal() + day)
        ledger = renew(ledger, findings, as_of=as_of, units={"housing": "housing_office"}, close_after_days=3)
    return ledger


def test_a_finding_is_raised_once_with_the_unit_of_its_category():
    alert = nights([SURGE]).iloc[0]
    assert (alert["state"], alert["raised_on"], alert["unit"]) == (schema.OPEN, date(2025, 3, 3), "housing_office")
    assert alert["alert_id"].startswith("surge-")
    assert list(alert["report_ids"]) == ["r9", "r8"]


def test_the_same_series_on_later_nights_is_the_same_alert_with_newer_counts():
    later = replace(SURGE, first_seen=date(2025, 3, 2), last_seen=date(2025, 3, 3), n_reports=14)
    ledger = nights([SURGE], [later])
    assert len(ledger) == 1
    assert ledger.loc[0, ["first_seen", "last_seen", "n_reports"]].tolist() == [date(2025, 3, 1), date(2025, 3, 3), 14]


def test_a_matter_stays_one_alert_though_its_category_changes():
    assert len(nights([GROWING], [replace(GROWING, category="family")])) == 1


def test_an_alert_that_is_not_seen_closes_by_itself_and_stays():
    ledger = nights([SURGE], [], [], [])
    assert ledger["state"].tolist() == [schema.CLOSED]
    assert ledger.loc[0, "closed_on"] == date(2025, 3, 6), "last seen on March 2, three whole days before"


def test_what_comes_back_after_closing_is_a_new_alert():
    again = replace(SURGE, first_seen=date(2025, 3, 8), last_seen=date(2025, 3, 8))
    ledger = nights([SURGE], [], [], [], [], [], [again])
    assert ledger["state"].tolist() == [schema.CLOSED, schema.OPEN]
    assert ledger["alert_id"].is_unique


def test_different_kinds_about_one_matter_are_different_alerts():
    assert nights([replace(SURGE, matter_id="m-r1"), GROWING])["kind"].tolist() == [schema.SURGE, schema.GROWING]


def test_replayed_nights_give_the_same_table():
    found = ([SURGE], [GROWING], [], [SURGE, GROWING], [])
    pd.testing.assert_frame_equal(nights(*found), nights(*found))


def test_a_night_without_findings_leaves_an_empty_table_empty():
    assert nights([]).empty


@pytest.mark.parametrize("n_reporters", [None, 3])
def test_people_may_be_unknown(n_reporters):
    told = nights([replace(SURGE, n_reporters=n_reporters)])["n_reporters"]
    assert told.isna().tolist() == [n_reporters is None]
