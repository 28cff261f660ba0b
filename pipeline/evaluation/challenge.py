"""A challenger against the champion, both scoring the same test reports.

What counts is what the unit would have read: recall at capacity, replayed day by day (`capacity.py`). Beside it macro-F1 of the
category and the recall of every category, so that a model cannot buy its lead by forgetting one. Differences are paired: each
resample draws whole matters once and measures both models on them (`resampling.py`).

"Equal" must mean something when a test split holds few escalations: the challenger is refused if the whole interval of the
difference lies below zero, and also if the difference itself is below a declared drop, however wide the interval. With 28
escalations the interval of recall is some 30 points wide; the declared drop is then what refuses a clearly worse model. A
category's recall is one of many comparisons on a few reports each, so it must be below by the declared drop *and* by more than
chance to be refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation import metrics
from pipeline.evaluation.capacity import make_queue, read_at_capacity
from pipeline.evaluation.gates import Gate
from pipeline.evaluation.resampling import Estimate, Measure, Resampled, resample
from pipeline.limits import GateParams
from pipeline.sections import EvaluationParams

CHALLENGER, CHAMPION = "challenger", "champion"


@dataclass(frozen=True)
class Contest:
    """The same test reports as both models see them.

    Attributes:
        categories: Ids in the order of the indices.
        actual: Category indices, shape (n_reports,); -1 where unlabelled.
        predicted: Model to predicted category indices, each of shape (n_reports,).
        escalated: Shape (n_reports,), 1.0 or 0.0; NaN where not settled.
        risk: Model to calibrated risk, each of shape (n_reports,).
        matters: Matter of each report.
        duplicate_groups: Duplicate group of each report.
        days: Local day of each report.
    """

    categories: tuple[str, ...]
    actual: np.ndarray
    predicted: Mapping[str, np.ndarray]
    escalated: np.ndarray
    risk: Mapping[str, np.ndarray]
    matters: pd.Series
    duplicate_groups: pd.Series
    days: np.ndarray


def champion_gates(contest: Contest, params: EvaluationParams, *, capacity: int, seed: int) -> list[Gate]:
    """Whether the challenger beats or equals the champion, at capacity and in every category.

    Args:
        contest: Both models on the same reports.
        params: Of the intervals, the share of a day and the gates.
        capacity: Reports the unit reads in a day.
        seed: Of the resamples.

    Returns:
        Gates for what has labels; none where nothing has.
    """
    settled = np.flatnonzero(np.isfinite(contest.escalated))
    labelled = np.flatnonzero(contest.actual >= 0)
    gates = []
    if contest.escalated[settled].any():
        gates.append(_capacity_gate(contest, settled, params, capacity, seed))
    if len(labelled):
        gates += _category_gates(contest, labelled, params, seed)
    return gates


def _capacity_gate(contest: Contest, rows: np.ndarray, params: EvaluationParams, capacity: int, seed: int) -> Gate:
    escalated = contest.escalated[rows].astype(bool)
    happened = escalated.astype(np.float64)
    read = {
        model: read_at_capacity(
            make_queue(risk[rows], contest.days[rows]), escalated, capacity=capacity, max_day_share=params.max_day_share
        ).chance
        for model, risk in contest.risk.items()
    }

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {model: metrics.ratio(weights @ (chance * happened), weights @ happened) for model, chance in read.items()}

    found = _resampled([measure], contest.matters.iloc[rows], params, seed)
    return _no_worse("recall at capacity is no worse than the champion's", found, params.gates.max_capacity_drop)


def _category_gates(contest: Contest, rows: np.ndarray, params: EvaluationParams, seed: int) -> list[Gate]:
    actual, n_categories = contest.actual[rows], len(contest.categories)

    def measure_of(model: str) -> Measure:
        def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
            counts = metrics.confusion(actual, contest.predicted[model][rows], n_categories, weights)
            recall = metrics.precision_recall_f1(counts)[1]
            by_category = {f"{category}.{model}": recall[:, index] for index, category in enumerate(contest.categories)}
            return {model: metrics.macro_f1(counts), **by_category}

        return measure

    measures = [measure_of(model) for model in (CHALLENGER, CHAMPION)]
    found = _resampled(measures, contest.duplicate_groups.iloc[rows], params, seed)
    counts = np.bincount(actual, minlength=n_categories)
    return [
        _no_worse("category macro-F1 is no worse than the champion's", found, params.gates.max_macro_f1_drop),
        _recalls_gate(contest.categories, counts, found, params.gates),
    ]


def _recalls_gate(categories: Sequence[str], counts: np.ndarray, found: Resampled, limits: GateParams) -> Gate:
    collapsed = []
    for category, n_reports in zip(categories, counts, strict=True):
        difference = _difference(found, f"{category}.")
        fell = difference.point < -limits.max_category_recall_drop and difference.high < 0.0
        if n_reports >= limits.min_category_reports and fell:
            points = (found.points[f"{category}.{model}"] for model in (CHALLENGER, CHAMPION))
            collapsed.append("{} ({:.2f} against {:.2f})".format(category, *points))
    return Gate(
        "no category's recall collapses against the champion",
        not collapsed,
        f"no recall lower by over {limits.max_category_recall_drop:g} and by more than chance",
        ", ".join(collapsed) if collapsed else "none",
    )


def _resampled(measures: Sequence[Measure], clusters: pd.Series, params: EvaluationParams, seed: int) -> Resampled:
    return resample(measures, clusters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed)


def _difference(found: Resampled, prefix: str) -> Estimate:
    return found.difference(f"{prefix}{CHALLENGER}", f"{prefix}{CHAMPION}")


def _no_worse(name: str, found: Resampled, max_drop: float) -> Gate:
    difference = _difference(found, "")
    return Gate(
        name,
        difference.high >= 0.0 and difference.point >= -max_drop,
        f"difference at least {-max_drop:+.3f}, its interval not wholly below zero",
        f"{found.points[CHALLENGER]:.3f} against {found.points[CHAMPION]:.3f}, difference "
        f"{difference.point:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})",
    )
