"""Does a stated probability mean what it says: before and after calibration, on the whole, per category and per slice.

One row a question. "Of the likeliest category" asks whether the model is right as often as the probability of its first choice
says; "of one category" whether a category is as frequent among reports as the probabilities of that category say; "of the risk"
whether as many escalate as was stated. Before means the model's logits as they are, through a softmax or a sigmoid.

Each row has the calibration error over bins of equal counts (`metrics.calibration_error`), the Brier score, and its parts
(`metrics.brier_parts`). Only the error after calibration has an interval. Limit: with few reports the error of a perfect model
is above zero by the noise of its bins, which the table names as the floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation import metrics
from pipeline.evaluation.resampling import resample
from pipeline.sections import EvaluationParams

CATEGORY, ONE_CATEGORY, RISK = "likeliest category", "one category", "risk"
EXPECTED_ABSOLUTE = np.sqrt(2 / np.pi)  # mean distance from its mean of a normal variable with standard deviation 1


@dataclass(frozen=True)
class Stated:
    """Probabilities of something, and whether it happened.

    Attributes:
        of: `CATEGORY`, `ONE_CATEGORY` or `RISK`.
        group: Which category, for `ONE_CATEGORY`; else empty.
        before: Without calibration, shape (n_reports,).
        after: With calibration, shape (n_reports,).
        happened: Shape (n_reports,), bool.
        clusters: What is resampled whole, shape (n_reports,).
    """

    of: str
    group: str
    before: np.ndarray
    after: np.ndarray
    happened: np.ndarray
    clusters: pd.Series

    def part(self, rows: np.ndarray) -> "Stated":
        """The same for some of the reports."""
        return Stated(self.of, self.group, self.before[rows], self.after[rows], self.happened[rows], self.clusters.iloc[rows])


def likeliest(before: np.ndarray, after: np.ndarray, actual: np.ndarray, clusters: pd.Series) -> Stated:
    """The probability of the first choice, and whether it was right.

    Args:
        before: Shape (n_reports, n_categories).
        after: Shape (n_reports, n_categories); the same order of categories in each row as `before`.
        actual: Category indices, shape (n_reports,).
        clusters: Duplicate group of each report.
    """
    return Stated(CATEGORY, "", before.max(axis=1), after.max(axis=1), after.argmax(axis=1) == actual, clusters)


def each_category(
    before: np.ndarray, after: np.ndarray, actual: np.ndarray, clusters: pd.Series, categories: Sequence[str]
) -> list[Stated]:
    """For each category that occurs, its probability and whether a report has it; arguments as of `likeliest`."""
    return [
        Stated(ONE_CATEGORY, category, before[:, column], after[:, column], actual == column, clusters)
        for column, category in enumerate(categories)
        if (actual == column).any()
    ]


def measure_row(stated: Stated, dimension: str, group: str, *, params: EvaluationParams, seed: int) -> dict[str, object]:
    """One row of the table.

    Args:
        stated: At least one report.
        dimension: `all`, `category` or a dimension of `slices.slice_names`.
        group: Which one.
        params: Of the bins and the interval.
        seed: Of the resamples.

    Returns:
        `of`, `dimension`, `group`, `n_reports`, `n_happened`, `error_before`, `error` with `_low`, `_high` and `error_floor`,
        and before and after each of `brier`, `reliability`, `resolution`; `uncertainty` is the same before and after.
    """
    row: dict[str, object] = {"of": stated.of, "dimension": dimension, "group": group, "n_reports": len(stated.after)}
    row["n_happened"] = int(stated.happened.sum())
    one = np.ones((1, len(stated.after)))
    for suffix, values in (("_before", stated.before), ("", stated.after)):
        parts = metrics.brier_parts(values, stated.happened, one, params.n_bins)
        row[f"error{suffix}"] = float(metrics.calibration_error(values, stated.happened, one, params.n_bins)[0])
        row[f"brier{suffix}"] = float(metrics.brier(values, stated.happened, one)[0])
        row |= {f"{name}{suffix}": float(parts[name][0]) for name in ("reliability", "resolution")}
        row["uncertainty"] = float(parts["uncertainty"][0])

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {"error": metrics.calibration_error(stated.after, stated.happened, weights, params.n_bins)}

    found = resample(
        [measure], stated.clusters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed
    ).estimate("error")
    return row | {"error_low": found.low, "error_high": found.high, "error_floor": noise_floor(stated.after, params.n_bins)}


def noise_floor(stated: np.ndarray, n_bins: int) -> float:
    """Calibration error to be expected if every probability were exactly right: the noise of the bins' shares.

    Args:
        stated: Shape (n_reports,).
        n_bins: Bins of equal counts.
    """
    in_bin = metrics.bin_matrix(stated, n_bins)
    return float(EXPECTED_ABSOLUTE * np.sqrt(in_bin.T @ (stated * (1 - stated))).sum() / len(stated))


def measure_reliability(
    stated: Sequence[Stated], slices: Mapping[str, pd.DataFrame], *, params: EvaluationParams, seed: int
) -> pd.DataFrame:
    """A row for each question on the whole, and one a slice.

    Args:
        stated: What was stated, one for each question.
        slices: By question, the slices of its reports, from `slices.slice_names`; a question without is not sliced.
        params: Of the bins, the interval and the smallest slice.
        seed: Of the resamples.
    """
    rows = []
    for one in stated:
        dimension = "category" if one.of == ONE_CATEGORY else "all"
        rows.append(measure_row(one, dimension, one.group, params=params, seed=seed))
        names = slices.get(one.of, pd.DataFrame())
        for dimension in names.columns:
            counts = names[dimension].value_counts().sort_index()
            for group in counts.index[counts >= params.min_slice_reports] if len(counts) > 1 else ():
                inside = np.flatnonzero((names[dimension] == group).to_numpy())
                rows.append(measure_row(one.part(inside), str(dimension), str(group), params=params, seed=seed))
    return pd.DataFrame(rows)


def as_section(table: pd.DataFrame) -> dict[str, object]:
    """The content of `metrics.json` under `calibration`: by question, on the whole flat and each category by its id.

    Args:
        table: From `measure_reliability`.
    """
    section: dict[str, object] = {}
    keys = {CATEGORY: "category", RISK: "risk"}
    by_category: dict[str, object] = {}
    for row in table.to_dict("records"):
        numbers = {str(name): value for name, value in row.items() if isinstance(value, int | float) and not pd.isna(value)}
        if row["dimension"] == "all":
            section[keys[row["of"]]] = numbers
        elif row["dimension"] == "category":
            by_category[str(row["group"])] = numbers
    return section | ({"by_category": by_category} if by_category else {})
