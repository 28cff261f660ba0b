"""Alerts: what is emerging, with the counts that say so, and where each stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from pipeline.casework import Alert, PastReport
from pipeline.params import midnight
from pipeline.review.access import ReviewerForm, SessionForm, Viewer, Visit
from pipeline.review.charts import CHART_DAYS, Chart, chart
from pipeline.review.reading import may_see
from pipeline.review.rendering import page, see

router = APIRouter()
MOST_ALERTS, MOST_CHARTS, MOST_EXAMPLES = 100, 20, 5  # further alerts are listed without a chart


class AlertForm(SessionForm):
    """Where an alert stands."""

    id: str
    status: str


@dataclass(frozen=True)
class ShownAlert:
    """An alert with its chart, examples by title, and its figures that are plain numbers."""

    alert: Alert
    chart: Chart | None
    examples: tuple[PastReport, ...]
    terms: tuple[str, ...]
    figures: Mapping[str, str]


@dataclass(frozen=True)
class AlertsContext:
    """What is emerging."""

    alerts: tuple[ShownAlert, ...]
    can_decide: bool


@router.get("/alerts")
def alerts(request: Request, visit: Viewer) -> HTMLResponse:
    """What is emerging, open alerts first."""
    found = visit.store.matters.alerts(visit.person.areas, limit=MOST_ALERTS)
    shown = tuple(_shown(alert, visit, draws=place < MOST_CHARTS) for place, alert in enumerate(found))
    return page(request, "alerts.html", AlertsContext(shown, visit.person.at_least("reviewer")), visit)


@router.post("/alerts/settle")
def settle(visit: ReviewerForm, form: Annotated[AlertForm, Form()]) -> Response:
    """Say of an alert that it is seen to, or over."""
    visit.store.matters.settle(form.id.replace("\0", "")[:200], visit.person, status=form.status, now=visit.now)
    return see("/alerts")


def _shown(alert: Alert, visit: Visit, *, draws: bool) -> ShownAlert:
    evidence = alert.evidence
    given, terms = evidence.get("report_ids"), evidence.get("terms")
    ids = [str(one) for one in given][:MOST_EXAMPLES] if isinstance(given, list) else []
    examples = tuple(one for one in visit.store.queue.past(ids) if may_see(one, visit)) if draws else ()
    return ShownAlert(
        alert=alert,
        chart=_chart(alert, visit) if draws else None,
        examples=examples,
        terms=tuple(str(one) for one in terms) if isinstance(terms, list) else (),
        figures=_figures(evidence, visit),
    )


def _figures(evidence: Mapping[str, object], visit: Visit) -> dict[str, str]:
    """The counts in words; what an alert does not say is left out."""
    n, expected, low, high = (_number(evidence, name) for name in ("n_reports", "expected", "low", "high"))
    said = {}
    if n is not None:
        said["alert_reports"] = visit.say("alert_in_days", n=int(n), days=int(_number(evidence, "window_days") or 1))
    if expected is not None:
        said["alert_expected"] = f"{expected:.1f}" + (
            f" ({low:.0f}–{high:.0f})" if low is not None and high is not None else ""
        )
    people, confidence = _number(evidence, "n_reporters"), _number(evidence, "confidence")
    if people is not None:
        said["alert_people"] = str(int(people))
    if confidence is not None:
        said["alert_confidence"] = visit.say.percent(confidence)
    return said


def _chart(alert: Alert, visit: Visit) -> Chart | None:
    """Counts of what the alert is about; None for what has neither area nor category nor matter to count by."""
    of_matter = alert.kind != "surge" and alert.matter_id is not None
    area, category, matter = (None, None, alert.matter_id) if of_matter else (alert.area, alert.category, None)
    if area is None and category is None and matter is None and alert.kind != "surge":
        return None
    zone = visit.settings.timezone
    window_days = min(max(int(_number(alert.evidence, "window_days") or 1), 1), CHART_DAYS)
    since = alert.last_day - timedelta(days=CHART_DAYS + window_days - 2)
    instants = visit.store.figures.arrivals(
        visit.person.areas, area=area, category=category, matter_id=matter,
        since=midnight(since, zone), before=midnight(alert.last_day + timedelta(days=1), zone),
    )  # fmt: skip
    low, high = _number(alert.evidence, "low"), _number(alert.evidence, "high")
    return chart(
        [one.astimezone(visit.say.zone).date() for one in instants],
        last=alert.last_day,
        first_seen=alert.first_day,
        window_days=window_days,
        band=(low, high) if low is not None and high is not None else None,
        expected=_number(alert.evidence, "expected"),
    )


def _number(evidence: Mapping[str, object], name: str) -> float | None:
    value = evidence.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
