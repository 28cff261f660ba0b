from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from pipeline.casework import Search, Verdict
from tests.casework import NOON, later, make_person, publish_queue


def _next(store, person, *, now=NOON):
    item = store.queue.claim_next(person, now=now, minutes=10)
    return None if item is None else item.report_id


def test_two_people_never_get_the_same_report(store):
    publish_queue(store, "a", "b")
    wang, li = make_person(store, "王"), make_person(store, "李")
    assert [_next(store, wang), _next(store, li), _next(store, make_person(store, "赵"))] == ["a", "b", None]


def test_asking_again_gives_the_report_still_in_hand(store):
    publish_queue(store, "a", "b")
    wang = make_person(store, "王")
    assert [_next(store, wang), _next(store, wang, now=later(9))] == ["a", "a"]


def test_a_claim_ends_with_its_time(store):
    publish_queue(store, "a")
    wang, li = make_person(store, "王"), make_person(store, "李")
    _next(store, wang)
    assert _next(store, li, now=later(9)) is None
    assert _next(store, li, now=later(10)) == "a"


def test_a_released_report_goes_to_the_next_person(store):
    publish_queue(store, "a")
    wang, li = make_person(store, "王"), make_person(store, "李")
    _next(store, wang)
    store.queue.release("a", li, now=NOON)  # not hers to release
    assert _next(store, li) is None
    store.queue.release("a", wang, now=NOON)
    assert _next(store, li) == "a"


def test_a_reviewer_of_one_area_gets_that_area_and_reports_without_one(store):
    publish_queue(store, "a", "b", "c", area=["东区", "西区", None])
    west = make_person(store, "王", areas=["西区"])
    taken = []
    while (report_id := _next(store, west)) is not None:
        taken.append(report_id)
        store.decisions.decide(report_id, Verdict("confirm"), west, now=NOON, wants_second=False)
    assert taken == ["b", "c"]
    assert store.queue.claim("a", west, now=NOON, minutes=10) is None


def test_waiting_reports_are_not_handed_out_but_can_be_chosen(store):
    publish_queue(store, "a", selected="waiting")
    wang = make_person(store, "王")
    assert _next(store, wang) is None
    assert store.queue.claim("a", wang, now=NOON, minutes=10).claimed_by == wang.id


def test_a_second_judgement_goes_to_somebody_else_first_of_all(store):
    publish_queue(store, "a", "b")
    wang, li = make_person(store, "王"), make_person(store, "李")
    store.decisions.decide("a", Verdict("confirm"), wang, now=NOON, wants_second=True)
    assert _next(store, wang) == "b"
    assert _next(store, li) == "a"


def test_many_at_once_get_every_report_exactly_once(store):
    ids = [f"r{k:02}" for k in range(24)]
    publish_queue(store, *ids)
    people = [make_person(store, f"p{k}") for k in range(4)]

    def work(person):
        done = []
        while (report_id := _next(store, person)) is not None:
            store.decisions.decide(report_id, Verdict("confirm"), person, now=NOON, wants_second=False)
            done.append(report_id)
        return done

    with ThreadPoolExecutor(len(people)) as pool:
        taken = Counter(report_id for done in pool.map(work, people) for report_id in done)
    assert taken == Counter(ids)


def test_search_takes_wildcards_and_quotes_as_letters(store):
    publish_queue(store, "a", "b", "c", text=["减免100%费用", "减免100元", "it's _under_ \\ '"])

    def found(words):
        return [item.report_id for item in store.queue.search(Search(areas=None, words=words), now=NOON).items]

    assert found("100%") == ["a"]
    assert found("_under_ \\ '") == ["c"]
    assert found("x" * 10_000) == []


def test_search_filters_and_counts(store):
    publish_queue(store, "a", "b", "c", area=["东区", "西区", "东区"], category=["wages", "wages", "neighbours"])
    search = Search(areas=None, area="东区", category="wages")
    assert [item.report_id for item in store.queue.search(search, now=NOON).items] == ["a"]
    page = store.queue.search(Search(areas=None, offset=1, limit=1), now=NOON)
    assert ([item.report_id for item in page.items], page.n_matching) == (["b"], 3)
    counts = store.queue.counts(("西区",), now=later(60 * 24), since=NOON)
    assert (counts.n_to_read, counts.n_late, counts.n_waiting, counts.n_decided_today) == (1, 1, 0, 0)
