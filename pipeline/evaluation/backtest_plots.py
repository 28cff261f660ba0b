"""Draws what the page of a backtest shows. Each function returns a figure; it writes no file."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.evaluation.backtest_alerts import RULES, AlertsFound
from pipeline.evaluation.backtest_summary import TITLES
from pipeline.evaluation.backtesting import MODEL, BacktestResult
from pipeline.evaluation.plots import BLUE, DOTS_PER_INCH, GREY, OTHERS

_SMOOTHED_NIGHTS = 14  # one night has few escalations; two weeks show a course

_FEWEST = 10  # reports; a share of fewer jumps about and says nothing


def draw_backtest(
    result: BacktestResult, days: list[str], lead_days: float, alerts: AlertsFound | None = None
) -> dict[str, Figure]:
    """All figures, by file name without ending.

    Args:
        result: What was measured.
        days: The nights, ISO.
        lead_days: Days of lead that leave time to act.
        alerts: What the alerts were worth, if surges were put in.
    """
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
        figures = {
            "in_time": _draw_in_time(result, days),
            "lead": _draw_lead(result, lead_days),
            "recall": _draw_course(result, days, "n_in_time", "n_open_escalated", "share of open escalations read that night"),
            "precision": _draw_course(result, days, "n_in_time", "n_read", "share of read that escalated later"),
        }
        if alerts is not None and alerts.surges:
            figures["surges"] = _draw_surges(alerts)
        for figure in figures.values():
            figure.draw_without_rendering()  # lays out while the style is set
    return figures


def _draw_in_time(result: BacktestResult, days: list[str]) -> Figure:
    """Escalations read in time so far, by night."""
    figure, axes = _canvas()
    nights = pd.to_datetime(days)
    for name, style in _styles(result.n_read).items():
        part = result.nights[result.nights["ranking"] == name]
        axes.plot(nights, part["n_in_time"].cumsum(), label=TITLES[name][1], **style)
    axes.axhline(result.n_reachable, color="black", linewidth=0.8, linestyle=":", label="could have been read in time")
    axes.set_ylabel("escalations read in time, so far")
    axes.set_ylim(0, 1.45 * max(1, result.n_reachable))  # room for the legend above the dotted line
    _days_below(figure, axes)
    axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    return figure


def _draw_lead(result: BacktestResult, lead_days: float) -> Figure:
    """Share of all escalations that were read at least so many days before the outcome."""
    figure, axes = _canvas()
    longest = max((float(leads[-1]) for leads in result.leads.values() if len(leads)), default=1.0)
    grid = np.linspace(0.0, longest, 200)
    for name, style in _styles(result.n_read).items():
        leads = result.leads[name]
        ahead = (len(leads) - np.searchsorted(leads, grid)) / max(1, result.n_escalated)
        axes.plot(grid, ahead, label=TITLES[name][1], **style)
    axes.axvline(lead_days, color="black", linewidth=0.8, linestyle=":", label=f"{lead_days:g} days")
    axes.set_xlabel("days between being given to somebody and the outcome")
    axes.set_ylabel("share of escalations read so far ahead")
    axes.set_xlim(0, longest)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return figure


def _draw_course(result: BacktestResult, days: list[str], above: str, below: str, label: str) -> Figure:
    """A share over two weeks of nights, pooled."""
    figure, axes = _canvas()
    nights = pd.to_datetime(days)
    window = min(_SMOOTHED_NIGHTS, len(days))
    for name, style in _styles(result.n_read).items():
        sums = result.nights.loc[result.nights["ranking"] == name, [above, below]].rolling(window, min_periods=window).sum()
        share = sums[above] / sums[below].where(sums[below] >= _FEWEST)
        axes.plot(nights, share, label=TITLES[name][1], **style)
    axes.set_ylabel(f"{label}\n({window} nights)")
    axes.set_ylim(bottom=0)
    _days_below(figure, axes)
    axes.legend(frameon=False, fontsize=8, loc="best")
    return figure


def _draw_surges(alerts: AlertsFound) -> Figure:
    """Share of the surges put in that each rule found, by size."""
    figure, axes = _canvas()
    for place, rule in reversed(list(enumerate(alerts.surges))):
        rises = list(rule["found"])
        color, width = (BLUE, 2.4) if place == 0 else (OTHERS[place - 1], 1.2)
        label = f"{RULES[rule['rule']][1]} ({rule['raised_a_month']:.1f} a month)"
        axes.plot(rises, [100 * rule["found"][rise] for rise in rises], marker="o", label=label, color=color, linewidth=width)
    axes.set_xticks(rises, [f"×{rise:g}" for rise in rises])
    axes.set_xlabel("size of the surge, times the usual count")
    axes.set_ylabel("found within the week, %")
    axes.set_ylim(0, 135)  # room for the legend
    axes.set_yticks(range(0, 101, 20))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _styles(names: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """How each order is drawn; the model last, so that it lies on top."""
    others = [name for name in names if name != MODEL]
    styles: dict[str, dict[str, Any]] = {
        name: {"color": OTHERS[place % len(OTHERS)], "linewidth": 1.2} for place, name in enumerate(others)
    }
    if "previous_champion" in styles:
        styles["previous_champion"] = {"color": GREY, "linewidth": 1.4, "linestyle": "--"}
    return styles | {MODEL: {"color": BLUE, "linewidth": 2.4}}


def _days_below(figure: Figure, axes: Axes) -> None:
    figure.autofmt_xdate(rotation=30, ha="right")
    axes.margins(x=0.01)
    if not any(np.isfinite(np.asarray(line.get_ydata(), dtype=float)).any() for line in axes.get_lines()):
        axes.set_axis_off()
        axes.text(0.5, 0.5, "too few reports to show", ha="center", transform=axes.transAxes)


def _canvas() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.6, 3.8), layout="constrained", dpi=DOTS_PER_INCH)
    return figure, figure.add_subplot()
