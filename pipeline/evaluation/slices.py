"""The same metrics for parts of the test split: area, channel, length, script, month and source.

A model can be good on the whole and poor for one district or for short texts; area is never a model input, so it is here that
unequal errors would show. A slice is measured from `min_slice_reports` reports on; smaller ones are listed with their count
only. The risk columns use the cut-off of the whole unit, not one of each slice: `recall_at_capacity` is the share of a slice's
escalated reports that would have been read, `share_read` the share of all its reports. `stated` and `observed` are mean risk
and share escalated: their difference is the slice's calibration in the large.
"""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.evaluation import metrics
from pipeline.evaluation.resampling import Measure, resample
from pipeline.evaluation.scripts import scripts
from pipeline.sections import EvaluationParams

LENGTHS = (0, 50, 150, 500)
"""Lower ends of the length slices, characters of title and text."""


def slice_names(examples: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """The slice of each report along every dimension; "unknown" where the source does not say.

    Args:
        examples: EXAMPLES.
        timezone: Of the months.
    """
    length = examples["title"].str.len() + examples["text"].str.len()
    labels = [f"{low}-{high - 1}" for low, high in zip(LENGTHS[:-1], LENGTHS[1:], strict=True)] + [f"{LENGTHS[-1]}+"]
    local = examples["received_at"].dt.tz_convert(timezone).dt.strftime("%Y-%m")
    return pd.DataFrame(
        {
            "area": examples["area"].astype(object).fillna("unknown"),
            "channel": examples["channel"].astype(object).fillna("unknown"),
            "length": pd.cut(length, [*LENGTHS, np.inf], right=False, labels=labels).astype(str),
            "script": scripts(examples),
            "month": local.astype(object).fillna("unknown"),
            "source": examples["source"].astype(object),
        }
    )


def measure_category_slices(
    names: pd.DataFrame,
    actual: np.ndarray,
    predicted: np.ndarray,
    clusters: pd.Series,
    *,
    n_categories: int,
    params: EvaluationParams,
    seed: int,
) -> pd.DataFrame:
    """One row a slice: `dimension`, `slice`, `n_reports`, and accuracy and macro-F1 with intervals.

    Args:
        names: From `slice_names`, shape (n_reports, n_dimensions).
        actual: Category indices, shape (n_reports,).
        predicted: Category indices, shape (n_reports,).
        clusters: Duplicate group of each report.
        n_categories: Of the taxonomy.
        params: Of the intervals and the smallest slice.
        seed: Of the resamples.
    """

    def measure_of(rows: np.ndarray) -> Measure:
        def measure(weights: np.ndarray) -> dict[str, np.ndarray]:
            counts = metrics.confusion(actual[rows], predicted[rows], n_categories, weights)
            return {"accuracy": metrics.accuracy(counts), "macro_f1": metrics.macro_f1(counts)}

        return measure

    rows = [
        {"dimension": dimension, "slice": name, "n_reports": len(inside)}
        | (
            _measured(measure_of(inside), clusters.iloc[inside], params, seed)
            if len(inside) >= params.min_slice_reports
            else {}
        )
        for dimension, name, inside in _slices(names)
    ]
    return pd.DataFrame(rows)


def measure_risk_slices(
    names: pd.DataFrame,
    risk: np.ndarray,
    escalated: np.ndarray,
    chance_read: np.ndarray,
    clusters: pd.Series,
    *,
    params: EvaluationParams,
    seed: int,
) -> pd.DataFrame:
    """One row a slice: `n_reports`, `n_escalated`, and ranking, capacity and calibration columns with intervals.

    Args:
        names: From `slice_names`, shape (n_reports, n_dimensions).
        risk: Calibrated probability, shape (n_reports,).
        escalated: Shape (n_reports,), bool.
        chance_read: Probability that each report is read at capacity, shape (n_reports,).
        clusters: Matter of each report.
        params: Of the intervals and the smallest slice.
        seed: Of the resamples.
    """

    def measure_of(rows: np.ndarray) -> Measure:
        stated, happened, read = risk[rows], escalated[rows], chance_read[rows]

        def measure(weights: np.ndarray) -> dict[str, np.ndarray]:
            return {
                "roc_auc": metrics.roc_auc(stated, happened, weights),
                "recall_at_capacity": metrics.ratio(weights @ (read * happened), weights @ happened.astype(float)),
                "share_read": metrics.weighted_mean(read, weights),
                "stated": metrics.weighted_mean(stated, weights),
                "observed": metrics.weighted_mean(happened.astype(float), weights),
            }

        return measure

    rows = [
        {"dimension": dimension, "slice": name, "n_reports": len(inside), "n_escalated": int(escalated[inside].sum())}
        | (
            _measured(measure_of(inside), clusters.iloc[inside], params, seed)
            if len(inside) >= params.min_slice_reports
            else {}
        )
        for dimension, name, inside in _slices(names)
    ]
    return pd.DataFrame(rows)


def _slices(names: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Dimension, slice and the positions inside, for dimensions along which the reports differ."""
    for dimension in names.columns:
        values = names[dimension].to_numpy()
        found = sorted(set(values), key=_order)
        if len(found) > 1:
            for name in found:
                yield str(dimension), str(name), np.flatnonzero(values == name)


def _order(name: str) -> tuple[int, str]:
    """Slices by the number they begin with, as lengths do, and then by name."""
    digits = re.match(r"\d{1,9}", name)
    return (int(digits[0]) if digits else 0, name)


def gather_small(table: pd.DataFrame, min_slice_reports: int) -> pd.DataFrame:
    """The measured slices, and in one row a dimension all that were only counted.

    Args:
        table: From `measure_category_slices` or `measure_risk_slices`.
        min_slice_reports: Below, a slice was only counted.
    """
    if table.empty:
        return table
    small = table[table["n_reports"] < min_slice_reports]
    counts = [column for column in ("n_reports", "n_escalated") if column in table]
    gathered = small.groupby("dimension", as_index=False)[counts].sum()
    gathered["slice"] = [f"{(small['dimension'] == name).sum()} smaller" for name in gathered["dimension"]]
    order = {name: position for position, name in enumerate(table["dimension"].unique())}
    both = pd.concat([table[table["n_reports"] >= min_slice_reports], gathered], ignore_index=True)
    return both.sort_values("dimension", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def _measured(measure: Measure, clusters: pd.Series, params: EvaluationParams, seed: int) -> dict[str, float]:
    found = resample([measure], clusters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed)
    row: dict[str, float] = {}
    for name in found.points:
        estimate = found.estimate(name)
        row |= {name: estimate.point, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row
