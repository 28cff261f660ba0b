"""Reading decisions: the record of one report, pairs of independent judgements, and what stands, for estimates and learning."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from pipeline.casework import Decision, Judged, Pair
from pipeline.store.database import Database
from pipeline.store.tables import DecisionRow, ReportRow, UserRow


class Judgements:
    """The desk that reads decisions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_report(self, report_id: str) -> Sequence[Decision]:
        """Every decision about a report, newest first."""
        return self._read(DecisionRow.report_id == report_id, 100)

    def newest(self, *, limit: int, since: datetime | None = None) -> Sequence[Decision]:
        """The newest decisions, newest first."""
        return self._read(DecisionRow.at >= since if since is not None else True, limit)

    def pairs(self) -> Sequence[Pair]:
        """First judgements that stand, each with its blind second."""
        return self._pairs(known=False)

    def checked(self) -> Sequence[Pair]:
        """First judgements that stand, each with those of people who were handed the report again as a hidden known one."""
        return self._pairs(known=True)

    def _pairs(self, *, known: bool) -> Sequence[Pair]:
        first, second, undone = aliased(DecisionRow), aliased(DecisionRow), aliased(DecisionRow)
        query = (
            select(first.report_id, first.action, second.action, first.category, second.category)
            .join(second, (second.report_id == first.report_id) & second.second & (second.known == known))
            .outerjoin(undone, undone.undoes == first.id)
            .where(~first.second, first.undoes.is_(None), undone.id.is_(None), first.action.in_(("confirm", "false_alarm")))
            .order_by(first.id)
        )
        with self._database.reading() as session:
            return [Pair(*row) for row in session.execute(query)]

    def judged(self) -> Sequence[Judged]:
        """Every report with the newest decision that stands and says what it is, in the order of deciding."""
        undone, newer = aliased(DecisionRow), aliased(DecisionRow)
        taken_back = select(undone.undoes).where(undone.undoes.is_not(None))
        telling = ("confirm", "false_alarm", "recategorize", "hand_over", "mediated")
        last = (
            select(func.max(newer.id))
            .where(newer.action.in_(telling), ~newer.second, newer.id.not_in(taken_back))
            .group_by(newer.report_id)
        )
        query = (
            select(DecisionRow, ReportRow)
            .join(ReportRow, ReportRow.report_id == DecisionRow.report_id)
            .where(DecisionRow.id.in_(last))
            .order_by(DecisionRow.id)
        )
        with self._database.reading() as session:
            return [_judged(decision, report) for decision, report in session.execute(query)]

    def moves(self) -> Sequence[Decision]:
        """Every report a person put into another matter, and back where that was undone, in the order of deciding."""
        moving = aliased(DecisionRow)
        moved = select(moving.id).where(moving.action.in_(("merge", "split")), ~moving.second)
        return self._read(or_(DecisionRow.id.in_(moved), DecisionRow.undoes.in_(moved)), None)[::-1]

    def _read(self, condition: Any, limit: int | None) -> Sequence[Decision]:
        undone = aliased(DecisionRow)
        query = (
            select(DecisionRow, UserRow.name, undone.id)
            .join(UserRow, UserRow.id == DecisionRow.user_id)
            .outerjoin(undone, undone.undoes == DecisionRow.id)
            .where(condition)
            .order_by(DecisionRow.id.desc())
            .limit(limit)
        )
        copied = (
            "id",
            "report_id",
            "at",
            "action",
            "category",
            "reason",
            "unit",
            "until",
            "matter_id",
            "second",
            "blind",
            "batch",
        )
        with self._database.reading() as session:
            return [
                Decision(**{name: getattr(row, name) for name in copied}, person=name, undone=undone_id is not None)
                for row, name, undone_id in session.execute(query)
            ]


def _judged(decision: DecisionRow, report: ReportRow) -> Judged:
    of_report = ("report_id", "received_at", "title", "text", "area", "channel", "matter_id")
    return Judged(
        **{name: getattr(report, name) for name in of_report},
        **{name: getattr(decision, name) for name in ("at", "action", "category")},
        **{name: decision.shown[name] for name in ("predicted", "selected", "propensity")},
    )
