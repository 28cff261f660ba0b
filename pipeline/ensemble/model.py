"""The ensemble classifier: baseline and transformer, each as it is, their logits added with weights.

The baseline learns from train and validation in the end, so its own validation logits say nothing about how far to trust it.
The weights are therefore learned with a second baseline, fitted on train alone and thrown away afterwards. The transformer's
risk is that of the text alone: it learned from train only, though validation chose its epoch, and history the baseline has.

Limit: scoring costs as much as the transformer's.
"""

import logging
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import ValidationError

from pipeline.baseline.model import Baseline
from pipeline.classifier import Logits
from pipeline.ensemble.weights import Weights, learn_weights
from pipeline.errors import ArtifactError
from pipeline.settings import Section
from pipeline.transformer.labels import escalated_values, number_categories
from pipeline.transformer.model import Transformer

logger = logging.getLogger(__name__)

DESCRIPTION = "ensemble.json"
BASELINE, TRANSFORMER = "baseline", "transformer"


class _Description(Section):
    """What `ensemble.json` holds beside the members' folders."""

    format: int
    category: tuple[float, float]
    risk: tuple[float, float]
    risk_intercept: float


class Ensemble:
    """A baseline and a transformer over the same categories; a `Classifier`.

    Args:
        baseline: Fitted, or not yet.
        transformer: Fitted, or not yet.
    """

    weights_: Weights

    def __init__(self, baseline: Baseline, transformer: Transformer) -> None:
        self.baseline = baseline
        self.transformer = transformer

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""
        return self.baseline.categories

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Fit both members, then the weights on validation.

        Raises:
            TrainingError: If there is nothing to learn.
        """
        self.baseline.fit(train, validation)
        self.transformer.fit(train, validation)
        return self.weigh(train, validation)

    def weigh(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Learn the weights of members that are fitted already.

        Args:
            train: What the members learned from.
            validation: What the weights are learned from; without any, members count the same.
        """
        if validation.empty:
            self.weights_ = Weights((1.0, 1.0), (1.0, 1.0), 0.0)
            return self
        held_out = self.baseline.held_out(train, validation)
        self.weights_ = learn_weights(
            (held_out.predict(validation), self.transformer.predict_by_text(validation)),
            number_categories(validation, self.categories),
            escalated_values(validation),
        )
        logger.info(
            "ensemble: category weights %.2f baseline, %.2f transformer; risk %.2f, %.2f",
            *self.weights_.category,
            *self.weights_.risk,
        )
        return self

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports with `title`, `text` and `schema.HISTORY`; empty and very long texts like any other."""
        return self.weights_.combine((self.baseline.predict(reports), self.transformer.predict_by_text(reports)))

    def save(self, folder: Path) -> None:
        """Write both members and the weights into an empty or new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.baseline.save(folder / BASELINE)
        self.transformer.save(folder / TRANSFORMER)
        weights = self.weights_
        described = _Description(
            format=1, category=_pair(weights.category), risk=_pair(weights.risk), risk_intercept=weights.risk_intercept
        )
        (folder / DESCRIPTION).write_text(described.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def of_members(cls, baseline: Path, transformer: Path) -> Self:
        """An ensemble, not weighed yet, of members that were fitted and saved.

        Args:
            baseline: Folder a baseline was saved in.
            transformer: Folder a transformer was saved in.

        Raises:
            ArtifactError: If a folder is incomplete or damaged, or the members know different categories.
        """
        model = cls(Baseline.load(baseline), Transformer.load(transformer))
        if model.baseline.categories != model.transformer.categories:
            raise ArtifactError(
                f"The models in {baseline} and {transformer} know different categories. Run `triage run baseline`, `triage run "
                "transformer` and `triage run ensemble` again."
            )
        return model

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the same reports then get equal logits.

        Raises:
            ArtifactError: If the folder is incomplete or damaged.
        """
        try:
            described = _Description.model_validate_json((folder / DESCRIPTION).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise ArtifactError(
                f"{folder / DESCRIPTION} is missing or not as this version writes it. Run `triage run ensemble` again."
            ) from error
        model = cls.of_members(folder / BASELINE, folder / TRANSFORMER)
        model.weights_ = Weights(described.category, described.risk, described.risk_intercept)
        return model


def _pair(values: tuple[float, ...]) -> tuple[float, float]:
    first, second = values
    return first, second
