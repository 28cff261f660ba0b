"""One report: read it, decide, and go on to the next; and the way back."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response

from pipeline.casework import Action, Decision, Event, Item, Matter, PastReport, Verdict
from pipeline.errors import DecisionError
from pipeline.review.access import ReviewerForm, SessionForm, Viewer, Visit, share_draws
from pipeline.review.queue_pages import next_for
from pipeline.review.reading import Shown, is_blind, is_check, is_distressing, is_open_to, may_see, show
from pipeline.review.rendering import Notice, notice_from, page, see
from pipeline.schema import UNCLEAR

router = APIRouter()
SNOOZE_DAYS = (1, 3, 7, 14)
MOST_SHOWN = 30  # lines of history; the whole stands in the log


class ReportForm(SessionForm):
    """Which report a form is about."""

    id: str


class UndoForm(SessionForm):
    """Which decision is taken back."""

    batch: str


class DecideForm(ReportForm):
    """A verdict as filled in; what an action does not need is left aside."""

    action: Action
    category: str = ""
    other_category: str = ""
    reason: str = ""
    unit: str = ""
    days: Literal["", "1", "3", "7", "14"] = ""
    matter_id: str = ""
    version: str = ""


@dataclass(frozen=True)
class Past:
    """A similar earlier report; folded where it is distressing."""

    report: PastReport
    distressing: bool


@dataclass(frozen=True)
class ReportContext:
    """The report page; a blind reader gets neither scores nor what others said."""

    shown: Shown
    can_decide: bool
    choices: tuple[str, ...]
    matter: Matter | None
    similar: tuple[Past, ...]
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]
    snooze_days: tuple[int, ...]
    notice: Notice | None


@router.get("/report")
def report(request: Request, visit: Viewer, report_id: Annotated[str, Query(alias="id")]) -> HTMLResponse:
    """Show one report; every look at a text is logged."""
    item = _seen(report_id, visit)
    shown = show(item, visit)
    past = [] if shown.blind else [one for one in visit.store.queue.past(item.similar) if may_see(one, visit)]
    detail = {"similar": [one.report_id for one in past]}
    visit.store.log.note("viewed", at=visit.now, person=visit.person.id, report_id=item.report_id, detail=detail)
    judged, logged = visit.store.judgements.of_report(report_id), visit.store.log.of_report(report_id, limit=MOST_SHOWN)
    context = ReportContext(
        shown=shown,
        can_decide=visit.person.at_least("reviewer") and is_open_to(item, visit),
        choices=_choices(item, visit, blind=shown.blind),
        matter=visit.store.matters.get(item.matter_id, visit.person.areas),
        similar=tuple(Past(one, is_distressing(f"{one.title} {one.text}", visit.settings)) for one in past),
        decisions=() if shown.blind else tuple(judged),
        events=() if shown.blind else tuple(logged),
        snooze_days=SNOOZE_DAYS,
        notice=notice_from(visit, request),
    )
    return page(request, "report.html", context, visit)


@router.post("/report/take")
def take(visit: ReviewerForm, form: Annotated[ReportForm, Form()]) -> Response:
    """Take one report in hand."""
    item = visit.store.queue.claim(form.id, visit.person, now=visit.now, minutes=visit.settings.params.claim_minutes)
    if item is None:
        raise HTTPException(404)
    return see("/report", id=form.id)


@router.post("/report/release")
def release(visit: ReviewerForm, form: Annotated[ReportForm, Form()]) -> Response:
    """Let go of a report."""
    visit.store.queue.release(form.id, visit.person, now=visit.now)
    return see("/queue", released=1)


@router.post("/report/decide")
def decide(visit: ReviewerForm, form: Annotated[DecideForm, Form()]) -> Response:
    """Keep a decision and go on: to the next report, or back to this one where it stays open."""
    item = _seen(form.id, visit)
    verdict = _verdict(form, item, visit)
    params, key = visit.settings.params, visit.settings.key
    done = visit.store.decisions.decide(
        form.id, verdict, visit.person, now=visit.now,
        wants_second=share_draws(form.id, params.second_share, key, what="second"),
    )  # fmt: skip
    said: dict[str, str | int | None] = {"decided": 1, "batch": done.batch, "changed": 1 if done.scores_changed else None}
    if form.action in ("recategorize", "merge", "split") and not is_check(item, visit):
        return see("/report", id=form.id, **said)
    return next_for(visit, **said)


@router.post("/undo")
def undo(visit: ReviewerForm, form: Annotated[UndoForm, Form()]) -> Response:
    """Take a decision back."""
    back = visit.store.decisions.undo(form.batch[:32], visit.person, now=visit.now)
    return see("/report", id=back[0], undone=1) if len(back) == 1 else see("/queue", undone=1, n=len(back))


def verdict_unit(unit: str, visit: Visit) -> str | None:
    """A unit of the taxonomy.

    Raises:
        DecisionError: If it is none.
    """
    if unit and unit not in visit.settings.taxonomy.units:
        raise DecisionError(f"There is no unit '{unit[:50]}'. Choose one of the list.")
    return unit or None


def _verdict(form: DecideForm, item: Item, visit: Visit) -> Verdict:
    category = form.other_category or form.category or None
    if category is not None and category not in visit.settings.taxonomy.ids:
        raise DecisionError(f"There is no category '{category[:50]}'. Choose one of the list.")
    if form.action == "recategorize" and category == item.category:
        raise DecisionError("That is its category already. Choose another.")
    if category is None and item.lane == UNCLEAR and form.action in ("confirm", "hand_over", "mediated"):
        raise DecisionError("The model could not tell this report's category. Choose it first.")
    corrected = category is not None and category != item.category
    unit = verdict_unit(form.unit, visit) if form.action == "hand_over" else None
    if unit is None and corrected and category is not None and form.action != "hand_over":
        unit = visit.settings.taxonomy[category].unit
    return Verdict(
        action=form.action,
        category=category,
        reason=form.reason.replace("\0", "")[:2000],
        unit=unit,
        until=visit.in_days(int(form.days)) if form.action == "snooze" and form.days else None,
        matter_id=form.matter_id.strip()[:220] or None if form.action == "merge" else None,
        blind=is_blind(item, visit),
        seen_version=int(form.version) if form.version.isdecimal() and len(form.version) < 9 else None,
    )


def _seen(report_id: str, visit: Visit) -> Item:
    """A report of the person's areas.

    Raises:
        HTTPException: 404 where there is none, whether it does not exist or is not theirs.
    """
    item = visit.store.queue.get(report_id.replace("\0", "")[:200])
    if item is None or not visit.person.may_see(item.area):
        raise HTTPException(404)
    return item


def _choices(item: Item, visit: Visit, *, blind: bool) -> tuple[str, ...]:
    """Categories under the keys 1 to 5: the likeliest and the others of its set; a blind reader gets the taxonomy's first."""
    if blind:
        return visit.settings.taxonomy.ids[:5]
    known = dict.fromkeys((item.category, *item.category_set))
    return tuple(name for name in known if name in visit.settings.taxonomy.ids)[:5]
