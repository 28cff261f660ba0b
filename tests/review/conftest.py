"""The pages on a store of made-up reports, and a browser-like client for anybody."""

import re
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from pipeline.params import load_params
from pipeline.review.access import Settings, signed
from pipeline.review.app import create_app
from pipeline.review.passwords import digest, hash_password, new_token
from pipeline.serving import bulletin_writer
from pipeline.store.store import Store
from pipeline.taxonomy import Outcome
from tests.casework import NOON, TAXONOMY
from tests.conftest import ROOT
from tests.stores import ON_EACH, empty_database

PASSWORD = "a long enough phrase"
PASSWORD_HASH = hash_password(PASSWORD)
PARAMS = load_params(ROOT).review.model_copy(
    update={"lockout_attempts": 3, "second_share": 0.0, "known_share": 0.0, "blind_share": 0.0}
)


class Clock:
    """A clock the test sets."""

    def __init__(self) -> None:
        self.now: datetime = NOON.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=ON_EACH)
def store(request, tmp_path):
    with empty_database(request.param, tmp_path, request) as database:
        yield Store(database)


@pytest.fixture
def visitors(store, clock):
    """Makes clients: `visitors("王", role)` signs somebody in; without a name, somebody unknown; shares may be given."""
    clients = []

    def visit(name=None, role="reviewer", areas=None, *, provider=None, **shares):
        settings = Settings(
            params=PARAMS.model_copy(update=shares), taxonomy=TAXONOMY, timezone="Asia/Shanghai", key=b"for tests", clock=clock,
            provider=provider, bulletin=bulletin_writer(store, TAXONOMY, "Asia/Shanghai"),
            outcomes=(Outcome(id="injury", zh="受伤", en="Injury", definition=""),), distressing=("自杀",), secure=False,
        )  # fmt: skip
        client = TestClient(create_app(store, settings), follow_redirects=True, headers={"accept-language": "en"})
        clients.append(client)
        if name is not None:
            person = store.people.add(name, PASSWORD_HASH, role=role, areas=areas, now=clock.now)
            token = new_token()  # as signing in does, without the slow password
            store.people.sign_in(person, token_digest=digest(token), form_token=new_token(), now=clock.now, hours=10)
            client.cookies.set("triage_session", signed(token, settings.key))
        return client

    yield visit
    for client in clients:
        client.close()


def send(client, path, **fields):
    """Send a form as a page of this session would."""
    token = re.search(r'name="form_token" value="([^"]+)"', client.get("/matters").text)
    return client.post(path, data={"form_token": token[1] if token else "", **fields})
