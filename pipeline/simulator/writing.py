"""Source files and truth files, written as the schedule unrolls; plain CSV in UTF-8: the same seed gives the same bytes."""

import csv
import io
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Self

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reports.csv": ("report_id", "received_at", "title", "body", "area", "channel", "reporter", "category"),
    "outcomes.csv": ("report_id", "outcome", "recorded_at"),
    "truth/reports.csv": ("report_id", "matter_id", "category", "severity", "outcome", "outcome_at", "copy_of"),
    "truth/matters.csv": (
        "matter_id", "area", "category", "severity", "started_at", "growing", "in_surge", "drifted", "second_category",
        "hazard", "outcome",
    ),
    "truth/planted.csv": ("report_id", "field", "kind", "text"),
    "truth/decoys.csv": ("report_id", "field", "text"),
    "truth/surges.csv": ("area", "category", "first_day", "n_days", "factor"),
    "truth/dirty.csv": ("row", "kind", "must_reject"),
}  # fmt: skip
"""File to its columns. `hazard` is a day's with one reporter on the first day; `outcome` of a truth file is what becomes of
the matter even after the last day, `copy_of` the report whose words were copied, `row` counts from 1 after the header."""


class Files:
    """All files of one simulation, open for writing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._open: dict[str, BinaryIO] = {}
        self.n_rows: dict[str, int] = dict.fromkeys(COLUMNS, 0)

    def __enter__(self) -> Self:
        (self._folder / "truth").mkdir(parents=True, exist_ok=True)
        for name, columns in COLUMNS.items():
            self._open[name] = self._stack.enter_context((self._folder / name).open("wb"))
            self._open[name].write(as_line(columns))
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def row(self, name: str, *values: object) -> None:
        """Add a row to a file."""
        self.raw(name, as_line(values))

    def raw(self, name: str, line: bytes) -> None:
        """Add a row as bytes, whatever they are."""
        self._open[name].write(line)
        self.n_rows[name] += 1


def as_line(values: object) -> bytes:
    """A CSV row in UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerow(values)  # type: ignore[arg-type]
    return text.getvalue().encode("utf-8")
