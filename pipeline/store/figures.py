"""Counting: what happened in a period, and when reports of one kind arrived. Numbers only; no text leaves here."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, case, exists, func, literal, not_, or_, select, text, true
from sqlalchemy.orm import Session, aliased

from pipeline.casework import CLOSING
from pipeline.period import AGES_DAYS, MEASURES, Cell, PeriodFigures
from pipeline.store.database import Database
from pipeline.store.tables import AlertRow, DecisionRow, ItemRow, ReportRow

_FOUND = ("confirm", "hand_over", "mediated")
_ENDING = tuple(action for action in CLOSING if action != "snooze")
_MOST_ARRIVALS = 20_000  # of one chart; a day of a large city's hotline has fewer of one category


class Figures:
    """The desk that counts. `areas` is the asker's scope throughout; None is every area."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def period(self, start: datetime, end: datetime, areas: Sequence[str] | None) -> PeriodFigures:
        """Count a period.

        Args:
            start: Its first instant, aware.
            end: The first instant after it, aware.
            areas: The asker's scope.
        """
        scope = _in_areas(areas)
        alerts = true() if areas is None else or_(AlertRow.area.in_(areas), AlertRow.area.is_(None))
        still = [scope, *_still_open(end)]
        counts: dict[tuple[str | None, str | None], dict[str, int]] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
        with self._database.reading() as session:
            for query in (_received(start, end, scope), _judged(start, end, scope), _open(still)):
                for row in session.execute(query).mappings():
                    cell = counts[row["area"], row["category"]]
                    cell.update({name: int(row[name] or 0) for name in MEASURES if name in row})
            first_seen = select(func.count(AlertRow.alert_id)).where(
                alerts, AlertRow.first_day >= start.date(), AlertRow.first_day < end.date()
            )
            known = select(func.count(ReportRow.report_id)).where(scope, ReportRow.received_at < end)
            return PeriodFigures(
                start=start,
                end=end,
                cells=tuple(Cell(*key, counts=cell) for key, cell in sorted(counts.items(), key=lambda one: str(one[0]))),
                transferred=_transferred(session, start, end, scope),
                ages=_ages(session, end, still),
                n_late=session.scalar(_count_open([*still, ItemRow.due_at <= end])) or 0,
                n_alerts=session.scalar(first_seen) or 0,
                n_known=session.scalar(known) or 0,
            )

    def arrivals(
        self, areas: Sequence[str] | None, *, area: str | None, category: str | None, matter_id: str | None,
        since: datetime, before: datetime,
    ) -> Sequence[datetime]:  # fmt: skip
        """When reports of an area, a category or a matter arrived, ascending; None is any."""
        query = (
            select(ReportRow.received_at)
            .outerjoin(ItemRow, ItemRow.report_id == ReportRow.report_id)
            .where(_in_areas(areas), ReportRow.received_at >= since, ReportRow.received_at < before)
            .order_by(ReportRow.received_at)
            .limit(_MOST_ARRIVALS)
        )
        for column, wanted in ((ReportRow.area, area), (ItemRow.category, category), (ReportRow.matter_id, matter_id)):
            if wanted is not None:
                query = query.where(column == wanted)
        with self._database.reading() as session:
            return session.scalars(query).all()


def _in_areas(areas: Sequence[str] | None) -> ColumnElement[bool]:
    return true() if areas is None else or_(ReportRow.area.in_(areas), ReportRow.area.is_(None))


def _ones(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0)).cast(Integer).label(name)


def _received(start: datetime, end: datetime, scope: ColumnElement[bool]) -> Select[Any]:
    return (
        select(ReportRow.area, ItemRow.category, func.count().label("collected"), _ones(ItemRow.asked == true(), "warned"))
        .outerjoin(ItemRow, ItemRow.report_id == ReportRow.report_id)
        .where(scope, ReportRow.received_at >= start, ReportRow.received_at < end)
        .group_by(ReportRow.area, ItemRow.category)
    )


def _standing() -> ColumnElement[bool]:
    """Decisions that were not taken back, and are neither a way back nor a second judgement."""
    undo = aliased(DecisionRow)
    return and_(DecisionRow.undoes.is_(None), not_(DecisionRow.second), ~exists().where(undo.undoes == DecisionRow.id))


def _newest(start: datetime, end: datetime) -> Select[Any]:
    """The newest judgement of each report in a period, so that each counts once however often it was judged."""
    return (
        select(func.max(DecisionRow.id))
        .where(_standing(), DecisionRow.at >= start, DecisionRow.at < end, DecisionRow.action.in_(_ENDING))
        .group_by(DecisionRow.report_id)
    )


def _judged(start: datetime, end: datetime, scope: ColumnElement[bool]) -> Select[Any]:
    action = DecisionRow.action
    return (
        select(
            ReportRow.area, DecisionRow.category, _ones(action.in_(_FOUND), "found"), _ones(action == "mediated", "mediated"),
            _ones(action == "hand_over", "transferred"), _ones(action.in_(("mediated", "hand_over")), "settled"),
        )
        .join(ReportRow, ReportRow.report_id == DecisionRow.report_id)
        .where(scope, DecisionRow.id.in_(_newest(start, end)))
        .group_by(ReportRow.area, DecisionRow.category)
    )  # fmt: skip


def _transferred(session: Session, start: datetime, end: datetime, scope: ColumnElement[bool]) -> dict[str, int]:
    of_period = DecisionRow.id.in_(_newest(start, end))
    query = (
        select(DecisionRow.unit, func.count())
        .join(ReportRow, ReportRow.report_id == DecisionRow.report_id)
        .where(scope, of_period, DecisionRow.action == "hand_over", DecisionRow.unit.is_not(None))
        .group_by(DecisionRow.unit)
        .order_by(func.count().desc(), DecisionRow.unit)
    )
    return {str(unit): n for unit, n in session.execute(query)}


def _still_open(end: datetime) -> list[ColumnElement[bool]]:
    """Reports asked to be read that nobody had closed by an instant."""
    closed = exists().where(
        DecisionRow.report_id == ItemRow.report_id, DecisionRow.at < end, DecisionRow.action.in_(_ENDING), _standing()
    )
    return [ReportRow.received_at < end, ItemRow.asked == true(), ItemRow.status != "withdrawn", ~closed]


def _open(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(ReportRow.area, ItemRow.category, _ones(true(), "open"))
        .join(ItemRow, ItemRow.report_id == ReportRow.report_id)
        .where(*conditions)
        .group_by(ReportRow.area, ItemRow.category)
    )


def _count_open(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(func.count()).select_from(ItemRow).join(ReportRow, ReportRow.report_id == ItemRow.report_id).where(*conditions)
    )


def _ages(session: Session, end: datetime, still: Sequence[ColumnElement[bool]]) -> tuple[int, ...]:
    younger = [(ReportRow.received_at > end - timedelta(days=days), literal(place)) for place, days in enumerate(AGES_DAYS)]
    group = case(*younger, else_=len(AGES_DAYS)).label("age")
    query = select(group, func.count()).select_from(ReportRow).join(ItemRow, ItemRow.report_id == ReportRow.report_id)
    query = query.where(*still).group_by(text("age"))  # by name: PostgreSQL takes the same case with bound values for another
    found = {int(place): n for place, n in session.execute(query)}
    return tuple(found.get(place, 0) for place in range(len(AGES_DAYS) + 1))
