"""Reading the queue, and handing each report to one person.

A claim is atomic: on PostgreSQL the row is chosen with FOR UPDATE SKIP LOCKED, so that reviewers never wait for each other and
never get the same row (https://www.postgresql.org/docs/current/sql-select.html); on SQLite writers queue up anyway. A claim
ends by decision, by letting go, or by time.

Measured by tests/bench/test_review.py on 2 idle cores, 100,000 open reports, 95th percentile on SQLite and PostgreSQL: the
queue page 28 and 66 ms, with area and category chosen 38 and 81 ms, a search 61 and 97 ms, the report page 13 and 18 ms. In
a minute 50 reviewers on PostgreSQL claimed and decided 5,142 reports, 5 on SQLite 11,597; none twice, none lost.

Limit: a search for a word of many reports within one area takes 105 and 202 ms.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true, update
from sqlalchemy.orm import Session

from pipeline.casework import Counts, Found, Item, PastReport, Person, Reason, Search
from pipeline.store import log, words
from pipeline.store.database import Database
from pipeline.store.tables import DecisionRow, ItemRow, OutcomeRow, ReportRow, UserRow

MOST_COUNTED = 1000  # nobody pages further, and counting 100,000 would take longer than showing fifty


_TURN = (ItemRow.turn, ItemRow.received_at, ItemRow.report_id)  # as the indexes have it

IS_OPEN = ItemRow.status == "open"
"""Reports waiting for a reader; `wake` has opened again what was put off until now."""


def in_scope(areas: Sequence[str] | None) -> ColumnElement[bool]:
    """Reports of some areas and those without one; None is every area."""
    return true() if areas is None else or_(ItemRow.area.in_(areas), ItemRow.area.is_(None))


def is_free(person_id: int, now: datetime) -> ColumnElement[bool]:
    """Reports nobody else has in hand."""
    return or_(ItemRow.claimed_by.is_(None), ItemRow.claimed_until <= now, ItemRow.claimed_by == person_id)


class Queue:
    """The desk for open reports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, search: Search, *, now: datetime) -> Found:
        """One page of matching reports in reading order, and how many match, counted up to `MOST_COUNTED`."""
        self._wake(now)
        with self._database.reading() as session:
            conditions = [*_conditions(search), *_words(session, search)]
            matching = select(ItemRow.report_id).where(*conditions)
            if search.words:
                matching = matching.join(ReportRow, ReportRow.report_id == ItemRow.report_id)
            counted = select(func.count()).select_from(matching.limit(MOST_COUNTED).subquery())
            page = _read().where(*conditions).order_by(*_TURN)
            rows = session.execute(page.offset(search.offset).limit(search.limit)).all()
            is_last = len(rows) < search.limit and (len(rows) > 0 or search.offset == 0)
            n_matching = search.offset + len(rows) if is_last else session.scalar(counted) or 0
            return Found(tuple(_item(*row) for row in rows), n_matching)

    def get(self, report_id: str) -> Item | None:
        """A report in the queue, or None."""
        with self._database.reading() as session:
            return read_item(session, report_id)

    def of_matter(self, matter_id: str, *, limit: int) -> Sequence[Item]:
        """Queue items of a matter, newest first."""
        query = _read().where(ReportRow.matter_id == matter_id).order_by(ReportRow.received_at.desc()).limit(limit)
        with self._database.reading() as session:
            return [_item(*row) for row in session.execute(query)]

    def past(self, report_ids: Sequence[str]) -> Sequence[PastReport]:
        """Earlier reports with what happened to them, in the order asked for; unknown ids are left out."""
        with self._database.reading() as session:
            found = {past.report_id: past for past in read_past(session, PAST.where(ReportRow.report_id.in_(report_ids)))}
        return [found[name] for name in report_ids if name in found]

    def counts(self, areas: Sequence[str] | None, *, now: datetime, since: datetime) -> Counts:
        """What is left to do and what was done since an instant, within a scope."""
        waiting = [IS_OPEN, in_scope(areas)]
        asked = [*waiting, ItemRow.asked == true()]
        self._wake(now)
        with self._database.reading() as session:
            decided = select(func.count(DecisionRow.id)).join(ItemRow, ItemRow.report_id == DecisionRow.report_id)
            return Counts(
                n_to_read=_count(session, asked),
                n_late=_count(session, [*asked, ItemRow.due_at <= now]),
                n_waiting=_count(session, [*waiting, ItemRow.asked == false()]),
                n_decided_today=session.scalar(decided.where(DecisionRow.at >= since, in_scope(areas))) or 0,
            )

    def claim_next(self, person: Person, *, now: datetime, minutes: int, wants_known: bool = False) -> Item | None:
        """Hand the person the next report; the one they still hold, if they hold one.

        Second, blind judgements that are due come first and go to somebody other than the first judge.

        Args:
            person: Who asks; gets reports of their areas only.
            now: Instant of asking, aware.
            minutes: How long the report is theirs.
            wants_known: Whether a report that two others judged alike comes first, if there is one this person never judged.

        Returns:
            The report, or None when nothing is left to read.
        """
        mine = and_(ItemRow.claimed_by == person.id, ItemRow.claimed_until > now)
        second = and_(ItemRow.second_due, ItemRow.first_by != person.id, is_free(person.id, now))
        first = and_(IS_OPEN, ItemRow.asked == true(), is_free(person.id, now))
        judged = exists().where(DecisionRow.report_id == ItemRow.report_id, DecisionRow.user_id == person.id)
        known = and_(ItemRow.known, ItemRow.asked == true(), is_free(person.id, now), ~judged)
        with self._database.writing() as session:
            wake(session, now)
            for condition in (mine, known, second, first) if wants_known else (mine, second, first):
                row = session.scalars(_next(condition, person)).first()
                if row is not None:
                    _claim(session, row, person, now, minutes)
                    session.flush()
                    return read_item(session, row.report_id)
        return None

    def claim(self, report_id: str, person: Person, *, now: datetime, minutes: int) -> Item | None:
        """Hand the person one report they chose, if nobody else has it; the report as it now is, or None if unknown."""
        with self._database.writing() as session:
            query = select(ItemRow).where(ItemRow.report_id == report_id, in_scope(person.areas)).with_for_update()
            row = session.scalars(query).first()
            if row is None:
                return None
            held = row.claimed_by is not None and row.claimed_by != person.id and (row.claimed_until or now) > now
            if not held:
                _claim(session, row, person, now, minutes)
                session.flush()
            return read_item(session, report_id)

    def _wake(self, now: datetime) -> None:
        """Open what was put off until now, if there is any; so that reading alone does not ask for the right to write."""
        with self._database.reading() as session:
            due = session.scalar(select(ItemRow.report_id).where(_is_due(now)).limit(1))
        if due is not None:
            with self._database.writing() as session:
                wake(session, now)

    def release(self, report_id: str, person: Person, *, now: datetime) -> None:
        """Let go of a report, so that somebody else gets it."""
        with self._database.writing() as session:
            row = session.get(ItemRow, report_id, with_for_update=True)
            if row is not None and row.claimed_by == person.id:
                row.claimed_by = row.claimed_until = None
                log.write(session, "released", at=now, person=person.id, report_id=report_id)


