"""One temperature for the category logits.

Dividing all logits by one number leaves the order of categories, and so every prediction, as it is, and turns over- or
under-confident logits into probabilities (Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017).
It serves margins of a support vector machine as well as a network's logits. Limit: one number cannot mend a single category
that is over-confident while the others are not; the evaluation shows the error per category.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

WIDEST_LOG_BETA = 6.0  # temperatures from 1/403 to 403; beyond, the logits do not tell the categories apart, or always do


def temperature_nll(log_beta: float, logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-likelihood after dividing the logits by a temperature.

    Args:
        log_beta: Log of the inverse temperature; 0.0 leaves the logits as they are.
        logits: Category logits, shape (n_reports, n_categories).
        labels: Category indices, shape (n_reports,), in [0, n_categories).
    """
    scaled = logits * np.exp(log_beta)
    return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the smallest negative log-likelihood.

    Args:
        logits: Category logits, shape (n_reports, n_categories).
        labels: Category indices, shape (n_reports,), in [0, n_categories).

    Returns:
        A positive number; 1.0 where there is no report to fit on.
    """
    if len(labels) == 0:
        return 1.0
    values = logits.astype(np.float64)
    found = minimize_scalar(
        temperature_nll, args=(values, labels), bounds=(-WIDEST_LOG_BETA, WIDEST_LOG_BETA), method="bounded"
    )
    return float(np.exp(-found.x))


def apply_temperature(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Category probabilities, shape (n_reports, n_categories), rows summing to 1."""
    return np.asarray(softmax(logits.astype(np.float64) / temperature, axis=1))
