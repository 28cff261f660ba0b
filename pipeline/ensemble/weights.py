"""How much each member of the ensemble counts, learned on the validation split only.

Logits are added with weights: a logarithmic opinion pool (Genest & Zidek, Statistical Science 1(1), 1986). Two weights for the
categories and two with an intercept for the risk, of maximum likelihood; with so few numbers a few hundred reports are enough,
and the likelihood is smoother than macro-F1, which on 200 reports jumps by half a point with every one of them. Each category
counts the same, as in macro-F1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from pipeline.classifier import Logits

_LEAST = 0.01
"""A member's weight stays above this, so that a category no member has learned keeps its low logit."""


@dataclass(frozen=True)
class Weights:
    """Factors on the members' logits.

    Attributes:
        category: One factor a member, above zero.
        risk: One factor a member, above zero.
        risk_intercept: Added to the risk's weighted sum.
    """

    category: tuple[float, ...]
    risk: tuple[float, ...]
    risk_intercept: float

    def combine(self, members: tuple[Logits, ...]) -> Logits:
        """The weighted sums; risk stays zero throughout where every member's is."""
        category = sum(np.float32(weight) * member.category for weight, member in zip(self.category, members, strict=True))
        risk = sum(np.float32(weight) * member.risk for weight, member in zip(self.risk, members, strict=True))
        return Logits(
            np.asarray(category, dtype=np.float32), np.asarray(risk + np.float32(self.risk_intercept), dtype=np.float32)
        )


def learn_weights(members: tuple[Logits, ...], category: np.ndarray, escalated: np.ndarray) -> Weights:
    """Find the weights of maximum likelihood.

    Args:
        members: Logits of reports no member has learned from.
        category: Category indices of these reports, negative where unknown, shape (n_reports,).
        escalated: 1.0, 0.0, or NaN where unknown, shape (n_reports,).

    Returns:
        The weights; members count the same where nothing can be learned.
    """
    equal = (1.0,) * len(members)
    known = category >= 0
    chosen = _category_weights([member.category[known] for member in members], category[known]) if known.any() else equal
    settled = ~np.isnan(escalated)
    outcomes = escalated[settled]
    if not outcomes.any() or outcomes.all() or not any(member.risk.any() for member in members):
        return Weights(chosen, equal, 0.0)
    risk, intercept = _risk_weights([member.risk[settled] for member in members], outcomes)
    return Weights(chosen, risk, intercept)


def _category_weights(logits: list[np.ndarray], category: np.ndarray) -> tuple[float, ...]:
    stacked = np.stack(logits).astype(np.float64)  # (n_members, n_reports, n_categories)
    counts = np.bincount(category)
    share = 1.0 / counts[category] / (counts > 0).sum()  # (n_reports,), sums to one

    def loss(weights: np.ndarray) -> float:
        mixed = np.tensordot(weights, stacked, axes=1)  # (n_reports, n_categories)
        return float(share @ (logsumexp(mixed, axis=1) - mixed[np.arange(len(category)), category]))

    found = minimize(loss, np.ones(len(logits)), method="L-BFGS-B", bounds=[(_LEAST, None)] * len(logits))
    return tuple(float(weight) for weight in found.x)


def _risk_weights(logits: list[np.ndarray], outcomes: np.ndarray) -> tuple[tuple[float, ...], float]:
    design = np.column_stack([*logits, np.ones(len(outcomes))]).astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        scores = design @ weights
        return float((np.logaddexp(0.0, scores) - outcomes * scores).mean())

    start = np.append(np.full(len(logits), 1.0 / len(logits)), 0.0)
    found = minimize(loss, start, method="L-BFGS-B", bounds=[*[(_LEAST, None)] * len(logits), (None, None)])
    return tuple(float(weight) for weight in found.x[:-1]), float(found.x[-1])
