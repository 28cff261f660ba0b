"""Whatever is sent to a route, signed in as whom ever, is answered with a page: never with a fault of ours."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.casework import publish_queue
from tests.review.conftest import send
from tests.review.test_access import LOWEST, OPEN

FIELDS = (
    *(
        "id",
        "action",
        "category",
        "other_category",
        "reason",
        "unit",
        "days",
        "matter_id",
        "version",
        "batch",
        "status",
        "area",
    ),
    *(
        "lane",
        "words",
        "since",
        "before",
        "waiting",
        "offset",
        "first",
        "last",
        "language",
        "to",
        "name",
        "password",
        "n",
        "changed",
    ),
)
LIKELY = (
    *("", "a", "m-a", "confirm", "false_alarm", "hand_over", "merge", "split", "snooze", "mediated", "wages", "labour", "7"),
    *(
        "0",
        "-1",
        "1e9",
        "٣",
        "²",
        "2024-02-30",
        "9999-12-31",
        "0001-01-01",
        "closed",
        "//evil.example",
        "\\\\evil",
        "%00",
        "\x00",
    ),
    *("' OR 1=1 --", "<script>", "../../etc/passwd", "x" * 3000, "😀", "\u202e"),
)
VALUES = st.one_of(st.sampled_from(LIKELY), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
SENT = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), sorted(OPEN | set(LOWEST)))
@pytest.mark.parametrize("role", ["viewer", "lead"])
def test_no_input_breaks_a_route(store, visitors, method, path, role):
    publish_queue(store, "a", "b", matter_id="m-a")
    client = visitors("王", role)

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sent=SENT, form=st.sampled_from(["csv", "xlsx", "html", "x"]))
    def try_it(sent, form):
        where = path.replace("{form}", form)
        if path == "/sign-out":
            sent = {**sent, "form_token": "not this session's"}
        if method == "GET":
            answer = client.get(where, params=sent)
        elif path in ("/sign-in", "/language"):
            answer = client.post(where, data=sent)
        else:
            answer = send(client, where, **sent)
        assert answer.status_code < 500
        assert answer.url.host == "testserver"

    try_it()
