"""Signing in through an identity provider of the house: OpenID Connect, the authorization code flow with PKCE.

Optional: without the settings nobody is sent anywhere. The provider says who somebody is; what they may do stays with the
account of that name here, which must exist. Only the browser and this server speak to the provider; the ID token is verified
against its keys, issuer, audience, time and nonce (OpenID Connect Core 1.0, 3.1.3.7; RFC 7636). The claim that names the
account must be one people cannot change for themselves at the provider.
"""

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import jwt

from pipeline.errors import NotSignedInError, ParameterError

_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "PS256", "EdDSA"]  # none of them symmetric, and never `none`
_PATIENCE_SECONDS = 10
_LEEWAY_SECONDS = 60  # two clocks of one house are rarely further apart
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Provider:
    """An identity provider and how it knows us.

    Attributes:
        issuer: Its address; https, except on this machine.
        client_id: Our name there.
        client_secret: Our password there.
        redirect_uri: The public address of `/sign-in/back`.
        claim: Which claim of the ID token is the name of the account here.
    """

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    claim: str = "preferred_username"

    def __post_init__(self) -> None:
        """Refuse addresses others can listen to."""
        for address in (self.issuer, self.redirect_uri):
            _refuse_plain(address)

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser.

        Raises:
            NotSignedInError: If the provider does not answer.
        """
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri, "scope": "openid profile",
            "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        begins = str(self._described()["authorization_endpoint"])
        return f"{begins}{'&' if '?' in begins else '?'}{urlencode(asked)}"

    def who(self, *, code: str, nonce: str, verifier: str) -> str:
        """The name of the account of whoever comes back with a code.

        Raises:
            NotSignedInError: If the provider does not vouch for them.
        """
        described = self._described()
        asked = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "client_id": self.client_id,
            "client_secret": self.client_secret, "code_verifier": verifier,
        }  # fmt: skip
        token = str(_fetch(str(described["token_endpoint"]), urlencode(asked).encode()).get("id_token", ""))
        try:
            keys = jwt.PyJWKSet.from_dict(_fetch(str(described["jwks_uri"])))
            wanted = jwt.get_unverified_header(token).get("kid")
            key = next(one for one in keys.keys if wanted is None or one.key_id == wanted)
            claims = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=self.client_id, issuer=self.issuer, leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, StopIteration) as error:
            raise NotSignedInError("The provider's token is not in order.") from error
        name = claims.get(self.claim)
        if claims.get("nonce") != nonce or not isinstance(name, str) or not name:
            raise NotSignedInError("The provider's token is not for this sign-in.")
        return name

    def _described(self) -> dict[str, Any]:
        described = _fetch(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self.issuer or not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= set(
            described
        ):
            raise NotSignedInError("The provider does not describe itself as the one we were told of.")
        return described


def _refuse_plain(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")):
        raise ParameterError(f"'{address}' must begin with https://, because whoever listens could sign in.")


def _fetch(address: str, sent: bytes | None = None) -> dict[str, Any]:
    """A JSON object of the provider."""
    _refuse_plain(address)
    try:
        with urlopen(Request(address, data=sent, headers={"Accept": "application/json"}), timeout=_PATIENCE_SECONDS) as answer:
            content = json.loads(answer.read(_MOST_BYTES))
    except (URLError, OSError, ValueError) as error:
        raise NotSignedInError("The identity provider does not answer as it should.") from error
    if not isinstance(content, dict):
        raise NotSignedInError("The identity provider does not answer as it should.")
    return content
