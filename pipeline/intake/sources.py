"""Source files and queries as RAW_REPORTS, in batches, with the rows that cannot even be read set apart.

Everything is text here, as the source wrote it; what it means is decided in `validation.py`. Row numbers count from 1 after the
header and go on through all files of a source, so that a person with the files can find a rejected row.

Measured on one core of an AMD EPYC, simulated reports of 8 columns: CSV 44,000 rows a second, JSONL 34,000, Parquet 47,000,
XLSX 6,000; memory does not depend on the number of rows, except for the distinct strings of an XLSX sheet.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pandas as pd

from pipeline import schema
from pipeline.errors import SourceError
from pipeline.intake import table_files, text_files
from pipeline.intake.registration import Format, Source
from pipeline.intake.rejection import Reason, rejected_rows
from pipeline.intake.text_files import Cells

_REPORT_COLUMNS = ("source_id", "received_at", "title", "area", "channel", "reporter", "category", "duplicate_key")


@dataclass(frozen=True)
class RawBatch:
    """Some rows of a source.

    Attributes:
        rows: RAW_REPORTS for a source of reports; for others the text columns of the column map
            beside `source` and `source_row`.
        rejected: REJECTED rows that could not be read.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame


def read(source: Source, folder: Path, *, batch_rows: int) -> Iterator[RawBatch]:
    """Read a source of reports or outcomes.

    Args:
        source: What it is and which column is which.
        folder: Where its files lie, `data/raw/<source>`; not used by a database.
        batch_rows: Rows held in memory at a time.

    Yields:
        Batches in the order of the source, at most `batch_rows` rows each, rejected ones included.

    Raises:
        SourceError: If a file cannot be read or lacks a column the column map names.
    """
    ours = list(source.columns.named)
    numbered = enumerate(map(_usable, _records(source, folder, batch_rows)), start=1)
    while batch := list(islice(numbered, batch_rows)):
        readable = [(row, record) for row, record in batch if not isinstance(record, Reason)]
        refused = [(row, record) for row, record in batch if isinstance(record, Reason)]
        frame = pd.DataFrame.from_records([record for _, record in readable], columns=ours).astype(object)
        frame.insert(0, "source_row", pd.Series([row for row, _ in readable], dtype="int64"))
        frame.insert(0, "source", source.name)
        rejected = rejected_rows(source.name, [row for row, _ in refused], [reason for _, reason in refused])
        yield RawBatch(_as_raw_reports(frame) if source.kind == "reports" else frame, rejected)


def _records(source: Source, folder: Path, batch_rows: int) -> Iterator[Cells | Reason]:
    """The wanted cells of every record, in the order of the column map, through all files."""
    wanted = list(source.columns.named.values())
    if source.sql is not None:
        yield from table_files.read_sql(source.sql, wanted, batch_rows=batch_rows, source=source.name)
    for file in source.files:
        yield from read_file(
            folder / file.file_name,
            source.format,
            wanted,
            encoding=source.encoding,
            delimiter=source.delimiter,
            batch_rows=batch_rows,
        )


def read_file(
    path: Path, format_: Format, wanted: Sequence[str], *, encoding: str | None, delimiter: str | None, batch_rows: int
) -> Iterator[Cells | Reason]:
    """The wanted cells of every record of one file, or why a record cannot be read.

    Args:
        path: The file.
        format_: Its format.
        wanted: Names of columns, in the order the cells are to have.
        encoding: Of CSV and JSONL; None to find out.
        delimiter: Of CSV; None to find out.
        batch_rows: Rows of Parquet held in memory at a time.

    Raises:
        SourceError: If the file is missing, empty, cut off, of another format, or lacks a wanted column.
    """
    try:
        match format_:
            case "csv":
                yield from text_files.read_csv(path, wanted, encoding=encoding, delimiter=delimiter)
            case "jsonl":
                yield from text_files.read_jsonl(path, wanted, encoding=encoding)
            case "parquet":
                yield from table_files.read_parquet(path, wanted, batch_rows=batch_rows)
            case "xlsx":
                yield from table_files.read_xlsx(path, wanted)
    except FileNotFoundError as error:
        raise SourceError(f"{path} was expected, but there is no such file. Run `triage fetch` for its source.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise text_files.refuse_unreadable(path, error) from error


def _usable(record: Cells | Reason) -> Cells | Reason:
    """The record, unless a cell holds bytes of another encoding or NUL."""
    if isinstance(record, Reason):
        return record
    together = "".join([cell for cell in record if cell])
    if "\x00" in together:
        return Reason.NUL
    try:
        together.encode()
    except UnicodeEncodeError:
        return Reason.BROKEN_ENCODING
    return record


def _as_raw_reports(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns the source does not have, and let segmented text stand in for a missing narrative."""
    absent = [name for name in (*_REPORT_COLUMNS, "narrative", "narrative_fallback") if name not in frame]
    frame = frame.assign(**dict.fromkeys(absent, None))
    missing = frame["narrative"].isna() | (frame["narrative"].astype("string").str.strip() == "").fillna(False)
    segmented = missing & frame["narrative_fallback"].notna()
    joined = frame.loc[segmented, "narrative_fallback"].map(lambda text: "".join(text.split()))
    frame["narrative"] = frame["narrative"].where(~segmented, joined)
    frame["segmented"] = segmented
    return schema.RAW_REPORTS.check(frame)
