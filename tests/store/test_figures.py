"""What a period is counted by: each report once, by what was known then, within the asker's areas."""

from datetime import timedelta

from pipeline.casework import Verdict
from pipeline.store.publishing import publish
from tests.casework import NOON, later, make_alert, make_night, make_person, make_queue, publish_queue

START, END = NOON - timedelta(days=2), NOON + timedelta(days=1)  # the reports came in 27 hours before noon


def _decide(store, report_id, verdict, person, *, minutes=0):
    return store.decisions.decide(report_id, verdict, person, now=later(minutes), wants_second=False)


def _total(figures, measure):
    return sum(cell.counts[measure] for cell in figures.cells)


def test_a_period_counts_what_came_in_what_was_found_and_what_is_open(store):
    publish_queue(store, "a", "b", "c", "d", "e", selected=["ranked"] * 4 + ["waiting"])
    wang = make_person(store, "王")
    _decide(store, "a", Verdict("mediated"), wang)
    _decide(store, "b", Verdict("hand_over", reason="属劳动监察", unit="labour", category="wages"), wang)
    _decide(store, "c", Verdict("false_alarm", reason="无事"), wang)
    figures = store.figures.period(START, END, None)
    counted = {name: _total(figures, name) for name in figures.cells[0].counts}
    assert counted == {
        "collected": 5, "warned": 4, "found": 2, "mediated": 1, "transferred": 1, "settled": 2, "open": 1,
    }  # fmt: skip
    assert figures.transferred == {"labour": 1}
    assert figures.ages == (0, 1, 0, 0, 0)  # 51 hours at the end: under three days
    assert figures.n_late == 0


def test_a_report_judged_twice_counts_once_and_an_undone_judgement_not_at_all(store):
    publish_queue(store, "a", "b")
    wang = make_person(store, "王")
    first = _decide(store, "a", Verdict("confirm"), wang)
    store.decisions.undo(first.batch, wang, now=later(1))
    _decide(store, "a", Verdict("mediated"), wang, minutes=2)
    taken_back = _decide(store, "b", Verdict("confirm"), wang)
    store.decisions.undo(taken_back.batch, wang, now=later(3))
    figures = store.figures.period(START, END, None)
    assert (_total(figures, "found"), _total(figures, "mediated"), _total(figures, "open")) == (1, 1, 1)


def test_what_is_open_is_counted_as_it_stood_at_the_end(store):
    publish_queue(store, "a")
    _decide(store, "a", Verdict("confirm"), make_person(store, "王"), minutes=60)
    assert _total(store.figures.period(START, later(30), None), "open") == 1
    assert _total(store.figures.period(START, later(90), None), "open") == 0


def test_a_reviewer_of_one_area_counts_that_area(store):
    publish_queue(store, "a", "b", "c", area=["东区", "西区", None])
    figures = store.figures.period(START, END, ("东区",))
    assert {cell.area for cell in figures.cells} == {"东区", None}
    assert figures.n_known == 2


def test_alerts_are_counted_by_the_day_they_were_first_seen(store):
    alerts = [make_alert("s-1", "2024-08-01"), make_alert("s-2", "2024-06-01")]
    publish(store.database, make_night(make_queue("a"), alerts=alerts), now=NOON)
    assert store.figures.period(START, END, None).n_alerts == 1


def test_arrivals_are_those_of_an_area_a_category_or_a_matter(store):
    publish_queue(store, "a", "b", "c", area=["东区", "西区", "东区"], matter_id=["m-a", "m-a", "m-c"])

    def n_arrivals(**what):
        given = {"area": None, "category": None, "matter_id": None, **what}
        return len(store.figures.arrivals(None, **given, since=START, before=END))

    assert [n_arrivals(area="东区"), n_arrivals(matter_id="m-a"), n_arrivals(category="wages"), n_arrivals()] == [2, 2, 0, 3]
