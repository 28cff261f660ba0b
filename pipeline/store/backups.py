"""A backup that either database can restore: every table as JSON lines in one zip.

It is read in one transaction, so it is one moment of the store, and it holds the revision of the tables, so that it is restored
by the program that wrote it or a newer one. Because it is plain rows, it also moves a store from SQLite to PostgreSQL. It holds
report texts and password hashes: keep it as the store itself is kept.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Date, Integer, Table, func, insert, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from pipeline.errors import StoreError
from pipeline.store.database import Database
from pipeline.store.tables import Base, Instant

_CHUNK_ROWS = 2000


def backup(database: Database, path: Path) -> int:
    """Write every row to a new file, aside and then renamed.

    Returns:
        How many rows were written.

    Raises:
        StoreError: If the file exists, or the store does not answer.
    """
    if path.exists():
        raise StoreError(f"{path} exists. Name a new file; a backup never overwrites one.")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".writing")
    n_rows = 0
    aside.touch(mode=0o600)
    with database.reading() as session, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        if not database.is_sqlite:
            session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        archive.writestr("revision", str(database.revision(session.connection())))
        for table in Base.metadata.sorted_tables:
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as file:
                for row in session.execute(select(table).order_by(*table.primary_key)).mappings():
                    file.write(json.dumps(dict(row), default=_written, ensure_ascii=False).encode("utf-8") + b"\n")
                    n_rows += 1
    aside.replace(path)
    return n_rows


def restore(database: Database, path: Path) -> int:
    """Read a backup into an empty store, all of it or nothing.

    Returns:
        How many rows were read.

    Raises:
        StoreError: If the file is no backup of this revision, or the store already holds something.
    """
    try:
        archive = zipfile.ZipFile(path)
        revision = archive.read("revision").decode()
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path} is not a backup of a store. Name a file `triage backup` wrote.") from error
    try:
        database.migrate(revision)
    except CommandError as error:
        raise StoreError(f"{path} is of revision {revision}, which this program does not know. Use the newer one.") from error
    n_rows = 0
    with archive, database.writing() as session:
        here = database.revision(session.connection())
        if revision != here:
            where = database.where
            raise StoreError(
                f"{path} is of revision {revision}, the store at {where} of {here}. Restore into a new one: set TRIAGE_STORE."
            )
        held = set(archive.namelist())
        tables = [table for table in Base.metadata.sorted_tables if f"{table.name}.jsonl" in held]
        for table in tables:
            if session.scalar(select(func.count()).select_from(table)):
                raise StoreError(f"The store at {database.where} is not empty. Restore into a new one: set TRIAGE_STORE.")
        for table in tables:
            for chunk in _read(archive, table):
                session.execute(insert(table), chunk)
                n_rows += len(chunk)
        if not database.is_sqlite:
            _continue_numbering(session, tables)
    database.migrate()
    return n_rows


def _written(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _read(archive: zipfile.ZipFile, table: Table) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    with archive.open(f"{table.name}.jsonl") as file:
        for line in io.TextIOWrapper(file, encoding="utf-8", newline="\n"):
            row = json.loads(line)
            chunk.append({column.name: _as_column(column.type, row.get(column.name)) for column in table.columns})
            if len(chunk) == _CHUNK_ROWS:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _as_column(kind: TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Instant):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value


def _continue_numbering(session: Session, tables: Sequence[Table]) -> None:
    """Let PostgreSQL number new rows after the restored ones."""
    for table in tables:
        key = list(table.primary_key)[0]
        if isinstance(key.type, Integer) and len(table.primary_key) == 1:
            session.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), "
                    f"COALESCE((SELECT max({key.name}) FROM {table.name}), 0) + 1, false)"
                )
            )
