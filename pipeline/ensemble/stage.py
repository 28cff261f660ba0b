"""`triage run ensemble`: weigh the fitted baseline against the fitted transformer and score every example with both."""

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.classifier import logits_table
from pipeline.ensemble.model import BASELINE, TRANSFORMER, Ensemble
from pipeline.ensemble.weights import Weights
from pipeline.errors import ArtifactError
from pipeline.params import load_project
from pipeline.schema import EXAMPLES, LOGITS

logger = logging.getLogger(__name__)

MODEL = "ensemble"


@dataclass(frozen=True)
class EnsembleSummary:
    """What the stage did: reports scored, the weights, and where the artifact lies."""

    n_examples: int
    weights: Weights
    fitted: Path


def run(root: Path) -> EnsembleSummary:
    """Learn the weights on validation, write the artifact and `logits.parquet`.

    Args:
        root: The project's folder.

    Raises:
        ArtifactError: If a member was not fitted before, or knows other categories than the other.
    """
    started = time.perf_counter()
    _, _, places = load_project(root)
    examples = EXAMPLES.read(places.examples)
    members = {name: places.model(name) / "fitted" for name in (BASELINE, TRANSFORMER)}
    for name, fitted in members.items():
        if not fitted.is_dir():
            raise ArtifactError(
                f"{fitted} is missing: an ensemble weighs models that are fitted. Run `triage run {name}` first."
            )
    model = Ensemble.of_members(members[BASELINE], members[TRANSFORMER])
    model.weigh(examples[examples["split"] == "train"], examples[examples["split"] == "validation"])
    folder = places.model(MODEL)
    shutil.rmtree(folder / "fitted", ignore_errors=True)
    model.save(folder / "fitted")
    LOGITS.write(logits_table(examples, model.predict(examples)), folder / "logits.parquet")
    logger.info("ensemble: %d examples scored (%.1f s)", len(examples), time.perf_counter() - started)
    return EnsembleSummary(len(examples), model.weights_, folder / "fitted")
