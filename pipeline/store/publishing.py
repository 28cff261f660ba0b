"""A night goes into the store: one transaction, and the same night again changes nothing.

Scores of reports still open are renewed; what people decided, joined or parted stands, whatever a later night says. A night
older than the one a report was last scored in changes nothing of it. Reports of this night that its new queue no longer holds
and nobody decided are withdrawn: kept, but not handed out.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Table, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from pipeline import schema
from pipeline.store import log, words
from pipeline.store.database import Database, dialect_insert
from pipeline.store.tables import AlertRow, ItemRow, MatterRow, NightRow, OutcomeRow, ReportRow
from pipeline.taxonomy import Taxonomy

logger = logging.getLogger(__name__)
CHUNK_ROWS = 2000  # rows; a chunk of long texts stays under 100 MB


@dataclass(frozen=True)
class Publication:
    """A night as it is handed over.

    Attributes:
        as_of: The morning the queue is for.
        digest: Of the queue and what is published with it; the same digest again changes nothing.
        manifest: As the night wrote it; `model` is read from it.
        queue: QUEUE.
        reports: REPORTS, those this night admitted and those of the queue.
        outcomes: OUTCOMES recorded before the night.
        reporters: Matter to how many different people reported it.
        similar: Report to ids of similar earlier reports.
        alerts: Rows of the table `alerts`.
        taxonomy: Says unit and response time of a category.
    """

    as_of: date
    digest: str
    manifest: Mapping[str, Any]
    queue: pd.DataFrame
    reports: pd.DataFrame
    outcomes: pd.DataFrame
    taxonomy: Taxonomy
    reporters: Mapping[str, int] = field(default_factory=dict)
    similar: Mapping[str, Sequence[str]] = field(default_factory=dict)
    alerts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Published:
    """What publishing did.

    Attributes:
        as_of: The night.
        changed: False where the same night was there already.
        n_items: Reports in its queue.
        n_selected: Reports somebody is asked to read.
        n_withdrawn: Reports an earlier version of this night held and this one does not.
    """

    as_of: date
    changed: bool
    n_items: int
    n_selected: int
    n_withdrawn: int


def publish(database: Database, night: Publication, *, now: datetime) -> Published:
    """Put a night into the store.

    Args:
        database: The store, at the newest revision.
        night: What to publish.
        now: Instant of publishing, aware.

    Raises:
        SchemaError: If the queue or the reports are not what their names promise; nothing is kept.
        StoreError: If the database does not answer; nothing is kept.
    """
    queue, reports = schema.QUEUE.check(night.queue), schema.REPORTS.check(night.reports)
    done = _take(database, night, queue, reports, now)
    words.enter(database, ((row["report_id"], row["title"], row["text"]) for row in _reports(reports, queue)))
    return done


def _take(database: Database, night: Publication, queue: pd.DataFrame, reports: pd.DataFrame, now: datetime) -> Published:
    items = list(_items(queue, night))
    n_selected = int((queue["selected"] != "waiting").sum())
    with database.writing() as session:
        known = session.get(NightRow, night.as_of)
        if known is not None and known.digest == night.digest:
            return Published(night.as_of, False, len(items), n_selected, 0)
        _add(session, ReportRow.__table__, _reports(reports, queue))
        _renew(session, items)
        n_withdrawn = _withdraw(session, night.as_of, [item["report_id"] for item in items])
        _add(session, OutcomeRow.__table__, _rows(night.outcomes, ["report_id", "outcome", "recorded_at"]))
        _count_matters(session, night.reporters)
        _take_alerts(session, night.alerts)
        _record(session, night, known, now)
        detail = {"as_of": night.as_of.isoformat(), "items": len(items), "selected": n_selected, "withdrawn": n_withdrawn}
        log.write(session, "published", at=now, detail=detail)
    database.renew_statistics()
    logger.info("publish: %d in the queue, %d to read, %d withdrawn", len(items), n_selected, n_withdrawn)
    return Published(night.as_of, True, len(items), n_selected, n_withdrawn)


def _record(session: Session, night: Publication, known: NightRow | None, now: datetime) -> None:
    row = known if known is not None else NightRow(as_of=night.as_of)
    row.model, row.digest = str(night.manifest["model"]), night.digest
    row.published_at, row.manifest = now, _finite(dict(night.manifest))
    session.add(row)


def _finite(value: Any) -> Any:
    """A value without numbers that are none: JSON knows no NaN, and PostgreSQL refuses it."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _add(session: Session, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    """Add rows that are not there yet; what is there stays as it is, removed texts included."""
    for chunk in _chunks(rows):
        session.execute(dialect_insert(session, table).on_conflict_do_nothing(), chunk)


def _renew(session: Session, items: list[dict[str, Any]]) -> None:
    """Add items, or renew the scores of those nobody decided and no later night scored."""
    table: Table = ItemRow.__table__  # type: ignore[assignment]
    statement = dialect_insert(session, table)
    kept = ("report_id", "status", "version", "second_due", "known")
    changes = {name: statement.excluded[name] for name in items[0] if name not in kept} if items else {}
    by_person = table.c.category != table.c.predicted
    corrected = {
        name: case((by_person, table.c[name]), else_=statement.excluded[name]) for name in ("category", "unit") if items
    }
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.report_id],
        set_={**changes, **corrected, "version": table.c.version + 1, "status": "open"},
        where=and_(table.c.as_of <= statement.excluded.as_of, or_(table.c.status == "open", table.c.status == "withdrawn")),
    )
    for chunk in _chunks(iter(items)):
        session.execute(statement, chunk)


def _withdraw(session: Session, as_of: date, report_ids: list[str]) -> int:
    held = session.scalars(select(ItemRow.report_id).where(ItemRow.as_of == as_of, ItemRow.status == "open"))
    gone = sorted(set(held) - set(report_ids))
    for start in range(0, len(gone), CHUNK_ROWS):
        part = gone[start : start + CHUNK_ROWS]
        session.execute(
            update(ItemRow)
            .where(ItemRow.report_id.in_(part))
            .values(status="withdrawn", version=ItemRow.version + 1, claimed_by=None, claimed_until=None)
        )
    return len(gone)


def _count_matters(session: Session, reporters: Mapping[str, int]) -> None:
    """Count every matter anew: people may have joined and parted reports since the last night."""
    known = {matter_id: n for matter_id, n in session.execute(select(MatterRow.matter_id, MatterRow.n_reporters)) if n}
    session.execute(delete(MatterRow))
    counted = select(
        ReportRow.matter_id, func.count(), func.min(ReportRow.received_at), func.max(ReportRow.received_at)
    ).group_by(ReportRow.matter_id)
    session.execute(insert(MatterRow).from_select(["matter_id", "n_reports", "first_at", "last_at"], counted))
    told = {**known, **reporters}
    rows = [{"matter_id": matter_id, "n_reporters": n} for matter_id, n in told.items()]
    existing = set(session.scalars(select(MatterRow.matter_id)))
    for chunk in _chunks(row for row in rows if row["matter_id"] in existing):
        session.execute(update(MatterRow), chunk)


def _take_alerts(session: Session, alerts: Sequence[Mapping[str, Any]]) -> None:
    """Add alerts, or renew their days and evidence; what a person did about one stands, unless it has subsided since."""
    if not alerts:
        return
    statement = dialect_insert(session, AlertRow.__table__)
    changes = {name: statement.excluded[name] for name in ("last_day", "evidence", "unit", "area", "category", "matter_id")}
    changes["status"] = case((statement.excluded.status == "closed", "closed"), else_=AlertRow.status)
    newer = AlertRow.last_day <= statement.excluded.last_day
    statement = statement.on_conflict_do_update(index_elements=["alert_id"], set_=changes, where=newer)
    session.execute(statement, [{"status": "open", **_finite(dict(alert))} for alert in alerts])


def _reports(reports: pd.DataFrame, queue: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows of `reports`: what was admitted, and what the queue holds from earlier nights."""
    columns = ["report_id", "received_at", "title", "text", "area", "channel", "matter_id"]
    together = pd.concat([reports[columns], queue[columns]]).drop_duplicates("report_id")
    for row in _rows(together[together["received_at"].notna()], columns):
        yield {**row, "matter_by_person": False}


