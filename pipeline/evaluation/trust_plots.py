"""Draws what trust rests on: reliability before and after calibration, coverage of category sets, recall of groups."""

import textwrap
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.evaluation.equal_care import EqualCare
from pipeline.evaluation.fonts import Labels, chinese_family
from pipeline.evaluation.lanes import LaneResult
from pipeline.evaluation.measuring import Results
from pipeline.evaluation.metrics import equal_count_bins
from pipeline.evaluation.plots import BLUE, DOTS_PER_INCH, GREY
from pipeline.evaluation.reliability import CATEGORY, ONE_CATEGORY, RISK, Stated
from pipeline.sections import EvaluationParams

ORANGE = "#c2571a"
WORDS = {CATEGORY: ("stated probability of the category", "share right"), RISK: ("stated risk", "share escalated")}
FILES = {CATEGORY: "reliability_category", RISK: "reliability_risk"}
COLUMNS, TITLE = 5, 24  # small pictures beside each other; characters of a line of their titles
TOLERATED = 0.03  # of coverage, shaded


def draw_trust(results: Results, labels: Labels, params: EvaluationParams) -> dict[str, Figure]:
    """All figures of trust that can be drawn, by file name without ending.

    Args:
        results: What was measured.
        labels: How categories are written, and in which font.
        params: Of the bins.
    """
    with mpl.rc_context({"font.family": list(labels.family), "axes.spines.top": False, "axes.spines.right": False}):
        figures = {FILES[one.of]: draw_reliability(one, params.n_bins) for one in results.stated if one.of in FILES}
        each = [one for one in results.stated if one.of == ONE_CATEGORY]
        if each:
            figures["reliability_by_category"] = draw_each_category(each, labels, params.n_bins)
        if results.lanes is not None:
            figures["coverage"] = draw_coverage(results.lanes, labels)
        if results.equal_care is not None and len(results.equal_care.groups):
            figures["equal_care"] = draw_recalls(results.equal_care)
        for figure in figures.values():
            figure.draw_without_rendering()  # lays out while the font is set
    return figures


def draw_reliability(stated: Stated, n_bins: int) -> Figure:
    """Observed against stated shares before and after calibration, with one standard error of each point after it."""
    figure = Figure(figsize=(4.6, 4.0), layout="constrained", dpi=DOTS_PER_INCH)
    axes = figure.add_subplot()
    _lines(axes, stated, n_bins, markers=4.5)
    axes.set_xlabel(WORDS[stated.of][0])
    axes.set_ylabel(WORDS[stated.of][1])
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def draw_each_category(each: Sequence[Stated], labels: Labels, n_bins: int) -> Figure:
    """One small reliability plot a category."""
    n_rows = -(-len(each) // COLUMNS)
    figure = Figure(figsize=(1.9 * COLUMNS, 2.1 * n_rows), layout="constrained", dpi=DOTS_PER_INCH)
    for place, stated in enumerate(each):
        axes = figure.add_subplot(n_rows, COLUMNS, place + 1)
        _lines(axes, stated, n_bins, markers=2.5)
        axes.set_title(textwrap.fill(labels.names[stated.group], TITLE), fontsize=8)
        axes.tick_params(labelsize=7)
    figure.supxlabel("stated probability of the category", fontsize=9)
    figure.supylabel("share of reports that have it", fontsize=9)
    return figure


def _lines(axes: Axes, stated: Stated, n_bins: int, *, markers: float) -> None:
    tables = {
        name: _binned(values, stated.happened, n_bins) for name, values in (("before", stated.before), ("after", stated.after))
    }
    highest = max(float(table[["stated", "observed"]].to_numpy().max()) for table in tables.values())
    top = min(1.0, 1.08 * max(highest, 0.05))
    axes.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle="--")
    before, after = tables["before"], tables["after"]
    axes.plot(
        before["stated"],
        before["observed"],
        color=ORANGE,
        marker="o",
        markersize=markers,
        linewidth=1,
        alpha=0.7,
        label="before",
    )
    axes.errorbar(
        after["stated"], after["observed"], yerr=after["error"], color=BLUE, marker="o", markersize=markers, linewidth=1.4,
        elinewidth=0.8, label="after calibration",
    )  # fmt: skip
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)


