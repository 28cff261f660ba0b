"""Who is asking, and what they may do.

A session is a random token in a cookie, signed with the deployment's key and kept by the store as a digest only: a stolen store
opens no session, and a guessed or altered cookie is refused before the store is asked. Every form carries the session's own
token, so that no other site can make a signed-in person's browser send one (OWASP, CSRF Prevention Cheat Sheet).
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from pipeline.casework import Person, Role
from pipeline.desks import Store
from pipeline.errors import ForgedFormError, NotAllowedError, NotSignedInError
from pipeline.period import WriteBulletin
from pipeline.review.elsewhere import Provider
from pipeline.review.passwords import digest
from pipeline.review.wording import Speech, preferred_language
from pipeline.sections import ReviewParams
from pipeline.settings import Section
from pipeline.taxonomy import Outcome, Taxonomy

COOKIE, LANGUAGE_COOKIE = "triage_session", "triage_language"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Settings:
    """What one deployment's pages need beside the store.

    Attributes:
        params: Section `review` of params.yaml.
        taxonomy: Categories and units.
        outcomes: Declared outcomes, for their names.
        timezone: IANA name; instants are shown in it.
        key: Signs cookies and draws shares.
        distressing: Words whose texts are folded behind a warning.
        secure: Whether cookies go over https only.
        bulletin: Writes bulletins; None where nobody can.
        provider: Identity provider of the house; None where people sign in with passwords only.
        clock: Gives the present instant, aware.
    """

    params: ReviewParams
    taxonomy: Taxonomy
    outcomes: tuple[Outcome, ...]
    timezone: str
    key: bytes
    distressing: tuple[str, ...] = ()
    secure: bool = True
    bulletin: WriteBulletin | None = None
    provider: Provider | None = None
    clock: Callable[[], datetime] = _now


class SessionForm(Section):
    """What every form of a signed-in person carries; `form_as` has checked it before a route sees it."""

    form_token: str = ""


@dataclass(frozen=True)
class Visit:
    """One request of a signed-in person."""

    store: Store
    settings: Settings
    person: Person
    form_token: str
    say: Speech
    now: datetime

    @property
    def today(self) -> datetime:
        """The instant at which the local day began."""
        local = self.now.astimezone(self.say.zone)
        return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def in_days(self, days: int) -> datetime:
        """The same time some days from now."""
        return self.now + timedelta(days=days)


def signed(token: str, key: bytes) -> str:
    """A token with its signature, for the cookie."""
    return f"{token}.{hmac.new(key, token.encode(), sha256).hexdigest()}"


def unsigned(cookie: str | None, key: bytes) -> str | None:
    """The token of a cookie whose signature is right, or None."""
    token, _, _ = (cookie or "").partition(".")
    return token if token and hmac.compare_digest(signed(token, key).encode(), (cookie or "").encode()) else None


def share_draws(report_id: str, share: float, key: bytes, *, what: str) -> bool:
    """Whether a report is among a declared share; the same every time, and not to be guessed without the key."""
    drawn = hmac.new(key, f"{what}:{report_id}".encode(), sha256).digest()
    return int.from_bytes(drawn[:8]) < share * 2**64


def settings_of(request: Request) -> Settings:
    """The application's settings."""
    settings: Settings = request.app.state.settings
    return settings


def store_of(request: Request) -> Store:
    """The application's store."""
    store: Store = request.app.state.store
    return store


def speech_of(request: Request) -> Speech:
    """The language of a request."""
    settings = settings_of(request)
    language = preferred_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
    return Speech(language, settings.taxonomy, settings.outcomes, ZoneInfo(settings.timezone))


def session_digest(request: Request) -> str | None:
    """Digest of the request's session token, or None where there is no rightly signed one."""
    token = unsigned(request.cookies.get(COOKIE), settings_of(request).key)
    return None if token is None else digest(token)


def visit_as(role: Role) -> Callable[[Request], Visit]:
    """A dependency that lets in people of a role or a higher one.

    Raises:
        NotSignedInError: If there is no live session.
        NotAllowedError: If the role is too low; the attempt is logged.
    """

    def visit(request: Request) -> Visit:
        store, settings = store_of(request), settings_of(request)
        now, kept = settings.clock(), session_digest(request)
        session = None if kept is None else store.people.session(kept, now=now)
        if session is None:
            raise NotSignedInError("Sign in first.")
        if not session.person.at_least(role):
            detail = {"path": request.url.path, "method": request.method, "needs": role}
            store.log.note("denied", at=now, person=session.person.id, detail=detail)
            raise NotAllowedError(f"This needs the role {role}.")
        return Visit(store, settings, session.person, session.form_token, speech_of(request), now)

    return visit


def form_as(role: Role) -> Callable[..., object]:
    """A dependency for forms: as `visit_as`, and the form must carry the session's token.

    Raises:
        ForgedFormError: If it does not.
    """

    async def visit(request: Request, visit: Annotated[Visit, Depends(visit_as(role))]) -> Visit:
        token = (await request.form()).get("form_token")
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), visit.form_token.encode()):
            raise ForgedFormError("The form's token is not this session's.")
        return visit

    return visit


Viewer = Annotated[Visit, Depends(visit_as("viewer"))]
Lead = Annotated[Visit, Depends(visit_as("lead"))]
ViewerForm = Annotated[Visit, Depends(form_as("viewer"))]
ReviewerForm = Annotated[Visit, Depends(form_as("reviewer"))]
