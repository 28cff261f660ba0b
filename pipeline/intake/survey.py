"""A look over a whole unknown file: how it is written down, which column seems to be which, what days and labels it holds."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.errors import SourceError
from pipeline.intake import encodings, table_files, text_files
from pipeline.intake.dates import parse_instant
from pipeline.intake.registration import Format
from pipeline.intake.rejection import Reason
from pipeline.intake.sniffing import SAMPLE_ROWS, Guess, guess_columns
from pipeline.intake.sources import read_file
from pipeline.intake.text_files import Cells

_FORMATS: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".xlsx": "xlsx",
}  # fmt: skip
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Layout:
    """How a file is written down; `encoding` and `delimiter` are None where the format has none."""

    format_: Format
    encoding: str | None
    delimiter: str | None
    header: list[str]


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        layout: How the file is written down.
        guess: Which column seems to be which.
        timezone: Shanghai for a Chinese file, UTC for any other.
        n_rows: Rows, unreadable ones included.
        days: Day of arrival in that time zone to number of rows; empty in an undated file.
        labels: Category label to number of rows.
        outcomes: Outcome label to number of rows.
    """

    layout: Layout
    guess: Guess
    timezone: str
    n_rows: int
    days: Counter[date]
    labels: Counter[str]
    outcomes: Counter[str]


def survey(path: Path) -> Survey:
    """Look over a file.

    Raises:
        SourceError: If it is empty, of an unknown format, or has no column of text.
    """
    layout = _look_at(path)
    rows = [record for record in islice(_records(path, layout, layout.header), SAMPLE_ROWS) if not isinstance(record, Reason)]
    guess = guess_columns(layout.header, rows)
    if "narrative" not in guess.columns:
        raise SourceError(
            f"{path} seems to have no column of text; it has {', '.join(layout.header) or 'none'}. Check the file, or write "
            "its registry file by hand."
        )
    beginning = [*layout.header, *(cell or "" for row in rows[:50] for cell in row)]
    timezone = "UTC" if _CHINESE.search("".join(beginning)) is None else "Asia/Shanghai"
    return _count(path, layout, guess, timezone)


def _look_at(path: Path) -> Layout:
    """Format, encoding, delimiter and header."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    format_ = _FORMATS.get(suffixes[-1] if suffixes else "")
    if format_ is None:
        raise SourceError(
            f"{path} is of no format we read: {', '.join(_FORMATS)} (text formats also gzipped). Export it again as one."
        )
    if format_ == "parquet":
        return Layout(format_, None, None, table_files.parquet_header(path))
    if format_ == "xlsx":
        return Layout(format_, None, None, table_files.xlsx_header(path))
    sample = encodings.read_sample(path)
    encoding = encodings.detect_encoding(sample)
    if format_ == "jsonl":
        return Layout(format_, encoding, None, text_files.json_keys(path, encoding=encoding))
    delimiter = text_files.detect_delimiter(encodings.decode_sample(sample, encoding))
    return Layout(format_, encoding, delimiter, text_files.csv_header(path, encoding=encoding, delimiter=delimiter))


def _records(path: Path, layout: Layout, wanted: Sequence[str]) -> Iterator[Cells | Reason]:
    return read_file(path, layout.format_, wanted, encoding=layout.encoding, delimiter=layout.delimiter, batch_rows=SAMPLE_ROWS)


def _count(path: Path, layout: Layout, guess: Guess, timezone: str) -> Survey:
    """Go through all rows, keeping counts only."""
    roles = [role for role in ("narrative", "received_at", "category", "outcome") if role in guess.columns]
    zone = ZoneInfo(timezone)
    n_rows, days, labels, outcomes = 0, Counter[date](), Counter[str](), Counter[str]()
    for record in _records(path, layout, [guess.columns[role] for role in roles]):
        n_rows += 1
        if isinstance(record, Reason):
            continue
        cells = {role: cell.strip() for role, cell in zip(roles, record, strict=True) if cell and cell.strip()}
        instant = parse_instant(cells.get("received_at", ""), zone=zone, order=guess.date_order)
        if instant is not None:
            days[instant.astimezone(zone).date()] += 1
        labels.update(filter(None, [cells.get("category")]))
        outcomes.update(filter(None, [cells.get("outcome")]))
    return Survey(layout, guess, timezone, n_rows, days, labels, outcomes)
