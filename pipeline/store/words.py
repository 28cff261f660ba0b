"""Finding reports by what they say: an inverted index of character pairs.

Chinese writes no spaces, so what is searched for is a run of characters anywhere in a text. Every letter or digit and every
pair of neighbours is a term (overlapping n-grams, as in Manning, Raghavan and Schütze, Introduction to Information Retrieval,
2008, sections 2.2.1 and 3.2.2); a search asks the index for reports that hold all pairs of its words and then looks in those
few texts for the words themselves. SQLite keeps the index as FTS5 (https://www.sqlite.org/fts5.html), PostgreSQL as GIN over
an array (https://www.postgresql.org/docs/current/gin.html).

Texts are entered once their night is published, some at a time, so that no reviewer waits for it: a report is found by its
words some seconds later. What a kill leaves out, the next publication enters. Retention removes terms with the texts.

Limit: where more reports than `RARE`, decided ones included, hold every pair of a search, reports are read in order instead,
and a phrase that few of those looked for hold takes as long as reading them all: 0.3 to 0.6 s among 100,000.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, cast, delete, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from pipeline.store.database import Database, dialect_insert
from pipeline.store.tables import ReportRow, WordsRow

CHUNK_ROWS = 1000  # rows; one transaction each, about 0.2 s
RARE = 2000  # reports; above this a search walks the queue in reading order instead, where so common a word is mostly soon met
MOST_TERMS = 50  # of what is searched for, asked of the index; the texts themselves are looked at for the rest
_RUN = re.compile(r"[^\W_]+")


def terms(said: str) -> list[str]:
    """Every letter or digit of a text and every pair of neighbours, each once, in lower case and in the order of first use."""
    found: dict[str, None] = {}
    for run in _RUN.findall(_folded(said)):
        found.update(dict.fromkeys(run))
        found.update(dict.fromkeys(map("".join, zip(run, run[1:], strict=False))))
    return list(found)


def enter(database: Database, reports: Iterable[tuple[str, str | None, str | None]]) -> int:
    """Enter published reports that are not in the index yet; each chunk is a transaction of its own.

    Args:
        database: The store.
        reports: Id, title and text of each.

    Returns:
        How many were entered.
    """
    n_entered, chunk = 0, dict[str, str]()
    for report_id, title, body in reports:
        chunk[report_id] = f"{title or ''}\n{body or ''}"
        if len(chunk) == CHUNK_ROWS:
            n_entered += _enter(database, chunk)
            chunk = {}
    n_entered += _enter(database, chunk)
    if n_entered and not database.is_sqlite:  # or the next searches would go through what was entered one by one
        with database.writing() as session:
            session.execute(text("SELECT gin_clean_pending_list('ix_report_words_terms')"))
    return n_entered


def _enter(database: Database, said: dict[str, str]) -> int:
    """Enter what is not known yet, of reports whose text is still there; retention waits meanwhile."""
    with database.reading() as session:
        known = select(WordsRow.report_id).where(WordsRow.report_id.in_(said))
        empty = select(ReportRow.report_id).where(ReportRow.report_id.in_(said), ReportRow.text_removed_at.is_not(None))
        done = {*session.scalars(known), *session.scalars(empty)}
        said = {name: one for name, one in said.items() if name not in done}
    if not said:
        return 0
    kept = select(ReportRow.report_id).where(ReportRow.report_id.in_(said), ReportRow.text_removed_at.is_(None))
    with database.writing() as session:
        names = session.scalars(kept.order_by(ReportRow.report_id).with_for_update()).all()
        rows = [{"report_id": name, "terms": " ".join(terms(said[name]))} for name in names]
        if rows:
            session.execute(dialect_insert(session, WordsRow).on_conflict_do_nothing(), rows)
    return len(rows)


def remove(session: Session, report_ids: Sequence[str]) -> None:
    """Take reports out of the index."""
    session.execute(delete(WordsRow).where(WordsRow.report_id.in_(report_ids)))


def compact(database: Database) -> None:
    """Let SQLite drop removed terms and texts from its files; PostgreSQL does so by itself (autovacuum)."""
    if database.is_sqlite:
        with database.writing() as session:
            session.execute(text("INSERT INTO report_terms(report_terms) VALUES ('optimize')"))
        database.empty_log()


def said_in_text(words: str) -> ColumnElement[bool]:
    """Reports whose title or text holds each of some words; or the one whose id they are."""
    each = [or_(_holds(ReportRow.title, word), _holds(ReportRow.text, word)) for word in words.split() or [words]]
    return or_(and_(*each), ReportRow.report_id == words)


def _holds(column: Any, word: str) -> ColumnElement[bool]:
    """Whether a column contains a word, whatever its case; Chinese has none, and not asking is three times as fast."""
    asked: ColumnElement[bool] = (column.contains if word.upper() == word.lower() else column.icontains)(word, autoescape=True)
    return asked


def candidates(session: Session, words: str) -> list[str] | None:
    """Ids of the reports that can hold the words, if the index tells and they are few; else None.

    Args:
        session: A transaction that reads.
        words: What is searched for, as typed.

    Returns:
        At most `RARE` ids and the words themselves, since they may be an id; None where more reports hold every pair.
    """
    alone = {run for run in _RUN.findall(_folded(words)) if len(run) == 1}
    wanted = [term for term in terms(words) if len(term) == 2 or term in alone]
    if not wanted:
        return None
    found = list(session.scalars(_holding(session, wanted[:MOST_TERMS]).limit(RARE + 1)))
    return None if len(found) > RARE else [*found, words]


def _holding(session: Session, wanted: Sequence[str]) -> Select[str]:
    if session.get_bind().dialect.name == "sqlite":
        held = literal_column("report_terms").op("MATCH")(" AND ".join(f'"{one}"' for one in wanted))
        rows: Select[int] = select(literal_column("rowid")).select_from(text("report_terms")).where(held)
        return select(WordsRow.report_id).where(WordsRow.id.in_(rows))
    held = literal_column("string_to_array(terms, ' ')").op("@>")(cast(list(wanted), ARRAY(Text)))
    found = select(WordsRow.report_id).where(held).cte("found").prefix_with("MATERIALIZED")  # or a limit reads the whole table
    return select(found.c.report_id)


def _folded(said: str) -> str:
    return unicodedata.normalize("NFKC", said).lower()
