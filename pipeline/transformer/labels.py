"""Labels as numbers, and what must hold of them before anything is learned."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.classifier import Logits
from pipeline.errors import TrainingError
from pipeline.transformer.batches import UNKNOWN

logger = logging.getLogger(__name__)
_MIN_CATEGORIES = 2
ABSENT_LOGIT = -20.0
"""How far the logit of a category without a training example lies below the least of the others."""


def learned_categories(
    train: pd.DataFrame, validation: pd.DataFrame, categories: Sequence[str], *, strict: bool
) -> tuple[str, ...]:
    """The categories there is something to learn of, in the taxonomy's order.

    Args:
        train: EXAMPLES of the training split.
        validation: EXAMPLES of the validation split; empty, nothing is asked of it.
        categories: The taxonomy's.
        strict: Refuse a category that one of the two splits has and the other has not; otherwise say so and go on.

    Raises:
        TrainingError: If train is empty, a split has no category labels, a label is not of the taxonomy, there are fewer than
            two categories, or `strict` refuses.
    """
    in_train = _present(train, "training", categories)
    in_validation = in_train if validation.empty else _present(validation, "validation", categories)
    learned = tuple(name for name in categories if name in in_train)
    if len(learned) < _MIN_CATEGORIES:
        raise TrainingError(
            f"the training split has reports of {', '.join(learned)} only, and at least two categories are needed. Check the "
            "sources and split days of the profile."
        )
    for here, there, name in ((in_train, in_validation, "validation"), (in_validation, in_train, "training")):
        absent = [category for category in categories if category in here - there]
        if absent and strict:
            raise TrainingError(
                f"the {name} split has no report of {', '.join(absent)}, which the other split has, so it could not be "
                f"{'judged' if name == 'validation' else 'learned'}. Move the split days, merge the categories, or set "
                "refuse_absent_categories: false in the model's config.yaml."
            )
        if absent:
            logger.warning("transformer: no %s report of %s", name, ", ".join(absent))
    return learned


def _present(examples: pd.DataFrame, name: str, categories: Sequence[str]) -> set[str]:
    """Categories of a split, after looking it over."""
    if examples.empty:
        raise TrainingError(f"the {name} split is empty. Check the split days or shares in the profile.")
    labelled = examples.loc[examples["category"].notna()]
    if labelled.empty:
        raise TrainingError(
            f"none of the {len(examples)} reports of the {name} split has a category, and at least two categories are needed. "
            "Name a source that supplies them in the profile."
        )
    strange = labelled.loc[~labelled["category"].isin(categories)]
    if not strange.empty:
        raise TrainingError(
            f"{len(strange)} report(s) of the {name} split have a category that is not in the taxonomy: "
            f"{', '.join(sorted(set(strange['category'])))} (first report_id: {strange['report_id'].iloc[0]}). "
            "Correct 'categories' in the source's registry file and run dataset again."
        )
    return set(labelled["category"])


def number_categories(examples: pd.DataFrame, learned: Sequence[str]) -> np.ndarray:
    """Index of each report's category in `learned`, `UNKNOWN` where there is none; shape (n_reports,), int64."""
    numbers = {name: number for number, name in enumerate(learned)}
    return np.array([numbers.get(name, UNKNOWN) for name in examples["category"]], dtype=np.int64)


def escalated_values(examples: pd.DataFrame) -> np.ndarray:
    """1.0, 0.0, or NaN where the label is not known; shape (n_reports,), float32."""
    return examples["escalated"].astype("Float64").to_numpy(dtype=np.float32, na_value=np.nan)


def has_both_outcomes(train: pd.DataFrame) -> bool:
    """Whether there is a risk to learn: some reports escalated and some did not."""
    values = escalated_values(train)
    settled = values[~np.isnan(values)]
    if len(settled) == 0:
        logger.warning("transformer: no training report has a settled escalation label; risk logits will be zero")
        return False
    if settled.min() == settled.max():
        outcome = "escalated" if settled.max() else "did not escalate"
        logger.warning("transformer: every settled training report %s; risk logits will be zero", outcome)
        return False
    return True


def widen(
    category: np.ndarray, risk: np.ndarray, categories: Sequence[str], learned: Sequence[str], *, has_risk: bool
) -> Logits:
    """Logits over the whole taxonomy, from those of the categories that were learned.

    Args:
        category: Shape (n_reports, n_learned), float32.
        risk: Shape (n_reports,), float32.
        categories: The taxonomy's, in its order.
        learned: Those the columns of `category` stand for.
        has_risk: Whether the risk head learned anything; otherwise the risk is zero.
    """
    wide = np.repeat(category.min(axis=1, keepdims=True) + ABSENT_LOGIT, len(categories), axis=1)
    wide[:, [categories.index(name) for name in learned]] = category
    return Logits(wide.astype(np.float32), risk if has_risk else np.zeros_like(risk))
