"""What a reader is shown of a report, and what is kept back until they have judged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.casework import Item, PastReport
from pipeline.review.access import Settings, Visit, share_draws


@dataclass(frozen=True)
class Piece:
    """A stretch of text; `marked` where it raised the risk."""

    text: str
    marked: bool


@dataclass(frozen=True)
class Shown:
    """A report as one person sees it.

    Attributes:
        item: The report.
        blind: Whether score, reasons and earlier judgements are kept back.
        title: Pieces of the title.
        text: Pieces of the text; empty where retention removed it.
        removed: Whether retention removed it.
        distressing: Whether it is folded behind a warning.
        reasons: In words.
        is_late: Whether its answer is overdue.
        mine: Whether this person has it in hand.
        held: Whether anybody has.
    """

    item: Item
    blind: bool
    title: tuple[Piece, ...]
    text: tuple[Piece, ...]
    removed: bool
    distressing: bool
    reasons: tuple[str, ...]
    is_late: bool
    mine: bool
    held: bool


def show(item: Item, visit: Visit) -> Shown:
    """A report as the person asking sees it."""
    blind = is_blind(item, visit)
    evidence = [] if blind else [reason.evidence for reason in item.reasons if reason.kind == "words"]
    held = item.is_held(visit.now)
    return Shown(
        item=item,
        blind=blind,
        title=mark(item.title or item.report_id, evidence),
        text=mark(item.text or "", evidence),
        removed=item.text is None,
        distressing=is_distressing(f"{item.title or ''} {item.text or ''}", visit.settings),
        reasons=() if blind else tuple(_in_words(item, visit)),
        is_late=item.due_at <= visit.now and is_waiting(item, visit.now),
        mine=held and item.claimed_by == visit.person.id,
        held=held,
    )


def is_waiting(item: Item, now: datetime) -> bool:
    """Whether the report waits for a reader."""
    return item.status == "open" or (item.status == "snoozed" and item.snoozed_until is not None and item.snoozed_until <= now)


def is_blind(item: Item, visit: Visit) -> bool:
    """Whether this person must judge before seeing the score: as a second judge, or by the declared share."""
    if is_check(item, visit):
        return True
    if item.second_due:
        return item.first_by != visit.person.id
    settings = visit.settings
    return is_waiting(item, visit.now) and share_draws(item.report_id, settings.params.blind_share, settings.key, what="blind")


def is_check(item: Item, visit: Visit) -> bool:
    """Whether the person was handed a decided report again, unannounced, to see how attentively people read."""
    mine = item.claimed_by == visit.person.id and item.is_held(visit.now)
    return item.known and mine and item.status in ("confirmed", "false_alarm")


def is_open_to(item: Item, visit: Visit) -> bool:
    """Whether the person can judge the report: it waits, or waits for a second judge, or was handed out again."""
    second = item.second_due and item.first_by != visit.person.id
    free = not item.is_held(visit.now) or item.claimed_by == visit.person.id
    return free and (is_waiting(item, visit.now) or second or is_check(item, visit))


def is_distressing(text: str, settings: Settings) -> bool:
    """Whether a text holds a word that is folded behind a warning."""
    return any(word in text for word in settings.distressing)


def mark(text: str, evidence: Sequence[str]) -> tuple[Piece, ...]:
    """Cut a text where evidence stands in it; overlapping evidence is marked as one where the longer is found first."""
    known = sorted({one for one in evidence if one}, key=len, reverse=True)
    if not known or not text:
        return (Piece(text, False),) if text else ()
    parts = re.split("(" + "|".join(map(re.escape, known)) + ")", text)
    return tuple(Piece(part, place % 2 == 1) for place, part in enumerate(parts) if part)


def may_see(past: PastReport, visit: Visit) -> bool:
    """Whether an earlier report is of the person's areas."""
    return visit.person.may_see(past.area)


def _in_words(item: Item, visit: Visit) -> list[str]:
    keys = {"words": "reason_words", "history": "reason_history"}
    return [
        visit.say(keys[reason.kind], evidence=reason.evidence, effect=visit.say.percent(reason.effect))
        for reason in item.reasons
        if reason.kind in keys
    ]
