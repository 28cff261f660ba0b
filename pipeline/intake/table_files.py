"""Parquet, XLSX and SQL, read in blocks so that memory does not grow with the table.

Limits: of an XLSX file the first sheet is read, and its distinct strings are held in memory, because the format stores them
apart from the cells (a sheet cannot have more than 1,048,576 rows). A query is run as it stands; order it in SQL if row numbers
are to mean the same tomorrow.
"""

import os
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy
from openpyxl.utils.exceptions import InvalidFileException

from pipeline.errors import SourceError
from pipeline.intake.registration import Query
from pipeline.intake.rejection import Reason
from pipeline.intake.text_files import Cells, as_text, locate, refuse_unreadable


def read_parquet(path: Path, wanted: Sequence[str], *, batch_rows: int) -> Iterator[Cells | Reason]:
    """Read the wanted columns of a Parquet file.

    Args:
        path: The file.
        wanted: Names of columns.
        batch_rows: Rows held in memory at a time.

    Raises:
        SourceError: If it is not Parquet or lacks a wanted column.
    """
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise refuse_unreadable(path, error) from error
    with file:
        locate(wanted, file.schema_arrow.names, str(path))
        distinct = list(dict.fromkeys(wanted))
        for batch in file.iter_batches(batch_size=batch_rows, columns=distinct):
            values = {name: [as_text(value) for value in batch.column(name).to_pylist()] for name in distinct}
            yield from zip(*(values[name] for name in wanted), strict=True)


def parquet_header(path: Path) -> list[str]:
    """The column names of a Parquet file."""
    try:
        return list(pq.read_schema(path).names)
    except pa.ArrowInvalid as error:
        raise refuse_unreadable(path, error) from error


def read_xlsx(path: Path, wanted: Sequence[str]) -> Iterator[Cells | Reason]:
    """Read the wanted columns of the first sheet of an XLSX file; the first row that is not empty is the header.

    Args:
        path: The file.
        wanted: Names of columns.

    Raises:
        SourceError: If it is not XLSX, is empty, or lacks a wanted column.
    """
    rows = _sheet_rows(path)
    header = next(rows, None)
    if header is None:
        raise SourceError(f"{path} has an empty first sheet. Export it again with the reports on the first sheet.")
    positions = locate(wanted, [_name(cell) for cell in header], str(path))
    for row in rows:
        yield tuple([as_text(row[position]) if position < len(row) else None for position in positions])


def xlsx_header(path: Path) -> list[str]:
    """The column names of the first sheet."""
    return [_name(cell) for cell in next(_sheet_rows(path), ())]


def _name(cell: object) -> str:
    return (as_text(cell) or "").strip()


def _sheet_rows(path: Path) -> Iterator[tuple[object, ...]]:
    """The rows of the first sheet that are not empty."""
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError) as error:
        raise refuse_unreadable(path, error) from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            if any(cell is not None for cell in row):
                yield row
    finally:
        book.close()


def read_sql(query: Query, wanted: Sequence[str], *, batch_rows: int, source: str) -> Iterator[Cells | Reason]:
    """Read the wanted columns of a query's rows.

    Args:
        query: The query, and the environment variable that holds the database's SQLAlchemy URL.
        wanted: Names of columns in the result.
        batch_rows: Rows fetched at a time.
        source: Name of the source, for messages.

    Raises:
        SourceError: If the variable is not set, the database does not answer, or a wanted column is missing.
    """
    url = os.environ.get(query.url_env)
    if not url:
        raise SourceError(
            f"Source '{source}' reads a database, but {query.url_env} is not set. Set it to a SQLAlchemy URL, such as "
            "postgresql+psycopg://user@host/database."
        )
    try:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
        with engine.connect() as connection:
            result = connection.execution_options(yield_per=batch_rows).execute(sqlalchemy.text(query.query))
            positions = locate(wanted, list(result.keys()), f"The query of source '{source}'")
            for row in result:
                yield tuple([as_text(row[position]) for position in positions])
    except (sqlalchemy.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        raise SourceError(
            f"Source '{source}': the database named by {query.url_env} did not answer the query ({type(error).__name__}). "
            "Check the address, that its driver is installed (`pip install dispute-triage[postgresql]`), and the query."
        ) from error
