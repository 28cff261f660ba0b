from datetime import date

import numpy as np
import pytest
from sqlalchemy import func, select

from pipeline.casework import Search, Verdict
from pipeline.errors import SchemaError
from pipeline.store.publishing import publish, reading_turns
from pipeline.store.tables import Base, EventRow
from tests.builders import make_outcomes, make_reports
from tests.casework import NOON, later, make_alert, make_night, make_person, make_queue, publish_queue

ALL = Search(areas=None)


def _contents(store):
    with store.database.reading() as session:
        return {
            table.name: [tuple(map(str, row)) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def test_a_published_night_can_be_read_as_it_was_ranked(store):
    published = publish_queue(store, "a", "b", "c", selected=["ranked", "ranked", "waiting"])
    assert (published.n_items, published.n_selected, published.changed) == (3, 2, True)
    found = store.queue.search(ALL, now=NOON)
    assert [item.report_id for item in found.items] == ["a", "b"]
    assert found.items[0].unit == "mediators"
    assert (found.items[0].due_at - found.items[0].received_at).total_seconds() == 72 * 3600


def test_the_same_night_again_changes_nothing(store):
    publish_queue(store, "a", "b")
    before = _contents(store)
    assert not publish_queue(store, "a", "b").changed
    assert _contents(store) == before


def test_a_night_that_fails_leaves_nothing_behind(store):
    queue = make_queue("a", "b", category=["neighbours", "neighbours"]).assign(risk=[0.5, 2.0])
    with pytest.raises(SchemaError, match="risk"):
        publish(store.database, make_night(queue), now=NOON)
    assert store.queue.get("a") is None


def test_a_republished_night_renews_scores_and_keeps_decisions(store):
    person = make_person(store, "王")
    publish_queue(store, "a", "b")
    store.decisions.decide("a", Verdict("confirm"), person, now=NOON, wants_second=False)
    publish(store.database, make_night(make_queue("a", "b", risk=0.01), digest="b"), now=NOON)
    assert (store.queue.get("a").status, store.queue.get("a").risk) == ("confirmed", 0.9)
    assert (store.queue.get("b").status, store.queue.get("b").risk, store.queue.get("b").version) == ("open", 0.01, 2)


def test_an_older_night_changes_nothing_of_what_a_later_one_scored(store):
    publish(store.database, make_night(make_queue("a", risk=0.7), as_of=date(2024, 8, 2)), now=NOON)
    publish(store.database, make_night(make_queue("a", risk=0.2), as_of=date(2024, 8, 1)), now=NOON)
    assert store.queue.get("a").risk == 0.7


def test_what_a_republished_night_no_longer_holds_is_kept_and_not_handed_out(store):
    publish_queue(store, "a", "b")
    published = publish(store.database, make_night(make_queue("b"), digest="b"), now=NOON)
    assert published.n_withdrawn == 1
    assert store.queue.get("a").status == "withdrawn"
    publish(store.database, make_night(make_queue("a", "b"), digest="c"), now=NOON)
    assert store.queue.get("a").status == "open"


def test_a_removed_text_does_not_come_back_with_a_later_night(store):
    person = make_person(store, "王")
    publish_queue(store, "a")
    store.decisions.decide("a", Verdict("confirm"), person, now=NOON, wants_second=False)
    from pipeline.store.retention import purge

    purge(store.database, before=NOON, now=NOON)
    publish(store.database, make_night(make_queue("a"), digest="b"), now=later(1))
    assert store.queue.get("a").text is None


def test_lanes_sets_and_bands_are_kept(store):
    queue = make_queue("a", "b").assign(
        lane=["choose", "unclear"], category_set=[["wages", "neighbours"], []], risk_low=[0.1, 0.0], risk_high=[0.3, 0.2]
    )
    publish(store.database, make_night(queue), now=NOON)
    a, b = store.queue.get("a"), store.queue.get("b")
    assert (a.lane, a.category_set, a.risk_low, a.risk_high) == ("choose", ("wages", "neighbours"), 0.1, 0.3)
    assert (b.lane, b.category_set, b.risk_low, b.risk_high) == ("unclear", (), 0.0, 0.2)


def test_past_reports_come_with_their_outcomes_and_matters_are_counted(store):
    reports = make_reports(["2024-05-01", "2024-05-02"], matter_id="m-r0")
    night = make_night(
        make_queue("a"), reports=reports, outcomes=make_outcomes(("r0", "property_damage", "2024-05-09")),
        similar={"a": ["r0", "gone"]}, reporters={"m-r0": 2},
    )  # fmt: skip
    publish(store.database, night, now=NOON)
    past = store.queue.past(store.queue.get("a").similar)
    assert [(one.report_id, one.outcomes) for one in past] == [("r0", ("property_damage",))]
    matter = store.matters.get("m-r0", None)
    assert (matter.n_reports, matter.n_reporters, matter.n_open) == (2, 2, 0)


def test_audit_draws_are_read_among_the_ranked_not_after_them():
    selected = np.array(["ranked", "ranked", "ranked", "ranked", "waiting", "audit"])
    turns = reading_turns(np.array([0.9, 0.8, 0.7, 0.6, 0.2, 0.1]), selected)
    assert turns.tolist() == [0.9, 0.8, 0.7, 0.6, 0.2, 0.7]


def test_publishing_leaves_a_line_in_the_log(store):
    publish_queue(store, "a")
    with store.database.reading() as session:
        assert session.scalar(select(func.count()).where(EventRow.kind == "published")) == 1


def test_alerts_are_renewed_by_later_nights_and_stay_as_people_settled_them(store):
    person = make_person(store, "王")
    publish(store.database, make_night(make_queue("a"), alerts=[make_alert("s-1")]), now=NOON)
    store.matters.settle("s-1", person, status="acknowledged", now=NOON)
    renewed = make_alert("s-1", last_day=date(2024, 8, 2), evidence={"n_reports": 20})
    publish(store.database, make_night(make_queue("a"), digest="b", alerts=[renewed]), now=NOON)
    [alert] = store.matters.alerts(None, limit=5)
    assert (alert.status, alert.last_day, alert.evidence) == ("acknowledged", date(2024, 8, 2), {"n_reports": 20})


def test_an_alert_that_subsided_is_closed_and_kept(store):
    publish(store.database, make_night(make_queue("a"), alerts=[make_alert("s-1")]), now=NOON)
    publish(store.database, make_night(make_queue("a"), digest="b", alerts=[make_alert("s-1", status="closed")]), now=NOON)
    assert [alert.status for alert in store.matters.alerts(None, limit=5)] == ["closed"]


def test_an_older_night_does_not_put_an_alert_back(store):
    publish(store.database, make_night(make_queue("a"), alerts=[make_alert("s-1", last_day=date(2024, 8, 2))]), now=NOON)
    older = make_alert("s-1", last_day=date(2024, 8, 1), evidence={})
    publish(store.database, make_night(make_queue("a"), digest="b", alerts=[older]), now=NOON)
    assert store.matters.alerts(None, limit=5)[0].last_day == date(2024, 8, 2)


def test_a_manifest_may_hold_what_is_no_number(store):
    night = make_night(make_queue("a"), manifest={"model": "desk v1", "evaluation": {"risk": [float("nan"), 0.5]}})
    publish(store.database, night, now=NOON)
    assert store.nights.newest(limit=1)[0].manifest["evaluation"] == {"risk": [None, 0.5]}
