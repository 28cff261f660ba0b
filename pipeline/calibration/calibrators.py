"""All calibrators of a model together: fitted on the calibration split, written beside the model, applied every night."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, TypeAdapter, ValidationError

from pipeline.calibration.band import RiskBand, fit_band
from pipeline.calibration.risk import RiskMap, Trial, choose_method, fit_risk_map
from pipeline.calibration.sets import CategorySets, fit_sets, named
from pipeline.calibration.temperature import apply_temperature, fit_temperature_and_doubt
from pipeline.classifier import Logits
from pipeline.errors import ArtifactError, SchemaError
from pipeline.sections import CalibrationParams


@dataclass(frozen=True)
class Probabilities:
    """A model's calibrated output.

    Attributes:
        category: Shape (n_reports, n_categories), rows summing to 1, columns in the order of `Calibrators.categories`.
        members: Whether each category is in each report's set, shape (n_reports, n_categories), bool.
        lane: Shape (n_reports,), of `schema.LANES`.
        risk: Shape (n_reports,), probability of escalation.
        risk_low: Lower end of the risk's band, shape (n_reports,).
        risk_high: Upper end, shape (n_reports,).
    """

    category: np.ndarray
    members: np.ndarray
    lane: np.ndarray
    risk: np.ndarray
    risk_low: np.ndarray
    risk_high: np.ndarray

    def to_frame(self, categories: Sequence[str]) -> pd.DataFrame:
        """The columns of PROBABILITIES but `report_id` and `split`, one row a report.

        Args:
            categories: Ids in the order of the columns.
        """
        likeliest = self.category.argmax(axis=1)
        return pd.DataFrame(
            {
                "category_probabilities": list(self.category.astype(np.float32)),
                "category": np.asarray(categories, dtype=object)[likeliest],
                "category_probability": self.category[np.arange(len(likeliest)), likeliest],
                "category_set": pd.Series(named(self.members, categories), dtype=object),
                "lane": self.lane,
                "risk": self.risk,
                "risk_low": self.risk_low,
                "risk_high": self.risk_high,
            }
        )


@dataclass(frozen=True)
class Calibrators:
    """Turns a model's logits into probabilities, category sets and lanes. Written as JSON, field by field.

    Attributes:
        categories: Category ids in the order of the logits' columns.
        temperature: What category logits are divided by; 1.0 where `n_category` is 0 (not calibrated).
        doubt: Share of the probability spread evenly over the categories, for labels that are wrong.
        sets: Which categories a report may have.
        risk: How the risk logit becomes a probability; its `method` says whether the number is calibrated at all.
        band: How sure the stated risk is.
        trials: What cross-validation said of the maps for the risk; empty where none was held.
        n_category: Reports the temperature was fitted on.
        n_risk: Reports the risk was fitted on.
        n_positives: Escalations among them.
        version: Of the file.
    """

    categories: tuple[str, ...]
    temperature: Annotated[float, Field(gt=0.0)]
    doubt: Annotated[float, Field(ge=0.0, lt=1.0)]
    sets: CategorySets
    risk: RiskMap
    band: RiskBand
    trials: tuple[Trial, ...]
    n_category: int
    n_risk: int
    n_positives: int
    version: Literal[2] = 2

    def apply(self, logits: Logits) -> Probabilities:
        """Calibrate the output of the model these calibrators belong to.

        Raises:
            SchemaError: If the logits have another number of categories.
        """
        n_columns = logits.category.shape[1]
        if n_columns != len(self.categories):
            raise SchemaError(
                f"The calibrators are for {len(self.categories)} categories, the logits have {n_columns}. "
                "Run `triage run calibration` again for this model."
            )
        category = apply_temperature(logits.category, self.temperature, self.doubt)
        members = self.sets.members(category)
        risk = self.risk.apply(logits.risk)
        low, high = self.band.apply(logits.risk, risk)
        return Probabilities(category, members, self.sets.lanes(category, members), risk, low, high)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = TypeAdapter(Calibrators).dump_python(self, mode="json")
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: If the file is missing or damaged.
        """
        if not path.is_file():
            raise ArtifactError(f"Calibrators were expected at {path}. Run `triage run calibration` for this model.")
        try:
            found = TypeAdapter(cls).validate_json(path.read_bytes())
        except ValidationError as error:
            raise ArtifactError(f"{path} does not hold calibrators. Run `triage run calibration` again.") from error
        if len(found.sets.scores) != len(found.categories):
            raise ArtifactError(
                f"{path} has {len(found.categories)} categories but scores of {len(found.sets.scores)}. "
                "Run `triage run calibration` again."
            )
        return found


def fit_calibrators(
    logits: Logits, examples: pd.DataFrame, *, categories: Sequence[str], params: CalibrationParams, seed: int
) -> Calibrators:
    """Fit all calibrators.

    Args:
        logits: The model's output for the examples, rows in their order.
        examples: EXAMPLES of the calibration split; rows without a category teach the risk only, rows without a settled
            escalation the category only.
        categories: Ids in the order of the logits' columns.
        params: Of the risk's map, the band and the sets.
        seed: Of the band's draws.
    """
    number = {category: index for index, category in enumerate(categories)}
    labels = examples["category"].map(number)
    labelled = labels.notna().to_numpy()
    known, known_logits = labels[labelled].to_numpy(dtype=np.int64), logits.category[labelled]
    temperature, doubt = fit_temperature_and_doubt(known_logits, known)
    settled = examples["escalated"].notna().to_numpy()
    escalated = examples["escalated"].to_numpy(dtype=bool, na_value=False)[settled]
    matters = examples["matter_id"].to_numpy(dtype=str)[settled]
    method, trials = choose_method(logits.risk[settled], escalated, matters, params)
    risk = fit_risk_map(logits.risk[settled], escalated, method, min_positives=params.min_positives)
    band = fit_band(
        logits.risk[settled], escalated, matters, shifted=risk.method in ("shift", "none"),
        n_bootstrap=params.n_bootstrap, confidence=params.interval_confidence, seed=seed,
    )  # fmt: skip
    sets = fit_sets(
        apply_temperature(known_logits, temperature, doubt), known, n_categories=len(categories), level=params.conformal_level,
        max_choices=params.max_choices, min_reports=params.min_conformal_reports,
    )  # fmt: skip
    counts = int(labelled.sum()), int(settled.sum()), int(escalated.sum())
    return Calibrators(tuple(categories), temperature, doubt, sets, risk, band, trials, *counts)
