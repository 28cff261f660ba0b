"""Signing in through the house's identity provider: a small real one on this machine, honest and otherwise."""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pipeline.errors import ParameterError
from pipeline.review.elsewhere import Provider
from tests.casework import make_person

KEY, STRANGER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


class House(ThreadingHTTPServer):
    """An identity provider that vouches for 王; what it says can be changed to be wrong."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Desk)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.claims, self.key, self.described, self.asked = {}, KEY, {}, {}

    def token(self):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "triage", "sub": "1", "iat": now, "exp": now + 60, "preferred_username": "王"}
        return jwt.encode(claims | self.claims, self.key, algorithm="RS256", headers={"kid": "k"})


class _Desk(BaseHTTPRequestHandler):
    def do_GET(self):
        at = self.server.issuer
        if self.path.startswith("/keys"):
            key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            return self._say({"keys": [key | {"kid": "k", "use": "sig", "alg": "RS256"}]})
        described = {
            "issuer": at,
            "authorization_endpoint": f"{at}/ask",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/keys",
        }
        return self._say(described | self.server.described)

    def do_POST(self):
        self.server.asked = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self._say({"id_token": self.server.token()})

    def _say(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def house():
    server = House()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider(house):
    return Provider(house.issuer, "triage", "secret", "http://127.0.0.1/sign-in/back")


def _go(client):
    """Where the provider is asked to send the browser back, and with what."""
    answer = client.get("/sign-in/elsewhere", follow_redirects=False)
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def _come_back(client, house, **changes):
    asked = _go(client)
    house.claims.setdefault("nonce", asked["nonce"])
    return client.get("/sign-in/back", params={"code": "c", "state": asked["state"], **changes})


def test_whom_the_house_vouches_for_is_signed_in_with_the_rights_of_their_account(store, visitors, house, provider):
    make_person(store, "王", "viewer")
    client = visitors(provider=provider)
    assert "Sign in through your organization" in client.get("/sign-in").text
    assert _come_back(client, house).url.path == "/queue"
    assert client.get("/log").status_code == 403
    assert house.asked["code_verifier"][0]
    assert house.asked["client_secret"] == ["secret"]


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"aud": "somebody else"}, {"iss": "https://elsewhere.example"}, {"exp": 1},
        {"preferred_username": 7}, {"preferred_username": "谁"},
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_this_sign_in_opens_nothing(store, visitors, house, provider, claims):
    make_person(store, "王")
    house.claims.update(claims)
    client = visitors(provider=provider)
    assert _come_back(client, house).status_code == 401
    assert client.get("/queue").url.path == "/sign-in"


def test_a_token_signed_by_a_stranger_opens_nothing(store, visitors, house, provider):
    make_person(store, "王")
    house.key = STRANGER
    assert _come_back(visitors(provider=provider), house).status_code == 401


@pytest.mark.parametrize("changes", [{"state": "guessed"}, {"state": ""}, {"code": ""}])
def test_coming_back_without_having_been_sent_opens_nothing(store, visitors, house, provider, changes):
    make_person(store, "王")
    assert _come_back(visitors(provider=provider), house, **changes).status_code == 401
    stranger = visitors(provider=provider)  # another browser, with a state that is right elsewhere
    assert (
        stranger.get("/sign-in/back", params={"code": "c", "state": _go(visitors(provider=provider))["state"]}).status_code
        == 401
    )


def test_a_provider_that_does_not_answer_or_is_another_is_said(visitors, house, provider):
    house.described = {"issuer": "https://elsewhere.example"}
    assert visitors(provider=provider).get("/sign-in/elsewhere").status_code == 401
    gone = replace(provider, issuer="http://127.0.0.1:1")
    answer = visitors(provider=gone).get("/sign-in/elsewhere")
    assert answer.status_code == 401
    assert "did not confirm who you are" in answer.text


def test_a_provider_anybody_can_listen_to_is_refused():
    with pytest.raises(ParameterError, match="https"):
        Provider("http://identity.example", "triage", "secret", "https://desk.example/sign-in/back")


def test_without_a_provider_nobody_is_sent_anywhere(visitors):
    client = visitors()
    assert "organization" not in client.get("/sign-in").text
    assert client.get("/sign-in/elsewhere").status_code == 404
    assert client.get("/sign-in/back?code=c&state=s").status_code == 404
