"""Measures the category on the test split: macro-F1, each category, and the first baselines beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation import metrics
from pipeline.evaluation.resampling import Estimate, Measure, resample
from pipeline.sections import EvaluationParams


@dataclass(frozen=True)
class CategoryResult:
    """What was measured of the category.

    Attributes:
        n_reports: Test reports with a category.
        summary: Name to estimate: `macro_f1`, `accuracy`, `log_loss`, `brier`, `calibration_error`, for every first
            baseline `<name>_macro_f1` and the paired difference `gain_over_<name>`.
        per_class: One row a category: `category`, `n_reports`, `n_predicted`, and `precision`, `recall`, `f1` with `_low` and
            `_high`.
        confusion: Counts, actual by predicted, shape (n_categories, n_categories).
        confidence: Probability of the predicted category, shape (n_reports,).
        right: Whether the prediction was right, shape (n_reports,).
    """

    n_reports: int
    summary: Mapping[str, Estimate]
    per_class: pd.DataFrame
    confusion: np.ndarray
    confidence: np.ndarray
    right: np.ndarray

    @property
    def n_never_predicted(self) -> int:
        """Categories that occur on the test split but were never predicted."""
        return int(((self.per_class["n_reports"] > 0) & (self.per_class["n_predicted"] == 0)).sum())


def measure_categories(
    actual: np.ndarray,
    probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    clusters: pd.Series,
    *,
    categories: Sequence[str],
    params: EvaluationParams,
    seed: int,
) -> CategoryResult:
    """Measure the category predictions of one model.

    Args:
        actual: Category indices, shape (n_reports,), at least one report.
        probabilities: Shape (n_reports, n_categories).
        baselines: Name to predicted indices, each of shape (n_reports,).
        clusters: Duplicate group of each report.
        categories: Ids in the order of the columns.
        params: Of the intervals and bins.
        seed: Of the resamples.
    """
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    guesses = {"model": predicted, **baselines}
    measures: list[Measure] = [_f1_of(actual, guess, name, len(categories)) for name, guess in guesses.items()]
    measures.append(_of_model(actual, predicted, probabilities, params.n_bins))
    measures.append(_per_class(actual, predicted, categories))
    found = resample(measures, clusters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed)
    summary = {name: found.estimate(name) for name in ("accuracy", "log_loss", "brier", "calibration_error")}
    summary["macro_f1"] = found.estimate("model_macro_f1")
    for name in baselines:
        summary[f"{name}_macro_f1"] = found.estimate(f"{name}_macro_f1")
        summary[f"gain_over_{name}"] = found.difference("model_macro_f1", f"{name}_macro_f1")
    counts = metrics.confusion(actual, predicted, len(categories), np.ones((1, len(actual))))[0].astype(int)
    rows = []
    for index, category in enumerate(categories):
        row: dict[str, object] = {"category": category, "n_reports": counts[index].sum(), "n_predicted": counts[:, index].sum()}
        for kind in ("precision", "recall", "f1"):
            estimate = found.estimate(f"{kind}.{category}")
            row |= {kind: estimate.point, f"{kind}_low": estimate.low, f"{kind}_high": estimate.high}
        rows.append(row)
    return CategoryResult(len(actual), summary, pd.DataFrame(rows), counts, confidence, predicted == actual)


def _f1_of(actual: np.ndarray, guess: np.ndarray, name: str, n_categories: int) -> Measure:
    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {f"{name}_macro_f1": metrics.macro_f1(metrics.confusion(actual, guess, n_categories, weights))}

    return measure


def _of_model(actual: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, n_bins: int) -> Measure:
    truth = probabilities[np.arange(len(actual)), actual]
    squares = (probabilities**2).sum(axis=1) - 2 * truth + 1  # sum over categories of (p - y)^2

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        right = predicted == actual
        return {
            "accuracy": metrics.weighted_mean(right.astype(float), weights),
            "log_loss": metrics.log_loss(truth, weights),
            "brier": metrics.weighted_mean(squares, weights),
            "calibration_error": metrics.calibration_error(probabilities.max(axis=1), right, weights, n_bins),
        }

    return measure


def _per_class(actual: np.ndarray, predicted: np.ndarray, categories: Sequence[str]) -> Measure:
    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        kinds = metrics.precision_recall_f1(metrics.confusion(actual, predicted, len(categories), weights))
        return {
            f"{kind}.{category}": values[:, index]
            for kind, values in zip(("precision", "recall", "f1"), kinds, strict=True)
            for index, category in enumerate(categories)
        }

    return measure
