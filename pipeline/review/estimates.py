"""What people's judgements say: how far two of them agree, and what the model misses.

Agreement is Cohen's kappa over reports judged twice independently (*Educational and Psychological Measurement* 20, 1960). What
the model misses is estimated from the audit draw: a report drawn with propensity p stands for 1/p below the line (Horvitz &
Thompson, *Journal of the American Statistical Association* 47, 1952).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score

from pipeline.casework import Judged, Pair

NEEDS_ATTENTION = frozenset({"confirm", "hand_over", "mediated"})
"""Decisions that say a report was worth reading; a corrected category alone does not say."""


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of judgement and category; None where everybody always said the same, so that chance explains all."""

    n_pairs: int
    action: float | None
    category: float | None


@dataclass(frozen=True)
class Recall:
    """Estimated share of reports needing attention that stood above the line."""

    share: float
    n_above: int
    n_drawn: int


def agreement(pairs: Sequence[Pair]) -> Agreement | None:
    """How far first and second judges agree; None without a pair."""
    if not pairs:
        return None
    action = _kappa([pair.first_action for pair in pairs], [pair.second_action for pair in pairs])
    category = _kappa([pair.first_category for pair in pairs], [pair.second_category for pair in pairs])
    return Agreement(len(pairs), action, category)


def attention(checked: Sequence[Pair]) -> tuple[int, float] | None:
    """How many hidden known items were judged, and the share judged as before; None without one.

    Whoever hands over or mediates a known item says, like whoever confirms it, that it needs attention.
    """
    if not checked:
        return None
    alike = sum((one.first_action in NEEDS_ATTENTION) == (one.second_action in NEEDS_ATTENTION) for one in checked)
    return len(checked), alike / len(checked)


def recall_from_draw(judged: Sequence[Judged]) -> Recall | None:
    """Estimate what stood above the line; None while nothing of the draw was judged, or nothing needed attention."""
    needing = [one for one in judged if one.action in NEEDS_ATTENTION]
    above = sum(one.selected == "ranked" for one in needing)
    drawn = [one for one in needing if one.selected == "audit"]
    below = sum(1.0 / one.propensity for one in needing if one.selected != "ranked" and one.propensity > 0)
    if not any(one.selected == "audit" for one in judged) or above + below == 0:
        return None
    return Recall(above / (above + below), above, len(drawn))


def _kappa(first: list[str], second: list[str]) -> float | None:
    if len({*first, *second}) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns where one judge always says the same; that is no error here
        return float(cohen_kappa_score(first, second))
