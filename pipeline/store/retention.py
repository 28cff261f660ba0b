"""Retention: texts go, counts stay.

What people wrote is needed to decide and, for a while, to see what similar reports came to. After that only the fact that a
report of a category came from an area on a day is needed. Reasons and search terms hold pieces of the text and go with it;
reports somebody still has to decide keep theirs until they are decided.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, select, update

from pipeline.store import log, words
from pipeline.store.database import Database
from pipeline.store.tables import ItemRow, ReportRow


@dataclass(frozen=True)
class Purged:
    """How many texts were removed, and how many old ones were kept because nobody decided them yet."""

    n_removed: int
    n_kept_open: int


def purge(database: Database, *, before: datetime, now: datetime) -> Purged:
    """Remove title, text and reasons of decided reports received before an instant.

    Args:
        database: The store.
        before: Reports received earlier lose their text, aware.
        now: Instant of removing, aware.
    """
    undecided = exists().where(and_(ItemRow.report_id == ReportRow.report_id, ItemRow.status.in_(("open", "snoozed"))))
    old = and_(ReportRow.received_at < before, ReportRow.text_removed_at.is_(None))
    with database.writing() as session:
        gone = session.scalars(select(ReportRow.report_id).where(old, ~undecided)).all()
        kept = session.scalars(select(ReportRow.report_id).where(old, undecided)).all()
        for start in range(0, len(gone), 1000):
            part = gone[start : start + 1000]
            values = {"title": None, "text": None, "text_removed_at": now}
            session.execute(update(ReportRow).where(ReportRow.report_id.in_(part)).values(values))
            session.execute(update(ItemRow).where(ItemRow.report_id.in_(part)).values(reasons=[]))
            words.remove(session, part)
        log.write(
            session, "purged", at=now, detail={"before": before.isoformat(), "removed": len(gone), "kept_open": len(kept)}
        )
    words.compact(database)
    return Purged(len(gone), len(kept))
