"""What every model of ours can do, whatever it is made of.

Rooms that fit models (`baseline`, `transformer`) provide it; rooms that use them see nothing else. One contract test runs
over every classifier.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Logits:
    """A model's raw output.

    Attributes:
        category: Shape (n_reports, n_categories), float32, columns in the order of the model's `categories`.
        risk: Shape (n_reports,), float32; log-odds of escalation before calibration. Zero throughout where the model
            never saw an escalation label.
    """

    category: np.ndarray
    risk: np.ndarray


def logits_table(examples: pd.DataFrame, logits: Logits) -> pd.DataFrame:
    """A LOGITS table of the examples' logits, in order."""
    return pd.DataFrame(
        {
            "report_id": examples["report_id"].to_numpy(),
            "split": examples["split"].to_numpy(),
            "category_logits": list(logits.category),
            "risk_logit": logits.risk,
        }
    )


class Classifier(Protocol):
    """Predicts category and escalation risk from a report's title, text and history.

    It reads the columns `title`, `text` and `schema.HISTORY` and no others: area, reporter, sex, age, ethnicity, religion
    and household registration are never model inputs.
    """

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Learn from EXAMPLES of the training split, choosing on the validation split.

        Rows with a null `category` teach the risk head only; rows with a null `escalated` (censored) the category head only.

        Raises:
            TrainingError: If there is nothing to learn a category from.
        """

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports; empty and very long texts are scored like any other."""

    def save(self, folder: Path) -> None:
        """Write everything prediction needs into an empty or new folder."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the same reports then get equal logits.

        Raises:
            ArtifactError: If the folder is incomplete or damaged.
        """
