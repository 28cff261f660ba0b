"""How much each member of the ensemble counts, learned on the validation split only.

Logits are added with weights: a logarithmic opinion pool (Genest & Zidek, Statistical Science 1(1), 1986). The two for the
categories are of maximum likelihood; with so few numbers a few hundred reports are enough, and the likelihood is smoother than
macro-F1, which on 200 reports jumps by half a point with every one of them. Each category counts the same, as in macro-F1.

The two for the risk, with an intercept, are held to the first member's risk as it is: validation has some twenty escalations,
and what they say is mostly chance. Without a penalty the shipped sample's 18 gave the transformer all the weight; in the weeks
after, the baseline was the better of the two.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from pipeline.classifier import Logits
from pipeline.hazard import fit_hazard, settled_periods

_LEAST = 0.01
"""A member's weight stays above this, so that a category no member has learned keeps its low logit."""
_PENALTY = 10.0
"""On half the squared distance of the risk weights from the expected ones, as where history joins the risk."""


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
    """Find the weights.

    Args:
        members: Logits of reports no member has learned from; the first is the one to beat.
        category: Category indices of these reports, negative where unknown, shape (n_reports,).
        escalated: 1.0, 0.0, or NaN where unknown, shape (n_reports,).

    Returns:
        The weights. Where no category is known members count the same; where risk cannot be learned, the first counts.
    """
    equal = (1.0,) * len(members)
    known = category >= 0
    chosen = _category_weights([member.category[known] for member in members], category[known]) if known.any() else equal
    settled = ~np.isnan(escalated)
    outcomes = escalated[settled]
    if not outcomes.any() or outcomes.all() or not any(member.risk.any() for member in members):
        return Weights(chosen, _expected(len(members)), 0.0)
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


def _expected(n_members: int) -> tuple[float, ...]:
    """Risk weights known beforehand."""
    return 1.0, *[_LEAST] * (n_members - 1)


def _risk_weights(logits: list[np.ndarray], outcomes: np.ndarray) -> tuple[tuple[float, ...], float]:
    inputs = np.column_stack(logits).astype(np.float64)  # (n_reports, n_members)
    center = inputs.mean(axis=0)
    weights, constants = fit_hazard(
        inputs - center,
        settled_periods(outcomes),
        penalty=_PENALTY,
        known=np.array(_expected(len(logits))),
        bounds=[(_LEAST, None)] * len(logits),
    )
    return tuple(float(weight) for weight in weights), float(constants[0] - weights @ center)
