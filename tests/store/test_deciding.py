import pytest

from pipeline.casework import Verdict
from pipeline.errors import DecisionError
from pipeline.store.publishing import publish
from tests.casework import NOON, later, make_night, make_person, make_queue, publish_queue


@pytest.fixture
def wang(store):
    return make_person(store, "王")


def _decide(store, report_id, verdict, person, *, now=NOON, wants_second=False):
    return store.decisions.decide(report_id, verdict, person, now=now, wants_second=wants_second)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict("confirm"), "confirmed"),
        (Verdict("false_alarm", reason="已解决"), "false_alarm"),
        (Verdict("hand_over", reason="属劳动监察", unit="labour"), "handed_over"),
        (Verdict("mediated"), "mediated"),
        (Verdict("snooze", reason="等回电", until=later(60)), "snoozed"),
        (Verdict("recategorize", category="wages"), "open"),
    ],
)
def test_a_decision_puts_the_report_where_it_says_and_keeps_who_and_why(store, wang, verdict, status):
    publish_queue(store, "a")
    _decide(store, "a", verdict, wang)
    [kept] = store.judgements.of_report("a")
    assert store.queue.get("a").status == status
    assert (kept.person, kept.action, kept.reason) == ("王", verdict.action, verdict.reason)
    assert [event.kind for event in store.log.of_report("a", limit=5)] == ["decided"]


@pytest.mark.parametrize(
    "verdict",
    [Verdict("false_alarm"), Verdict("hand_over", reason="请查"), Verdict("recategorize"), Verdict("snooze", reason="等")],
)
def test_a_decision_that_lacks_something_is_refused(store, wang, verdict):
    publish_queue(store, "a")
    with pytest.raises(DecisionError, match="needs"):
        _decide(store, "a", verdict, wang)
    assert store.queue.get("a").status == "open"


def test_the_second_of_two_people_deciding_at_once_is_told(store, wang):
    publish_queue(store, "a")
    li = make_person(store, "李")
    store.queue.claim_next(wang, now=NOON, minutes=10)
    with pytest.raises(DecisionError, match="王 has a in hand"):
        _decide(store, "a", Verdict("confirm"), li)
    _decide(store, "a", Verdict("confirm"), wang)
    with pytest.raises(DecisionError, match="decided already"):
        _decide(store, "a", Verdict("mediated"), li)


def test_a_report_of_another_area_cannot_be_decided(store):
    publish_queue(store, "a", area="东区")
    with pytest.raises(DecisionError, match="no report"):
        _decide(store, "a", Verdict("confirm"), make_person(store, "李", areas=["西区"]))


def test_a_snoozed_report_comes_back_when_its_time_is_over(store, wang):
    publish_queue(store, "a")
    _decide(store, "a", Verdict("snooze", reason="等回电", until=later(60)), wang)
    assert store.queue.claim_next(wang, now=later(59), minutes=10) is None
    assert store.queue.claim_next(wang, now=later(60), minutes=10).report_id == "a"
    _decide(store, "a", Verdict("confirm"), wang, now=later(61))


def test_scores_that_changed_while_reading_are_told(store, wang):
    publish_queue(store, "a")
    seen = store.queue.get("a").version
    publish(store.database, make_night(make_queue("a", risk=0.1), digest="b"), now=NOON)
    assert _decide(store, "a", Verdict("confirm", seen_version=seen), wang).scores_changed


def test_a_corrected_category_survives_a_republished_night(store, wang):
    publish_queue(store, "a")
    _decide(store, "a", Verdict("recategorize", category="wages", unit="labour"), wang)
    publish(store.database, make_night(make_queue("a", risk=0.1), digest="b"), now=NOON)
    item = store.queue.get("a")
    assert (item.category, item.unit, item.risk) == ("wages", "labour", 0.1)


def test_undo_puts_everything_back_once(store, wang):
    publish_queue(store, "a")
    decided = _decide(store, "a", Verdict("mediated", category="wages"), wang)
    assert store.decisions.undo(decided.batch, wang, now=later(1)) == ("a",)
    assert (store.queue.get("a").status, store.queue.get("a").category) == ("open", "neighbours")
    assert [(one.action, one.undone) for one in store.judgements.of_report("a")] == [("undo", False), ("mediated", True)]
    with pytest.raises(DecisionError, match="nothing left"):
        store.decisions.undo(decided.batch, wang, now=later(2))


def test_only_the_person_or_a_lead_takes_a_decision_back(store, wang):
    publish_queue(store, "a")
    batch = _decide(store, "a", Verdict("confirm"), wang).batch
    with pytest.raises(DecisionError, match="Only the person"):
        store.decisions.undo(batch, make_person(store, "李"), now=NOON)
    assert store.decisions.undo(batch, make_person(store, "组长", "lead"), now=NOON) == ("a",)


