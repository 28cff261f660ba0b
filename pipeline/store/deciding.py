"""Decisions: what a reviewer concluded, one report or a whole matter at a time, and the way back.

A decision is a row that is never changed; an undo is another row. Two people deciding at once: the row of the report is
locked, the second one finds it in the other's hands and is told so with nothing lost. A second, blind judgement is kept beside
the first and changes nothing: it is there to measure how well people agree.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, true
from sqlalchemy.orm import Session, aliased

from pipeline.casework import CLOSING, NEEDS_REASON, Decided, Person, Verdict
from pipeline.errors import DecisionError
from pipeline.store import log
from pipeline.store.database import Database
from pipeline.store.matters import recount
from pipeline.store.queue import IS_OPEN, in_scope, wake
from pipeline.store.tables import DecisionRow, ItemRow, ReportRow, UserRow


class Decisions:
    """The desk that takes decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decide(self, report_id: str, verdict: Verdict, person: Person, *, now: datetime, wants_second: bool) -> Decided:
        """Keep a decision about one report.

        Args:
            report_id: The report.
            verdict: What was concluded.
            person: Who concluded it.
            now: Instant of deciding, aware.
            wants_second: Whether somebody else shall judge the report too, without seeing this.

        Raises:
            DecisionError: If the report is unknown or not this person's business, in somebody else's hands, decided already,
                or the verdict lacks what its action needs; nothing is kept.
        """
        _refuse_incomplete(verdict)
        batch = uuid4().hex
        with self._database.writing() as session:
            row = _held(session, report_id, person, now)
            if row.second_due and row.first_by != person.id:
                _keep_second(session, row, verdict, person, now, batch)
                return Decided((report_id,), batch)
            if _is_check(row, person, now):
                _keep(session, row, verdict, person, now, batch, before={}, second=True, known=True)
                row.claimed_by = row.claimed_until = None
                return Decided((report_id,), batch)
            if not _is_open_row(row, now):
                raise DecisionError(f"{report_id} was decided already ({row.status}). Nothing was changed; undo that first.")
            changed = verdict.seen_version is not None and verdict.seen_version != row.version
            _apply(session, row, verdict, person, now, batch)
            row.second_due = wants_second and verdict.action in ("confirm", "false_alarm")
            row.first_by = person.id
            return Decided((report_id,), batch, scores_changed=changed)

    def decide_matter(self, matter_id: str, verdict: Verdict, person: Person, *, now: datetime) -> Decided:
        """Keep one decision about every open report of a matter that nobody else has in hand.

        Raises:
            DecisionError: If none is open and free, or the verdict lacks something or does not suit several reports.
        """
        _refuse_incomplete(verdict)
        if verdict.action in ("merge", "split"):
            raise DecisionError("Joining and parting is done report by report. Open the report.")
        batch = uuid4().hex
        with self._database.writing() as session:
            wake(session, now)
            query = (
                select(ItemRow)
                .join(ReportRow, ReportRow.report_id == ItemRow.report_id)
                .where(ReportRow.matter_id == matter_id, IS_OPEN, in_scope(person.areas))
                .order_by(ItemRow.report_id)
                .with_for_update(of=ItemRow)
            )
            rows = [row for row in session.scalars(query) if not _is_held(row, person, now)]
            if not rows:
                raise DecisionError(f"No report of {matter_id} is open and free. Somebody may have decided it meanwhile.")
            for row in rows:
                _apply(session, row, verdict, person, now, batch)
            return Decided(tuple(row.report_id for row in rows), batch)

    def undo(self, batch: str, person: Person, *, now: datetime) -> tuple[str, ...]:
        """Take back what one decision, single or in bulk, did; reports decided anew since are left alone.

        Returns:
            Ids of the reports put back.

        Raises:
            DecisionError: If there is nothing to take back, or it is somebody else's decision and the person no lead.
        """
        undone = aliased(DecisionRow)
        query = (
            select(DecisionRow)
            .outerjoin(undone, undone.undoes == DecisionRow.id)
            .where(DecisionRow.batch == batch, DecisionRow.undoes.is_(None), undone.id.is_(None), ~DecisionRow.second)
            .order_by(DecisionRow.id)
        )
        with self._database.writing() as session:
            rows = session.scalars(query).all()
            if not rows:
                raise DecisionError("There is nothing left to take back.")
            if any(row.user_id != person.id for row in rows) and not person.at_least("lead"):
                raise DecisionError("Only the person who decided, or a lead, can take a decision back.")
            back = [row.report_id for row in rows if _take_back(session, row, person, now)]
        if not back:
            raise DecisionError("These reports were decided anew since. Undo the newer decision first.")
        return tuple(back)


def _refuse_incomplete(verdict: Verdict) -> None:
    if verdict.action in NEEDS_REASON and not verdict.reason.strip():
        raise DecisionError(f"'{verdict.action}' needs a reason. Write it in a few words.")
    needed = {"recategorize": "category", "merge": "matter_id", "hand_over": "unit", "snooze": "until"}.get(verdict.action)
    if needed is not None and getattr(verdict, needed) is None:
        raise DecisionError(f"'{verdict.action}' needs '{needed}'. Choose one.")


def _is_open_row(row: ItemRow, now: datetime) -> bool:
    return row.status == "open" or (row.status == "snoozed" and row.snoozed_until is not None and row.snoozed_until <= now)


def _is_check(row: ItemRow, person: Person, now: datetime) -> bool:
    """Whether the person was handed a decided report again, to see how attentively people read."""
    mine = row.claimed_by == person.id and row.claimed_until is not None and row.claimed_until > now
    return row.known and mine and row.status in ("confirmed", "false_alarm")


