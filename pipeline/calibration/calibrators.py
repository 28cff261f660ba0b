"""Both calibrators of a model together: fitted on the calibration split, written beside the model, applied every night."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, ValidationError

from pipeline.calibration.platt import Method, RiskScaler, fit_risk_scaler
from pipeline.calibration.temperature import apply_temperature, fit_temperature
from pipeline.classifier import Logits
from pipeline.errors import ArtifactError, SchemaError
from pipeline.params import CalibrationParams
from pipeline.settings import Section


@dataclass(frozen=True)
class Probabilities:
    """A model's calibrated output.

    Attributes:
        category: Shape (n_reports, n_categories), rows summing to 1, columns in the order of `Calibrators.categories`.
        risk: Shape (n_reports,), probability of escalation.
    """

    category: np.ndarray
    risk: np.ndarray

    def to_frame(self, categories: Sequence[str]) -> pd.DataFrame:
        """The columns `category_probabilities`, `category`, `category_probability` and `risk`, one row a report.

        Args:
            categories: Ids in the order of the columns.
        """
        likeliest = self.category.argmax(axis=1)
        return pd.DataFrame(
            {
                "category_probabilities": list(self.category.astype(np.float32)),
                "category": np.asarray(categories, dtype=object)[likeliest],
                "category_probability": self.category[np.arange(len(likeliest)), likeliest],
                "risk": self.risk,
            }
        )


class _File(Section):
    """What `calibrators.json` says."""

    version: Literal[1]
    categories: tuple[str, ...]
    temperature: float = Field(gt=0.0)
    n_category: int
    risk_method: Method
    risk_slope: float = Field(gt=0.0)
    risk_intercept: float
    n_risk: int
    n_positives: int


@dataclass(frozen=True)
class Calibrators:
    """Turns a model's logits into probabilities.

    Attributes:
        categories: Category ids in the order of the logits' columns.
        temperature: What category logits are divided by; 1.0 where `n_category` is 0 (not calibrated).
        risk: How the risk logit becomes a probability; its `method` says whether the number is calibrated at all.
        n_category: Reports the temperature was fitted on.
        n_risk: Reports the risk was fitted on.
        n_positives: Escalations among them.
    """

    categories: tuple[str, ...]
    temperature: float
    risk: RiskScaler
    n_category: int
    n_risk: int
    n_positives: int

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
        return Probabilities(apply_temperature(logits.category, self.temperature), self.risk.apply(logits.risk))

    def save(self, path: Path) -> None:
        """Write as JSON."""
        content = _File(
            version=1,
            categories=self.categories,
            temperature=self.temperature,
            n_category=self.n_category,
            risk_method=self.risk.method,
            risk_slope=self.risk.slope,
            risk_intercept=self.risk.intercept,
            n_risk=self.n_risk,
            n_positives=self.n_positives,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ArtifactError: If the file is missing or damaged.
        """
        if not path.is_file():
            raise ArtifactError(f"Calibrators were expected at {path}. Run `triage run calibration` for this model.")
        try:
            content = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
        except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise ArtifactError(f"{path} does not hold calibrators. Run `triage run calibration` again.") from error
        risk = RiskScaler(content.risk_method, content.risk_slope, content.risk_intercept)
        return cls(content.categories, content.temperature, risk, content.n_category, content.n_risk, content.n_positives)


def fit_calibrators(
    logits: Logits, examples: pd.DataFrame, *, categories: Sequence[str], params: CalibrationParams
) -> Calibrators:
    """Fit both calibrators.

    Args:
        logits: The model's output for the examples, rows in their order.
        examples: EXAMPLES of the calibration split; rows without a category teach the risk only, rows without a settled
            escalation the category only.
        categories: Ids in the order of the logits' columns.
        params: How many escalations a fitted slope needs.
    """
    number = {category: index for index, category in enumerate(categories)}
    labels = examples["category"].map(number)
    labelled = labels.notna().to_numpy()
    settled = examples["escalated"].notna().to_numpy()
    escalated = examples["escalated"].to_numpy(dtype=bool, na_value=False)[settled]
    return Calibrators(
        categories=tuple(categories),
        temperature=fit_temperature(logits.category[labelled], labels[labelled].to_numpy(dtype=np.int64)),
        risk=fit_risk_scaler(logits.risk[settled], escalated, min_positives=params.min_positives),
        n_category=int(labelled.sum()),
        n_risk=int(settled.sum()),
        n_positives=int(escalated.sum()),
    )
