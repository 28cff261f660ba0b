"""Weekly case counts with outbreak weeks dated by officials, as count series with known surges."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.emerging.evaluation import Truth, judge
from pipeline.emerging.series import ALL, CountSeries

LEAD_WEEKS = 4  # officials date an outbreak when they know of it: an alarm shortly before counts
AFTER_WEEKS = 13  # weeks after an outbreak in which baselines still hold it


def load_outbreaks(mirror: Path) -> dict[str, tuple[CountSeries, Truth]]:
    """Every series with its outbreaks."""
    table = pd.read_csv(mirror / "outbreak_alarm_series" / "outbreak_series.csv")
    return {name: _series(rows.sort_values("t")) for name, rows in table.groupby("series", sort=False)}


def _series(rows: pd.DataFrame) -> tuple[CountSeries, Truth]:
    first = rows["week"].iloc[0]
    start = date.fromisoformat(first) if "-W" not in first else datetime.strptime(f"{first}-1", "%G-W%V-%u").date()  # noqa: DTZ007
    weeks = np.datetime64(start, "D") + 7 * np.arange(len(rows))
    keys = pd.DataFrame([(None, None, ALL)], columns=["area", "category", "level"], dtype=object)
    series = CountSeries(keys, weeks, rows["observed"].to_numpy(dtype=np.int64)[None], None, np.ones(len(rows)), step_days=7)
    flags = np.concatenate([[0], rows["outbreak"].to_numpy(), [0]])
    starts, ends = np.flatnonzero(np.diff(flags) == 1), np.flatnonzero(np.diff(flags) == -1)
    surges = pd.DataFrame({"series": 0, "start": starts, "length": ends - starts})
    return series, Truth(surges, np.ones((1, 1), dtype=bool), LEAD_WEEKS, AFTER_WEEKS)


def outcome(scores: dict[str, np.ndarray], outbreaks, threshold: float) -> tuple[float, pd.DataFrame]:
    """Share of quiet weeks that alarm over all series, and per series with outbreaks what was found, and how late.

    `found` is the share found, `delay` the median delay in weeks of those found, and `passed` the mean share of an outbreak
    that had passed before it was found, 1 where it was missed, as in Noufaily and others (Bioinformatics 35, 2019,
    3110-3118): delays of rules that found different outbreaks cannot be compared.
    """
    n_false, n_quiet, rows = 0, 0, []
    for name, (_, truth) in outbreaks.items():
        got = judge(scores[name], threshold, truth, merge_gap=3)
        everywhere = judge(np.ones_like(scores[name]), 1.0, truth, merge_gap=3)
        n_false, n_quiet = n_false + got.n_false_steps, n_quiet + everywhere.n_false_steps
        if len(truth.surges):
            delay = np.maximum(got.delay[got.found], 0.0)
            passed = np.where(got.found, np.maximum(got.delay, 0.0) / truth.surges["length"].to_numpy(), 1.0)
            rows.append((name, got.found.mean(), np.median(delay) if len(delay) else np.nan, passed.mean()))
    return n_false / n_quiet, pd.DataFrame(rows, columns=["series", "found", "delay", "passed"]).set_index("series")


def matched(scores: dict[str, np.ndarray], outbreaks, share: float) -> float:
    """The lowest threshold at which no larger share of quiet weeks alarms."""
    levels = np.unique(np.concatenate([values[np.isfinite(values)] for values in scores.values()]))
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if outcome(scores, outbreaks, float(levels[middle]))[0] > share:
            low = middle + 1
        else:
            high = middle
    return float(levels[low])
