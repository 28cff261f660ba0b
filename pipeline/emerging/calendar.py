"""The kind of each day: its weekday, a public holiday, or a weekend day that was made a working day.

Chinese public holidays are declared a year at a time, with weekends worked in exchange; the `holidays` package carries both
from 2001 on, is released monthly, and knows the statutory days of years not yet declared. (`chinesecalendar` names the same
days, the two differ on one of 8,401 days from 2004 to 2026, but it refuses every year after its last release, and a night
must run on New Year's Day.) Until a year's exchange is declared and the package renewed, its exchanged days are read as
ordinary ones.
"""

from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

HOLIDAY = 7
WORKED_WEEKEND = 8
N_DAY_TYPES = 9
"""Monday to Sunday are 0 to 6."""

Days = NDArray[np.datetime64]


def day_types(days: Days, *, country: str) -> NDArray[np.int64]:
    """The kind of each day.

    Args:
        days: Calendar days, shape (n_days,), numpy `datetime64[D]`.
        country: ISO code whose public holidays count, such as CN.

    Returns:
        Integers in [0, N_DAY_TYPES), shape (n_days,): 0 to 6 for Monday to Sunday, HOLIDAY, or WORKED_WEEKEND.
    """
    days = days.astype("datetime64[D]")
    kinds = (days.astype(np.int64) + 3) % 7  # day 0 of the epoch was a Thursday
    if not len(days):
        return kinds
    years = days.astype("datetime64[Y]").astype(int) + 1970
    resting, working = _declared(country, int(years.min()), int(years.max()))
    kinds[np.isin(days, resting)] = HOLIDAY
    kinds[np.isin(days, working)] = WORKED_WEEKEND
    return kinds


@lru_cache(maxsize=16)
def _declared(country: str, first: int, last: int) -> tuple[Days, Days]:
    """Public holidays (with the days off given in exchange) and weekend days worked instead, of these years."""
    declared = holidays.country_holidays(country, years=range(first, last + 1))
    resting = np.array(sorted(declared), dtype="datetime64[D]")
    working = np.array(sorted(getattr(declared, "weekend_workdays", ())), dtype="datetime64[D]")
    return resting, working[~np.isin(working, resting)]
