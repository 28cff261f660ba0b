"""The pages beside the queue: alerts with their charts, and the bulletin."""

from datetime import date, timedelta

import pytest

from pipeline.casework import Verdict
from pipeline.review.charts import CHART_DAYS, bars, chart
from pipeline.store.publishing import publish
from tests.casework import NOON, make_alert, make_night, make_person, make_queue, publish_queue
from tests.review.conftest import send


def _alert(store, **changes):
    publish(store.database, make_night(make_queue("a"), alerts=[make_alert("s-1", **changes)]), now=NOON)


def test_an_alert_says_what_is_emerging_and_how_sure_it_is(store, visitors):
    _alert(store)
    text = visitors("王").get("/alerts").text
    for said in ("Surge · Neighbours · 东区", "12 in 7 days", "4.0 (1–8)", "97%", "Mediators", "标题a", 'class="band"'):
        assert said in text


def test_an_alert_is_seen_to_closed_and_opened_again_and_the_log_says_by_whom(store, visitors):
    _alert(store)
    wang = visitors("王")
    for status in ("acknowledged", "closed", "open"):
        assert send(wang, "/alerts/settle", id="s-1", status=status).status_code == 200
        assert store.matters.alerts(None, limit=1)[0].status == status
    assert [event.person for event in store.log.newest(limit=9, kind="alert_settled")] == ["王"] * 3


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "new", "area": None, "category": None, "evidence": {"terms": ["异味", "<b>"], "n_reports": 4}},
        {"kind": "growing", "matter_id": "m-a"},
        {"kind": "of another program", "evidence": {"n_reports": "many", "report_ids": "a", "expected": None}},
        {"evidence": {}},
    ],
)
def test_alerts_that_say_less_are_shown_too(store, visitors, changes):
    _alert(store, **changes)
    answer = visitors("王").get("/alerts")
    assert answer.status_code == 200
    assert "<b>" not in answer.text


def test_an_alert_of_another_area_is_neither_seen_nor_settled(store, visitors):
    _alert(store)
    west = visitors("王", areas=["西区"])
    assert "Surge" not in west.get("/alerts").text
    assert send(west, "/alerts/settle", id="s-1", status="closed").status_code == 409


def test_a_chart_sums_up_the_days_of_the_alerts_window():
    last = date(2024, 8, 1)
    drawn = chart(
        [last, last, last - timedelta(days=1)], last=last, first_seen=last, window_days=2, band=(0.0, 1.0), expected=None
    )
    assert [bar.n for bar in drawn.bars[-3:]] == [0, 1, 3]
    assert (len(drawn.bars), drawn.high, drawn.bars[-1].height, drawn.since) == (CHART_DAYS, 33, 100, drawn.bars[-1].x)


def test_bars_begin_with_the_first_report_and_show_empty_days():
    assert [bar.n for bar in bars([date(2024, 8, 3), date(2024, 8, 1)])] == [1, 0, 1]


def test_the_bulletin_counts_the_period_asked_for(store, visitors):
    publish_queue(store, "a", "b")
    store.decisions.decide("a", Verdict("mediated"), make_person(store, "李"), now=NOON, wants_second=False)
    text = visitors("王").get("/bulletin?first=2024-07-01&last=2024-08-01").text
    assert "2024-07-01 to 2024-08-01" in text
    assert '<th scope="row">Mediated</th><td>1</td>' in text


@pytest.mark.parametrize(("form", "begins"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("html", b"<!doctype html>")])
def test_the_bulletin_can_be_taken_along_and_that_is_logged(store, visitors, form, begins):
    publish_queue(store, "a")
    answer = visitors("王").get(f"/bulletin.{form}?first=2024-07-01&last=2024-07-31")
    assert answer.content.startswith(begins)
    assert answer.headers["content-disposition"] == f'attachment; filename="bulletin-2024-07-01-2024-07-31.{form}"'
    assert store.log.newest(limit=1)[0].kind == "bulletin_taken"


@pytest.mark.parametrize(
    "query", ["first=never&last=0000-00-00", "first=2024-08-01&last=2024-07-01", "last=9999-12-31", "first=1899-01-01"]
)
def test_odd_periods_give_a_bulletin_all_the_same(visitors, query):
    assert visitors("王").get(f"/bulletin?{query}").status_code == 200


@pytest.mark.parametrize("form", ["exe", "fragment", "..", "csv/../../x"])
def test_other_forms_of_the_bulletin_are_refused(visitors, form):
    assert visitors("王").get(f"/bulletin.{form}").status_code in (404, 422)


def test_a_bulletin_of_one_area_counts_no_other(store, visitors):
    publish_queue(store, "a", "b", area=["东区", "西区"])
    text = visitors("王", areas=["东区"]).get("/bulletin?first=2024-07-01&last=2024-08-01").text
    assert "西区" not in text
    assert '<th scope="row">Collected</th><td>1</td>' in text
