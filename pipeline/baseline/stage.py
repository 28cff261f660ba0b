"""`triage run baseline`: fit the baseline for the chosen profile and score every example with it."""

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.classifier import Logits, logits_table
from pipeline.params import Places, load_project
from pipeline.schema import EXAMPLES, LOGITS
from pipeline.settings import read_yaml
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

MODEL = "baseline"


@dataclass(frozen=True)
class BaselineSummary:
    """What the stage did.

    Attributes:
        n_examples: Reports scored.
        n_learned: Reports of train and validation, which it was fitted on.
        n_features: n-grams kept.
        seconds: Of fitting and scoring.
        fitted: The artifact's folder.
    """

    n_examples: int
    n_learned: int
    n_features: int
    seconds: float
    fitted: Path


def run(root: Path) -> BaselineSummary:
    """Fit on train and validation, write the artifact, `logits.parquet` and `text_only.parquet`.

    `text_only.parquet` holds the same table with the risk of the text alone: evaluation shows what history adds to it.

    Args:
        root: The project's folder.
    """
    params, profile, places = load_project(root)
    examples = EXAMPLES.read(places.examples)
    categories = load_taxonomy(places.taxonomy(profile.taxonomy)).ids
    config = read_yaml(places.config(MODEL), BaselineConfig)
    started = time.perf_counter()
    model = Baseline(config, categories=categories, label_window_days=profile.label_window_days, seed=params.seed)
    learned = _with_between(examples, places) if config.risk_labels == "hazard" else examples
    model.fit(learned[learned["split"] == "train"], learned[learned["split"] == "validation"])
    logits, text_risk = model.predict(examples), model.text_risk(examples)
    folder = places.model(MODEL)
    shutil.rmtree(folder / "fitted", ignore_errors=True)
    model.save(folder / "fitted")
    LOGITS.write(logits_table(examples, logits), folder / "logits.parquet")
    LOGITS.write(logits_table(examples, Logits(logits.category, text_risk)), folder / "text_only.parquet")
    n_learned = int(examples["split"].isin(["train", "validation"]).sum())
    seconds = time.perf_counter() - started
    logger.info("baseline: %d examples, %d learned from, %d scored (%.1f s)", len(examples), n_learned, len(examples), seconds)
    return BaselineSummary(len(examples), n_learned, model.state_.features.n_features, seconds, folder / "fitted")


def _with_between(examples: pd.DataFrame, places: Places) -> pd.DataFrame:
    """The examples and, after them, the reports of the gaps, which a hazard learns from as far as they were followed."""
    between = EXAMPLES.read(places.between)
    return pd.concat([examples, between], ignore_index=True) if len(between) else examples
