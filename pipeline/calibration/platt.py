"""A sigmoid for the risk logit.

The probability of escalation is sigmoid(slope * logit + intercept), fitted with smoothed targets so that few positives do not
drive it to the ends (Platt, Probabilistic Outputs for Support Vector Machines, in Advances in Large Margin Classifiers, 1999).
Two numbers need some positives: below `min_positives` the slope stays 1 and only the intercept is moved, so that the mean
probability equals the observed share (smoothed in the same way). The same happens when the fitted slope is not positive: a
model that ranks backwards on the calibration split must not be turned around by it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

Method = Literal["platt", "shift", "none"]
WIDEST_SHIFT = 50.0  # log-odds; no base rate that can be observed lies farther away


@dataclass(frozen=True)
class RiskScaler:
    """How a risk logit becomes a probability.

    Attributes:
        method: `platt`, `shift` (intercept only) or `none` (no escalation label to calibrate with: not a calibrated number).
        slope: Factor of the logit, positive.
        intercept: Added after the factor, log-odds.
    """

    method: Method
    slope: float
    intercept: float

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities, shape (n_reports,), in [0, 1], rising with the logit."""
        return np.asarray(expit(self.slope * logits.astype(np.float64) + self.intercept))


def fit_risk_scaler(logits: np.ndarray, escalated: np.ndarray, *, min_positives: int) -> RiskScaler:
    """Fit the sigmoid, or only its intercept.

    Args:
        logits: Risk logits, shape (n_reports,).
        escalated: Whether each report escalated, shape (n_reports,), bool.
        min_positives: Escalations (and as many others) needed to fit a slope.
    """
    n_positives = int(escalated.sum())
    n_negatives = len(escalated) - n_positives
    if len(escalated) == 0:
        return RiskScaler("none", 1.0, 0.0)
    values = logits.astype(np.float64)
    if min(n_positives, n_negatives) >= min_positives and np.ptp(values) > 0:
        slope, intercept = _fit_platt(values, smoothed_targets(escalated))
        if slope > 0:
            return RiskScaler("platt", slope, intercept)
    return RiskScaler("shift", 1.0, _fit_shift(values, (n_positives + 1) / (len(escalated) + 2)))


def smoothed_targets(escalated: np.ndarray) -> np.ndarray:
    """Platt's targets: (N+ + 1) / (N+ + 2) for escalations, 1 / (N- + 2) for the others."""
    n_positives = int(escalated.sum())
    n_negatives = len(escalated) - n_positives
    return np.where(escalated, (n_positives + 1) / (n_positives + 2), 1 / (n_negatives + 2))


def _fit_platt(values: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Slope and intercept with the smallest cross-entropy, found on standardized logits."""
    center, scale = float(values.mean()), float(values.std())
    inputs = np.column_stack([(values - center) / scale, np.ones_like(values)])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = inputs @ weights
        return float(np.mean(np.logaddexp(0.0, scores) - targets * scores)), inputs.T @ (expit(scores) - targets) / len(scores)

    slope, intercept = minimize(loss, np.zeros(2), jac=True, method="BFGS").x
    return float(slope / scale), float(intercept - slope * center / scale)


def _fit_shift(values: np.ndarray, rate: float) -> float:
    """The intercept that makes the mean probability equal the rate."""
    center = float(values.mean())
    return float(brentq(lambda shift: expit(values - center + shift).mean() - rate, -WIDEST_SHIFT, WIDEST_SHIFT)) - center
