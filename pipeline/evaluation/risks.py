"""Measures the escalation risk on the test split, as a ranking, as a probability and at capacity, beside the baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation import metrics
from pipeline.evaluation.baselines import Ranking
from pipeline.evaluation.capacity import Read, make_queue, read_at_capacity, read_share, read_top
from pipeline.evaluation.resampling import Estimate, Measure, resample
from pipeline.sections import EvaluationParams

MODEL = "model"
RANKED = ("average_precision", "roc_auc", "recall_at_capacity", "precision_at_capacity", "recall_top", "precision_top")
STATED = ("brier", "log_loss", "calibration_error", "brier_base_rate", "base_rate")
SHARES = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True)
class _Reads:
    """What a unit reads in the order of a ranking: day by day, and from one list with the same effort."""

    ranking: Ranking
    daily: Read
    top: Read


@dataclass(frozen=True)
class RiskResult:
    """What was measured of the risk.

    Attributes:
        n_reports: Test reports with a settled escalation.
        n_escalated: Those that escalated.
        n_matters: Different matters among those; the independent evidence there is.
        n_days: Local days the test split covers.
        n_read: Reports read at capacity over all days.
        stated: Estimates of the risk as a probability, by the names in `STATED`, and `brier_gain` over the known base rate.
        rankings: For the model and each first baseline, estimates by the names in `RANKED`.
        ties: For the model and each first baseline, recall at capacity with the worst and the best luck among equals.
        gains: For each first baseline, how far the model exceeds it, by the names in `RANKED`.
        titles: How the report names each ranking.
        curve: Recall by share of each day read: columns `ranking`, `share_read`, `recall`.
        risk: Stated probability, shape (n_reports,).
        escalated: Shape (n_reports,), bool.
        chance_read: Probability that the model's order has each report read at capacity, shape (n_reports,).
    """

    n_reports: int
    n_escalated: int
    n_matters: int
    n_days: int
    n_read: int
    stated: Mapping[str, Estimate]
    rankings: Mapping[str, Mapping[str, Estimate]]
    ties: Mapping[str, tuple[float, float]]
    gains: Mapping[str, Mapping[str, Estimate]]
    titles: Mapping[str, str]
    curve: pd.DataFrame
    risk: np.ndarray
    escalated: np.ndarray
    chance_read: np.ndarray


def measure_risk(
    risk: np.ndarray,
    escalated: np.ndarray,
    first: Sequence[Ranking],
    clusters: pd.Series,
    days: np.ndarray,
    *,
    known_rate: float,
    capacity: int,
    params: EvaluationParams,
    seed: int,
) -> RiskResult:
    """Measure the risk of one model.

    Args:
        risk: Calibrated probability, shape (n_reports,).
        escalated: Shape (n_reports,), bool; some escalated and some did not.
        first: The rankings to beat, scores of the same reports.
        clusters: Matter of each report.
        days: Local day of each report.
        known_rate: Share of escalated reports before the test split: the constant a model must improve on.
        capacity: Reports the unit reads in a day.
        params: Of the intervals, bins and the share of a day.
        seed: Of the resamples.
    """
    rankings = [Ranking(MODEL, "this model", risk), *first]
    reads = [_read_by(ranking, escalated, days, capacity, params) for ranking in rankings]
    measures: list[Measure] = [_of_ranking(read, escalated) for read in reads]
    measures.append(_stated(risk, escalated, known_rate, params.n_bins))
    found = resample(measures, clusters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed)
    n_escalated = int(escalated.sum())
    names = [ranking.name for ranking in rankings]
    return RiskResult(
        n_reports=len(risk),
        n_escalated=n_escalated,
        n_matters=clusters[escalated].nunique(),
        n_days=len(np.unique(days)),
        n_read=round(reads[0].daily.chance.sum()),
        stated={
            **{name: found.estimate(name) for name in STATED},
            "brier_gain": found.difference("brier_base_rate", "brier"),
        },
        rankings={name: {key: found.estimate(f"{name}.{key}") for key in RANKED} for name in names},
        ties={read.ranking.name: (read.daily.worst / n_escalated, read.daily.best / n_escalated) for read in reads},
        gains={name: {key: found.difference(f"{MODEL}.{key}", f"{name}.{key}") for key in RANKED} for name in names[1:]},
        titles={ranking.name: ranking.title for ranking in rankings},
        curve=_curve(rankings, escalated, days),
        risk=risk,
        escalated=escalated,
        chance_read=reads[0].daily.chance,
    )


def _read_by(ranking: Ranking, escalated: np.ndarray, days: np.ndarray, capacity: int, params: EvaluationParams) -> _Reads:
    queue = make_queue(ranking.scores, days)
    daily = read_at_capacity(queue, escalated, capacity=capacity, max_day_share=params.max_day_share)
    return _Reads(ranking, daily, read_top(ranking.scores, escalated, n_read=round(daily.chance.sum())))


def _of_ranking(reads: _Reads, escalated: np.ndarray) -> Measure:
    scores, happened = reads.ranking.scores, escalated.astype(np.float64)

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        values = {
            "average_precision": metrics.average_precision(scores, escalated, weights),
            "roc_auc": metrics.roc_auc(scores, escalated, weights),
        }
        for suffix, read in (("at_capacity", reads.daily), ("top", reads.top)):
            hits = weights @ (read.chance * happened)
            values[f"recall_{suffix}"] = metrics.ratio(hits, weights @ happened)
            values[f"precision_{suffix}"] = metrics.ratio(hits, weights @ read.chance)
        return {f"{reads.ranking.name}.{name}": value for name, value in values.items()}

    return measure


def _stated(risk: np.ndarray, escalated: np.ndarray, known_rate: float, n_bins: int) -> Measure:
    constant = np.full(len(risk), known_rate)

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {
            "brier": metrics.brier(risk, escalated, weights),
            "log_loss": metrics.log_loss(np.where(escalated, risk, 1 - risk), weights),
            "calibration_error": metrics.calibration_error(risk, escalated, weights, n_bins),
            "brier_base_rate": metrics.brier(constant, escalated, weights),
            "base_rate": metrics.weighted_mean(escalated.astype(float), weights),
        }

    return measure


def _curve(rankings: Sequence[Ranking], escalated: np.ndarray, days: np.ndarray) -> pd.DataFrame:
    rows = []
    for ranking in rankings:
        queue = make_queue(ranking.scores, days)
        for share in SHARES:
            chance = read_share(queue, escalated, share=float(share)).chance
            recall = float((chance * escalated).sum() / escalated.sum())
            rows.append({"ranking": ranking.name, "share_read": float(share), "recall": recall})
    return pd.DataFrame(rows)
