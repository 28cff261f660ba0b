"""Counts a day as bars, with the band of what would be usual; drawn by the templates as SVG, without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

CHART_DAYS = 42  # days; six weeks, older ones say nothing of what is emerging


@dataclass(frozen=True)
class Bar:
    """A day of a chart: place, height in [0, 100], and what it counts."""

    day: date
    n: int
    x: int
    height: int


@dataclass(frozen=True)
class Chart:
    """Sums of some days each, and where the usual ones lie; heights in [0, 100] from below.

    Attributes:
        bars: One a day: the reports of the `window_days` that end with it.
        window_days: Days summed up.
        low: Height of the lower end of the band, None without one.
        high: Height of its upper end, None without one.
        expected: Height of what was expected, None where nothing was.
        since: Place of the alert's first day, None where it lies before the chart.
    """

    bars: tuple[Bar, ...]
    window_days: int
    low: int | None
    high: int | None
    expected: int | None
    since: int | None


def bars(days: Sequence[date]) -> tuple[Bar, ...]:
    """Reports a day up to the newest one, at most six weeks of them."""
    last = max(days)
    first = max(min(days), last - timedelta(days=CHART_DAYS - 1))
    return _drawn(_counted(days, first, last), max_of=0.0)


def chart(
    days: Sequence[date],
    *,
    last: date,
    first_seen: date,
    window_days: int,
    band: tuple[float, float] | None,
    expected: float | None,
) -> Chart:
    """Draw what an alert is about.

    Args:
        days: Day of arrival of each report.
        last: Last day of the chart.
        first_seen: First day of the alert.
        window_days: Days its counts are of.
        band: Lower and upper count of usual windows, if the alert says.
        expected: Count of a usual window, if the alert says.
    """
    first = last - timedelta(days=CHART_DAYS - 1)
    counts = _counted(days, first - timedelta(days=window_days - 1), last)
    sums = {
        first + timedelta(days=k): sum(counts[first + timedelta(days=k - back)] for back in range(window_days))
        for k in range(CHART_DAYS)
    }
    highest = max(*sums.values(), *(band or ()), expected or 0.0, 1.0)
    drawn = _drawn(sums, max_of=highest)
    low, high, middle = (None if one is None else round(100 * one / highest) for one in (*(band or (None, None)), expected))
    since = next((bar.x for bar in drawn if bar.day == first_seen), None)
    return Chart(drawn, window_days, low, high, middle, since)


def _counted(days: Sequence[date], first: date, last: date) -> dict[date, int]:
    counts = {first + timedelta(days=k): 0 for k in range((last - first).days + 1)}
    for day in days:
        if day in counts:
            counts[day] += 1
    return counts


def _drawn(counts: dict[date, int], *, max_of: float) -> tuple[Bar, ...]:
    highest = max(max_of, *counts.values(), 1)
    return tuple(Bar(day, n, x=12 * place, height=round(100 * n / highest)) for place, (day, n) in enumerate(counts.items()))
