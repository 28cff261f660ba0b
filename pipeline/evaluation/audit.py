"""What lies below the line, estimated from the audit draw.

Every night draws some reports at random from those it does not rank high enough to be read. A drawn report stands for
1 / `propensity` others, so weighted sums over what was drawn estimate sums over all that lay below the line without bias
(Horvitz & Thompson, Journal of the American Statistical Association 47, 1952), and a ratio of two of them is steadier than
either (Hájek, in Godambe & Sprott, Foundations of Statistical Inference, 1971).

What is estimated, over all nights together:

    missed per 1,000      of the reports that lay below the line on a night, how many had an outcome still to come
    recall of the line    of the open reports with an outcome still to come, the share that the night ranked above the line

A report that waits ten nights lies below the line ten times, as the nights' own recall counts it (`backtesting.py`). Nights
draw independently given what happened before, so their errors add up like those of strata, with equal chances and without
replacement in each. The variance within a night cannot be estimated where one report is drawn; that of all nights stands in.
Since few drawn reports escalate, the interval is the one of Korn & Graubard (Survey Methodology 24, 1998): an exact binomial
one (Clopper & Pearson, Biometrika 26, 1934) at the number of independent draws that would have the same variance.

Limit: outcomes must be known for what was drawn. Reports whose window is open are left out of both sides.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import beta

from pipeline.evaluation.backtesting import Fates
from pipeline.evaluation.resampling import Estimate

PER = 1000


@dataclass(frozen=True)
class AuditEstimate:
    """What the audit draw says of the nights.

    Attributes:
        n_drawn: Settled reports drawn.
        n_drawn_escalated: Those of them with an outcome still to come.
        n_effective: Independent draws that would say as much.
        n_below: Report-nights below the line, estimated from the weights.
        missed_per_1000: Of a thousand reports below the line on a night, those with an outcome still to come.
        recall: Share of the escalations still to come that the nights ranked above the line.
    """

    n_drawn: int
    n_drawn_escalated: int
    n_effective: float
    n_below: float
    missed_per_1000: Estimate
    recall: Estimate


def retraining_weights(selected: pd.Series, propensity: pd.Series) -> np.ndarray:
    """Weights with which decisions on what was shown teach about everything that was open.

    Where labels exist only for what somebody was given to read, learning from them as they are teaches what the line already
    believes. A report above the line was sure to be read and counts once; a drawn one counts 1 / `propensity` times; one that
    still waits has no decision and counts nothing. Pass them as `sample_weight` (Cortes, Mansour & Mohri, Learning bounds for
    importance weighting, 2010); cap them where a few would outweigh all others.

    Args:
        selected: `ranked`, `unclear`, `audit` or `waiting`, shape (n_reports,).
        propensity: Probability with which the draw reached each report, in (0, 1], shape (n_reports,).
    """
    chance = propensity.to_numpy(dtype=np.float64)
    drawn = (selected == "audit").to_numpy()
    weights = np.where(selected.isin(["ranked", "unclear"]).to_numpy(), 1.0, 0.0)
    weights[drawn] = 1.0 / chance[drawn]
    return weights


def estimate_audit(drawn: pd.DataFrame, *, n_ranked_escalated: int, confidence: float) -> AuditEstimate:
    """Estimate what lies below the line.

    Args:
        drawn: One row a drawn report whose label is settled: `night` (any number that tells nights apart), `propensity` in
            (0, 1], and `escalated`, whether its outcome was still to come.
        n_ranked_escalated: Reports ranked above the line with an outcome still to come.
        confidence: Of the intervals, in (0, 1).

    Returns:
        Estimates; NaN where nothing was drawn.
    """
    if drawn.empty:
        nothing = Estimate(float("nan"), float("nan"), float("nan"))
        return AuditEstimate(0, 0, 0.0, 0.0, nothing, nothing)
    weights = 1.0 / drawn["propensity"].to_numpy(dtype=np.float64)
    happened = drawn["escalated"].to_numpy(dtype=np.float64)
    n_below = float(weights.sum())
    share = float(weights @ happened) / n_below
    n_effective = _effective(drawn, weights)
    low, high = _exact(share, n_effective, confidence)
    return AuditEstimate(
        n_drawn=len(drawn),
        n_drawn_escalated=int(happened.sum()),
        n_effective=n_effective,
        n_below=n_below,
        missed_per_1000=Estimate(PER * share, PER * low, PER * high),
        recall=Estimate(*(_recall(n_ranked_escalated, n_below * end) for end in (share, high, low))),
    )


def _effective(drawn: pd.DataFrame, weights: np.ndarray) -> float:
    """Independent draws whose mean would vary as the weighted share does.

    A night that draws k of N adds N² (1 - k / N) / k times the variance of one report, a drawn report's weight being N / k.
    """
    corrections = weights**2 * (1.0 - drawn["propensity"].to_numpy(dtype=np.float64))
    total = float(corrections.sum())
    return float(weights.sum() ** 2 / total) if total > 0 else float("inf")


def _exact(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share seen in `n` draws, which need not be a whole number."""
    if np.isinf(n):
        return share, share
    tail, hits = (1 - confidence) / 2, share * n
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def _recall(found: int, missed: float) -> float:
    return found / (found + missed) if found + missed > 0 else float("nan")


def below_the_line(fate: Fates, night: np.ndarray, audit: np.ndarray) -> tuple[int, int]:
    """What an audit draw estimates, counted: settled reports below the line, and those with an outcome still to come.

    Args:
        fate: What became of the reports.
        night: Number of the night that gave each report to somebody, -1 for none, shape (n_reports,).
        audit: Whether it was by the audit draw, shape (n_reports,).

    Returns:
        Both summed over the nights: a report counts on every night on which it was open and not ranked.
    """
    end = np.where(night < 0, len(fate.mornings), night + audit)  # the night after the last one below the line
    n_below = np.maximum(end - fate.first_night, 0)
    n_missed = np.maximum(np.minimum(end, fate.last_night + 1) - fate.first_night, 0)
    return int(n_below[fate.settled].sum()), int(n_missed[fate.escalated].sum())


def drawn_by(fate: Fates, night: np.ndarray, audit: np.ndarray, propensity: np.ndarray) -> pd.DataFrame:
    """The settled reports that audit draws reached, as `estimate_audit` takes them; arguments as above."""
    drawn = audit & fate.settled
    escalated = fate.in_time(night)[drawn]
    return pd.DataFrame({"night": night[drawn], "propensity": propensity[drawn], "escalated": escalated})
