"""The application: routes put together, errors turned into clear pages, and headers that keep pages to themselves.

No page asks anything of another host, and the content policy would not let it: styles and the one script come from here, and
nothing inline runs. Errors say what happened and that nothing was kept; they never quote a text.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from pipeline.desks import Store
from pipeline.errors import DecisionError, ForgedFormError, NotAllowedError, NotSignedInError, PipelineError, StoreError
from pipeline.review import alert_pages, bulletin_pages, matter_pages, overview_pages, queue_pages, report_pages, sign_in_pages
from pipeline.review.access import Settings, speech_of
from pipeline.review.rendering import page

logger = logging.getLogger(__name__)
MOST_BYTES = 256 * 1024  # of a form; the longest reason and address have a few thousand characters
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True)
class ErrorContext:
    """What went wrong, and details a person can act on."""

    heading: str
    detail: str


def create_app(store: Store, settings: Settings) -> FastAPI:
    """Build the application on a store.

    Args:
        store: Where everything is kept.
        settings: What this deployment decided.
    """
    app = FastAPI(title="Dispute Triage", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store, app.state.settings = store, settings
    for pages in (sign_in_pages, queue_pages, report_pages, matter_pages, alert_pages, bulletin_pages, overview_pages):
        app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")), name="static")
    app.middleware("http")(_guard)
    app.add_exception_handler(PipelineError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_input)
    app.add_exception_handler(HTTPException, _explain_missing)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse oversized bodies and forms from elsewhere; give every answer its headers."""
    length = request.headers.get("content-length", "0")
    origin = request.headers.get("origin")
    posts = request.method not in ("GET", "HEAD")
    if posts and (not length.isdecimal() or int(length) > MOST_BYTES or "transfer-encoding" in request.headers):
        response: Response = _error(request, "error_input", "", 413)
    elif posts and origin is not None and origin.split("://")[-1] != request.headers.get("host"):
        response = _error(request, "error_form", "", 403)
    else:
        response = await call_next(request)
    response.headers.update(_HEADERS)
    if request.app.state.settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if not request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _error(request: Request, key: str, detail: str, status: int) -> HTMLResponse:
    return page(request, "error.html", ErrorContext(speech_of(request)(key), detail), status=status)


def _explain(request: Request, error: Exception) -> Response:
    if isinstance(error, NotSignedInError):
        return RedirectResponse("/sign-in", 303) if request.method == "GET" else _error(request, "error_session", "", 401)
    if isinstance(error, NotAllowedError):
        return _error(request, "error_forbidden", str(error), 403)
    if isinstance(error, ForgedFormError):
        return _error(request, "error_form", "", 403)
    if isinstance(error, DecisionError):
        return _error(request, "error_decision", str(error), 409)
    if isinstance(error, StoreError):
        logger.error("review: %s", error)
        return _error(request, "error_store", "", 503)
    raise error


def _explain_input(request: Request, error: Exception) -> Response:
    return _error(request, "error_input", "", 422)


def _explain_missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _error(request, "error_missing" if status == 404 else "error_input", "", status)
