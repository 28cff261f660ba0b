"""CSV and JSONL, plain or gzipped, one record at a time, with a bad record costing only itself.

`csv.reader` over a whole file does not do here: a single unbalanced quote swallows everything up to the next one. Records are
therefore put together line by line. A line without quotes is split; a line that ends inside quotes takes further lines until
the quote closes, and if what results does not fit the header, the first line alone is rejected and the others are read again.

Limits: a quote is escaped by doubling it, not by a backslash. A row whose stray quote happens to be closed by a quote in a
later row, with the right number of columns, is taken together with the rows between. Blank lines are no rows.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from pipeline.errors import SourceError
from pipeline.intake import encodings
from pipeline.intake.rejection import Reason

Cells = tuple[str | None, ...]
_DELIMITERS = ",;\t|"
_N_FIRST_OBJECTS = 1000


def locate(wanted: Sequence[str], present: Sequence[str], where: str) -> list[int]:
    """The position of every wanted column.

    Args:
        wanted: Names from the registry file's column map.
        present: Names in the file.
        where: The file, for the message.

    Raises:
        SourceError: If one is not there.
    """
    missing = [name for name in dict.fromkeys(wanted) if name not in present]
    if missing:
        raise SourceError(
            f"{where} lacks the column(s) {', '.join(missing)}; it has {', '.join(present) or 'none'}. "
            "Correct 'columns' (or 'delimiter' and 'encoding') in its registry file."
        )
    return [present.index(name) for name in wanted]


def detect_delimiter(sample: str) -> str:
    """The delimiter that cuts the first lines into the most columns, equally many in most of them."""
    lines = [line for line in sample.splitlines() if line.strip()][:50]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        rows = [fields for line in lines if (fields := _fields(line, delimiter)) is not None]
        n_columns = len(rows[0]) if rows else 0
        score = n_columns * sum(len(row) == n_columns for row in rows) / max(len(lines), 1)
        if n_columns > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


class _Lines:
    """Lines of a file, some of which may be given back to be read again."""

    def __init__(self, lines: Iterator[str | None]) -> None:
        self._lines = lines
        self._returned: list[str | None] = []

    def __iter__(self) -> Iterator[str | None]:
        return self

    def __next__(self) -> str | None:
        return self._returned.pop() if self._returned else next(self._lines)

    def give_back(self, lines: Sequence[str | None]) -> None:
        self._returned.extend(reversed(lines))


def read_csv(path: Path, wanted: Sequence[str], *, encoding: str | None, delimiter: str | None) -> Iterator[Cells | Reason]:
    """Read the wanted columns of a CSV file.

    Args:
        path: The file.
        wanted: Names of columns in the header.
        encoding: Its encoding, or None to find out.
        delimiter: Its delimiter, or None to find out.

    Yields:
        The wanted cells of a record, in the order asked for, or why it cannot be read.

    Raises:
        SourceError: If the file is empty or lacks a wanted column.
    """
    sample = encodings.read_sample(path)
    encoding = encodings.usable_encoding(encoding, sample, path)
    start = encodings.decode_sample(sample, encoding)
    delimiter = detect_delimiter(start) if delimiter is None else delimiter
    csv.field_size_limit(max(csv.field_size_limit(), encodings.MAX_RECORD_CHARACTERS))  # process-wide, and only ever raised
    with encodings.open_lines(path, encoding, "\n" if "\n" in start else "\r") as raw_lines:
        lines = _Lines(raw_lines)
        positions: list[int] | None = None
        n_columns: int | None = None
        for line in lines:
            if line is not None and not line.strip():
                continue
            record = Reason.TOO_LONG if line is None else _assemble(line, lines, delimiter, n_columns)
            if positions is None:
                header = [] if isinstance(record, Reason) else [name.strip().lstrip("\ufeff") for name in record]
                positions, n_columns = locate(wanted, header, str(path)), len(header)
                continue
            yield record if isinstance(record, Reason) else tuple([record[position] for position in positions])


def csv_header(path: Path, *, encoding: str, delimiter: str) -> list[str]:
    """The column names of a CSV file."""
    with encodings.open_lines(path, encoding, "\n") as raw_lines:
        lines = _Lines(raw_lines)
        for line in lines:
            record = Reason.TOO_LONG if line is None else _assemble(line, lines, delimiter, None)
            return [] if isinstance(record, Reason) else [name.strip().lstrip("\ufeff") for name in record]
    return []


def _assemble(first: str, lines: _Lines, delimiter: str, n_columns: int | None) -> list[str] | Reason:
    """Make a record of a line and, while a quote is open, of the lines after it.

    Args:
        first: The line the record begins with.
        lines: The lines after it.
        delimiter: What stands between fields.
        n_columns: How many fields there must be; None for the header.
    """
    fields = _fields(first, delimiter)
    if fields is not None:
        return fields if n_columns in (None, len(fields)) else Reason.N_COLUMNS
    taken: list[str | None] = []
    n_characters = len(first)
    for line in lines:
        taken.append(line)
        if line is None or n_characters > encodings.MAX_RECORD_CHARACTERS:
            break
        n_characters += len(line) + 1
        if line.count('"') % 2 == 0:  # an open quote stays open over a line with pairs of quotes, or with none
            continue
        fields = _fields("\n".join([first, *(part for part in taken if part is not None)]), delimiter, strict=True)
        if fields is not None and n_columns in (None, len(fields)):
            return fields
        break
    lines.give_back(taken)
    return Reason.QUOTES


def _fields(record: str, delimiter: str, *, strict: bool = False) -> list[str] | None:
    """Cut a record into fields; None if a quote stays open or, when strict, if anything but a delimiter follows its end."""
    if '"' not in record:
        return record.split(delimiter)
    reader = csv.reader(iter([record, ""]), delimiter=delimiter, strict=strict)
    try:
        fields = next(reader)
    except csv.Error:
        return None
    return fields if reader.line_num == 1 else None  # an open quote makes the reader go on to the second line


def read_jsonl(path: Path, wanted: Sequence[str], *, encoding: str | None) -> Iterator[Cells | Reason]:
    """Read the wanted keys of a file with one JSON object a line; an object without a key has null there.

    Args:
        path: The file.
        wanted: Keys.
        encoding: Its encoding, or None to find out.

    Yields:
        The values of an object, in the order asked for, or why it cannot be read.

    Raises:
        SourceError: If the file is empty, or a wanted key is in none of its first 1,000 objects.
    """
    encoding = encodings.usable_encoding(encoding, encodings.read_sample(path), path)
    with encodings.open_lines(path, encoding, "\n") as lines:
        found = (_json_object(line) for line in lines if line is None or line.strip())
        first = list(islice(found, _N_FIRST_OBJECTS))
        keys = dict.fromkeys(key for item in first if isinstance(item, dict) for key in item)
        locate(wanted, list(keys), str(path))
        for item in chain(first, found):
            yield item if isinstance(item, Reason) else tuple([as_text(item.get(key)) for key in wanted])


def json_keys(path: Path, *, encoding: str) -> list[str]:
    """The keys of the first 1,000 objects, in order of appearance."""
    with encodings.open_lines(path, encoding, "\n") as lines:
        first = islice((_json_object(line) for line in lines if line is None or line.strip()), _N_FIRST_OBJECTS)
        return list(dict.fromkeys(key for item in first if isinstance(item, dict) for key in item))


def _json_object(line: str | None) -> dict[str, object] | Reason:
    if line is None:
        return Reason.TOO_LONG
    try:
        value = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        broken = any("\udc80" <= char <= "\udcff" for char in line)
        return Reason.BROKEN_ENCODING if broken else Reason.NOT_AN_OBJECT
    return value if isinstance(value, dict) else Reason.NOT_AN_OBJECT


def as_text(value: object) -> str | None:
    """A cell as text: whole numbers without a decimal point, instants in ISO form, nested values as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value != value:  # not a number: how tables of floats write an empty cell
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def refuse_unreadable(path: Path, error: Exception) -> SourceError:
    """What to raise where a file breaks off or is not of the format its registry file says."""
    return SourceError(
        f"{path} cannot be read as its registry file says ({type(error).__name__}). It may be cut off or of another format: "
        "run `triage fetch` for its source, or correct 'format'."
    )
