"""Who may do what: every route with every role, forged and stale forms, lock-out, headers."""

import re

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pipeline.review.access import share_draws, signed, unsigned
from pipeline.review.app import create_app
from pipeline.store.publishing import publish
from tests.casework import NOON, later, make_night, make_queue, publish_queue
from tests.review.conftest import PASSWORD, send

OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/language"),
    ("GET", "/sign-in/elsewhere"),
    ("GET", "/sign-in/back"),
}
LOWEST = {
    ("GET", "/"): "viewer",
    ("GET", "/queue"): "viewer",
    ("GET", "/report"): "viewer",
    ("GET", "/matters"): "viewer",
    ("GET", "/matter"): "viewer",
    ("GET", "/alerts"): "viewer",
    ("GET", "/bulletin"): "viewer",
    ("GET", "/bulletin.{form}"): "viewer",
    ("GET", "/nights"): "viewer",
    ("GET", "/model"): "viewer",
    ("GET", "/log"): "lead",
    ("POST", "/sign-out"): "viewer",
    ("POST", "/next"): "reviewer",
    ("POST", "/report/take"): "reviewer",
    ("POST", "/report/release"): "reviewer",
    ("POST", "/report/decide"): "reviewer",
    ("POST", "/undo"): "reviewer",
    ("POST", "/matter/decide"): "reviewer",
    ("POST", "/alerts/settle"): "reviewer",
}
RANK = ("viewer", "reviewer", "lead", "admin")


def _routes(app):
    return {(method, route.path) for route in _flat(app.routes) for method in route.methods}


def _flat(routes):
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _flat(route.original_router.routes)


def test_the_table_below_names_every_route(visitors):
    assert _routes(visitors().app) == OPEN | set(LOWEST)


@pytest.mark.parametrize(("method", "path"), sorted(LOWEST))
def test_nobody_gets_in_without_signing_in(visitors, method, path):
    client = visitors()
    answer = client.request(method, path, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) == ((303, "/sign-in") if method == "GET" else (401, None))


@pytest.mark.parametrize(("method", "path"), sorted(LOWEST))
@pytest.mark.parametrize("role", RANK)
def test_every_route_asks_for_its_role_and_logs_who_is_refused(store, visitors, method, path, role):
    client = visitors(role, role)
    answer = client.request(method, path, follow_redirects=False) if method == "GET" else send(client, path)
    allowed = RANK.index(role) >= RANK.index(LOWEST[method, path])
    assert (answer.status_code != 403) == allowed
    assert answer.status_code < 500
    denied = store.log.newest(limit=10, kind="denied")
    assert [event.detail["path"] for event in denied] == ([] if allowed else [path])


@pytest.mark.parametrize("path", sorted(path for method, path in LOWEST if method == "POST"))
@pytest.mark.parametrize("token", ["", "forged", "伪造"])
def test_a_form_without_this_sessions_token_changes_nothing(store, visitors, path, token):
    publish_queue(store, "a")
    client = visitors("王", "admin")
    answer = client.post(path, data={"form_token": token, "id": "a", "action": "confirm", "status": "closed", "batch": "x"})
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text
    assert store.queue.get("a").status == "open"


