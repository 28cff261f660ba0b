"""What happened in a period, as the store counts it and the bulletin and the pages tell it: plain numbers, no texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

MEASURES = ("collected", "warned", "found", "mediated", "transferred", "settled", "open")
"""What a period is counted by, in the order of a report's way through the unit.

Attributes:
    collected: Reports received in the period.
    warned: Of these, reports the nights asked somebody to read.
    found: Reports that people judged in the period to need attention, whenever received.
    mediated: Reports mediated in the period.
    transferred: Reports handed over in the period.
    settled: Either of the two.
    open: Reports somebody was asked to read that nobody had closed by the period's end.
"""

AGES_DAYS = (1, 3, 7, 30)  # days; upper ends of the ages of open reports, the last group is older


@dataclass(frozen=True)
class Cell:
    """The counts of one category in one area; `category` None where no night scored the report."""

    area: str | None
    category: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True)
class PeriodFigures:
    """The counts of a period.

    Attributes:
        start: Its first instant, aware.
        end: The first instant after it, aware.
        cells: Counts by area and category.
        transferred: Unit to reports handed over to it.
        ages: Open reports by age: fewer than 1, 3, 7, 30 days, and older.
        n_late: Open reports whose answer was due by the end.
        n_alerts: Alerts first seen in the period.
        n_known: Reports the store has of any time before the end; with none, the period cannot be compared with.
    """

    start: datetime
    end: datetime
    cells: tuple[Cell, ...]
    transferred: Mapping[str, int] = field(default_factory=dict)
    ages: tuple[int, ...] = (0,) * (len(AGES_DAYS) + 1)
    n_late: int = 0
    n_alerts: int = 0
    n_known: int = 0


BulletinForm = Literal["fragment", "html", "csv", "xlsx"]
"""How a bulletin is written: as a part of a page, or as a file that stands alone."""

WriteBulletin = Callable[[date, date, Sequence[str] | None, str, BulletinForm], bytes]
"""Writes the bulletin of some days, the last one included: first day, last day, areas, language, form."""