def _rows(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for values in frame[list(columns)].itertuples(index=False, name=None):
        yield {name: _plain(value) for name, value in zip(columns, values, strict=True)}


def _plain(value: Any) -> Any:
    """A value as databases take it: no pandas instants, no NaN."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NaT or value != value else value


def _items(queue: pd.DataFrame, night: Publication) -> Iterator[dict[str, Any]]:
    """Rows of `items` in the order of rank."""
    copied = ("report_id", "area", "received_at", "rank", "selected", "category", "category_probability")
    scores = ("lane", "risk", "risk_low", "risk_high", "priority", "propensity")
    turns = reading_turns(queue["priority"].to_numpy(), queue["selected"].to_numpy())
    for turn, row in zip(turns, _rows(queue, list(queue.columns)), strict=True):
        category = night.taxonomy[row["category"]]
        yield {
            **{name: row[name] for name in (*copied, *scores)},
            "predicted": row["category"],
            "category_set": row["category_set"] or [],
            "as_of": night.as_of,
            "asked": row["selected"] != "waiting",
            "turn": -float(turn),
            "reasons": row["reasons"] or [],
            "history": {name: row[name] for name in schema.HISTORY},
            "similar": list(night.similar.get(row["report_id"], ())),
            "model": str(night.manifest["model"]),
            "unit": category.unit,
            "due_at": row["received_at"] + timedelta(hours=category.response_hours),
            "status": "open",
            "second_due": False,
            "known": False,
            "version": 1,
        }


def reading_turns(priority: np.ndarray, selected: np.ndarray) -> np.ndarray:
    """When each report is read: by priority, with the audit draw and what is unclear spread evenly among the ranked.

    Read by their own low priority, those reports would come last and be left over on a busy day, and what is learned from the
    draw would be of quiet days only.

    Args:
        priority: Shape (n_reports,), falling.
        selected: `ranked`, `unclear`, `audit` or `waiting`, shape (n_reports,).

    Returns:
        Shape (n_reports,); higher is sooner.
    """
    turns = np.asarray(priority, dtype=np.float64).copy()
    ranked, drawn = turns[selected == "ranked"], np.flatnonzero(np.isin(selected, ("audit", "unclear")))
    if len(ranked):
        places = ((np.arange(len(drawn)) + 1) * len(ranked) / (len(drawn) + 1)).astype(int)
        turns[drawn] = ranked[np.minimum(places, len(ranked) - 1)]
    return turns


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
