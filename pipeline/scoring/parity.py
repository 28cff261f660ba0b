"""Whether a fast engine scores like the exact one: the gate that every export must pass before it serves.

An error of a thousandth in a probability is nothing to a reader, but forty such errors can change who is read first. So beside
the differences themselves the gate looks at what they do: categories that change, reports that leave the top, calibration lost.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.machine import ParityParams


@dataclass(frozen=True)
class Parity:
    """How a fast engine's scores differ from the exact ones, on the same reports.

    Attributes:
        n_reports: Compared.
        median_difference: Of the probabilities of category and risk, the larger of both for each report.
        p99_difference: Their 99th percentile.
        label_flips: Share of reports with another likeliest category.
        top_overlap: Share of the reports of highest priority that both have in common.
        calibration_error_change: Of the category's calibration error, absolute; 0.0 where no report has a label.
        failed: Names of the limits that are not kept.
    """

    n_reports: int
    median_difference: float
    p99_difference: float
    label_flips: float
    top_overlap: float
    calibration_error_change: float
    failed: tuple[str, ...]

    def __str__(self) -> str:
        said = (
            f"{self.n_reports} reports: |dp| median {self.median_difference:.5f}, 99 % {self.p99_difference:.4f}, "
            f"labels changed {self.label_flips:.2%}, top overlap {self.top_overlap:.1%}, "
            f"calibration error {self.calibration_error_change:+.4f}"
        )
        return said + (f"; failed: {', '.join(self.failed)}" if self.failed else "")


def compare(
    exact: pd.DataFrame,
    fast: pd.DataFrame,
    labels: "pd.Series[str]",
    *,
    priority: Callable[[pd.DataFrame], np.ndarray],
    calibration_error: Callable[[np.ndarray, np.ndarray], float],
    n_top: int,
    limits: ParityParams,
) -> Parity:
    """Compare scores of the same reports.

    Args:
        exact: Scores by the exact engine: `category_probabilities`, `category`, `category_probability`, `risk`.
        fast: Likewise by the fast one, rows in the same order.
        labels: True categories, null where not known.
        priority: What orders the queue, from scores.
        calibration_error: From probabilities of the likeliest category and whether it was right.
        n_top: Reports of highest priority to look at.
        limits: Of each number.
    """
    shares = [np.array(scores["category_probabilities"].tolist(), dtype=np.float64) for scores in (exact, fast)]
    by_category = np.abs(shares[0] - shares[1]).max(axis=1)
    differences = np.maximum(by_category, np.abs(exact["risk"].to_numpy() - fast["risk"].to_numpy()))
    tops = [set(np.argsort(-priority(scores), kind="stable")[:n_top].tolist()) for scores in (exact, fast)]
    known = labels.notna().to_numpy()
    errors = [
        calibration_error(
            scores["category_probability"].to_numpy()[known], (scores["category"].to_numpy() == labels.to_numpy())[known]
        )
        if known.any()
        else 0.0
        for scores in (exact, fast)
    ]
    found = {
        "median_difference": float(np.median(differences)),
        "p99_difference": float(np.quantile(differences, 0.99)),
        "label_flips": float((exact["category"].to_numpy() != fast["category"].to_numpy()).mean()),
        "top_overlap": len(tops[0] & tops[1]) / max(len(tops[0]), 1),
        "calibration_error_change": float(errors[1] - errors[0]),
    }
    return Parity(n_reports=len(exact), failed=_failed(found, limits), **found)


def _failed(found: dict[str, float], limits: ParityParams) -> tuple[str, ...]:
    """Names of the limits not kept; a number that is none keeps no limit."""
    kept = {
        "median_difference": found["median_difference"] <= limits.median_difference,
        "p99_difference": found["p99_difference"] <= limits.p99_difference,
        "label_flips": found["label_flips"] <= limits.label_flips,
        "top_overlap": found["top_overlap"] >= limits.top_overlap,
        "calibration_error_change": abs(found["calibration_error_change"]) <= limits.calibration_error_change,
    }
    return tuple(name for name, is_kept in kept.items() if not is_kept)
