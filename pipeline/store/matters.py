"""Matters, alerts and nights: what the pages beside the queue show."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, case, delete, func, select, true
from sqlalchemy.orm import Session

from pipeline.casework import Alert, Matter, NightRecord, PastReport, Person
from pipeline.errors import DecisionError
from pipeline.store import log
from pipeline.store.database import Database
from pipeline.store.queue import PAST, read_past
from pipeline.store.tables import AlertRow, ItemRow, MatterRow, NightRow, ReportRow


def recount(session: Session, matter_ids: Iterable[str]) -> None:
    """Count some matters anew after reports moved; how many different people that makes is unknown until the next night."""
    for matter_id in matter_ids:
        session.execute(delete(MatterRow).where(MatterRow.matter_id == matter_id))
        n_reports, first_at, last_at = session.execute(
            select(func.count(), func.min(ReportRow.received_at), func.max(ReportRow.received_at)).where(
                ReportRow.matter_id == matter_id
            )
        ).one()
        if n_reports:
            session.add(
                MatterRow(matter_id=matter_id, n_reports=n_reports, n_reporters=None, first_at=first_at, last_at=last_at)
            )


class Matters:
    """The desk for matters and alerts. `areas` is the asker's scope throughout; None is every area."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def growing(self, areas: Sequence[str] | None, *, limit: int, offset: int = 0) -> Sequence[Matter]:
        """Matters of several reports with something still open, those with most open reports first."""
        query = _matters(areas).where(MatterRow.n_reports > 1)
        with self._database.reading() as session:
            ordered = query.order_by(_N_OPEN.desc(), MatterRow.last_at.desc(), MatterRow.matter_id)
            return [_matter(session, row, areas) for row in session.execute(ordered.offset(offset).limit(limit))]

    def get(self, matter_id: str, areas: Sequence[str] | None) -> Matter | None:
        """A matter with reports in scope, or None."""
        with self._database.reading() as session:
            row = session.execute(_matters(areas).where(MatterRow.matter_id == matter_id)).first()
            return None if row is None else _matter(session, row, areas)

    def reports(self, matter_id: str, areas: Sequence[str] | None, *, limit: int) -> Sequence[PastReport]:
        """Reports of a matter, newest first, with where each stands."""
        conditions = (ReportRow.matter_id == matter_id, _seen(areas))
        ordered = PAST.where(*conditions).order_by(ReportRow.received_at.desc(), ReportRow.report_id)
        with self._database.reading() as session:
            return read_past(session, ordered.limit(limit))

    def alerts(self, areas: Sequence[str] | None, *, limit: int) -> Sequence[Alert]:
        """Alerts, open ones first, the newest first."""
        scope = true() if areas is None else AlertRow.area.in_(areas) | AlertRow.area.is_(None)
        order = (case((AlertRow.status == "open", 0), else_=1), AlertRow.last_day.desc(), AlertRow.alert_id)
        with self._database.reading() as session:
            rows = session.scalars(select(AlertRow).where(scope).order_by(*order).limit(limit))
            return [_alert(row) for row in rows]

    def settle(self, alert_id: str, person: Person, *, status: str, now: datetime) -> None:
        """Say of an alert that it is seen to (`acknowledged`) or over (`closed`), or open it again.

        Raises:
            DecisionError: If there is no such alert in the person's areas, or no such status.
        """
        if status not in ("open", "acknowledged", "closed"):
            raise DecisionError(f"An alert cannot be '{status}'. It is open, acknowledged or closed.")
        with self._database.writing() as session:
            row = session.get(AlertRow, alert_id, with_for_update=True)
            if row is None or not person.may_see(row.area):
                raise DecisionError(f"There is no alert {alert_id} in your areas.")
            row.status = status
            log.write(session, "alert_settled", at=now, person=person.id, detail={"alert": alert_id, "status": status})


class Nights:
    """The desk for published nights."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._published: datetime | None = None
        self._areas: tuple[str, ...] = ()
        self._lanes: tuple[str, ...] = ()

    def newest(self, *, limit: int) -> Sequence[NightRecord]:
        """Published nights, the latest morning first."""
        with self._database.reading() as session:
            rows = session.scalars(select(NightRow).order_by(NightRow.as_of.desc()).limit(limit))
            return [NightRecord(row.as_of, row.model, row.published_at, row.digest, row.manifest) for row in rows]

    def areas(self) -> Sequence[str]:
        """Every area reports came from, in order."""
        self._look_again()
        return self._areas

    def lanes(self) -> Sequence[str]:
        """Every lane the queue has, in order."""
        self._look_again()
        return self._lanes

    def _look_again(self) -> None:
        """Read areas and lanes when a night was published since; every page shows them, and only nights change them."""
        with self._database.reading() as session:
            published = session.scalar(select(func.max(NightRow.published_at)))
            if published != self._published:
                self._areas, self._lanes = (
                    tuple(name for name in session.scalars(select(column).distinct().order_by(column)) if name is not None)
                    for column in (ItemRow.area, ItemRow.lane)
                )
                self._published = published

    def latest(self) -> date | None:
        """The morning of the latest night, or None."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(NightRow.as_of)))


_N_OPEN = func.sum(case((ItemRow.status == "open", 1), else_=0))


def _seen(areas: Sequence[str] | None) -> ColumnElement[bool]:
    return true() if areas is None else ReportRow.area.in_(areas) | ReportRow.area.is_(None)


def _matters(areas: Sequence[str] | None) -> Select[MatterRow, int, str | None]:
    """Matters with how many reports in scope are open, and one area they are in."""
    return (
        select(MatterRow, _N_OPEN, func.min(ReportRow.area))
        .join(ReportRow, ReportRow.matter_id == MatterRow.matter_id)
        .outerjoin(ItemRow, ItemRow.report_id == ReportRow.report_id)
        .where(_seen(areas))
        .group_by(MatterRow.matter_id)
    )


def _matter(session: Session, row: tuple[MatterRow, int, str | None], areas: Sequence[str] | None) -> Matter:
    matter, n_open, area = row
    of_matter = select(ReportRow.title).where(ReportRow.matter_id == matter.matter_id, _seen(areas))
    newest = of_matter.order_by(ReportRow.received_at.desc())
    return Matter(
        matter.matter_id, session.scalar(newest.limit(1)), area, matter.n_reports, matter.n_reporters, int(n_open or 0),
        matter.first_at, matter.last_at,
    )  # fmt: skip


def _alert(row: AlertRow) -> Alert:
    return Alert(
        row.alert_id, row.kind, row.area, row.category, row.matter_id, row.first_day, row.last_day, row.unit, row.status,
        row.evidence,
    )  # fmt: skip
