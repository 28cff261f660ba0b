"""Draws what the report shows. Each function returns a figure; only `stage.py` writes files."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.evaluation.categories import CategoryResult
from pipeline.evaluation.fonts import Labels
from pipeline.evaluation.metrics import equal_count_bins
from pipeline.evaluation.risks import MODEL, RiskResult

BLUE, GREY = "#1f5fa8", "#8a8f98"
OTHERS = ("#c2571a", "#5b8c3a", "#8e5ea2", "#b8a13a", "#4aa3a1", "#a05050")
SPLITS = {"train": "#9db8d6", "validation": "#c9d8a5", "calibration": "#e8cf8f", "test": BLUE}
DOTS_PER_INCH = 110


def draw(category: CategoryResult | None, risk: RiskResult | None, volume: pd.DataFrame, labels: Labels) -> dict[str, Figure]:
    """All figures but those of trust that can be drawn, by file name without ending.

    Args:
        category: What was measured of the category, if anything.
        risk: What was measured of the risk, if anything.
        volume: From `volume_by_split`.
        labels: How categories are written, and in which font.
    """
    with mpl.rc_context({"font.family": list(labels.family), "axes.spines.top": False, "axes.spines.right": False}):
        figures = {"volume": draw_volume(volume)}
        if category is not None:
            figures["confusion"] = draw_confusion(category, labels)
        if risk is not None:
            figures["precision_recall"] = draw_precision_recall(risk)
            figures["capacity"] = draw_capacity(risk)
        for figure in figures.values():
            figure.draw_without_rendering()  # lays out while the font is set
    return figures


def reliability(stated: np.ndarray, happened: np.ndarray, n_bins: int) -> pd.DataFrame:
    """Stated and observed share in bins of equal counts: columns `stated`, `observed`, `n_reports`."""
    frame = pd.DataFrame({"bin": equal_count_bins(stated, n_bins), "stated": stated, "observed": happened.astype(float)})
    grouped = frame.groupby("bin").agg(stated=("stated", "mean"), observed=("observed", "mean"), n_reports=("stated", "size"))
    return grouped.reset_index(drop=True)


def precision_recall(risk: RiskResult) -> pd.DataFrame:
    """The precision-recall curve of the model: one row a distinct risk, columns `recall`, `precision`."""
    order = np.argsort(-risk.risk, kind="stable")
    ordered, hits = risk.risk[order], risk.escalated[order].cumsum()
    last = np.r_[ordered[1:] != ordered[:-1], True]
    n_read = np.arange(1, len(ordered) + 1)
    return pd.DataFrame({"recall": hits[last] / max(1, risk.n_escalated), "precision": (hits / n_read)[last]})


def volume_by_split(examples: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Reports of each split by local month; columns are splits, the index months, or "undated" for those without a time."""
    month = examples["received_at"].dt.tz_convert(timezone).dt.strftime("%Y-%m").astype(object).fillna("undated")
    table = pd.crosstab(month, examples["split"])
    return table[[split for split in SPLITS if split in table.columns]]


def draw_volume(volume: pd.DataFrame) -> Figure:
    """Stacked bars of dated reports by month and split; the legend counts all of them."""
    figure, axes = _canvas(7.0, 2.8)
    dated = volume[volume.index != "undated"]
    shown = dated if len(dated) else volume
    bottom = np.zeros(len(shown))
    positions = np.arange(len(shown))
    for split in volume.columns:
        label = f"{split} ({volume[split].sum():,})"
        axes.bar(positions, shown[split], bottom=bottom, color=SPLITS[str(split)], label=label, width=0.85)
        bottom += shown[split].to_numpy()
    step = max(1, -(-len(shown) // 12))
    axes.set_xticks(positions[::step], [str(name) for name in shown.index[::step]], rotation=45, ha="right")
    axes.set_ylabel("reports")
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_confusion(category: CategoryResult, labels: Labels) -> Figure:
    """Share of each actual category by predicted category, with counts written in."""
    names = [labels.names[name] for name in category.per_class["category"]]
    counts = category.confusion
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    side = 2.6 + 0.52 * len(names)
    figure, axes = _canvas(side + 1.0, side)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in zip(*np.nonzero(counts), strict=True):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("actual")
    axes.spines[:].set_visible(False)
    return figure


def draw_precision_recall(risk: RiskResult) -> Figure:
    """Precision over recall, with the base rate as the line a random order keeps to."""
    curve = precision_recall(risk)
    figure, axes = _canvas(4.6, 3.8)
    axes.step(curve["recall"], curve["precision"], where="post", color=BLUE, label="this model")
    axes.axhline(risk.n_escalated / risk.n_reports, color=GREY, linestyle="--", linewidth=1, label="random order")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, min(1.0, 1.1 * float(curve["precision"].max())))
    axes.set_xlabel("share of escalated reports read (recall)")
    axes.set_ylabel("share of read that escalated (precision)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_capacity(risk: RiskResult) -> Figure:
    """Recall by the share of each day's reports read, the first baselines beside the model."""
    figure, axes = _canvas(6.2, 4.0)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="random order")
    colors = _colors([name for name in risk.titles if name != MODEL])
    for name, title in risk.titles.items():
        part = risk.curve[risk.curve["ranking"] == name]
        main = name == MODEL
        axes.plot(
            part["share_read"],
            part["recall"],
            color=BLUE if main else colors[name],
            linewidth=2.4 if main else 1.1,
            label=title,
        )
    axes.axvline(risk.n_read / risk.n_reports, color="black", linewidth=0.8, linestyle=":", label="capacity")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("share of each day's reports read")
    axes.set_ylabel("share of escalated reports read (recall)")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _colors(names: Sequence[str]) -> Mapping[str, str]:
    return {name: OTHERS[index % len(OTHERS)] for index, name in enumerate(names)}


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure with one pair of axes; sides in inches."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DOTS_PER_INCH)
    return figure, figure.add_subplot()
