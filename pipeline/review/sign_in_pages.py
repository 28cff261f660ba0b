"""Signing in and out, and the language."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from pipeline.review.access import COOKIE, LANGUAGE_COOKIE, ViewerForm, session_digest, settings_of, signed, speech_of, store_of
from pipeline.review.passwords import digest, is_right, new_token
from pipeline.review.rendering import page, see
from pipeline.settings import Section

router = APIRouter()


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


@router.get("/sign-in")
def sign_in_page(request: Request) -> HTMLResponse:
    """Ask who it is."""
    return page(request, "sign_in.html", SignInContext("", None))


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
        return page(request, "sign_in.html", SignInContext(form.name[:100], wrong), status=401)
    token = new_token()
    store.people.sign_in(
        account.person, token_digest=digest(token), form_token=new_token(), now=now, hours=params.session_hours
    )
    response = see("/queue")
    response.set_cookie(
        COOKIE, signed(token, settings.key), max_age=params.session_hours * 3600, httponly=True, secure=settings.secure,
        samesite="lax",
    )  # fmt: skip
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