def test_a_form_from_another_site_is_refused(store, visitors):
    answer = visitors().post("/sign-in", data={"name": "a", "password": "b"}, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_an_expired_session_is_said_and_nothing_is_changed(store, visitors, clock):
    publish_queue(store, "a")
    client = visitors("王")
    clock.now = later(60 * 10)
    answer = client.post("/report/decide", data={"id": "a", "action": "confirm"})
    assert answer.status_code == 401
    assert "session is over" in answer.text
    assert store.queue.get("a").status == "open"


def test_signing_out_ends_the_session_everywhere(visitors):
    client = visitors("王")
    cookie = client.cookies["triage_session"]
    send(client, "/sign-out")
    again = visitors()
    again.cookies.set("triage_session", cookie)
    assert again.get("/queue").url.path == "/sign-in"


@pytest.mark.parametrize("cookie", ["", ".", "token", "token.0000", "令牌.签名"])
def test_a_guessed_or_altered_cookie_is_refused(cookie):
    assert unsigned(cookie, b"key") is None
    assert unsigned(signed("token", b"other"), b"key") is None
    assert unsigned(signed("token", b"key"), b"key") == "token"


def test_guessing_locks_the_account_and_says_the_same_as_for_a_wrong_name(store, visitors, clock):
    visitors("王")
    guesser = visitors()
    wrong = [guesser.post("/sign-in", data={"name": "王", "password": f"guess {k}"}) for k in range(3)]
    right = guesser.post("/sign-in", data={"name": "王", "password": PASSWORD})
    nobody = guesser.post("/sign-in", data={"name": "谁", "password": PASSWORD})
    assert {answer.status_code for answer in (*wrong, right, nobody)} == {401}
    assert right.text.replace("王", "") == nobody.text.replace("谁", "")
    clock.now = later(15)
    assert guesser.post("/sign-in", data={"name": "王", "password": PASSWORD}).url.path == "/queue"


def test_a_reviewer_of_one_area_sees_no_other_area(store, visitors):
    publish_queue(store, "east", "west", area=["东区", "西区"])
    client = visitors("王", areas=["东区"])
    assert "west" not in client.get("/queue").text
    assert client.get("/queue?area=西区").text.count("/report?id=") == 0
    assert client.get("/report?id=west").status_code == 404
    assert client.get("/matter?id=m-west").status_code == 404
    assert send(client, "/report/take", id="west").status_code == 404
    assert send(client, "/report/decide", id="west", action="confirm").status_code == 404
    assert send(client, "/matter/decide", id="m-west", action="confirm").status_code == 409
    assert store.queue.get("west").status == "open"


def test_every_answer_keeps_the_page_to_itself(visitors):
    for path in ("/sign-in", "/queue", "/nowhere", "/static/keys.js"):
        headers = visitors().get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/report?id=../../etc/passwd", "/nowhere"])
def test_paths_that_lead_out_lead_nowhere(visitors, path):
    answer = visitors("王").get(path)
    assert answer.status_code == 404


def test_an_oversized_form_is_refused(visitors):
    assert visitors().post("/sign-in", data={"name": "x" * 300_000, "password": ""}).status_code == 413


def test_while_the_database_is_gone_pages_say_so_and_afterwards_work_goes_on(store, visitors, monkeypatch):
    publish_queue(store, "a")
    client = visitors("王")
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/queue").text)[1]

    def gone(*arguments, **options):
        raise OperationalError("select", {}, Exception("geheim"))

    with monkeypatch.context() as patch:
        patch.setattr(type(store.database.engine.dialect), "do_execute", gone)
        for answer in (
            client.get("/queue"),
            client.get("/report?id=a"),
            client.post("/report/decide", data={"form_token": token, "id": "a", "action": "confirm"}),
        ):
            assert answer.status_code == 503
            assert "does not answer" in answer.text
            assert "geheim" not in answer.text
    assert client.get("/queue").status_code == 200
    assert store.queue.get("a").status == "open"
    assert send(client, "/report/decide", id="a", action="confirm").status_code == 200
    assert store.queue.get("a").status == "confirmed"


def test_a_replayed_form_decides_nothing_twice(store, visitors):
    publish_queue(store, "a", "b")
    client = visitors("王")
    send(client, "/report/decide", id="a", action="confirm")
    again = send(client, "/report/decide", id="a", action="false_alarm", reason="无事")
    assert again.status_code == 409
    assert "decided already" in again.text
    assert [one.action for one in store.judgements.of_report("a")] == ["confirm"]


def test_a_form_of_an_earlier_session_is_refused(store, visitors):
    publish_queue(store, "a")
    client = visitors("王")
    old = re.search(r'name="form_token" value="([^"]+)"', client.get("/queue").text)[1]
    again = visitors("王")
    assert again.post("/report/decide", data={"form_token": old, "id": "a", "action": "confirm"}).status_code == 403
    assert client.get("/queue").url.path == "/sign-in"  # giving the account anew ended its session


def test_an_account_with_a_role_this_program_does_not_know_opens_nothing(store, visitors):
    client = visitors("王")
    with store.database.writing() as session:
        session.execute(text("UPDATE users SET role = 'king'"))
    assert client.get("/queue").url.path == "/sign-in"
    assert visitors().post("/sign-in", data={"name": "王", "password": PASSWORD}).status_code == 401


def test_the_declared_share_is_drawn_alike_every_time_and_about_as_often_as_declared():
    drawn = [share_draws(f"r{k}", 0.2, b"key", what="second") for k in range(2000)]
    assert drawn == [share_draws(f"r{k}", 0.2, b"key", what="second") for k in range(2000)]
    assert 0.15 < sum(drawn) / len(drawn) < 0.25


def test_the_application_offers_no_description_of_itself(store, visitors):
    assert create_app(store, visitors().app.state.settings).openapi_url is None


def test_a_matter_of_two_areas_shows_each_reviewer_their_own_reports_title_only(store, visitors):
    publish_queue(store, "east", "west", area=["东区", "西区"], matter_id="m-both", received_at=[NOON, later(1)])
    east = visitors("王", areas=["东区"])
    assert "标题west" not in east.get("/matters").text + east.get("/matter?id=m-both").text
    assert "标题east" in east.get("/matters").text


def test_a_report_cannot_be_joined_to_another_areas_matter(store, visitors):
    publish_queue(store, "east", "west", area=["东区", "西区"])
    said = send(
        visitors("王", areas=["东区"]), "/report/decide", id="east", action="merge", matter_id="m-west", reason="同一件事"
    )
    assert said.status_code == 409
    assert store.queue.get("east").matter_id == "m-east"


def test_a_lead_of_one_area_reads_the_log_of_that_area(store, visitors):
    publish_queue(store, "east", "west", area=["东区", "西区"])
    visitors("李").get("/report?id=west")
    visitors("赵").get("/report?id=east")
    text = visitors("王", "lead", areas=["东区"]).get("/log").text
    assert "/report?id=east" in text
    assert "west" not in text


def test_similar_reports_read_beside_one_are_logged_too(store, visitors):
    publish(store.database, make_night(make_queue("a", "b"), similar={"a": ["b"]}), now=NOON)
    visitors("王").get("/report?id=a")
    assert store.log.of_report("a", limit=1)[0].detail == {"similar": ["b"]}
