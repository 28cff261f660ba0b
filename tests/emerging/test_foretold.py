"""What became of growing matters that were told about."""

from datetime import date

import pandas as pd
import pytest

from pipeline import schema
from pipeline.emerging.foretold import look_back
from tests.builders import make_reports
from tests.emerging.builders import make_params

PARAMS = make_params().growth
FIRST, LAST, UNTIL = date(2025, 1, 1), date(2025, 2, 15), date(2025, 3, 1)


def alert(matter_id, raised_on, kind=schema.GROWING):
    return {"kind": kind, "matter_id": matter_id, "raised_on": raised_on}


def matter(matter_id, *days):
    """Reports at noon, China time, each by somebody else."""
    ids = [f"{matter_id}-{place}" for place in range(len(days))]
    received = [f"{day} 04:00" for day in days]
    return make_reports(received, report_id=ids, matter_id=matter_id, reporter_hash=ids)


def looked(alerts, *matters, until=UNTIL):
    told = pd.DataFrame(alerts, columns=["kind", "matter_id", "raised_on"])
    reports = pd.concat(matters, ignore_index=True)
    return look_back(told, reports, first=FIRST, last=LAST, until=until, timezone="Asia/Shanghai", params=PARAMS)


GROWS = matter("m1", *(f"2025-01-{day:02}" for day in (5, 6, 7, 10, 12, 15)))
STAYS = matter("m2", "2025-01-05", "2025-01-06", "2025-01-07", "2025-02-20")


def test_what_grew_and_what_did_not_is_told_apart():
    found = looked([alert("m1", date(2025, 1, 8)), alert("m2", date(2025, 1, 8))], GROWS, STAYS)
    assert (found.alerts.n_told, found.alerts.n_true, found.n_grew, found.alerts.n_grew_told) == (2, 1, 1, 1)
    assert found.alerts.people == 3
    assert found.alerts.false_a_month == pytest.approx(1 / (45 / 30.44), abs=0.01)  # the first morning is not judged


def test_who_reports_on_the_day_of_the_alert_counts_as_still_to_come():
    assert looked([alert("m1", date(2025, 1, 10))], GROWS).alerts.n_true == 1
    assert looked([alert("m1", date(2025, 1, 11))], GROWS).alerts.n_true == 0


def test_alerts_of_other_kinds_of_other_days_and_with_an_open_horizon_are_left_out():
    alerts = [alert("m1", date(2025, 1, 8), schema.SURGE), alert("m1", date(2024, 12, 30)), alert("gone", date(2025, 1, 8))]
    assert looked(alerts, GROWS).alerts.n_told == 0
    assert looked([alert("m1", date(2025, 1, 8))], GROWS, until=date(2025, 1, 20)).alerts.n_told == 0
    assert looked([alert("m1", FIRST)], GROWS).alerts.n_told == 0  # a replay begins with all that is going on


def test_nothing_can_be_judged_before_a_horizon_has_closed():
    assert looked([alert("m1", date(2025, 1, 8))], GROWS).n_days == 45
    assert looked([alert("m1", date(2025, 1, 8))], GROWS, until=date(2025, 1, 10)).n_days == 0


def test_the_rule_of_counting_tells_of_no_more_matters_than_the_alerts():
    found = looked([alert("m1", date(2025, 1, 8))], GROWS, STAYS)
    assert found.counting.n_told <= 1
    assert found.count == 4  # both have three people within a week, m1 alone four
    assert (found.counting.n_true, found.counting.people) == (0, 4)


def test_without_alerts_nothing_is_said():
    found = looked([], GROWS, STAYS)
    assert (found.alerts.n_told, found.alerts.n_true, found.alerts.false_a_month) == (0, 0, 0)