def _binned(values: np.ndarray, happened: np.ndarray, n_bins: int) -> pd.DataFrame:
    """Stated and observed share in bins of equal counts, with the standard error of the observed."""
    frame = pd.DataFrame({"bin": equal_count_bins(values, n_bins), "stated": values, "observed": happened.astype(float)})
    table = frame.groupby("bin").agg(stated=("stated", "mean"), observed=("observed", "mean"), n=("stated", "size"))
    return table.assign(error=np.sqrt(table["observed"] * (1 - table["observed"]) / table["n"]))


def draw_coverage(found: LaneResult, labels: Labels) -> Figure:
    """Coverage of each category against what is promised; hollow where too few reports are known."""
    table = found.per_category.sort_values("n_reports", ignore_index=True)
    figure = Figure(figsize=(6.4, 1.2 + 0.3 * len(table)), layout="constrained", dpi=DOTS_PER_INCH)
    axes = figure.add_subplot()
    axes.axvspan(found.level - TOLERATED, min(1.0, found.level + TOLERATED), color=BLUE, alpha=0.08)
    axes.axvline(found.level, color=GREY, linewidth=1, linestyle="--")
    for place, row in enumerate(table.to_dict("records")):
        axes.plot([row["coverage_low"], row["coverage_high"]], [place, place], color=BLUE, linewidth=1.4)
        hollow = row["few"] or row["shared"]
        axes.plot(row["coverage"], place, marker="o", color=BLUE, markerfacecolor="white" if hollow else BLUE, clip_on=False)
    names = [f"{labels.names[row['category']]} ({row['n_reports']:,})" for row in table.to_dict("records")]
    axes.set_yticks(range(len(table)), names)
    axes.set_xlim(min(0.6, float(table["coverage_low"].min()) - 0.02), 1.0)
    axes.set_xlabel("coverage: share whose set holds the category")
    return figure


def draw_recalls(care: EqualCare) -> Figure:
    """Recall at the cut-off of each group, with intervals; groups of one dimension stand together."""
    table = care.groups.iloc[::-1].reset_index(drop=True)
    figure = Figure(figsize=(6.4, 1.2 + 0.26 * len(table)), layout="constrained", dpi=DOTS_PER_INCH)
    axes = figure.add_subplot()
    for place, row in enumerate(table.to_dict("records")):
        axes.plot([row["recall_low"], row["recall_high"]], [place, place], color=BLUE, linewidth=1.4)
        axes.plot(row["recall"], place, marker="o", color=BLUE)
    axes.set_yticks(range(len(table)), _written(table))
    axes.set_xlim(0, 1)
    axes.set_xlabel("recall: share of escalated reports that are read")
    return figure


def _written(table: pd.DataFrame) -> list[str]:
    """Names of groups; where no font can write them, their place within the dimension, as in the table of the report."""
    foreign = "".join(sorted({character for name in table["group"] for character in name if ord(character) > 127}))
    family = chinese_family(foreign) if foreign else ""
    if family == "" or (family is not None and family in mpl.rcParams["font.family"]):
        return [f"{row['dimension']}: {_plain(row['group'])}" for row in table.to_dict("records")]
    number = table[::-1].groupby("dimension").cumcount() + 1
    return [
        f"{row['dimension']}: {_plain(row['group'])}" if row["group"].isascii() else f"{row['dimension']} {number[place]}"
        for place, row in enumerate(table.to_dict("records"))
    ]


def _plain(name: str) -> str:
    """A name of a source as text, not as a formula of the plotting library."""
    return name.replace("$", r"\$")
