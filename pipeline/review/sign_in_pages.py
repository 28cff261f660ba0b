"""Signing in and out, and the language."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from pipeline.casework import Person
from pipeline.errors import NotSignedInError
from pipeline.review.access import (
    COOKIE,
    LANGUAGE_COOKIE,
    ViewerForm,
    session_digest,
    settings_of,
    signed,
    speech_of,
    store_of,
    unsigned,
)
from pipeline.review.passwords import digest, is_right, new_token
from pipeline.review.rendering import page, see
from pipeline.settings import Section

router = APIRouter()
PROVIDER_COOKIE = "triage_elsewhere"


class SignInForm(Section):
    """What somebody typed."""

    name: str
    password: str


class LanguageForm(Section):
    """The language somebody chose."""

    language: str
    to: str = "/queue"


@dataclass(frozen=True)
class SignInContext:
    """The sign-in page; `wrong` says why the last try failed."""

    name: str
    wrong: str | None
    offers_provider: bool


@router.get("/sign-in")
def sign_in_page(request: Request) -> HTMLResponse:
    """Ask who it is."""
    return page(request, "sign_in.html", SignInContext("", None, settings_of(request).provider is not None))


@router.post("/sign-in")
def sign_in(request: Request, form: Annotated[SignInForm, Form()]) -> Response:
    """Begin a session. A wrong name, a wrong password and a locked account get the same answer, after the same work."""
    store, settings = store_of(request), settings_of(request)
    params, now = settings.params, settings.clock()
    account = store.people.account(form.name[:100])
    locked = account is not None and account.locked_until is not None and account.locked_until > now
    right = is_right(form.password, None if account is None else account.password_hash)
    if account is None or locked or not right:
        if account is not None and not locked:
            store.people.failed(account.person, now=now, attempts=params.lockout_attempts, minutes=params.lockout_minutes)
        wrong = speech_of(request)("sign_in_wrong", attempts=params.lockout_attempts, minutes=params.lockout_minutes)
        return page(request, "sign_in.html", SignInContext(form.name[:100], wrong, settings.provider is not None), status=401)
    return _begin_session(request, account.person)


@router.get("/sign-in/elsewhere")
def sign_in_elsewhere(request: Request) -> Response:
    """Send the browser to the identity provider, with a secret of ours that must come back."""
    settings = settings_of(request)
    if settings.provider is None:
        raise HTTPException(404)
    state, nonce, verifier = new_token(), new_token(), new_token()
    try:
        response = RedirectResponse(settings.provider.address(state=state, nonce=nonce, verifier=verifier), 303)
    except NotSignedInError:
        return _refused(request)
    response.set_cookie(
        PROVIDER_COOKIE, signed(f"{state}~{nonce}~{verifier}", settings.key), max_age=600, httponly=True,
        secure=settings.secure, samesite="lax",
    )  # fmt: skip
    return response


@router.get("/sign-in/back")
def sign_in_back(request: Request, code: str = "", state: str = "") -> Response:
    """Take back whom the provider vouches for, if it was this browser that was sent there and the account exists."""
    store, settings = store_of(request), settings_of(request)
    if settings.provider is None:
        raise HTTPException(404)
    sent, _, rest = (unsigned(request.cookies.get(PROVIDER_COOKIE), settings.key) or "").partition("~")
    nonce, _, verifier = rest.partition("~")
    if not code or not sent or not compare_digest(sent.encode(), state.encode()):
        return _refused(request)
    try:
        account = store.people.account(settings.provider.who(code=code[:4000], nonce=nonce, verifier=verifier)[:100])
    except NotSignedInError:
        return _refused(request)
    if account is None:
        return _refused(request)
    response = _begin_session(request, account.person)
    response.delete_cookie(PROVIDER_COOKIE)
    return response


def _refused(request: Request) -> Response:
    context = SignInContext("", speech_of(request)("elsewhere_refused"), offers_provider=True)
    response = page(request, "sign_in.html", context, status=401)
    response.delete_cookie(PROVIDER_COOKIE)
    return response


def _begin_session(request: Request, person: Person) -> RedirectResponse:
    """A new session, and the queue."""
    store, settings = store_of(request), settings_of(request)
    hours, token = settings.params.session_hours, new_token()
    store.people.sign_in(person, token_digest=digest(token), form_token=new_token(), now=settings.clock(), hours=hours)
    response = see("/queue")
    response.set_cookie(
        COOKIE, signed(token, settings.key), max_age=hours * 3600, httponly=True, secure=settings.secure, samesite="lax"
    )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, visit: ViewerForm) -> Response:
    """End the session."""
    kept = session_digest(request)
    if kept is not None:
        await run_in_threadpool(visit.store.people.sign_out, kept, now=visit.now)
    response = see("/sign-in")
    response.delete_cookie(COOKIE)
    return response


@router.post("/language")
def choose_language(request: Request, form: Annotated[LanguageForm, Form()]) -> Response:
    """Keep the language somebody chose; harmless, so no session is needed."""
    response = see(form.to if form.to.startswith("/") and not form.to.startswith(("//", "/\\")) else "/queue")
    response.set_cookie(
        LANGUAGE_COOKIE, "en" if form.language == "en" else "zh", max_age=31_536_000, httponly=True,
        secure=settings_of(request).secure, samesite="lax",
    )  # fmt: skip
    return response