def wake(session: Session, now: datetime) -> None:
    """Open what was put off until an instant that has passed, and say so in the log."""
    woken = session.scalars(
        update(ItemRow)
        .where(_is_due(now))
        .values(status="open", snoozed_until=None, version=ItemRow.version + 1)
        .returning(ItemRow.report_id)
    )
    for report_id in woken.all():
        log.write(session, "woken", at=now, report_id=report_id)


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(ItemRow.status == "snoozed", ItemRow.snoozed_until <= now)


def read_item(session: Session, report_id: str) -> Item | None:
    """A report in the queue, inside a transaction."""
    row = session.execute(_read().where(ItemRow.report_id == report_id)).first()
    return None if row is None else _item(*row)


PAST = select(ReportRow, ItemRow.status).outerjoin(ItemRow, ItemRow.report_id == ReportRow.report_id)


def read_past(session: Session, query: Select[ReportRow, str | None]) -> Sequence[PastReport]:
    """Reports with where each stands and what was recorded of it; `query` is `PAST` with conditions and an order."""
    rows = session.execute(query).all()
    recorded = select(OutcomeRow.report_id, OutcomeRow.outcome).where(
        OutcomeRow.report_id.in_([row.report_id for row, _ in rows])
    )
    outcomes: dict[str, set[str]] = {}
    for report_id, outcome in session.execute(recorded):
        outcomes.setdefault(report_id, set()).add(outcome)
    return [
        PastReport(
            row.report_id, row.received_at, row.title, row.text, row.area, status,
            tuple(sorted(outcomes.get(row.report_id, ()))),
        )
        for row, status in rows
    ]  # fmt: skip


