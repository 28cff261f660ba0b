"""Nights, the model as people's judgements show it, and the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pipeline.casework import Event, NightRecord
from pipeline.review.access import Lead, Viewer
from pipeline.review.estimates import Agreement, Recall, agreement, attention, recall_from_draw
from pipeline.review.rendering import page
from pipeline.review.trust import USUAL_NIGHTS, Card, card, mix_probability

router = APIRouter()
MOST_NIGHTS, MOST_EVENTS = 60, 200


@dataclass(frozen=True)
class NightRow:
    """A night with what its manifest says; None where it says nothing."""

    night: NightRecord
    n_new: Any
    n_rejected: Any
    n_open: Any
    n_selected: Any
    seconds: float
    mix_probability: float | None


@dataclass(frozen=True)
class NightsContext:
    """Did last night run, and how."""

    nights: tuple[NightRow, ...]
    is_late: bool


@dataclass(frozen=True)
class ModelContext:
    """The model in service, how well people agree, and what the audit draw says of what the model misses."""

    night: NightRecord | None
    agreement: Agreement | None
    recall: Recall | None
    attention: tuple[int, float] | None
    card: Card | None


@dataclass(frozen=True)
class LogContext:
    """The newest lines of the log."""

    events: tuple[Event, ...]


@router.get("/nights")
def nights(request: Request, visit: Viewer) -> HTMLResponse:
    """Published nights."""
    found = visit.store.nights.newest(limit=MOST_NIGHTS + USUAL_NIGHTS)
    today = visit.now.astimezone(visit.say.zone).date()
    is_late = bool(found) and found[0].as_of < today
    return page(request, "nights.html", NightsContext(_rows(found)[:MOST_NIGHTS], is_late), visit)


@router.get("/model")
def model(request: Request, visit: Viewer) -> HTMLResponse:
    """The model in service, judged by the people who work with it."""
    newest = visit.store.nights.newest(limit=1)
    context = ModelContext(
        night=newest[0] if newest else None,
        agreement=agreement(visit.store.judgements.pairs()),
        recall=recall_from_draw(visit.store.judgements.judged()),
        attention=attention(visit.store.judgements.checked()),
        card=card(newest[0] if newest else None),
    )
    return page(request, "model.html", context, visit)


@router.get("/log")
def log(request: Request, visit: Lead) -> HTMLResponse:
    """Who did what; for leads."""
    return page(
        request, "log.html", LogContext(tuple(visit.store.log.newest(limit=MOST_EVENTS, areas=visit.person.areas))), visit
    )


def _rows(nights: Sequence[NightRecord]) -> tuple[NightRow, ...]:
    return tuple(
        NightRow(
            night,
            n_new=night.manifest.get("n_new"),
            n_rejected=night.manifest.get("n_rejected"),
            n_open=night.manifest.get("n_open"),
            n_selected=night.manifest.get("n_selected"),
            seconds=_total(night.manifest.get("seconds")),
            mix_probability=mix_probability(night, nights[place + 1 :]),
        )
        for place, night in enumerate(nights)
    )


def _total(laps: object) -> float:
    return round(sum(float(lap) for lap in laps.values()), 1) if isinstance(laps, dict) else 0.0
