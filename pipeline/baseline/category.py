"""The category head: one linear margin per category.

A linear support vector machine over n-grams is hard to beat on topics (Joachims, ECML 1998; Wang & Manning, ACL 2012). Each
category is separated from all others; the margin is the logit, and calibration's temperature turns margins into
probabilities. How strongly the head is held back is chosen on the validation split by macro-F1.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from pipeline.errors import TrainingError

logger = logging.getLogger(__name__)

ABSENT_LOGIT = -20.0
"""Logit of a category without a training example: far below any margin, so that it is never predicted."""


@dataclass(frozen=True)
class CategoryHead:
    """Weights of every category.

    Attributes:
        weights: Shape (n_categories, n_features), float32; zero for a category without examples.
        intercepts: Shape (n_categories,), float32; `ABSENT_LOGIT` for a category without examples.
    """

    weights: np.ndarray
    intercepts: np.ndarray

    def logits(self, features: sparse.csr_array) -> np.ndarray:
        """Margins, shape (n_reports, n_categories), float32."""
        return np.asarray(features @ self.weights.T + self.intercepts, dtype=np.float32)


def number_categories(labels: Sequence[str], categories: Sequence[str]) -> np.ndarray:
    """Index of each label among the categories, shape (n_reports,).

    Raises:
        TrainingError: If a label is not a category, or fewer than two categories have examples.
    """
    number = {category: index for index, category in enumerate(categories)}
    unknown = sorted(set(labels) - set(number))
    if unknown:
        raise TrainingError(
            f"Category labels must be among {', '.join(categories)}; got {', '.join(map(str, unknown))}. "
            "Map them in 'categories' of the source's registry file, or add them to the taxonomy."
        )
    if len(set(labels)) < 2:
        raise TrainingError(
            f"A category head needs examples of at least two categories on the training split, got "
            f"{len(set(labels))} in {len(labels)} labelled reports. Check the profile's sources and split days."
        )
    return np.array([number[label] for label in labels], dtype=np.int64)


def fit_category_head(
    features: sparse.csr_array, labels: np.ndarray, *, n_categories: int, strength: float, balance: bool, seed: int
) -> CategoryHead:
    """Fit one margin per category.

    Args:
        features: Shape (n_reports, n_features).
        labels: Category indices, shape (n_reports,), at least two different ones.
        n_categories: Rows of the weights; categories that no label names get `ABSENT_LOGIT`.
        strength: Inverse of the penalty on the weights; larger fits the training reports more closely.
        balance: Give each category the same total weight, so that rare ones are not drowned.
        seed: Of the solver's order of visits.
    """
    solver = LinearSVC(C=strength, class_weight="balanced" if balance else None, random_state=seed, max_iter=3000)
    solver.fit(features, labels)
    weights = np.zeros((n_categories, features.shape[1]), dtype=np.float32)
    intercepts = np.full(n_categories, ABSENT_LOGIT, dtype=np.float32)
    if len(solver.classes_) == 2:  # scikit-learn gives two categories one margin
        weights[solver.classes_] = np.vstack([-solver.coef_, solver.coef_])
        intercepts[solver.classes_] = np.concatenate([-solver.intercept_, solver.intercept_])
    else:
        weights[solver.classes_] = solver.coef_
        intercepts[solver.classes_] = solver.intercept_
    return CategoryHead(weights, intercepts)


def best_strength(scores: dict[float, float]) -> float:
    """The strength with the best score; of equals the smallest, which is held back most."""
    return max(sorted(scores), key=lambda strength: scores[strength])


def macro_f1(labels: np.ndarray, logits: np.ndarray) -> float:
    """Mean F1 over the categories that occur among the labels or the predictions."""
    return float(f1_score(labels, logits.argmax(axis=1), average="macro", zero_division=0.0))
