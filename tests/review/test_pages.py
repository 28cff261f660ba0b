import re

import pytest

from pipeline.casework import Verdict
from pipeline.store.publishing import publish
from tests.builders import make_outcomes, make_reports
from tests.casework import NOON, later, make_night, make_person, make_queue, publish_queue
from tests.review.conftest import PASSWORD, send


def _titles(response):
    return re.findall(r'<h2><a href="/report\?id=(\w+)"', response.text)


def test_a_password_opens_the_queue(store, visitors):
    visitors("王")
    assert visitors().post("/sign-in", data={"name": "王", "password": PASSWORD}).url.path == "/queue"


def test_a_reviewer_signs_in_reads_decides_and_gets_the_next(store, visitors):
    publish_queue(store, "a", "b")
    wang = visitors("王")
    assert _titles(wang.get("/queue")) == ["a", "b"]
    assert send(wang, "/next").url.query == b"id=a"
    after = send(wang, "/report/decide", id="a", action="confirm", category="neighbours")
    assert "id=b" in str(after.url)
    assert "1 decided." in after.text
    assert store.queue.get("a").status == "confirmed"


def test_the_queue_says_why_and_how_late(store, visitors, clock):
    publish_queue(store, "a", **{"n_similar_90d": 3, "n_reporters_90d": 2})
    clock.now = later(60 * 24 * 4)
    text = visitors("王").get("/queue").text
    for said in ("90%", "“楼上漏水” (risk +10%)", "3 reports by 2 people", "1 late", "5 d"):
        assert said in text


def test_pages_speak_the_language_of_the_browser_and_the_one_chosen(store, visitors):
    wang = visitors("王")
    assert "Sign out" in wang.get("/queue").text
    assert "退出" in wang.post("/language", data={"language": "zh"}).text
    assert "登录" in visitors().get("/sign-in", headers={"accept-language": "fr"}).text


def test_correcting_a_category_keeps_the_report_and_moves_its_unit(store, visitors):
    publish_queue(store, "a", "b")
    wang = visitors("王")
    after = send(wang, "/report/decide", id="a", action="recategorize", other_category="wages")
    assert "id=a" in str(after.url)
    assert (store.queue.get("a").category, store.queue.get("a").unit) == ("wages", "labour")


def test_a_matter_is_handed_over_in_bulk_and_put_back(store, visitors):
    publish_queue(store, "a", "b", matter_id="m-a")
    wang = visitors("王")
    assert "2 open" in wang.get("/matter?id=m-a").text
    after = send(wang, "/matter/decide", id="m-a", action="hand_over", unit="labour", reason="同一工地")
    assert "2 decided." in after.text
    batch = re.search(r'name="batch" value="(\w+)"', after.text)[1]
    assert "2 put back." in send(wang, "/undo", batch=batch).text
    assert store.queue.get("a").status == "open"


def test_the_report_shows_similar_ones_with_what_happened_only_of_areas_one_sees(store, visitors):
    reports = make_reports(["2024-05-01", "2024-05-02"], area=["东区", "西区"], text=["旧事一", "旧事二"])
    night = make_night(
        make_queue("a"), reports=reports, outcomes=make_outcomes(("r0", "injury", "2024-05-09")), similar={"a": ["r0", "r1"]}
    )
    publish(store.database, night, now=NOON)
    text = visitors("王", areas=["东区"]).get("/report?id=a").text
    assert "旧事一" in text
    assert "Injury" in text
    assert "旧事二" not in text


def test_every_look_at_a_text_is_logged(store, visitors):
    publish_queue(store, "a")
    wang = visitors("王", "viewer")
    wang.get("/report?id=a")
    assert [(event.kind, event.person) for event in store.log.of_report("a", limit=5)] == [("viewed", "王")]
    wang.get("/matter?id=m-a")
    assert store.log.newest(limit=1)[0].detail == {"matter": "m-a", "reports": ["a"]}


def test_a_distressing_text_is_folded_behind_a_warning(store, visitors):
    publish_queue(store, "a", "b", text=["他说要自杀", "楼上漏水"])
    wang = visitors("王")
    assert '<details class="folded">' in wang.get("/report?id=a").text
    assert '<details class="folded">' not in wang.get("/report?id=b").text


def test_a_text_that_is_markup_stays_text(store, visitors):
    bad = "<script>alert(1)</script>楼上漏水\"'><img src=x onerror=alert(2)>"
    publish_queue(store, "a", title=bad, text=bad, area=bad, matter_id=bad)
    wang = visitors("王")
    for path in ("/queue", "/report?id=a", "/matters"):
        text = wang.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text


def test_a_declared_share_is_judged_before_the_score_is_shown(store, visitors):
    publish_queue(store, "a", risk=0.77)
    wang = visitors("王", blind_share=1.0)
    for path in ("/queue", "/report?id=a"):
        assert "77%" not in wang.get(path).text
        assert "judge first" in wang.get(path).text
    send(wang, "/report/decide", id="a", action="confirm", category="wages")
    assert "77%" in wang.get("/report?id=a").text
    assert store.judgements.of_report("a")[0].blind


