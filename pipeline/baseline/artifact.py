"""Writes and reads a fitted baseline: `weights.safetensors` and `baseline.json`, no pickle.

Everything the baseline predicts with is arrays, so they go into one safetensors file. The description beside it names the
categories, the configuration, the versions it was made with and the checksum of the weights. Reading checks the checksum first
and then that the arrays fit together, so a damaged folder is refused rather than scored with.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import scipy
import sklearn
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline.baseline.category import CategoryHead
from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.features import TextFeatures
from pipeline.baseline.ngrams import NgramCounter
from pipeline.baseline.risk import RiskHead
from pipeline.errors import ArtifactError
from pipeline.joint import N_SMALL
from pipeline.schema import HISTORY
from pipeline.settings import Section

WEIGHTS, DESCRIPTION = "weights.safetensors", "baseline.json"


@dataclass(frozen=True)
class BaselineState:
    """What fitting learned: the n-grams and both heads."""

    features: TextFeatures
    category: CategoryHead
    risk: RiskHead


class Description(Section):
    """What `baseline.json` says beside the weights."""

    kind: Literal["baseline"]
    version: Literal[2]
    categories: tuple[str, ...]
    history: tuple[str, ...]
    label_window_days: int
    seed: int
    config: BaselineConfig
    versions: dict[str, str]
    weights_sha256: str


def save_state(
    folder: Path,
    state: BaselineState,
    *,
    config: BaselineConfig,
    categories: tuple[str, ...],
    label_window_days: int,
    seed: int,
) -> None:
    """Write the weights and their description.

    Args:
        folder: Empty or new.
        state: What fitting learned.
        config: What it was told.
        categories: Ids in the order of the logits' columns.
        label_window_days: Days after arrival in which an outcome counts.
        seed: Of the category's solver.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_arrays(state), folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone; the night may run as another user
    description = Description(
        kind="baseline",
        version=2,
        categories=categories,
        history=HISTORY,
        label_window_days=label_window_days,
        seed=seed,
        config=config,
        versions={"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        weights_sha256=_sha256(folder / WEIGHTS),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_state(folder: Path) -> tuple[BaselineState, Description]:
    """Read and check what `save_state` wrote.

    Raises:
        ArtifactError: If a file is missing, altered, or not what its description says.
    """
    for name in (DESCRIPTION, WEIGHTS):
        if not (folder / name).is_file():
            raise ArtifactError(f"A baseline artifact needs {name}, but {folder} has none. Run `triage run baseline` again.")
    description = _read_description(folder / DESCRIPTION)
    found = _sha256(folder / WEIGHTS)
    if found != description.weights_sha256:
        raise ArtifactError(
            f"{folder / WEIGHTS} should have sha256 {description.weights_sha256[:12]}..., got {found[:12]}...: it was damaged "
            "or replaced. Run `triage run baseline` again, or restore the folder."
        )
    try:
        state = _state(load_file(folder / WEIGHTS), description)
    except (SafetensorError, KeyError) as error:
        raise ArtifactError(
            f"{folder / WEIGHTS} does not hold a baseline's arrays. Run `triage run baseline` again."
        ) from error
    _check_shapes(folder, state, description)
    return state, description


def _read_description(path: Path) -> Description:
    try:
        return Description.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ArtifactError(f"{path} is not a baseline's description. Run `triage run baseline` again.") from error


def _arrays(state: BaselineState) -> dict[str, np.ndarray]:
    return {
        "whole_keys": state.features.whole.keys,
        "whole_idf": state.features.whole_idf,
        "lead_keys": state.features.lead.keys,
        "lead_idf": state.features.lead_idf,
        "category_weights": state.category.weights,
        "category_intercepts": state.category.intercepts,
        "risk_text_weights": state.risk.text_weights,
        "risk_text_intercept": np.array([state.risk.text_intercept]),
        "risk_weights": state.risk.weights,
        "risk_constants": state.risk.constants,
        "risk_days": state.risk.ends,
    }


def _state(arrays: dict[str, np.ndarray], description: Description) -> BaselineState:
    config = description.config
    features = TextFeatures(
        whole=NgramCounter(arrays["whole_keys"], config.min_n, config.max_n),
        whole_idf=arrays["whole_idf"],
        lead=NgramCounter(arrays["lead_keys"], config.min_n, config.max_n),
        lead_idf=arrays["lead_idf"],
        lead_characters=config.lead_characters,
        lead_weight=config.lead_weight,
    )
    category = CategoryHead(arrays["category_weights"], arrays["category_intercepts"])
    risk = RiskHead(
        arrays["risk_text_weights"],
        float(arrays["risk_text_intercept"][0]),
        arrays["risk_weights"],
        arrays["risk_constants"],
        arrays["risk_days"],
    )
    return BaselineState(features, category, risk)


def _check_shapes(folder: Path, state: BaselineState, description: Description) -> None:
    n_features, n_categories = state.features.n_features, len(description.categories)
    fits = (
        len(state.features.whole.keys) == len(state.features.whole_idf)
        and len(state.features.lead.keys) == len(state.features.lead_idf)
        and state.category.weights.shape == (n_categories, n_features)
        and state.category.intercepts.shape == (n_categories,)
        and state.risk.text_weights.shape == (n_features,)
        and state.risk.weights.shape == (1 + N_SMALL,)
        and state.risk.constants.shape == state.risk.ends.shape
        and description.history == HISTORY
    )
    if not fits:
        raise ArtifactError(f"The arrays in {folder / WEIGHTS} do not fit together. Run `triage run baseline` again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
