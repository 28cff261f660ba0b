"""Saving and restoring a run of pre-training: master weights, optimizer state, and how far it came.

One safetensors file, written aside and renamed, so that a kill or a full disk leaves the last good one in place. No data
position and no random state are kept: both follow from the step number (see `corpus.rows_at`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from pipeline.encoder.objectives import PretrainingModel
from pipeline.errors import ArtifactError, TrainingError

FILE_NAME = "checkpoint.safetensors"


@dataclass(frozen=True)
class Position:
    """How far a run came: optimizer steps done, tokens seen."""

    step: int
    tokens: int


def save_checkpoint(folder: Path, model: PretrainingModel, optimizers: Sequence[Optimizer], position: Position) -> None:
    """Write the whole state of a run.

    Raises:
        TrainingError: If it cannot be written; the checkpoint before it stays.
    """
    state: dict[str, Tensor] = {f"model.{name}": value.contiguous() for name, value in model.state_dict().items()}
    for number, optimizer in enumerate(optimizers):
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                state[f"optimizer.{number}.{index}.{slot}"] = torch.as_tensor(value).clone()
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{FILE_NAME}.part"
    try:
        save_file(state, aside, metadata={"step": str(position.step), "tokens": str(position.tokens)})
        aside.replace(folder / FILE_NAME)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(f"the checkpoint could not be written to {folder} ({error}); the last one is kept.") from error


def load_checkpoint(folder: Path, model: PretrainingModel, optimizers: Sequence[Optimizer]) -> Position | None:
    """Restore a run in place.

    Returns:
        How far it came, or None where there is no checkpoint yet.

    Raises:
        ArtifactError: If the file is damaged or is of another shape or vocabulary.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        _restore(state, model, optimizers)
        return Position(step=int(facts["step"]), tokens=int(facts["tokens"]))
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{path} does not fit this vocabulary, shape and optimizer, or is damaged: "
            f"{str(error).splitlines()[0]}. Use the configuration it was made with, or another folder."
        ) from error


def _restore(state: dict[str, Tensor], model: PretrainingModel, optimizers: Sequence[Optimizer]) -> None:
    """Put tensors back where `save_checkpoint` took them from."""
    weights = {name.removeprefix("model."): value for name, value in state.items() if name.startswith("model.")}
    model.load_state_dict(weights)
    for number, optimizer in enumerate(optimizers):
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in state.items():
            if name.startswith(f"optimizer.{number}."):
                _, _, index, slot = name.split(".", 3)
                slots.setdefault(int(index), {})[slot] = value
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