def test_a_second_judge_sees_neither_score_nor_first_judgement(store, visitors):
    publish_queue(store, "a", risk=0.77)
    send(visitors("王", second_share=1.0), "/report/decide", id="a", action="false_alarm", reason="邻居已和好")
    li = visitors("李")
    page = send(li, "/next")
    assert "id=a" in str(page.url)
    assert "77%" not in page.text
    assert "邻居已和好" not in page.text
    send(li, "/report/decide", id="a", action="confirm", category="neighbours")
    assert "1 pairs" in li.get("/model").text
    assert store.queue.get("a").status == "false_alarm"


def test_a_report_without_text_says_so(store, visitors):
    from pipeline.store.retention import purge

    publish_queue(store, "a")
    store.decisions.decide("a", Verdict("confirm"), make_person(store, "李"), now=NOON, wants_second=False)
    purge(store.database, before=NOON, now=NOON)
    assert "removed by retention" in visitors("王").get("/report?id=a").text


def test_two_people_deciding_at_once_the_second_is_told(store, visitors):
    publish_queue(store, "a")
    wang, li = visitors("王"), visitors("李")
    send(wang, "/next")
    said = send(li, "/report/decide", id="a", action="confirm")
    assert said.status_code == 409
    assert "王 has a in hand" in said.text


@pytest.mark.parametrize("words", ["%", "_", "' OR 1=1 --", "x" * 10_000, "\0", "<b>"])
def test_odd_searches_find_nothing_and_break_nothing(store, visitors, words):
    publish_queue(store, "a")
    found = visitors("王").get("/queue", params={"words": words})
    assert found.status_code == 200
    assert _titles(found) == (["a"] if words == "\0" else [])


@pytest.mark.parametrize("path", ["/nights", "/model", "/alerts", "/matters", "/queue?offset=999999999999&since=never"])
def test_pages_are_clear_on_an_empty_store(visitors, path):
    assert visitors("王").get(path).status_code == 200


def test_a_night_is_listed_with_its_counts(store, visitors):
    publish_queue(store, "a", "b")
    assert "desk v1" in visitors("王").get("/nights").text


def test_the_password_is_nowhere_on_a_page(visitors):
    said = visitors().post("/sign-in", data={"name": "王", "password": PASSWORD})
    assert said.status_code == 401
    assert PASSWORD not in said.text


def test_a_known_report_looks_like_any_other_and_says_nothing_of_what_was_decided(store, visitors):
    publish_queue(store, "a", risk=0.77)
    send(visitors("王", second_share=1.0), "/report/decide", id="a", action="confirm", reason="楼板裂了")
    send(visitors("李"), "/report/decide", id="a", action="confirm", category="neighbours")
    zhao = visitors("赵", known_share=1.0)
    page = send(zhao, "/next")
    assert "id=a" in str(page.url)
    for kept_back in ("77%", "楼板裂了", "Needs attention</span>", "李"):
        assert kept_back not in page.text
    assert 'value="hand_over"' in page.text
    after = send(zhao, "/report/decide", id="a", action="recategorize", category="wages")
    assert after.url.path == "/queue"
    assert store.queue.get("a").category == "neighbours"
    assert "Known reports were handed out 1 times; 0.0% were judged" in zhao.get("/model").text


def test_a_decided_report_offers_no_decision_but_the_way_back(store, visitors):
    publish_queue(store, "a")
    wang = visitors("王")
    send(wang, "/report/decide", id="a", action="confirm")
    text = wang.get("/report?id=a").text
    assert 'action="/report/decide"' not in text
    assert 'action="/undo"' in text


def test_a_night_republished_while_somebody_reads_is_told_and_nothing_is_lost(store, visitors):
    publish_queue(store, "a", "b")
    wang = visitors("王")
    send(wang, "/next")
    version = re.search(r'name="version" value="(\d+)"', wang.get("/report?id=a").text)[1]
    publish(store.database, make_night(make_queue("a", "b", risk=0.11), digest="b"), now=NOON)
    after = send(wang, "/report/decide", id="a", action="confirm", category="neighbours", version=version)
    assert "Scores were renewed" in after.text
    assert store.queue.get("a").status == "confirmed"


def test_a_report_withdrawn_while_somebody_reads_is_told(store, visitors):
    publish_queue(store, "a", "b")
    wang = visitors("王")
    send(wang, "/next")
    publish(store.database, make_night(make_queue("b"), digest="b"), now=NOON)
    said = send(wang, "/report/decide", id="a", action="confirm")
    assert said.status_code == 409
    assert "withdrawn" in said.text


def test_a_text_removed_while_somebody_reads_is_told_and_the_decision_stands(store, visitors):
    publish_queue(store, "a")
    wang = visitors("王")
    batch = send(wang, "/report/decide", id="a", action="confirm")
    assert batch.status_code == 200
    from pipeline.store.retention import purge

    purge(store.database, before=NOON, now=NOON)
    page = wang.get("/report?id=a")
    assert "removed by retention" in page.text
    assert "Needs attention" in page.text


def test_a_report_of_unclear_category_needs_one_before_it_is_confirmed(store, visitors):
    publish_queue(store, "a", lane="unclear")
    wang = visitors("王")
    assert " checked" not in wang.get("/report?id=a").text
    refused = send(wang, "/report/decide", id="a", action="confirm")
    assert (refused.status_code, "Choose it first" in refused.text) == (409, True)
    send(wang, "/report/decide", id="a", action="confirm", category="wages")
    assert (store.queue.get("a").status, store.queue.get("a").category) == ("confirmed", "wages")
