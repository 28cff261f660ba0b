"""Category and risk metrics, each from a matrix of weights.

Every function takes `weights` of shape (n_resamples, n_reports) and gives one value a resample, so that the same few lines
serve the number itself (one row of ones) and its interval (`resampling.py`). With weights of one they equal scikit-learn's
`f1_score(average="macro")`, `average_precision_score` and `roc_auc_score`; a test holds them to it.

The calibration error uses bins of equal counts, since most risks are small and bins of equal width would be almost empty
(Nixon et al., Measuring Calibration in Deep Learning, CVPR workshops 2019). It is above zero even for a perfect model, by about
the noise of a bin.
"""

import numpy as np
from scipy import sparse

SMALLEST = 1e-12  # probabilities are clipped here before a logarithm


def confusion(actual: np.ndarray, predicted: np.ndarray, n_categories: int, weights: np.ndarray) -> np.ndarray:
    """Weighted counts, shape (n_resamples, n_categories, n_categories), actual by predicted."""
    cell = actual * n_categories + predicted
    one_hot = sparse.csr_array((np.ones(len(cell)), (np.arange(len(cell)), cell)), shape=(len(cell), n_categories**2))
    return np.asarray(weights @ one_hot).reshape(len(weights), n_categories, n_categories)


def precision_recall_f1(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per category, each of shape (n_resamples, n_categories); NaN where a category neither occurs nor is predicted."""
    right = np.einsum("bkk->bk", counts)
    n_predicted, n_actual = counts.sum(axis=1), counts.sum(axis=2)
    precision, recall = ratio(right, n_predicted), ratio(right, n_actual)
    return precision, recall, ratio(2 * right, n_predicted + n_actual)


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean F1 over the categories that occur or are predicted, shape (n_resamples,)."""
    f1 = precision_recall_f1(counts)[2]
    known = np.isfinite(f1)
    return ratio(np.where(known, f1, 0.0).sum(axis=1), known.sum(axis=1))


def accuracy(counts: np.ndarray) -> np.ndarray:
    """Share of reports given their category, shape (n_resamples,)."""
    return ratio(np.einsum("bkk->b", counts), counts.sum(axis=(1, 2)))


def average_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the precision-recall curve, equal scores taken as one step.

    Args:
        scores: Higher comes first, shape (n_reports,).
        positive: Shape (n_reports,), bool.
        weights: Shape (n_resamples, n_reports).

    Returns:
        Shape (n_resamples,); NaN without a positive. A random order has the base rate.
    """
    n_positive, n_all = _by_score(scores, positive, weights)
    precision = ratio(n_positive.cumsum(axis=1), n_all.cumsum(axis=1))
    return ratio((n_positive * np.nan_to_num(precision)).sum(axis=1), n_positive.sum(axis=1))


def roc_auc(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Probability that an escalated report scores above another, ties counting half; shape (n_resamples,)."""
    n_positive, n_all = _by_score(scores, positive, weights)
    n_negative = n_all - n_positive
    below = n_negative.sum(axis=1, keepdims=True) - n_negative.cumsum(axis=1)
    won = (n_positive * (below + n_negative / 2)).sum(axis=1)
    return ratio(won, n_positive.sum(axis=1) * n_negative.sum(axis=1))


def brier(probabilities: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean squared difference between probability and outcome, shape (n_resamples,)."""
    return weighted_mean((probabilities - positive) ** 2, weights)


def log_loss(probability_of_truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of -log of the probability given to what happened, shape (n_resamples,)."""
    return weighted_mean(-np.log(np.clip(probability_of_truth, SMALLEST, 1.0)), weights)


def calibration_error(probabilities: np.ndarray, positive: np.ndarray, weights: np.ndarray, n_bins: int) -> np.ndarray:
    """Expected difference between stated and observed share, over bins of equal counts; shape (n_resamples,)."""
    in_bin = bin_matrix(probabilities, n_bins)
    gaps = weights @ (in_bin * (probabilities - positive)[:, None])  # (n_resamples, n_bins)
    return ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def brier_parts(probabilities: np.ndarray, positive: np.ndarray, weights: np.ndarray, n_bins: int) -> dict[str, np.ndarray]:
    """The Brier score taken apart (Murphy, A New Vector Partition of the Probability Score, J. Appl. Meteorology 12, 1973).

    Returns:
        Each of shape (n_resamples,): `reliability`, the squared distance of stated from observed shares, to be made small;
        `resolution`, that of observed shares from the base rate, to be made large; and `uncertainty`, the base rate's own,
        which no model changes. Brier score = reliability - resolution + uncertainty, but for differences inside the bins
        (Stephenson, Coelho & Jolliffe, Weather and Forecasting 23, 2008), which vanish as bins become narrow.
    """
    in_bin = bin_matrix(probabilities, n_bins)
    total = weights.sum(axis=1)
    inside = weights @ in_bin  # (n_resamples, n_bins)
    share = ratio(inside, total[:, None])
    stated = np.nan_to_num(ratio(weights @ (in_bin * probabilities[:, None]), inside))
    observed = np.nan_to_num(ratio(weights @ (in_bin * positive[:, None]), inside))
    base = weighted_mean(positive.astype(np.float64), weights)
    return {
        "reliability": (share * (stated - observed) ** 2).sum(axis=1),
        "resolution": (share * (observed - base[:, None]) ** 2).sum(axis=1),
        "uncertainty": base * (1 - base),
    }


def bin_matrix(probabilities: np.ndarray, n_bins: int) -> np.ndarray:
    """Which bin of equal counts each report is in, shape (n_reports, n_bins), 1.0 or 0.0."""
    matrix: np.ndarray = np.eye(n_bins)[equal_count_bins(probabilities, n_bins)]
    return matrix


def equal_count_bins(probabilities: np.ndarray, n_bins: int) -> np.ndarray:
    """Bin of each report by rank of its probability, shape (n_reports,); equal probabilities share a bin."""
    inner = np.arange(1, n_bins) / n_bins
    edges = np.unique(np.quantile(probabilities, inner)) if len(probabilities) else np.zeros(0)
    return np.asarray(np.searchsorted(edges, probabilities, side="right"))


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Shape (n_resamples,)."""
    return ratio(weights @ values, weights.sum(axis=1))


def sum_runs(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sums of consecutive columns, each run beginning at one of `starts`; shape (n_resamples, n_runs)."""
    return np.asarray(np.add.reduceat(values, starts, axis=1))


def _by_score(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight of positives and of all at each distinct score, highest first; both (n_resamples, n_distinct)."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sorted_weights = weights[:, order]
    return sum_runs(sorted_weights * positive[order], starts), sum_runs(sorted_weights, starts)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Division with NaN where there is nothing to divide by."""
    below = np.broadcast_to(np.asarray(below, dtype=np.float64), np.shape(above))
    return np.asarray(np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0))
