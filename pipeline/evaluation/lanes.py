"""Do category sets hold what they promise, category by category, and what the lanes are worth.

Coverage is the share of a category's test reports whose set holds it; the sets promise `level` for every category. Intervals
are Wilson's (Probable Inference, J. Am. Stat. Assoc. 22, 1927). They count copies of a text as separate reports, so they are a
little narrow where texts are copied. A category with under `FEW` test reports is marked: its coverage is known to some six
points at best.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from pipeline.evaluation.resampling import Estimate
from pipeline.schema import LANES

FEW = 100


@dataclass(frozen=True)
class LaneResult:
    """What was measured of the category sets.

    Attributes:
        level: Promised coverage.
        n_reports: Test reports with a category.
        coverage: Of all reports together.
        mean_size: Categories in a set.
        lanes: One row a lane: `lane`, `n_reports`, `share`, and `right` (share whose likeliest category is right) and `held`
            (share whose set holds the category), with `_low` and `_high`.
        per_category: One row a category that occurs: `category`, `n_reports`, `few`, `shared` (no threshold of its own),
            `coverage` with `_low` and `_high`, `mean_size`, `share_clear` (share in that lane).
    """

    level: float
    n_reports: int
    coverage: Estimate
    mean_size: float
    lanes: pd.DataFrame
    per_category: pd.DataFrame

    @property
    def worst_gap(self) -> float:
        """Largest distance of a category's coverage from the level, of those with `FEW` reports or more; NaN without any."""
        enough = self.per_category[~self.per_category["few"] & ~self.per_category["shared"]]
        return float((enough["coverage"] - self.level).abs().max()) if len(enough) else float("nan")


def wilson(n_hits: int, n_reports: int, confidence: float) -> Estimate:
    """A share with Wilson's interval; undefined where there is no report."""
    if n_reports == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    ends = binomtest(n_hits, n_reports).proportion_ci(confidence_level=confidence, method="wilson")
    return Estimate(n_hits / n_reports, float(ends.low), float(ends.high))


def measure_lanes(
    actual: np.ndarray,
    predicted: np.ndarray,
    sets: pd.Series,
    lanes: pd.Series,
    *,
    categories: Sequence[str],
    shared: Mapping[str, bool],
    level: float,
    confidence: float,
) -> LaneResult:
    """Measure the category sets of one model.

    Args:
        actual: Category indices, shape (n_reports,), at least one report.
        predicted: Category indices, shape (n_reports,).
        sets: The category ids each report may have.
        lanes: Lane of each report.
        categories: Ids in the order of the indices.
        shared: Whether a category has no threshold of its own.
        level: Promised coverage.
        confidence: Of the intervals.
    """
    held = np.array([categories[index] in found for index, found in zip(actual, sets, strict=True)])
    size = sets.map(len).to_numpy()
    lane, right = lanes.to_numpy(dtype=object), predicted == actual
    by_lane = []
    for name in LANES:
        inside = lane == name
        row: dict[str, object] = {"lane": name, "n_reports": int(inside.sum())}
        for kind, hits, of in (("share", inside, np.ones_like(inside)), ("right", right, inside), ("held", held, inside)):
            row |= _columns(kind, wilson(int((hits & of).sum()), int(of.sum()), confidence))
        by_lane.append(row)
    rows = []
    for index in np.unique(actual):
        inside, category = actual == index, categories[index]
        n = int(inside.sum())
        rows.append(
            {"category": category, "n_reports": n, "few": n < FEW, "shared": shared.get(category, False)}
            | _columns("coverage", wilson(int(held[inside].sum()), n, confidence))
            | {"mean_size": float(size[inside].mean()), "share_clear": float((lane[inside] == LANES[0]).mean())}
        )
    overall = wilson(int(held.sum()), len(held), confidence)
    return LaneResult(level, len(actual), overall, float(size.mean()), pd.DataFrame(by_lane), pd.DataFrame(rows))


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.point, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def as_section(result: LaneResult) -> dict[str, object]:
    """The content of `metrics.json` under `lanes`; undefined numbers are left out."""
    section: dict[str, object] = {"level": result.level, "n_reports": result.n_reports, "mean_size": result.mean_size}
    section |= _columns("coverage", result.coverage)
    section |= {} if np.isnan(result.worst_gap) else {"worst_gap": result.worst_gap}
    for key, column, table in (("by_lane", "lane", result.lanes), ("by_category", "category", result.per_category)):
        section[key] = {
            str(row[column]): {str(name): value for name, value in row.items() if name != column and not pd.isna(value)}
            for row in table.to_dict("records")
        }
    return section
