"""A night's alerts from what is known, replayed night by night."""

from datetime import date, timedelta

import pandas as pd
import pytest

from pipeline import schema
from pipeline.emerging.raising import Known, raise_alerts
from pipeline.emerging.series import running_since
from pipeline.intake.matters import MatterIndex
from pipeline.params import load_params
from tests.builders import make_reports
from tests.conftest import ROOT
from tests.emerging.builders import make_params
from tests.messages import citizen_messages


def replayed(reports, *, first, last, counted=None, params=None):
    """The table of alerts after the nights of some mornings."""
    alerts, candidates, night, raised = schema.ALERTS.empty(), schema.CANDIDATES.empty(), first, []
    midnights = reports["received_at"].dt.tz_convert("Asia/Shanghai").dt.date
    if counted is None:
        counted = pd.DataFrame({"report_id": reports["report_id"], "recorded_at": None, "category": reports["category"]})
        counted = counted.assign(category_probability=0.9)
        counted["recorded_at"] = pd.to_datetime(counted["recorded_at"], utc=True)
    while night <= last:
        known = Known(
            reports[midnights < night],
            schema.COUNTED.check(counted[(midnights < night).to_numpy()]),
            alerts,
            candidates,
            frozenset(reports.loc[midnights == night - timedelta(days=1), "report_id"]),
        )
        found = raise_alerts(known, night, params=params or make_params(), timezone="Asia/Shanghai", seed=7, units={})
        alerts, candidates = found.alerts, found.candidates
        raised.append(found)
        night += timedelta(days=1)
    return raised


def steady(n_days=60, *, more=()):
    """Two reports a day in each of two areas, and `more` of (day, area)."""
    days = [(day, area) for day in range(n_days) for area in ("东区", "西区") for _ in range(2)] + list(more)
    received = [str(pd.Timestamp("2025-01-01 02:00") + pd.Timedelta(days=day)) for day, _ in days]
    ids = [f"r{number:04}" for number in range(len(days))]
    return make_reports(
        received, report_id=ids, matter_id=[f"m-{own}" for own in ids], area=[area for _, area in days], category="housing",
        reporter_hash=ids, title=[f"第{number}件事" for number in range(len(days))],
    )  # fmt: skip


def test_a_steady_source_raises_nothing():
    assert replayed(steady(), first=date(2025, 2, 20), last=date(2025, 2, 20))[0].alerts.empty


def test_a_burst_is_raised_the_morning_after_with_its_counts_and_chart():
    reports = steady(more=[(50, "东区")] * 14)  # February 20
    found = replayed(reports, first=date(2025, 2, 20), last=date(2025, 2, 22))
    assert [len(one.alerts) for one in found] == [0, 1, 1]
    alert = found[1].alerts.iloc[0]
    assert (alert["area"], alert["category"]) == ("东区", "housing")
    assert alert["first_seen"] == date(2025, 2, 20)
    assert alert["n_reports"] == 16
    assert alert["n_reporters"] == 16
    assert alert["low"] <= alert["expected"] <= alert["high"] < 16
    assert list(found[1].charts) == [alert["alert_id"]]
    assert max(value for value in found[1].charts[alert["alert_id"]].observed if value is not None) == 16


def test_nothing_of_the_day_itself_is_looked_at():
    reports = steady(more=[(50, "东区")] * 14)
    whole = replayed(reports, first=date(2025, 2, 20), last=date(2025, 2, 20))[0]
    assert whole.alerts.empty


def test_reports_that_fit_no_category_become_a_candidate():
    texts = ["无人机每晚在阳台外面飞", "小区里无人机乱飞拍窗户", "无人机夜里飞到窗户边", "有人用无人机拍阳台"]
    unclear = make_reports(
        [f"2025-02-2{day} 02:00" for day in range(4)], report_id=[f"u{day}" for day in range(4)], text=texts,
        matter_id=[f"m-u{day}" for day in range(4)], reporter_hash=[f"u{day}" for day in range(4)], area="西区",
    )  # fmt: skip
    reports = pd.concat([steady(), unclear], ignore_index=True)
    counted = pd.DataFrame({"report_id": reports["report_id"], "category": reports["category"]})
    counted["recorded_at"] = pd.Series(pd.NaT, index=counted.index).dt.tz_localize("UTC")
    counted["category_probability"] = [0.9] * (len(reports) - 4) + [0.2] * 4
    found = replayed(reports, first=date(2025, 2, 20), last=date(2025, 2, 25), counted=counted)
    alerts = found[-1].alerts.query("kind == 'new'")
    assert alerts["candidate_id"].tolist() == ["n-u0"]
    assert alerts["n_reports"].tolist() == [4]
    assert any("无人机" in term for term in alerts["terms"].iloc[0])


@pytest.mark.parametrize(
    ("days", "first"),
    [([1, 2, 3], 1), ([1, 40, 41], 40), ([1, 15, 16], 1), ([5], 5)],
)
def test_a_source_runs_since_its_last_long_silence(days, first):
    told = pd.Series([pd.Timestamp("2025-01-01") + pd.Timedelta(days=day) for day in days])
    assert running_since(told) == date(2025, 1, 1) + timedelta(days=first)


def test_without_reports_no_source_runs():
    assert running_since(pd.Series([], dtype="datetime64[ns]")) is None


@pytest.mark.slow
@pytest.mark.mirror
def test_the_parking_spaces_are_raised_as_a_growing_matter_early_in_august():
    added = MatterIndex(load_params(ROOT).intake).add(citizen_messages())
    found = replayed(added, first=date(2019, 7, 28), last=date(2019, 8, 8))[-1].alerts.query("kind == 'growing'")
    raised = added[added["matter_id"].isin(found["matter_id"])]
    assert len(found) == 1
    assert found["raised_on"].iloc[0] < date(2019, 8, 5)
    assert (raised["title"] + raised["text"]).str.contains("伊景园|滨河苑").mean() > 0.8
    assert len(raised) >= 43
