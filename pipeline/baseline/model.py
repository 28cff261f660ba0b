"""The baseline classifier: linear heads over character n-grams, and the matter's history for risk.

Fitting goes twice over the data. First both heads are fitted on train alone, and how strongly each is held back is chosen on
validation (macro-F1 for the category, log loss for the risk). Then n-grams and both heads are fitted again on train and
validation together with those choices: the reports nearest in time to the ones to be scored are worth having, and calibration
and test have not been seen.

On the `citizen` set the whole takes well under a minute. Limits: it reads no word order beyond a few characters, so a negation
far from its verb is lost on it.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import log_loss

from pipeline.baseline.artifact import BaselineState, load_state, save_state
from pipeline.baseline.category import CategoryHead, best_strength, fit_category_head, macro_f1, number_categories
from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.features import learn_features
from pipeline.baseline.risk import RiskHead, fit_risk_head, has_both, order_of_arrival
from pipeline.classifier import Logits
from pipeline.errors import TrainingError
from pipeline.hazard import Periods, make_periods, settled_periods
from pipeline.joint import small_features, without_history

logger = logging.getLogger(__name__)


class Baseline:
    """Character TF-IDF with a linear category head and a two-stage risk head; a `Classifier`.

    Args:
        config: How it sees a text and how strongly it is held back.
        categories: Category ids of the taxonomy, in its order; the columns of the category logits.
        label_window_days: Days after arrival in which an outcome counts as escalation.
        seed: Of the category's solver.
    """

    state_: BaselineState

    def __init__(self, config: BaselineConfig, *, categories: Sequence[str], label_window_days: int, seed: int) -> None:
        self.config = config
        self._categories = tuple(categories)
        self.label_window_days = label_window_days
        self.seed = seed

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""
        return self._categories

    @property
    def horizons(self) -> tuple[int, ...]:
        """Days within which `risk_by_horizon` gives the risk, ascending; the label window is among them."""
        among = {*self.config.risk_days, self.label_window_days} if self.config.risk_labels == "hazard" else ()
        return tuple(sorted(among or {self.label_window_days}))

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Learn from train, choose on validation, learn again from both.

        Args:
            train: EXAMPLES of the training split. Rows with a null `category` teach the risk head only, rows with a null
                `escalated` the category head only.
            validation: EXAMPLES of the validation split; may be empty, then the first strength of each list is taken.

        Raises:
            TrainingError: If a label is outside the taxonomy, or fewer than two categories have examples.
        """
        if train.empty:
            raise TrainingError("The baseline needs training reports, got none. Check the profile's split days or shares.")
        category_strength, text_strength = self._choose(train, validation)
        both = pd.concat([train, validation], ignore_index=True)
        features = learn_features(both, self.config)
        matrix = features.transform(both)
        self.state_ = BaselineState(
            features=features,
            category=self._fit_category(matrix, both, category_strength),
            risk=self._fit_risk(matrix, both, text_strength),
        )
        absent = sorted(set(self._categories) - set(both["category"].dropna()))
        if absent:
            logger.warning("baseline: no example of %s; it will never be predicted", ", ".join(absent))
        logger.info("baseline: %d reports, %d n-grams", len(both), features.n_features)
        return self

    def held_out(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Another baseline like this one that chooses on validation but learns from train alone.

        Its logits on validation are honest, where those of `fit` are not.
        """
        category_strength, text_strength = self._choose(train, validation)
        chosen = {"category_strengths": (category_strength,), "risk_text_strengths": (text_strength,)}
        config = self.config.model_copy(update=chosen)
        other = type(self)(config, categories=self._categories, label_window_days=self.label_window_days, seed=self.seed)
        return other.fit(train, validation.head(0))

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports with `title`, `text` and `schema.HISTORY`; empty and very long texts like any other."""
        matrix = self.state_.features.transform(reports)
        risk = self.state_.risk.logits(matrix, small_features(reports))
        return Logits(category=self.state_.category.logits(matrix), risk=self._within_window(risk))

    def risk_by_horizon(self, reports: pd.DataFrame) -> np.ndarray:
        """Log-odds of an outcome within each of `horizons`, ascending, shape (n_reports, n_horizons), float32.

        The label window's column equals `Logits.risk`. Nothing here is calibrated.
        """
        return self.state_.risk.logits(self.state_.features.transform(reports), small_features(reports))

    def text_risk(self, reports: pd.DataFrame) -> np.ndarray:
        """Log-odds of escalation as if no history were known, shape (n_reports,): what history adds is seen beside it."""
        small = without_history(small_features(reports))
        return self._within_window(self.state_.risk.logits(self.state_.features.transform(reports), small))

    def _within_window(self, risk: np.ndarray) -> np.ndarray:
        """The label window's column."""
        return risk[:, self.horizons.index(self.label_window_days)]

    def save(self, folder: Path) -> None:
        """Write weights, choices and checksum into an empty or new folder."""
        save_state(
            folder,
            self.state_,
            config=self.config,
            categories=self._categories,
            label_window_days=self.label_window_days,
            seed=self.seed,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the same reports then get equal logits.

        Raises:
            ArtifactError: If the folder is incomplete or damaged.
        """
        state, description = load_state(folder)
        model = cls(
            description.config,
            categories=description.categories,
            label_window_days=description.label_window_days,
            seed=description.seed,
        )
        model.state_ = state
        return model

    def _choose(self, train: pd.DataFrame, validation: pd.DataFrame) -> tuple[float, float]:
        """Strength of the category head and of the risk head's text stage, by validation."""
        _labelled(train, self._categories)  # says what is missing before anything is computed
        if validation.empty:
            return self.config.category_strengths[0], self.config.risk_text_strengths[0]
        features = learn_features(train, self.config)
        matrix, held_out = features.transform(train), features.transform(validation)
        chosen = (
            self._choose_category(matrix, train, held_out, validation),
            self._choose_risk(matrix, train, held_out, validation),
        )
        logger.info("baseline: chosen on validation: category strength %g, risk text strength %g", *chosen)
        return chosen

    def _choose_category(
        self, matrix: sparse.csr_array, train: pd.DataFrame, held_out: sparse.csr_array, validation: pd.DataFrame
    ) -> float:
        rows = np.flatnonzero(validation["category"].isin(self._categories))
        if len(rows) == 0 or len(self.config.category_strengths) == 1:
            return self.config.category_strengths[0]
        truth = validation["category"].iloc[rows].map(self._categories.index).to_numpy()
        return best_strength(
            {
                strength: macro_f1(truth, self._fit_category(matrix, train, strength).logits(held_out[rows]))
                for strength in self.config.category_strengths
            }
        )

    def _choose_risk(
        self, matrix: sparse.csr_array, train: pd.DataFrame, held_out: sparse.csr_array, validation: pd.DataFrame
    ) -> float:
        rows, escalated = _settled(validation)
        if not has_both(escalated) or len(self.config.risk_text_strengths) == 1:
            return self.config.risk_text_strengths[0]
        small = small_features(validation.iloc[rows])
        return best_strength(
            {
                strength: -log_loss(
                    escalated, expit(self._within_window(self._fit_risk(matrix, train, strength).logits(held_out[rows], small)))
                )
                for strength in self.config.risk_text_strengths
            }
        )

    def _fit_category(self, matrix: sparse.csr_array, examples: pd.DataFrame, strength: float) -> CategoryHead:
        rows, labels = _labelled(examples, self._categories)
        return fit_category_head(
            matrix[rows],
            labels,
            n_categories=len(self._categories),
            strength=strength,
            balance=self.config.balance_categories,
            seed=self.seed,
        )

    def _fit_risk(self, matrix: sparse.csr_array, examples: pd.DataFrame, text_strength: float) -> RiskHead:
        rows, periods = self._periods(examples)
        return fit_risk_head(
            matrix[rows],
            small_features(examples.iloc[rows]),
            periods,
            ends=self.horizons,
            text_strength=text_strength,
            penalty=self.config.risk_penalty,
            n_blocks=self.config.risk_blocks,
        )

    def _periods(self, examples: pd.DataFrame) -> tuple[np.ndarray, Periods]:
        """Positions of the reports that teach the risk, by arrival, and the bins in which they do."""
        if self.config.risk_labels == "mature":
            rows, escalated = _settled(examples)
            return rows, settled_periods(escalated)
        order = order_of_arrival(examples)
        known = examples[["followed_days", "outcome_days"]].to_numpy(dtype=np.float64)[order]
        periods = make_periods(known[:, 0], known[:, 1], self.horizons)
        teaching = periods.n_bins > 0
        return order[teaching], periods[teaching]


def _labelled(examples: pd.DataFrame, categories: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the reports with a category, and its index."""
    rows = np.flatnonzero(examples["category"].notna())
    return rows, number_categories(examples["category"].iloc[rows].tolist(), categories)


def _settled(examples: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the reports whose escalation is known, by arrival, and whether they escalated."""
    order = order_of_arrival(examples)
    rows = order[examples["escalated"].notna().to_numpy()[order]]
    return rows, examples["escalated"].iloc[rows].to_numpy(dtype=bool)
