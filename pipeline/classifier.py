"""What every model of ours can do, whatever it is made of.

Rooms that fit models (`baseline`, `transformer`) provide it; rooms that use them see nothing else. One contract test runs
over every classifier.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

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


class Predictor(Protocol):
    """Whatever scores reports; an engine in place of a classifier can do this much and no more."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports; empty and very long texts are scored like any other."""


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

        Rows with a null `category` teach the risk head only; rows with a null `escalated` (censored) the category head only,
        unless the model reckons with censoring: then they teach the risk head as far as `followed_days` goes.

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


@runtime_checkable
class RiskOverTime(Protocol):
    """What a classifier offers beside, if it knows how soon an outcome follows; `isinstance` tells."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Days after arrival, ascending; the label window is among them."""

    def risk_by_horizon(self, reports: pd.DataFrame) -> np.ndarray:
        """Log-odds of an outcome within each horizon, shape (n_reports, n_horizons), float32, not falling from left to right.

        The label window's column equals `Logits.risk`. Calibrators are fitted for the label window only, so the other columns
        may order and compare reports but must not be shown as probabilities.
        """


class EncodedReports(Protocol):
    """Reports as a network reads them, still of different lengths."""

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each report, shape (n_reports,)."""

    def batch(self, rows: np.ndarray, *, n_tokens: int) -> tuple[np.ndarray, ...]:
        """The network's inputs for some reports, each with `len(rows)` rows; tokens are padded behind to `n_tokens`."""


class NetworkClassifier(Protocol):
    """A classifier in three steps, so that an engine can take over the middle one, which costs nearly all the time.

    `encode`, the network and `decode` one after the other give what `Classifier.predict` gives, or for a member of an ensemble
    what the ensemble takes of it.
    """

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""

    @property
    def digest(self) -> str:
        """Changes with the weights and with everything else the logits depend on."""

    @property
    def network(self) -> Any:
        """A `torch.nn.Module` in 32 bits for the inputs of a batch, any number of reports and tokens.

        It returns category values of shape (n_reports, n_learned) and risk values of shape (n_reports,).
        """

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the network's modules that make its outputs; rounding them costs rank and saves nothing."""

    def encode(self, reports: pd.DataFrame) -> EncodedReports:
        """Read reports with `title`, `text` and `schema.HISTORY`."""

    def decode(self, encoded: Any, category: np.ndarray, risk: np.ndarray) -> Logits:
        """Make logits of the network's outputs for the same reports, in their order.

        Args:
            encoded: What `encode` returned.
            category: Shape (n_reports, n_learned), float32.
            risk: Shape (n_reports,), float32.
        """
