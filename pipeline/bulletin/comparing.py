"""A period beside the one before it and the same one a year ago."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.period import MEASURES, PeriodFigures
from pipeline.taxonomy import Taxonomy

ROWS = ("collected", "warned", "disputes", "tips", "mediated", "transferred", "tips_settled", "open", "late", "alerts")
"""Lines of the summary: the measures, with what was found told apart into disputes and tips of hazards and offences."""


@dataclass(frozen=True)
class Days:
    """Some days, the last one included."""

    first: date
    last: date

    @property
    def before(self) -> "Days":
        """As many days just before; the whole month before a whole month."""
        end = self.first - timedelta(days=1)
        if self._is_month:
            return Days(end.replace(day=1), end)
        return Days(self.first - (self.last - self.first) - timedelta(days=1), end)

    @property
    def last_year(self) -> "Days":
        """The same days a year ago; 29 February becomes the 28th, and a whole month stays whole."""
        first, last = _a_year_ago(self.first), _a_year_ago(self.last)
        if self._is_month:
            last = last.replace(day=calendar.monthrange(last.year, last.month)[1])
        return Days(first, last)

    @property
    def _is_month(self) -> bool:
        begins = self.first.day == 1 and (self.first.year, self.first.month) == (self.last.year, self.last.month)
        return begins and (self.last + timedelta(days=1)).day == 1


def _a_year_ago(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@dataclass(frozen=True)
class Compared:
    """A period with the two it is held against; None where the store knows nothing of a time."""

    days: Days
    now: PeriodFigures
    before: PeriodFigures | None
    last_year: PeriodFigures | None

    @property
    def periods(self) -> tuple[PeriodFigures | None, ...]:
        """This one, the one before, the one a year ago."""
        return self.now, self.before, self.last_year


def summary(figures: PeriodFigures | None, taxonomy: Taxonomy) -> Mapping[str, int | None]:
    """The lines of `ROWS` for a period; None throughout where there is no period."""
    if figures is None:
        return dict.fromkeys(ROWS)
    tips = {category.id for category in taxonomy.categories if category.kind == "tip"}
    total = {name: sum(cell.counts[name] for cell in figures.cells) for name in MEASURES}
    of_tips = {name: sum(cell.counts[name] for cell in figures.cells if cell.category in tips) for name in MEASURES}
    return {
        **{name: total[name] for name in ("collected", "warned", "mediated", "transferred", "open")},
        "disputes": total["found"] - of_tips["found"],
        "tips": of_tips["found"],
        "tips_settled": of_tips["settled"],
        "late": figures.n_late,
        "alerts": figures.n_alerts,
    }


def by(figures: PeriodFigures | None, key: str) -> Mapping[str | None, Mapping[str, int]]:
    """The counts by `area` or by `category`, those with most reports first."""
    sums: dict[str | None, dict[str, int]] = {}
    for cell in figures.cells if figures is not None else ():
        into = sums.setdefault(getattr(cell, key), dict.fromkeys(MEASURES, 0))
        for name, n in cell.counts.items():
            into[name] += n
    return dict(sorted(sums.items(), key=lambda one: (-one[1]["collected"], -one[1]["found"], str(one[0]))))
