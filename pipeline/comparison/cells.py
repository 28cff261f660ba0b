"""The cells of a learning curve: one model, one number of labels, one seed, one line of JSON.

Labels are drawn once per seed, smaller numbers from the larger ones, and every model gets the same; validation and test are
whole and the same for all. A line is written when a cell is done, so a comparison that was stopped goes on where it stood; a
transformer goes on within its cell. A cell belongs to its examples and configuration: after a change of either it is measured
again. Only the category is compared: the risk's labels are too few to divide.
"""

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pipeline.comparison.starts import Starts, encoder_digest
from pipeline.errors import ArtifactError, TrainingError
from pipeline.params import Places, load_project
from pipeline.schema import EXAMPLES
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

ALL = 0
"""Number of labels that stands for all of them."""


@dataclass(frozen=True)
class Cell:
    """One measurement.

    Attributes:
        model: One of `starts.MODELS`.
        n_labels: Labelled training reports it learned from.
        share: The same as it was asked for; `ALL` for all.
        seed: Of the labels' draw and of the model.
        fingerprint: Of examples and configuration.
        seconds: Of fitting.
        reports_per_second: In scoring the test reports, with `threads` of params.yaml.
        predicted: Category of each test report, in the order of their ids.
    """

    model: str
    n_labels: int
    share: int
    seed: int
    fingerprint: str
    seconds: float
    reports_per_second: float
    predicted: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """What is compared: every model with every number of labels and every seed."""

    models: tuple[str, ...]
    n_labels: tuple[int, ...]
    seeds: tuple[int, ...]

    def __iter__(self) -> Iterator[tuple[int, int, str]]:
        """Number of labels, seed and model of each cell; few labels first, so that something is seen early."""
        few_first = sorted(self.n_labels, key=lambda n: (n == ALL, n))
        return iter(product(few_first, self.seeds, self.models))


def labelled(places: Places, split: str) -> pd.DataFrame:
    """EXAMPLES of a split that have a category, without escalation labels, by id.

    Raises:
        TrainingError: If there are none.
    """
    examples = EXAMPLES.read(places.examples)
    rows = examples[(examples["split"] == split) & examples["category"].notna()].sort_values("report_id", ignore_index=True)
    if rows.empty:
        raise TrainingError(f"no {split} report of profile '{places.profile}' has a category: there is nothing to compare by.")
    unknown = pd.array([pd.NA] * len(rows), dtype="boolean")
    return rows.assign(escalated=unknown, followed_days=float("nan"), outcome_days=float("nan"))


def draw_labels(train: pd.DataFrame, n_labels: int, seed: int) -> pd.DataFrame:
    """The first `n_labels` of a random order that opens with one report of every category; `ALL` gives all."""
    order = np.random.default_rng(seed).permutation(len(train))
    shuffled = train.iloc[order]
    opening = ~shuffled["category"].duplicated().to_numpy()
    rows = np.concatenate([order[opening], order[~opening]])
    return train.iloc[rows if n_labels == ALL else rows[:n_labels]].reset_index(drop=True)


def measure(root: Path, grid: Grid) -> list[Cell]:
    """Measure the cells that are not measured yet, and give all of the grid.

    Args:
        root: The project's folder.
        grid: What is compared.

    Raises:
        TrainingError: If a model cannot be fitted.
    """
    params, profile, places = load_project(root)
    torch.set_num_threads(params.threads)
    train, validation, test = (labelled(places, split) for split in ("train", "validation", "test"))
    folder = places.room("comparison")
    categories = load_taxonomy(places.taxonomy(profile.taxonomy)).ids
    fingerprints = {model: _fingerprint(places, model, (train, validation, test)) for model in grid.models}
    starts = Starts(places, categories, [*train["text"]], folder / "work")
    known = {(cell.share, cell.seed, cell.model, cell.fingerprint): cell for cell in read(folder)}
    cells = []
    for share, seed, model in grid:
        fingerprint = fingerprints[model]
        cell = known.get((share, seed, model, fingerprint))
        if cell is None:
            learned = draw_labels(train, share, seed)
            cell = _measure(starts, (learned, validation, test), model=model, share=share, seed=seed, fingerprint=fingerprint)
            _append(folder, cell)
            shutil.rmtree(folder / "work", ignore_errors=True)
        cells.append(cell)
    return cells


def _measure(starts: Starts, examples: Sequence[pd.DataFrame], *, model: str, share: int, seed: int, fingerprint: str) -> Cell:
    learned, validation, test = examples
    started = time.perf_counter()
    classifier = starts.make(model, seed).fit(learned, validation)
    fitted = time.perf_counter()
    predicted = np.array(classifier.categories)[classifier.predict(test).category.argmax(axis=1)]
    seconds, speed = fitted - started, len(test) / (time.perf_counter() - fitted)
    logger.info("comparison: %s, %d labels, seed %d (%.1f s)", model, len(learned), seed, seconds)
    return Cell(model, len(learned), share, seed, fingerprint, seconds, speed, tuple(predicted.tolist()))


def _fingerprint(places: Places, model: str, parts: Sequence[pd.DataFrame]) -> str:
    """Digest of the examples and of the configurations a model depends on."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(
            pd.util.hash_pandas_object(part[["report_id", "title", "text", "category"]], index=False).to_numpy().tobytes()
        )
    configured = {"baseline": ("baseline",), "svd": ("transformer", "encoder")}.get(model, ("transformer",))
    for name in configured:
        digest.update(places.config(name).read_bytes())
    if model != "baseline":
        digest.update(encoder_digest(places, model).encode())
    return digest.hexdigest()[:16]


def read(folder: Path) -> list[Cell]:
    """The cells measured so far.

    Raises:
        ArtifactError: If a line cannot be read.
    """
    path = folder / "cells.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    cells = []
    for number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
            cells.append(Cell(**facts | {"predicted": tuple(facts["predicted"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"{path} line {number} is not a measured cell. Delete the line; it is measured again."
            ) from error
    return cells


def _append(folder: Path, cell: Cell) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "cells.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(cell), ensure_ascii=False) + "\n")
