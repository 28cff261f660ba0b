"""`triage run calibration MODEL`: fit calibrators on the calibration split and calibrate every example's logits."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.calibration.calibrators import Calibrators, fit_calibrators
from pipeline.classifier import Logits
from pipeline.errors import SchemaError
from pipeline.params import load_project
from pipeline.schema import EXAMPLES, LOGITS, PROBABILITIES
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CalibrationSummary:
    """What the stage did.

    Attributes:
        n_examples: Reports calibrated.
        calibrators: What was fitted, and on how many reports.
    """

    n_examples: int
    calibrators: Calibrators


def run(root: Path, model: str) -> CalibrationSummary:
    """Write `calibrators.json` and `probabilities.parquet` of a model.

    Args:
        root: The project's folder.
        model: The model's name, such as `baseline`.

    Raises:
        SchemaError: If the logits are not those of the examples, or not of the profile's taxonomy.
    """
    started = time.perf_counter()
    params, profile, places = load_project(root)
    categories = load_taxonomy(places.taxonomy(profile.taxonomy)).ids
    table = LOGITS.read(places.model(model) / "logits.parquet")
    examples = _aligned(EXAMPLES.read(places.examples), table, model)
    logits = as_logits(table, categories)
    chosen = (table["split"] == "calibration").to_numpy()
    calibrators = fit_calibrators(
        Logits(logits.category[chosen], logits.risk[chosen]),
        examples[chosen],
        categories=categories,
        params=params.calibration,
        seed=params.seed,
    )
    calibrators.save(places.model(model) / "calibrators.json")
    probabilities = calibrators.apply(logits).to_frame(categories)
    PROBABILITIES.write(
        pd.concat([table[["report_id", "split"]], probabilities], axis=1), places.model(model) / "probabilities.parquet"
    )
    _log(calibrators, len(table), params.calibration.min_positives, time.perf_counter() - started)
    return CalibrationSummary(len(table), calibrators)


def as_logits(table: pd.DataFrame, categories: tuple[str, ...]) -> Logits:
    """The arrays of a LOGITS table.

    Raises:
        SchemaError: If a row does not have one logit a category.
    """
    widths = table["category_logits"].map(len)
    if not (widths == len(categories)).all():
        raise SchemaError(
            f"LOGITS must have {len(categories)} category logits a report, as the taxonomy has categories, got "
            f"{', '.join(map(str, sorted(set(widths))))}. Fit the model again."
        )
    stacked = np.stack(table["category_logits"].tolist()) if len(table) else np.zeros((0, len(categories)))
    return Logits(stacked.astype(np.float32), table["risk_logit"].to_numpy(dtype=np.float32))


def _aligned(examples: pd.DataFrame, table: pd.DataFrame, model: str) -> pd.DataFrame:
    """The examples in the order of the logits."""
    if set(examples["report_id"]) != set(table["report_id"]):
        raise SchemaError(
            f"The logits of '{model}' must be of the same reports as EXAMPLES; {len(table)} and {len(examples)} rows differ. "
            f"Run the stage of '{model}' again."
        )
    return examples.set_index("report_id", drop=False).loc[table["report_id"]].reset_index(drop=True)


def _log(calibrators: Calibrators, n_examples: int, min_positives: int, seconds: float) -> None:
    logger.info(
        "calibration: %d examples; temperature %.3f, doubt %.3f from %d reports; risk by %s from %d, %d escalated (%.1f s)",
        n_examples,
        calibrators.temperature,
        calibrators.doubt,
        calibrators.n_category,
        calibrators.risk.method,
        calibrators.n_risk,
        calibrators.n_positives,
        seconds,
    )
    for trial in calibrators.trials:
        logger.info(
            "calibration: risk by %s, cross-validated: log loss %.4f, Brier %.4f", trial.method, trial.log_loss, trial.brier
        )
    if calibrators.risk.method == "shift":
        logger.warning(
            "calibration: risk moved to the base rate only: fewer than %d escalations to fit on, or no order in them",
            min_positives,
        )
