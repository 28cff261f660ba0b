"""What reviewers get for their hours: escalations read in time by number of reviewers, and what one more would add.

Past nights are replayed with each number of reviewers in the order the nights went by, so what fewer would have left open
competes with later arrivals. Numbers are compared on the same resamples of matters (`resampling.py`), hence the yield of one
more reviewer has an interval of its own, narrower than the two it lies between.

Limit: reports that the nights gave out keep the priority they had then, where a later model might have changed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.evaluation.backtesting import Fates
from pipeline.evaluation.metrics import ratio
from pipeline.evaluation.plots import BLUE, DOTS_PER_INCH
from pipeline.evaluation.resampling import Estimate, Measure, resample

DAYS_A_MONTH = 30
_MINUTES_AN_HOUR = 60
_SHOWN_CATEGORIES = 3


@dataclass(frozen=True)
class Level:
    """One number of reviewers.

    Attributes:
        n_reviewers: How many.
        capacity: Reports they read in a day.
        n_in_time: Escalations read in time.
        recall: Share of the escalations that were read in time.
        one_more: Escalations a month that one more reviewer would read in time beyond them; NaN for the most reviewers.
    """

    n_reviewers: int
    capacity: int
    n_in_time: int
    recall: Estimate
    one_more: Estimate


@dataclass(frozen=True)
class Staffing:
    """What was measured.

    Attributes:
        first_day: First night, ISO.
        last_day: Last night, ISO.
        n_reviewers: The number asked about.
        minutes: Minutes a report takes.
        hours_per_day: Hours a day a reviewer reads.
        n_escalated: Settled reports that escalated.
        n_reachable: Those that could have been read before their outcome.
        levels: Each number of reviewers, ascending.
        missed: Category, Chinese and English name, escalated and missed, for the number asked about; most missed first.
    """

    first_day: str
    last_day: str
    n_reviewers: int
    minutes: float
    hours_per_day: float
    n_escalated: int
    n_reachable: int
    levels: Sequence[Level]
    missed: pd.DataFrame

    @property
    def asked(self) -> Level:
        """The level asked about."""
        return next(level for level in self.levels if level.n_reviewers == self.n_reviewers)

    def as_results(self) -> dict[str, Any]:
        """Plain values, ready for JSON; null where something could not be measured."""
        values = {name: value for name, value in vars(self).items() if name not in ("levels", "missed")}
        levels = [{key: _plain(value) for key, value in asdict(level).items()} for level in self.levels]
        return values | {"levels": levels, "missed": self.missed.to_dict("records")}


def reports_a_day(n_reviewers: int, *, minutes: float, hours_per_day: float) -> int:
    """Reports that reviewers read in a day, rounded down; at least 1."""
    return max(1, int(n_reviewers * hours_per_day * _MINUTES_AN_HOUR / minutes + 1e-9))


def measure_levels(
    fate: Fates,
    read: Mapping[int, np.ndarray],
    capacities: Mapping[int, int],
    *,
    n_resamples: int,
    confidence: float,
    seed: int,
) -> list[Level]:
    """Measure each number of reviewers.

    Args:
        fate: What became of the reports.
        read: Number of reviewers to the night that gave each report to somebody, -1 for none; ascending.
        capacities: Number of reviewers to reports read in a day.
        n_resamples: Of the intervals.
        confidence: Of the intervals, in (0, 1).
        seed: Of the resamples.
    """
    months = len(fate.mornings) / DAYS_A_MONTH
    measures = [_of_level(number, fate, night, months) for number, night in read.items()]
    found = resample(measures, pd.Series(fate.matters), n_resamples=n_resamples, confidence=confidence, seed=seed)
    unknown = Estimate(float("nan"), float("nan"), float("nan"))
    return [
        Level(
            n_reviewers=number,
            capacity=capacities[number],
            n_in_time=int(fate.in_time(read[number]).sum()),
            recall=found.estimate(f"{number}.recall"),
            one_more=found.difference(f"{number + 1}.month", f"{number}.month") if number + 1 in read else unknown,
        )
        for number in read
    ]


def _of_level(number: int, fate: Fates, night: np.ndarray, months: float) -> Measure:
    hits, escalated = fate.in_time(night).astype(np.float64), fate.escalated.astype(np.float64)

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        n_hits = weights @ hits
        return {f"{number}.recall": ratio(n_hits, weights @ escalated), f"{number}.month": n_hits / months}

    return measure


def missed_by_category(
    fate: Fates, night: np.ndarray, categories: np.ndarray, names: Mapping[str, tuple[str, str]]
) -> pd.DataFrame:
    """Escalations that were not read in time, by category.

    Args:
        fate: What became of the reports.
        night: Night that gave each report to somebody, -1 for none.
        categories: Category id of each, shape (n_reports,).
        names: Category id to its Chinese and its English name.

    Returns:
        Columns `category`, `zh`, `en`, `n_escalated`, `n_missed`; categories without escalations are left out.
    """
    escalated = pd.Series(categories[fate.escalated])
    missed = pd.Series(categories[fate.escalated & ~fate.in_time(night)])
    table = pd.DataFrame({"n_escalated": escalated.value_counts(), "n_missed": missed.value_counts()}).fillna(0).astype(int)
    table = table.rename_axis("category").reset_index().sort_values(["n_missed", "category"], ascending=[False, True])
    zh, en = (table["category"].map(lambda name, place=place: names.get(name, (name, name))[place]) for place in (0, 1))
    return table.assign(zh=zh, en=en)[["category", "zh", "en", "n_escalated", "n_missed"]].reset_index(drop=True)


def sentence(staffing: Staffing, *, language: str) -> str:
    """The answer in one breath.

    Args:
        staffing: What was measured.
        language: `zh` or `en`.
    """
    level, place = staffing.asked, ("zh", "en").index(language)
    hits, percent = level.n_in_time, [100 * end for end in (level.recall.point, level.recall.low, level.recall.high)]
    most = staffing.missed[staffing.missed["n_missed"] > 0].head(_SHOWN_CATEGORIES)
    listed = ("、", ", ")[place].join(f"{row[language]} {row['n_missed']}" for _, row in most.iterrows()) or ("无", "none")[
        place
    ]
    n_missed = int(staffing.missed["n_missed"].sum())
    more = level.one_more
    yields = f"{more.point:.1f} ({more.low:.1f}–{more.high:.1f})" if more.defined else "–"
    first, last, hours, minutes = staffing.first_day, staffing.last_day, staffing.hours_per_day, staffing.minutes
    if language == "zh":
        return (
            f"{staffing.n_reviewers} 名审阅员每天阅 {hours:g} 小时、每件 {minutes:g} 分钟，即每天 {level.capacity} 件："
            f"{first} 至 {last} 的 {staffing.n_escalated} 件升级件中会及时阅到 {hits} 件，"
            f"占 {percent[0]:.0f} %（{percent[1]:.0f}–{percent[2]:.0f}）；漏掉 {n_missed} 件，最多的是 {listed}。"
            f"再加一人，每 {DAYS_A_MONTH} 天多及时阅到 {yields} 件。"
        )
    return (
        f"{staffing.n_reviewers} reviewer(s) reading {hours:g} hours a day at {minutes:g} minutes a report, that is "
        f"{level.capacity} a day, would have read {hits} of {staffing.n_escalated} escalations in time from {first} to {last}, "
        f"{percent[0]:.0f} % ({percent[1]:.0f}–{percent[2]:.0f}), and missed {n_missed}, most of them {listed}. "
        f"One more reviewer would read {yields} more in time every {DAYS_A_MONTH} days."
    )


def draw_levels(staffing: Staffing) -> Figure:
    """Share of escalations read in time by number of reviewers, with intervals; the dotted line is what could have been."""
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "triage"}):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained", dpi=DOTS_PER_INCH)
        axes = figure.add_subplot()
        numbers = [level.n_reviewers for level in staffing.levels]
        point, low, high = ([getattr(level.recall, end) for level in staffing.levels] for end in ("point", "low", "high"))
        axes.fill_between(numbers, low, high, color=BLUE, alpha=0.15, linewidth=0, label="interval")
        axes.plot(numbers, point, color=BLUE, marker="o", linewidth=2, label="read in time")
        asked = staffing.asked
        axes.plot([asked.n_reviewers], [asked.recall.point], color="black", marker="o", markersize=10, fillstyle="none", ls="")
        possible = staffing.n_reachable / max(1, staffing.n_escalated)
        axes.axhline(possible, color="black", linewidth=0.8, linestyle=":", label="could have been read in time")
        axes.set_xticks(numbers, [f"{level.n_reviewers}\n({level.capacity})" for level in staffing.levels])
        axes.set_xlabel("reviewers (reports a day)")
        axes.set_ylabel(f"share of {staffing.n_escalated} escalations")
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        figure.draw_without_rendering()
    return figure


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
