"""What orders the queue.

Priority is the escalation risk times the severity weight one expects of the report's category:
`risk * sum(P(category) * severity_weight(category))`, the expected weighted harm if nobody reads it (decision theory's
expected loss; Berger, *Statistical Decision Theory*, 1985, ch. 1). Taking the expectation rather than the weight of the
likeliest category keeps a report between two categories from jumping when their probabilities cross.
"""

import numpy as np

from pipeline.taxonomy import Taxonomy


def severity_weights(taxonomy: Taxonomy, categories: tuple[str, ...]) -> np.ndarray:
    """The severity weight of each category, shape (n_categories,), in the order the model numbers them."""
    return np.array([taxonomy[category].severity_weight for category in categories], dtype=np.float64)


def priority(risk: np.ndarray, category_probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Expected weighted harm of leaving each report unread.

    Args:
        risk: Calibrated escalation risk, shape (n_reports,), in [0, 1].
        category_probabilities: Shape (n_reports, n_categories); rows sum to 1.
        weights: Severity weights, shape (n_categories,), above 0.

    Returns:
        Shape (n_reports,), from 0 to the largest weight.
    """
    expected = np.asarray(category_probabilities, dtype=np.float64) @ weights  # (n_reports,)
    weighted: np.ndarray = np.asarray(risk, dtype=np.float64) * expected
    return weighted
