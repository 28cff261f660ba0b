"""Reports counted per area, category and day, at every level: one table of counts, with the zeros in it.

Four levels stand side by side: area x category, every category over all areas, every area over all categories, and
everything. A matrix rather than a long table, because every method looks at all series at once and at many days back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.emerging.calendar import Days
from pipeline.emerging.delays import completeness
from pipeline.errors import SchemaError

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]
Truths = NDArray[np.bool_]

AREA_CATEGORY, CATEGORY, AREA, ALL = "area x category", "category", "area", "all"


@dataclass(frozen=True)
class CountSeries:
    """Counts of many series over the same consecutive days.

    Attributes:
        keys: One row a series: `area` and `category` (None where the series is over all of them) and `level`.
        days: Consecutive days, shape (n_days,); where `step_days` is 7, the first day of each week.
        observed: Reports that came in on the day and are known, shape (n_series, n_days).
        n_reporters: Different reporters of the day, same shape, or None where reports do not say.
        completeness: Share of each day's reports expected to be known already, shape (n_days,), in (0, 1].
        step_days: Days between two columns: 1, or 7 for weekly series.
    """

    keys: pd.DataFrame
    days: Days
    observed: Integers
    n_reporters: Integers | None
    completeness: Reals
    step_days: int = 1

    def before(self, day: date) -> "CountSeries":
        """The same series without what came in on `day` or later."""
        kept = self.days < np.datetime64(day, "D")
        reporters = self.n_reporters[:, kept] if self.n_reporters is not None else None
        return CountSeries(
            self.keys, self.days[kept], self.observed[:, kept], reporters, self.completeness[kept], self.step_days
        )


def counts(
    reports: pd.DataFrame,
    *,
    as_of: date,
    timezone: str,
    max_delay_days: int,
    areas: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    first_day: date | None = None,
) -> CountSeries:
    """Count reports per area, category and day, as known at the start of `as_of`.

    Args:
        reports: Columns `received_at` (UTC), `area`, `category`; optionally `reporter_hash`, and `recorded_at` (UTC), the
            instant from which a report was known to us: one recorded later is not counted, and how late reports
            usually are gives `completeness`. Rows without an area count over all areas only, likewise without a category.
        as_of: Day from which we look; nothing received or recorded on it or later is counted.
        timezone: IANA zone in which days begin.
        max_delay_days: Days after which a late report is no longer waited for.
        areas: Areas to count, in order; by default those that occur.
        categories: Categories to count, in order; by default those that occur.
        first_day: First day of the series; by default the day of the earliest report.

    Raises:
        SchemaError: If a column is missing, or an instant is without time zone.
    """
    known = _known(reports, as_of=as_of, timezone=timezone)
    start = np.datetime64(first_day, "D") if first_day is not None else _first(known)
    end = np.datetime64(as_of, "D")
    start = min(start, end) if not np.isnat(start) else end
    days = np.arange(start, end, dtype="datetime64[D]")
    known = known[known["day"] >= start]
    share = completeness(known, days, max_delay_days=max_delay_days) if "known_day" in known else np.ones(len(days))
    keys = _keys(_named(known["area"], areas), _named(known["category"], categories))
    observed = np.zeros((len(keys), len(days)), dtype=np.int64)
    reporters = np.zeros_like(observed) if "reporter_hash" in known else None
    position = (known["day"].to_numpy(dtype="datetime64[D]") - start).astype(np.int64)
    for level, (by_area, by_category) in _LEVELS.items():
        row = _rows(keys, level, known, by_area=by_area, by_category=by_category)
        np.add.at(observed, (row[row >= 0], position[row >= 0]), 1)
        if reporters is not None:
            people = pd.DataFrame({"row": row, "day": position, "who": known["reporter_hash"].to_numpy()})
            people = people[(people["row"] >= 0) & people["who"].notna()].drop_duplicates()
            np.add.at(reporters, (people["row"].to_numpy(), people["day"].to_numpy()), 1)
    return CountSeries(keys, days, observed, reporters, share)


SILENT_DAYS = 14
"""Days without a single report after which a source is taken to have begun anew."""


def running_since(days: "pd.Series[pd.Timestamp]") -> date | None:
    """The first day from which reports came in without a long silence; a few stray earlier ones are no history.

    Args:
        days: Naive day of each report.
    """
    known = np.unique(days.dropna().to_numpy(dtype="datetime64[D]"))
    if not len(known):
        return None
    silent = np.flatnonzero(np.diff(known).astype(np.int64) > SILENT_DAYS)
    start: date = known[silent[-1] + 1 if len(silent) else 0].astype(date)
    return start


_LEVELS = {AREA_CATEGORY: (True, True), CATEGORY: (False, True), AREA: (True, False), ALL: (False, False)}


def _known(reports: pd.DataFrame, *, as_of: date, timezone: str) -> pd.DataFrame:
    """Reports known at the start of `as_of`, with the local `day` they came in and, if recorded, the day they became known."""
    missing = {"received_at", "area", "category"} - set(reports.columns)
    if missing:
        raise SchemaError(f"Counting needs the column(s) {', '.join(sorted(missing))}. Join them to the reports first.")
    kept = reports.drop(columns=["day", "known_day"], errors="ignore").assign(day=_local(reports, "received_at", timezone))
    end = pd.Timestamp(as_of)
    inside = kept["day"] < end
    if "recorded_at" in kept:
        kept["known_day"] = _local(reports, "recorded_at", timezone).fillna(kept["day"])
        inside &= kept["known_day"] < end
    return kept[inside]


def _first(known: pd.DataFrame) -> "np.datetime64":
    days: Days = known["day"].to_numpy(dtype="datetime64[D]")
    return days.min() if len(days) else np.datetime64("NaT")


def _local(reports: pd.DataFrame, column: str, timezone: str) -> "pd.Series[pd.Timestamp]":
    instants = reports[column]
    if not isinstance(instants.dtype, pd.DatetimeTZDtype):
        raise SchemaError(f"Counting needs '{column}' as timezone-aware UTC, got {instants.dtype}. Check the table it is from.")
    local: pd.Series[pd.Timestamp] = instants.dt.tz_convert(timezone).dt.tz_localize(None).dt.floor("D")
    return local.astype("datetime64[s]")


def _named(values: "pd.Series[str]", wanted: Sequence[str] | None) -> list[str]:
    return list(wanted) if wanted is not None else sorted(values.dropna().unique())


def _keys(areas: list[str], categories: list[str]) -> pd.DataFrame:
    rows: list[tuple[str | None, str | None, str]] = [
        (area, category, AREA_CATEGORY) for area in areas for category in categories
    ]
    rows += [(None, category, CATEGORY) for category in categories]
    rows += [(area, None, AREA) for area in areas]
    rows += [(None, None, ALL)]
    return pd.DataFrame(rows, columns=["area", "category", "level"], dtype=object)


def _rows(keys: pd.DataFrame, level: str, known: pd.DataFrame, *, by_area: bool, by_category: bool) -> Integers:
    """The series each report belongs to at this level, -1 for none."""
    place = {
        (area, category): row for row, (area, category, of) in enumerate(keys.itertuples(index=False, name=None)) if of == level
    }
    n_reports = len(known)
    areas = known["area"].tolist() if by_area else [None] * n_reports
    categories = known["category"].tolist() if by_category else [None] * n_reports
    return np.array([place.get(key, -1) for key in zip(areas, categories, strict=True)], dtype=np.int64)
