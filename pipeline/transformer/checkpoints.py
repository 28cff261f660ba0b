"""The state of a run on disk, so that a killed run goes on as if nothing had happened.

One safetensors file holds weights, optimizer, averages, the best weights so far, the random state and how far the run came.
It is written aside and renamed: a kill or a full disk leaves the last good one. A fingerprint of configuration, data, seed
and first weights keeps a run from going on with another run's state.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pipeline.errors import TrainingError


@dataclass(frozen=True)
class EpochResult:
    """What one epoch came to.

    Attributes:
        epoch: From 0.
        loss: Mean training loss of a batch.
        macro_f1: Of the categories on validation; None without one.
        average_precision: Of the risk by the text alone on validation; None where it cannot be measured.
        seconds: Spent on the epoch, validation included.
    """

    epoch: int
    loss: float
    macro_f1: float | None
    average_precision: float | None
    seconds: float


@dataclass(frozen=True)
class Position:
    """How far a run came.

    Attributes:
        epoch: The epoch under way, from 0.
        batch: Batches of it that are done.
        step: Batches done in all.
        loss_sum: Sum of the losses of this epoch's batches.
        seconds: Spent on this epoch so far.
        results: The epochs that are over.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    results: tuple[EpochResult, ...] = ()


@dataclass(frozen=True)
class State:
    """Everything a run needs to go on.

    Attributes:
        network: Weights by name.
        optimizer: The optimizer's `state_dict`.
        average: Averaged weights; empty where averaging is off.
        best: Weights of the best epoch; empty before the first is over.
        random: torch's random states by device.
        position: How far it came.
    """

    network: dict[str, Tensor]
    optimizer: dict[str, Any]
    average: dict[str, Tensor]
    best: dict[str, Tensor]
    random: dict[str, Tensor]
    position: Position


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write tensors aside and rename.

    Raises:
        TrainingError: If they cannot be written; the file that was there stays.
    """
    aside = path.with_name(path.name + ".writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}, aside, dict(facts))
        aside.replace(path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(
            f"{path} could not be written ({error}); the one before it is kept. Free space and start again: the run "
            "goes on from its last checkpoint."
        ) from error


def save_state(path: Path, state: State, *, fingerprint: str) -> None:
    """Write a run's state.

    Raises:
        TrainingError: If it cannot be written; the last good one stays.
    """
    tensors = {f"{part}.{name}": value for part in ("network", "average", "best", "random") for name, value in _of(state, part)}
    for number, slots in state.optimizer["state"].items():
        tensors |= {f"optimizer.{number}.{slot}": torch.as_tensor(value) for slot, value in slots.items()}
    write_tensors(path, tensors, {"fingerprint": fingerprint, "position": json.dumps(asdict(state.position))})


def _of(state: State, part: str) -> list[tuple[str, Tensor]]:
    weights: dict[str, Tensor] = getattr(state, part)
    return list(weights.items())


def load_state(path: Path, *, fingerprint: str) -> State | None:
    """Read a run's state.

    Returns:
        The state, or None where there is none or it is another run's.

    Raises:
        TrainingError: If the file is damaged.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            if facts.get("fingerprint") != fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        position = json.loads(facts["position"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise TrainingError(f"{path} is damaged ({str(error).splitlines()[0]}). Delete it to start the run anew.") from error
    results = tuple(EpochResult(**result) for result in position.pop("results"))
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in ("network", "average", "best", "random")}
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        if part == "optimizer":
            number, _, slot = rest.partition(".")
            slots.setdefault(int(number), {})[slot] = value
        else:
            parts[part][rest] = value
    return State(optimizer={"state": slots}, position=Position(**position, results=results), **parts)
