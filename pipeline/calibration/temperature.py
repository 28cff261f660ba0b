"""One temperature for the category logits, and a share of doubt.

Dividing all logits by one number leaves the order of categories, and so every prediction, as it is, and turns over- or
under-confident logits into probabilities (Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017).
It serves margins of a support vector machine as well as a network's logits. Labels have
errors that no logit can see: where one in fifty is noted wrong, a report is never right with more than 0.98, and a temperature
that says so at the top says too little below. So a share of the probability is spread evenly over all categories, which also
leaves the order as it is (the uniform part of Zhang, Kailkhura & Han, Mix-n-Match, ICML 2020). Limit: two numbers cannot mend a
single category that is over-confident while the others are not; the evaluation shows the error per category.
"""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp, softmax

WIDEST_LOG_BETA = 6.0  # temperatures from 1/403 to 403; beyond, the logits do not tell the categories apart, or always do
MOST_DOUBT = 0.5  # more errors than right labels are not a matter of calibration


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


def fit_temperature_and_doubt(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The temperature and the share of doubt that together have the smallest negative log-likelihood.

    Args:
        logits: Category logits, shape (n_reports, n_categories).
        labels: Category indices, shape (n_reports,), in [0, n_categories).

    Returns:
        A positive number, and a share from 0 to 0.5; 1.0 and 0.0 where there is no report to fit on.
    """
    temperature = fit_temperature(logits, labels)
    if len(labels) == 0:
        return temperature, 0.0
    rows = np.arange(len(labels))

    def loss(log_beta: float, doubt: float) -> float:
        truth = apply_temperature(logits, np.exp(-log_beta), doubt)[rows, labels]
        return float(-np.log(np.maximum(truth, np.finfo(np.float64).tiny)).mean())

    bounds = [(-WIDEST_LOG_BETA, WIDEST_LOG_BETA), (0.0, MOST_DOUBT)]
    start = [-np.log(temperature), 0.02]
    log_beta, doubt = minimize(lambda both: loss(*both), start, bounds=bounds, method="Nelder-Mead").x
    if loss(log_beta, doubt) >= loss(-np.log(temperature), 0.0):
        return temperature, 0.0
    return float(np.exp(-log_beta)), float(doubt)


def apply_temperature(logits: np.ndarray, temperature: float, doubt: float = 0.0) -> np.ndarray:
    """Category probabilities, shape (n_reports, n_categories), rows summing to 1.

    Args:
        logits: Shape (n_reports, n_categories).
        temperature: What logits are divided by, positive.
        doubt: Share of the probability spread evenly, in [0, 1).
    """
    sure = softmax(logits.astype(np.float64) / temperature, axis=1)
    return np.asarray((1 - doubt) * sure + doubt / logits.shape[1])
