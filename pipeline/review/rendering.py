"""Contexts into pages: the template engine, and answers after a form."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.review.access import Visit, speech_of
from pipeline.review.wording import Speech

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Notice:
    """What the last form did, said on the page that follows; `batch` can be undone."""

    text: str
    batch: str | None = None


def page(request: Request, name: str, context: object, visit: Visit | None = None, *, status: int = 200) -> HTMLResponse:
    """Render a template.

    Args:
        request: Whose answer this is.
        name: The template's file name.
        context: A frozen dataclass; its fields are the template's names.
        visit: The signed-in person's request, or None on pages for nobody in particular.
        status: HTTP status.
    """
    given: dict[str, Any] = {field.name: getattr(context, field.name) for field in fields(context)}  # type: ignore[arg-type]
    say: Speech = visit.say if visit is not None else speech_of(request)
    own = {"say": say, "visit": visit, "path": request.url.path, "notice": given.pop("notice", None)}
    return HTMLResponse(_TEMPLATES.get_template(name).render(own | given), status_code=status)


def see(path: str, **query: str | int | None) -> RedirectResponse:
    """Send the browser on after a form, so that reloading sends nothing twice."""
    kept = {name: value for name, value in query.items() if value is not None}
    return RedirectResponse(f"{path}?{urlencode(kept)}" if kept else path, status_code=303)


def notice_from(visit: Visit, request: Request) -> Notice | None:
    """What the address says the last form did; numbers and known keys only, so that no link can put words on a page."""
    query = request.query_params
    batch = query.get("batch", "")
    n_done = query.get("n", "1")
    values = {"n": int(n_done) if n_done.isdecimal() and len(n_done) < 7 else 1}
    for key in ("decided", "undone", "released", "nothing_left"):
        if key in query:
            text = visit.say(key, **values)
            if "changed" in query:
                text = f"{text} {visit.say('scores_changed')}"
            return Notice(text, batch if key == "decided" and batch.isalnum() else None)
    return None