def _is_held(row: ItemRow, person: Person, now: datetime) -> bool:
    """Whether somebody else has the report in hand."""
    return row.claimed_by not in (None, person.id) and row.claimed_until is not None and row.claimed_until > now


def _held(session: Session, report_id: str, person: Person, now: datetime) -> ItemRow:
    query = select(ItemRow).where(ItemRow.report_id == report_id, in_scope(person.areas)).with_for_update()
    row = session.scalars(query).first()
    if row is None:
        raise DecisionError(f"There is no report {report_id} in your queue. It may be another area's.")
    if _is_held(row, person, now):
        name = session.scalar(select(UserRow.name).where(UserRow.id == row.claimed_by))
        raise DecisionError(f"{name} has {report_id} in hand. Nothing was changed; take the next report.")
    return row


def _apply(session: Session, row: ItemRow, verdict: Verdict, person: Person, now: datetime, batch: str) -> None:
    """Keep the decision and bring the report where it says."""
    report = session.get_one(ReportRow, row.report_id)
    before = {
        "status": row.status, "category": row.category, "unit": row.unit, "matter_id": report.matter_id,
        "snoozed_until": row.snoozed_until.isoformat() if row.snoozed_until else None, "second_due": row.second_due,
    }  # fmt: skip
    row.category = verdict.category or row.category
    row.unit = verdict.unit or row.unit
    if verdict.action in ("merge", "split"):
        _move(session, report, verdict.matter_id if verdict.action == "merge" else f"m-{row.report_id}", person)
    closing = CLOSING.get(verdict.action)
    if closing is not None:
        row.status, row.claimed_by, row.claimed_until = closing, None, None
    row.snoozed_until = verdict.until if verdict.action == "snooze" else None
    row.version += 1
    _keep(session, row, verdict, person, now, batch, before=before, second=False)


def _keep(
    session: Session, row: ItemRow, verdict: Verdict, person: Person, now: datetime, batch: str,
    *, before: dict[str, Any], second: bool, known: bool = False,
) -> None:  # fmt: skip
    shown = ("risk", "risk_low", "risk_high", "predicted", "model", "propensity", "selected", "lane", "version")
    session.add(
        DecisionRow(
            report_id=row.report_id, user_id=person.id, at=now, action=verdict.action,
            category=verdict.category or row.category, reason=verdict.reason.strip(), unit=verdict.unit, until=verdict.until,
            matter_id=session.get_one(ReportRow, row.report_id).matter_id, second=second, known=known, blind=verdict.blind,
            batch=batch, before=before, shown={**{name: getattr(row, name) for name in shown}, "as_of": row.as_of.isoformat()},
        )
    )  # fmt: skip
    detail = {name: value for name, value in asdict(verdict).items() if value is not None and name not in ("reason", "until")}
    log.write(session, "decided", at=now, person=person.id, report_id=row.report_id, detail={**detail, "batch": batch})


def _keep_second(session: Session, row: ItemRow, verdict: Verdict, person: Person, now: datetime, batch: str) -> None:
    if verdict.action not in ("confirm", "false_alarm"):
        raise DecisionError("A second judgement says whether the report needs attention, and its category; nothing else.")
    _keep(session, row, verdict, person, now, batch, before={}, second=True)
    row.second_due, row.claimed_by, row.claimed_until = False, None, None
    row.known = CLOSING[verdict.action] == row.status


def _move(session: Session, report: ReportRow, matter_id: str | None, person: Person) -> None:
    """Put a report into another matter, for good: no later night moves it back."""
    if matter_id is None or matter_id == report.matter_id:
        raise DecisionError(f"{report.report_id} is in that matter already. Choose another.")
    areas = true() if person.areas is None else ReportRow.area.in_(person.areas) | ReportRow.area.is_(None)
    known = session.scalar(select(ReportRow.report_id).where(ReportRow.matter_id == matter_id, areas).limit(1))
    if known is None and matter_id != f"m-{report.report_id}":
        raise DecisionError(f"There is no matter {matter_id}. Copy its name from its page.")
    left = report.matter_id
    report.matter_id, report.matter_by_person = matter_id, True
    session.flush()
    recount(session, (left, matter_id))


def _take_back(session: Session, decision: DecisionRow, person: Person, now: datetime) -> bool:
    """Put one report back where it stood, unless something was decided of it since."""
    row = session.scalars(select(ItemRow).where(ItemRow.report_id == decision.report_id).with_for_update()).one()
    later = select(DecisionRow.id).where(
        DecisionRow.report_id == decision.report_id, DecisionRow.id > decision.id, ~DecisionRow.second
    )
    undone = select(DecisionRow.undoes).where(DecisionRow.report_id == decision.report_id, DecisionRow.undoes.is_not(None))
    if session.scalar(later.where(DecisionRow.undoes.is_(None), DecisionRow.id.not_in(undone)).limit(1)) is not None:
        return False
    before = decision.before
    until = before["snoozed_until"]
    row.status, row.category, row.unit = before["status"], before["category"], before["unit"]
    row.snoozed_until = datetime.fromisoformat(until) if until else None
    row.known = False
    row.second_due, row.version = bool(before["second_due"]), row.version + 1
    report = session.get_one(ReportRow, row.report_id)
    if report.matter_id != before["matter_id"]:
        left, report.matter_id = report.matter_id, before["matter_id"]
        session.flush()
        recount(session, (left, report.matter_id))
    session.add(
        DecisionRow(
            report_id=row.report_id, user_id=person.id, at=now, action="undo", category=row.category, reason="", unit=None,
            until=None, matter_id=report.matter_id, second=False, blind=False, batch=decision.batch, undoes=decision.id,
            before={}, shown={},
        )
    )  # fmt: skip
    log.write(session, "undone", at=now, person=person.id, report_id=row.report_id, detail={"decision": decision.id})
    return True
