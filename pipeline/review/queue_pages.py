"""The queue: what to read first, and the next report for whoever asks."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from pipeline.casework import STATUSES, Counts, Search
from pipeline.params import midnight
from pipeline.review.access import ReviewerForm, Viewer, Visit, share_draws
from pipeline.review.reading import Shown, show
from pipeline.review.rendering import Notice, notice_from, page, see
from pipeline.settings import Section

router = APIRouter()
LONGEST_WORDS = 100  # characters looked for; a longer search is cut, nobody types one
LAST_OFFSET = 100_000


class QueueQuery(Section):
    """The filter in the address; what is empty or not understood filters nothing."""

    area: str = ""
    category: str = ""
    lane: str = ""
    status: str = ""
    unit: str = ""
    words: str = ""
    since: str = ""
    before: str = ""
    waiting: str = ""
    offset: str = ""
    # what the last form did; read by `notice_from`
    decided: str = ""
    undone: str = ""
    released: str = ""
    nothing_left: str = ""
    batch: str = ""
    n: str = ""
    changed: str = ""


@dataclass(frozen=True)
class QueueContext:
    """The queue page."""

    rows: tuple[Shown, ...]
    n_matching: int
    counts: Counts
    query: QueueQuery
    areas: tuple[str, ...]
    lanes: tuple[str, ...]
    statuses: tuple[str, ...]
    previous: str | None
    following: str | None
    notice: Notice | None


@router.get("/")
def home(visit: Viewer) -> Response:
    """The day begins with the queue."""
    return see("/queue")


@router.get("/queue")
def queue(request: Request, visit: Viewer, query: Annotated[QueueQuery, Query()]) -> HTMLResponse:
    """Open reports in reading order."""
    search = _search(query, visit)
    found = visit.store.queue.search(search, now=visit.now)
    areas = visit.store.nights.areas()
    end = search.offset + search.limit
    context = QueueContext(
        rows=tuple(show(item, visit) for item in found.items),
        n_matching=found.n_matching,
        counts=visit.store.queue.counts(visit.person.areas, now=visit.now, since=visit.today),
        query=query,
        areas=tuple(area for area in areas if visit.person.may_see(area)),
        lanes=tuple(visit.store.nights.lanes()),
        statuses=STATUSES,
        previous=_address(query, max(search.offset - search.limit, 0)) if search.offset else None,
        following=_address(query, end) if end < found.n_matching else None,
        notice=notice_from(visit, request),
    )
    return page(request, "queue.html", context, visit)


@router.post("/next")
def take_next(visit: ReviewerForm) -> Response:
    """Hand the next report to whoever asks."""
    return next_for(visit)


def next_for(visit: Visit, **done: str | int | None) -> Response:
    """Go on to the next report, telling what the last form did; to the queue where nothing is left."""
    params, drawn = visit.settings.params, f"{visit.person.id}:{visit.now.isoformat()}"
    wants_known = share_draws(drawn, params.known_share, visit.settings.key, what="known")
    item = visit.store.queue.claim_next(visit.person, now=visit.now, minutes=params.claim_minutes, wants_known=wants_known)
    if item is None:
        return see("/queue", **(done or {"nothing_left": 1}))
    return see("/report", id=item.report_id, **done)


def _search(query: QueueQuery, visit: Visit) -> Search:
    offset = int(query.offset) if query.offset.isdecimal() and len(query.offset) < 8 else 0
    since, before = as_day(query.since), as_day(query.before)
    search = Search(
        areas=visit.person.areas,
        area=query.area or None,
        category=query.category or None,
        lane=query.lane or None,
        status=query.status if query.status in STATUSES else None,
        unit=query.unit or None,
        words=query.words.replace("\0", "").strip()[:LONGEST_WORDS] or None,
        only_selected=query.waiting != "1",
        offset=min(offset, LAST_OFFSET),
        limit=visit.settings.params.page_size,
    )
    zone = visit.settings.timezone
    return replace(
        search,
        received_from=None if since is None else midnight(since, zone),
        received_before=None if before is None else midnight(before, zone),
    )


def as_day(text: str) -> date | None:
    """A day somebody typed or an address names, or None."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 < day.year < 2200 else None


def _address(query: QueueQuery, offset: int) -> str:
    filters = query.model_dump(include={"area", "category", "lane", "status", "unit", "words", "since", "before", "waiting"})
    return "/queue?" + urlencode({name: value for name, value in filters.items() if value} | {"offset": offset})
