"""Split days, label window and `as_of` for a new profile, from nothing but how many rows arrived on each day.

About six tenths of the reports train, and the rest is divided evenly. The label window is a twentieth of the time covered, at
most 30 days, so that the gap before each split and the unsettled days at the end cost half of a split and not all of it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

_SHARES = {"validation": 0.60, "calibration": 0.72, "test": 0.84}
_LONGEST_WINDOW_DAYS, _SHORTEST_SPAN_DAYS = 30, 40
_SPAN_WINDOWS = 9  # two for each later split, two before them, and a little to train on
GROUP_RULE: Mapping[str, Any] = {"rule": "group", "validation": 0.1, "calibration": 0.1, "test": 0.2}


@dataclass(frozen=True)
class SplitDays:
    """When things are divided.

    Attributes:
        as_of: The day after the last report.
        window_days: Label window and gap.
        split: The `split` of a profile.
        per_day: Reports a day, in the median of the days that had any.
    """

    as_of: date
    window_days: int
    split: Mapping[str, Any]
    per_day: int


def choose_split_days(days: Counter[date], *, window_days: int | None = None) -> SplitDays | None:
    """Choose split days; None where the reports cover too few days to be divided by date.

    Args:
        days: Day to number of reports.
        window_days: Label window and gap where they are given; the split days then lie twice as far apart at least.
    """
    if not days:
        return None
    first, last = min(days), max(days)
    span = (last - first).days + 1
    if span < max(_SHORTEST_SPAN_DAYS, _SPAN_WINDOWS * (window_days or 0)):
        return None
    window = min(_LONGEST_WINDOW_DAYS, max(1, span // 20)) if window_days is None else window_days
    split: dict[str, Any] = {"rule": "date"}
    earliest = first + timedelta(days=2 * window)
    for number, (name, share) in enumerate(_SHARES.items()):
        latest = last - timedelta(days=2 * window * (len(_SHARES) - number) - 1)  # every later split needs two windows
        split[name] = min(max(_quantile(days, share), earliest), latest)
        earliest = split[name] + timedelta(days=2 * window)
    counts = sorted(days.values())
    return SplitDays(last + timedelta(days=1), window, split, counts[len(counts) // 2])


def _quantile(days: Counter[date], share: float) -> date:
    """The day before which a share of the reports came in."""
    wanted, seen = share * days.total(), 0
    for day in sorted(days):
        seen += days[day]
        if seen >= wanted:
            return day
    return max(days)
