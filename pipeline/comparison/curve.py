"""From measured cells to a table and a plot with intervals.

A model's score with some number of labels is its test macro-F1, meaned over the seeds. Differences to another model are paired:
the same resamples of the test reports, whole groups of copies at a time, for both models and every seed. Beside the interval
over test reports stands the spread over seeds, which it does not contain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.comparison.cells import ALL, Cell, Grid, labelled, measure
from pipeline.comparison.starts import MODELS
from pipeline.evaluation.metrics import confusion, macro_f1
from pipeline.evaluation.resampling import Estimate, Measure, resample
from pipeline.params import load_project
from pipeline.sections import EvaluationParams

_COLORS = {
    "baseline": "#8a8f98", "random": "#c2571a", "svd": "#5b8c3a", "layers-1": "#b8a13a", "layers-2": "#8e5ea2",
    "pretrained": "#1f5fa8",
}  # fmt: skip
_NAMES = {
    "baseline": "baseline",
    "random": "transformer, random weights",
    "svd": "transformer, co-occurrence vectors",
    "layers-1": "its lowest layer",
    "layers-2": "its two lowest layers",
    "pretrained": "transformer, pre-trained",
}


@dataclass(frozen=True)
class Point:
    """A model with some number of labels.

    Attributes:
        model: One of `starts.MODELS`.
        share: Labels asked for; `ALL` for all.
        n_labels: Labels learned from.
        n_seeds: Seeds meaned over.
        macro_f1: Mean over the seeds, with the interval over test reports.
        seeds: Standard deviation over the seeds; NaN with one.
        over_baseline: Difference to the baseline; NaN where that was not measured.
        over_random: Difference to random first weights; NaN where those were not measured.
        seconds: Mean time of fitting.
        reports_per_second: Mean speed of scoring.
    """

    model: str
    share: int
    n_labels: int
    n_seeds: int
    macro_f1: Estimate
    seeds: float
    over_baseline: Estimate
    over_random: Estimate
    seconds: float
    reports_per_second: float


def compare(root: Path, grid: Grid) -> str:
    """Measure a grid, and write `cells.jsonl`, `curve.csv`, `curve.png` and `curve.md` into `data/comparison/<profile>`.

    Args:
        root: The project's folder.
        grid: What is compared.

    Returns:
        The table, as Markdown.

    Raises:
        TrainingError: If a model cannot be fitted.
    """
    cells = measure(root, grid)
    params, _, places = load_project(root)
    points = summarize(cells, labelled(places, "test"), params.evaluation, seed=params.seed)
    folder = places.room("comparison")
    to_frame(points).to_csv(folder / "curve.csv", index=False, float_format="%.5f")
    draw(points).savefig(folder / "curve.png", dpi=110)
    text = to_markdown(points)
    (folder / "curve.md").write_text(text, encoding="utf-8")
    return text


def summarize(cells: Sequence[Cell], test: pd.DataFrame, params: EvaluationParams, *, seed: int) -> list[Point]:
    """Score every model with every number of labels.

    Args:
        cells: Measured on `test`.
        test: The labelled test reports, by id.
        params: Of the intervals.
        seed: Of the resamples.
    """
    categories = sorted({*test["category"], *(name for cell in cells for name in cell.predicted)})
    number = {category: place for place, category in enumerate(categories)}
    actual = test["category"].map(number).to_numpy()
    groups: dict[tuple[int, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.share, cell.model), []).append(cell)
    predicted = {key: [np.array([number[name] for name in cell.predicted]) for cell in group] for key, group in groups.items()}
    measures = [_mean_f1(key, guesses, actual, len(categories)) for key, guesses in predicted.items()]
    resampled = resample(
        measures, test["duplicate_group"], n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed
    )
    unknown = Estimate(float("nan"), float("nan"), float("nan"))

    def over(key: tuple[int, str], other: str) -> Estimate:
        beside = (key[0], other)
        return resampled.difference(_name(key), _name(beside)) if beside in groups and key != beside else unknown

    points = []
    for key, group in groups.items():
        ones = np.ones((1, len(actual)))
        scores = [float(macro_f1(confusion(actual, guess, len(categories), ones))[0]) for guess in predicted[key]]
        points.append(
            Point(
                model=key[1],
                share=key[0],
                n_labels=group[0].n_labels,
                n_seeds=len(group),
                macro_f1=resampled.estimate(_name(key)),
                seeds=float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan"),
                over_baseline=over(key, "baseline"),
                over_random=over(key, "random"),
                seconds=float(np.mean([cell.seconds for cell in group])),
                reports_per_second=float(np.mean([cell.reports_per_second for cell in group])),
            )
        )
    return sorted(points, key=lambda point: (point.n_labels, MODELS.index(point.model)))


def _name(key: tuple[int, str]) -> str:
    return f"{key[1]} {key[0]}"


def _mean_f1(key: tuple[int, str], guesses: Sequence[np.ndarray], actual: np.ndarray, n_categories: int) -> Measure:
    def measured(weights: np.ndarray) -> dict[str, np.ndarray]:
        score = partial(confusion, actual, n_categories=n_categories, weights=weights)
        return {_name(key): np.mean([macro_f1(score(guess)) for guess in guesses], axis=0)}

    return measured


def to_frame(points: Sequence[Point]) -> pd.DataFrame:
    """One row a point."""
    rows = []
    for point in points:
        row: dict[str, object] = {"model": point.model, "n_labels": point.n_labels, "n_seeds": point.n_seeds}
        for name in ("macro_f1", "over_baseline", "over_random"):
            estimate: Estimate = getattr(point, name)
            row |= {name: estimate.point, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        rows.append(
            row
            | {"deviation_over_seeds": point.seeds, "seconds": point.seconds, "reports_per_second": point.reports_per_second}
        )
    return pd.DataFrame(rows)


def to_markdown(points: Sequence[Point]) -> str:
    """The table for the model card."""
    lines = [
        "| labels | model | seeds | macro-F1 | over the baseline | over random weights | deviation over seeds | seconds | "
        "reports/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for point in points:
        labels = f"all {point.n_labels}" if point.share == ALL else str(point.n_labels)
        cells = [labels, _NAMES[point.model], str(point.n_seeds), _said(point.macro_f1, signed=False)]
        cells += [_said(point.over_baseline), _said(point.over_random)]
        cells += [
            "-" if np.isnan(point.seeds) else f"{point.seeds:.3f}",
            f"{point.seconds:.0f}",
            f"{point.reports_per_second:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _said(estimate: Estimate, *, signed: bool = True) -> str:
    if not estimate.defined:
        return "-"
    sign = "+" if signed else ""
    return f"{estimate.point:{sign}.3f} ({estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"


def draw(points: Sequence[Point]) -> Figure:
    """Macro-F1 over labels, a line a model."""
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for model in MODELS:
        own = [point for point in points if point.model == model]
        if own:
            x = [point.n_labels for point in own]
            scores = np.array([[point.macro_f1.point, point.macro_f1.low, point.macro_f1.high] for point in own])
            axes.plot(x, scores[:, 0], marker="o", color=_COLORS[model], label=_NAMES[model])
            axes.fill_between(x, scores[:, 1], scores[:, 2], color=_COLORS[model], alpha=0.12, linewidth=0)
    axes.set_xscale("log")
    ticks = sorted({point.n_labels for point in points})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("labelled training reports")
    axes.set_ylabel("macro-F1 on test")
    axes.legend(frameon=False)
    return figure
