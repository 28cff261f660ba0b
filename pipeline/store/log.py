"""The event log: who saw or changed what. Rows are only ever added; the database refuses everything else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from pipeline.casework import Event
from pipeline.store.database import Database
from pipeline.store.tables import EventRow, ReportRow, UserRow


def write(
    session: Session,
    kind: str,
    *,
    at: datetime,
    person: int | None = None,
    report_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line inside a transaction, so that the change and its line are kept together or not at all."""
    session.add(EventRow(at=at, user_id=person, kind=kind, report_id=report_id, detail=dict(detail or {})))


class Log:
    """The desk that reads the log and takes lines that change nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        kind: str,
        *,
        at: datetime,
        person: int | None = None,
        report_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line, such as `viewed` or `denied`; never with a text in `detail`."""
        with self._database.writing() as session:
            write(session, kind, at=at, person=person, report_id=report_id, detail=detail)

    def of_report(self, report_id: str, *, limit: int) -> Sequence[Event]:
        """The newest lines about a report, newest first."""
        return self._read(EventRow.report_id == report_id, limit)

    def newest(self, *, limit: int, kind: str | None = None, areas: Sequence[str] | None = None) -> Sequence[Event]:
        """The newest lines, newest first; of one kind if given, and of reports in scope and of no report."""
        condition: Any = EventRow.kind == kind if kind is not None else true()
        if areas is not None:
            elsewhere = select(ReportRow.report_id).where(ReportRow.area.is_not(None), ReportRow.area.not_in(areas))
            condition = condition & (EventRow.report_id.is_(None) | EventRow.report_id.not_in(elsewhere))
        return self._read(condition, limit)

    def _read(self, condition: Any, limit: int) -> Sequence[Event]:
        query = (
            select(EventRow, UserRow.name)
            .outerjoin(UserRow, UserRow.id == EventRow.user_id)
            .where(condition)
            .order_by(EventRow.id.desc())
            .limit(limit)
        )
        with self._database.reading() as session:
            return [Event(row.id, row.at, name, row.kind, row.report_id, row.detail) for row, name in session.execute(query)]
