"""`triage run transformer`: fine-tune for the chosen profile and score every example.

The artifact is written aside and takes the place of the one before it only when it is complete, so a run that fails leaves the
last good model. A killed run goes on from its checkpoint in `work/`; once the model is written the checkpoint is removed, the
tokenized reports stay for the next seed.
"""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from pipeline.classifier import logits_table
from pipeline.errors import TrainingError
from pipeline.params import Profile, load_project
from pipeline.schema import EXAMPLES, LOGITS
from pipeline.settings import read_yaml
from pipeline.taxonomy import load_taxonomy
from pipeline.transformer import artifact
from pipeline.transformer.card import render_card
from pipeline.transformer.model import CHECKPOINT, Transformer
from pipeline.transformer.params import TransformerParams

logger = logging.getLogger(__name__)

MODEL = "transformer"


@dataclass(frozen=True)
class TransformerSummary:
    """What the stage did.

    Attributes:
        n_examples: Reports scored.
        n_learned: Reports of train, which it was fitted on.
        n_epochs: Epochs done before stopping.
        macro_f1: Best of the categories on validation.
        seconds: Of fitting and scoring.
        fitted: The artifact's folder.
    """

    n_examples: int
    n_learned: int
    n_epochs: int
    macro_f1: float
    seconds: float
    fitted: Path


def run(root: Path) -> TransformerSummary:
    """Fit on train, stop and join history on validation, write the artifact with its card, and `logits.parquet`.

    Args:
        root: The project's folder.

    Raises:
        TrainingError: If there is nothing to learn, the encoder cannot serve, the loss is no longer a number, or the disk is
            full; the artifact of the run before stays.
    """
    params, profile, places = load_project(root)
    examples = EXAMPLES.read(places.examples)
    _refuse_empty_splits(examples)
    _refuse_all_censored(examples, profile)
    torch.set_num_threads(params.threads)
    started = time.perf_counter()
    folder = places.model(MODEL)
    model = Transformer(
        read_yaml(places.config(MODEL), TransformerParams),
        categories=load_taxonomy(places.taxonomy(profile.taxonomy)).ids,
        seed=params.seed,
        root=root,
        work=folder / "work",
    )
    model.fit(examples[examples["split"] == "train"], examples[examples["split"] == "validation"])
    _save(model, folder)
    LOGITS.write(logits_table(examples, model.predict(examples)), folder / "logits.parquet")
    (folder / "fitted" / artifact.CARD).write_text(render_card(root), encoding="utf-8")
    (folder / "work" / CHECKPOINT).unlink(missing_ok=True)
    return _summarize(model, examples, time.perf_counter() - started, folder / "fitted")


def _refuse_empty_splits(examples: pd.DataFrame) -> None:
    n_reports = examples["split"].value_counts()
    empty = [name for name in ("train", "validation") if n_reports.get(name, 0) == 0]
    if empty:
        raise TrainingError(
            f"the split(s) {', '.join(empty)} of EXAMPLES have no report, so there is nothing to learn from or to stop by. "
            "Check the split days or shares in the profile and run dataset again."
        )


def _refuse_all_censored(examples: pd.DataFrame, profile: Profile) -> None:
    """A profile that promises escalation labels must have a settled one to learn from."""
    promised = [name for name, source in profile.sources.items() if "escalated" in source.supplies]
    train = examples[examples["split"] == "train"]
    if promised and not train.empty and train["escalated"].isna().all():
        raise TrainingError(
            f"none of the {len(train)} training reports has a settled escalation label, though {', '.join(promised)} should "
            f"supply it: every window of {profile.label_window_days} days is still open. Set a later as_of or later split days "
            "in the profile, or take 'escalated' out of 'supplies'."
        )


def _save(model: Transformer, folder: Path) -> None:
    written = folder / "fitted.writing"
    shutil.rmtree(written, ignore_errors=True)
    try:
        model.save(written)
        artifact.replace(folder / "fitted", written)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _summarize(model: Transformer, examples: pd.DataFrame, seconds: float, fitted: Path) -> TransformerSummary:
    n_learned = int((examples["split"] == "train").sum())
    results = model.fitted_.results
    summary = TransformerSummary(
        n_examples=len(examples),
        n_learned=n_learned,
        n_epochs=len(results),
        macro_f1=max(result.macro_f1 for result in results if result.macro_f1 is not None),
        seconds=seconds,
        fitted=fitted,
    )
    logger.info(
        "transformer: %d examples, %d learned from, %d epochs, validation macro-F1 %.4f (%.1f s)",
        summary.n_examples, n_learned, summary.n_epochs, summary.macro_f1, seconds,
    )  # fmt: skip
    return summary