def _claim(session: Session, row: ItemRow, person: Person, now: datetime, minutes: int) -> None:
    if row.claimed_by != person.id:
        log.write(session, "claimed", at=now, person=person.id, report_id=row.report_id)
    row.claimed_by, row.claimed_until = person.id, now + timedelta(minutes=minutes)


def _next(condition: ColumnElement[bool], person: Person) -> Select[ItemRow]:
    return select(ItemRow).where(condition, in_scope(person.areas)).order_by(*_TURN).limit(1).with_for_update(skip_locked=True)


def _count(session: Session, conditions: Sequence[Any]) -> int:
    return session.scalar(select(func.count(ItemRow.status)).where(*conditions)) or 0


def _conditions(search: Search) -> list[Any]:
    given: list[Any] = [in_scope(search.areas)]
    for column, wanted in (
        (ItemRow.area, search.area),
        (ItemRow.category, search.category),
        (ItemRow.lane, search.lane),
        (ItemRow.unit, search.unit),
    ):
        if wanted is not None:
            given.append(column == wanted)
    if search.status is None or search.status == "open":
        given.append(IS_OPEN)
        if search.only_selected:
            given.append(ItemRow.asked == true())
    else:
        given.append(ItemRow.status == search.status)
    if search.received_from is not None:
        given.append(ItemRow.received_at >= search.received_from)
    if search.received_before is not None:
        given.append(ItemRow.received_at < search.received_before)
    return given


def _words(session: Session, search: Search) -> list[ColumnElement[bool]]:
    """What a report must say, and which reports can say it as far as the index tells."""
    if not search.words:
        return []
    found = words.candidates(session, search.words)
    return [words.said_in_text(search.words), *([] if found is None else [ItemRow.report_id.in_(found)])]


def _read() -> Select[ItemRow, ReportRow, str | None]:
    return (
        select(ItemRow, ReportRow, UserRow.name)
        .join(ReportRow, ReportRow.report_id == ItemRow.report_id)
        .outerjoin(UserRow, UserRow.id == ItemRow.claimed_by)
    )


def _item(row: ItemRow, report: ReportRow, claimed_name: str | None) -> Item:
    copied = (
        *("report_id", "area", "received_at", "as_of", "rank", "selected", "category", "category_probability", "lane", "risk"),
        *("risk_low", "risk_high", "priority", "propensity", "history", "model", "unit", "due_at", "status", "snoozed_until"),
        *("claimed_by", "claimed_until", "second_due", "known", "first_by", "version"),
    )
    return Item(
        **{name: getattr(row, name) for name in copied},
        title=report.title,
        text=report.text,
        channel=report.channel,
        matter_id=report.matter_id,
        category_set=tuple(row.category_set),
        reasons=tuple(Reason(one["kind"], one["evidence"], one["effect"]) for one in row.reasons),
        similar=tuple(row.similar),
        claimed_name=claimed_name,
    )
