"""Matters: several reports about one thing, decided at once where that is right."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from pipeline.casework import Matter, Verdict
from pipeline.review.access import ReviewerForm, SessionForm, Viewer
from pipeline.review.charts import Bar, bars
from pipeline.review.reading import is_distressing
from pipeline.review.rendering import Notice, notice_from, page, see
from pipeline.review.report_pages import Past, verdict_unit

router = APIRouter()
MOST_REPORTS, MOST_MATTERS = 100, 100


class MatterForm(SessionForm):
    """One decision about a whole matter."""

    id: str
    action: Literal["hand_over", "mediated", "confirm", "false_alarm"]
    reason: str = ""
    unit: str = ""


@dataclass(frozen=True)
class MattersContext:
    """Matters with several reports."""

    matters: tuple[Matter, ...]
    notice: Notice | None


@dataclass(frozen=True)
class MatterContext:
    """One matter."""

    matter: Matter
    reports: tuple[Past, ...]
    bars: tuple[Bar, ...]
    can_decide: bool
    notice: Notice | None


@router.get("/matters")
def matters(request: Request, visit: Viewer) -> HTMLResponse:
    """Matters several reports are about."""
    found = visit.store.matters.growing(visit.person.areas, limit=MOST_MATTERS)
    return page(request, "matters.html", MattersContext(tuple(found), notice_from(visit, request)), visit)


@router.get("/matter")
def matter(request: Request, visit: Viewer, matter_id: Annotated[str, Query(alias="id")]) -> HTMLResponse:
    """One matter with its reports; the look is logged for each text shown."""
    matter_id = matter_id.replace("\0", "")[:220]
    found = visit.store.matters.get(matter_id, visit.person.areas)
    if found is None:
        raise HTTPException(404)
    reports = visit.store.matters.reports(matter_id, visit.person.areas, limit=MOST_REPORTS)
    detail = {"matter": matter_id, "reports": [one.report_id for one in reports]}
    visit.store.log.note("viewed_matter", at=visit.now, person=visit.person.id, detail=detail)
    context = MatterContext(
        matter=found,
        reports=tuple(Past(one, is_distressing(f"{one.title} {one.text}", visit.settings)) for one in reports),
        bars=bars([one.received_at.astimezone(visit.say.zone).date() for one in reports]),
        can_decide=visit.person.at_least("reviewer") and found.n_open > 0,
        notice=notice_from(visit, request),
    )
    return page(request, "matter.html", context, visit)


@router.post("/matter/decide")
def decide_matter(visit: ReviewerForm, form: Annotated[MatterForm, Form()]) -> Response:
    """One decision for every open report of a matter that nobody has in hand."""
    unit = verdict_unit(form.unit, visit) if form.action == "hand_over" else None
    verdict = Verdict(form.action, reason=form.reason.replace("\0", "")[:2000], unit=unit)
    done = visit.store.decisions.decide_matter(form.id.replace("\0", "")[:220], verdict, visit.person, now=visit.now)
    return see("/matter", id=form.id, decided=1, n=len(done.report_ids), batch=done.batch)
