"""The bulletin as a page, and as files to take along."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from pipeline.period import BulletinForm
from pipeline.review.access import Viewer, Visit
from pipeline.review.queue_pages import as_day
from pipeline.review.rendering import page
from pipeline.settings import Section

router = APIRouter()
_KINDS: dict[BulletinForm, str] = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class BulletinQuery(Section):
    """The period asked for; what is not a day is this month so far."""

    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class BulletinContext:
    """A period; `fragment` is HTML the bulletin room made and escaped."""

    first: date
    last: date
    fragment: str
    forms: tuple[str, ...]


@router.get("/bulletin")
def bulletin(request: Request, visit: Viewer, query: Annotated[BulletinQuery, Query()]) -> HTMLResponse:
    """What happened in a period, of the person's areas."""
    first, last = _days(query, visit)
    fragment = _write(visit, first, last, "fragment").decode("utf-8")
    return page(request, "bulletin.html", BulletinContext(first, last, fragment, tuple(_KINDS)), visit)


@router.get("/bulletin.{form}")
def bulletin_file(visit: Viewer, form: BulletinForm, query: Annotated[BulletinQuery, Query()]) -> Response:
    """The same as a file; taking it along is logged."""
    if form not in _KINDS:
        raise HTTPException(404)
    first, last = _days(query, visit)
    content = _write(visit, first, last, form)
    detail = {"first": first.isoformat(), "last": last.isoformat(), "form": form}
    visit.store.log.note("bulletin_taken", at=visit.now, person=visit.person.id, detail=detail)
    name = f"bulletin-{first}-{last}.{form}"
    return Response(content, media_type=_KINDS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _write(visit: Visit, first: date, last: date, form: BulletinForm) -> bytes:
    if visit.settings.bulletin is None:
        raise HTTPException(404)
    return visit.settings.bulletin(first, last, visit.person.areas, visit.say.language, form)


def _days(query: BulletinQuery, visit: Visit) -> tuple[date, date]:
    today = visit.now.astimezone(visit.say.zone).date()
    last = as_day(query.last) or today
    first = as_day(query.first) or last.replace(day=1)
    return min(first, last), last