def test_an_undone_decision_does_not_overwrite_a_newer_one(store, wang):
    publish_queue(store, "a")
    first = _decide(store, "a", Verdict("recategorize", category="wages"), wang)
    _decide(store, "a", Verdict("confirm"), wang)
    with pytest.raises(DecisionError, match="decided anew"):
        store.decisions.undo(first.batch, wang, now=NOON)
    assert store.queue.get("a").status == "confirmed"


def test_a_matter_is_handed_over_whole_except_what_somebody_holds(store, wang):
    publish_queue(store, "a", "b", "c", matter_id="m-a")
    li = make_person(store, "李")
    store.queue.claim("b", li, now=NOON, minutes=10)
    decided = store.decisions.decide_matter("m-a", Verdict("hand_over", reason="同一工地", unit="labour"), wang, now=NOON)
    assert decided.report_ids == ("a", "c")
    assert store.queue.get("b").status == "open"
    assert sorted(store.decisions.undo(decided.batch, wang, now=NOON)) == ["a", "c"]
    assert store.queue.get("a").status == store.queue.get("c").status == "open"


def test_reports_join_and_part_matters_for_good(store, wang):
    publish_queue(store, "a", "b")
    merged = _decide(store, "b", Verdict("merge", reason="同一件事", matter_id="m-a"), wang)
    assert store.matters.get("m-a", None).n_reports == 2
    assert store.matters.get("m-b", None) is None
    publish(store.database, make_night(make_queue("a", "b"), digest="b"), now=NOON)
    assert store.queue.get("b").matter_id == "m-a"
    store.decisions.undo(merged.batch, wang, now=NOON)
    assert (store.queue.get("b").matter_id, store.matters.get("m-a", None).n_reports) == ("m-b", 1)
    with pytest.raises(DecisionError, match="no matter"):
        _decide(store, "b", Verdict("merge", reason="同一件事", matter_id="m-nowhere"), wang)


def test_a_blind_second_judgement_is_kept_beside_the_first_and_changes_nothing(store, wang):
    publish_queue(store, "a")
    li = make_person(store, "李")
    _decide(store, "a", Verdict("confirm"), wang, wants_second=True)
    assert store.queue.get("a").second_due
    _decide(store, "a", Verdict("false_alarm", reason="无事", category="wages", blind=True), li)
    item = store.queue.get("a")
    assert (item.status, item.category, item.second_due) == ("confirmed", "neighbours", False)
    [pair] = store.judgements.pairs()
    assert (pair.first_action, pair.second_action, pair.second_category) == ("confirm", "false_alarm", "wages")


def _judged_alike(store, first, second):
    publish_queue(store, "a", "b")
    _decide(store, "a", Verdict("confirm"), first, wants_second=True)
    _decide(store, "a", Verdict("confirm", blind=True), second)


def test_a_report_two_people_judged_alike_is_handed_to_a_third_and_changes_nothing(store, wang):
    li, zhao = make_person(store, "李"), make_person(store, "赵")
    _judged_alike(store, wang, li)
    for judge in (wang, li):
        assert store.queue.claim_next(judge, now=NOON, minutes=10, wants_known=True).report_id == "b"
        store.queue.release("b", judge, now=NOON)
    assert store.queue.claim_next(zhao, now=NOON, minutes=10, wants_known=True).report_id == "a"
    _decide(store, "a", Verdict("false_alarm", reason="没看仔细", category="wages"), zhao)
    item = store.queue.get("a")
    assert (item.status, item.category, item.claimed_by) == ("confirmed", "neighbours", None)
    [check] = store.judgements.checked()
    assert (check.first_action, check.second_action) == ("confirm", "false_alarm")
    assert len(store.judgements.pairs()) == 1  # what was known already is no pair of independent judgements
    assert [one.action for one in store.judgements.judged()] == ["confirm"]
    assert store.queue.claim_next(zhao, now=NOON, minutes=10, wants_known=True).report_id == "b"


def test_a_report_two_people_judged_differently_is_not_known(store, wang):
    publish_queue(store, "a")
    _decide(store, "a", Verdict("confirm"), wang, wants_second=True)
    _decide(store, "a", Verdict("false_alarm", reason="无事", blind=True), make_person(store, "李"))
    assert store.queue.claim_next(make_person(store, "赵"), now=NOON, minutes=10, wants_known=True) is None


def test_an_undone_judgement_is_known_no_more(store, wang):
    _judged_alike(store, wang, make_person(store, "李"))
    store.decisions.undo(store.judgements.of_report("a")[-1].batch, wang, now=NOON)
    assert not store.queue.get("a").known
