"""The loop that pre-trains: packed rows, bf16 compute over fp32 master weights, checkpoints that survive a kill.

The learning rate warms up, stays, and decays at the end (WSD, Hu et al. 2024): while it stays, a run can be stopped and
continued at any time, or prolonged by raising `stable_tokens`, without having wasted a decay. With `muon` the matrices
inside the layers take orthogonalised momentum steps (Jordan et al. 2024), scaled to AdamW's size so that one learning
rate serves both; embeddings, norms and biases stay with AdamW.

One process runs on a CPU or a GPU; started by `torchrun`, each process takes its share of the batches of a step and
gradients are averaged, so a step means the same on any number of devices.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.optim import AdamW, Optimizer

from pipeline.encoder.checkpoint import Position, load_checkpoint, save_checkpoint
from pipeline.encoder.corpus import Tokens, rows_at
from pipeline.encoder.muon import Muon
from pipeline.encoder.objectives import MaskedRows, PretrainingModel, contrast_loss, mask_rows, masked_loss
from pipeline.encoder.params import PretrainingParams
from pipeline.errors import TrainingError
from pipeline.precision import working_type

logger = logging.getLogger(__name__)

_HELD_OUT_SEED = 1_000_003


@dataclass(frozen=True)
class Progress:
    """One line of the log.

    Attributes:
        step: Optimizer steps done.
        tokens: Tokens seen.
        masked_loss: Mean nats per hidden token since the last line.
        contrast_loss: Mean nats per piece since the last line.
        held_out_loss: Masked loss on passages never learned from, or None where it was not measured.
        learning_rate: At this step.
        tokens_per_second: Since the last line; None in a line that must not depend on the machine.
    """

    step: int
    tokens: int
    masked_loss: float
    contrast_loss: float
    held_out_loss: float | None
    learning_rate: float
    tokens_per_second: float | None


def learning_rate_at(tokens: int, params: PretrainingParams) -> float:
    """Warm-up, plateau, and a decay that falls with one minus the square root of its progress.

    Args:
        tokens: Tokens seen so far.
        params: Peak and the three lengths in tokens; `stable_tokens` counts from the start, warm-up included.
    """
    if tokens < params.stable_tokens:
        return params.learning_rate * min(1.0, (tokens + 1) / params.warmup_tokens)
    progress = min(1.0, (tokens - params.stable_tokens) / params.decay_tokens)
    return params.learning_rate * (1.0 - math.sqrt(progress))


def make_optimizers(model: PretrainingModel, params: PretrainingParams, precision: torch.dtype) -> list[Optimizer]:
    """AdamW for everything, or Muon for the matrices inside the layers and AdamW for the rest."""
    matrices = [value for name, value in model.named_parameters() if value.ndim == 2 and "embeddings" not in name]
    chosen = {id(value) for value in matrices}
    others = [value for value in model.parameters() if id(value) not in chosen]
    if params.optimizer == "muon":
        return [
            Muon(matrices, momentum=0.95, weight_decay=params.weight_decay, precision=precision),
            AdamW(others, lr=0.0, betas=(0.9, 0.98), weight_decay=0.0),
        ]
    groups = [{"params": matrices, "weight_decay": params.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [AdamW(groups, lr=0.0, betas=(0.9, 0.98))]


class Trainer:
    """A run: the state that a checkpoint holds, and the arithmetic of one step."""

    def __init__(self, model: PretrainingModel, params: PretrainingParams, *, device: torch.device) -> None:
        self.params = params
        self.device = device
        self.max_positions = int(model.encoder.config.max_position_embeddings)
        self.master = model.to(device)
        precision = working_type(params.precision, device)
        self.working = copy.deepcopy(model).to(precision)
        self.optimizers = make_optimizers(self.master, params, precision)
        self.position = Position(step=0, tokens=0)

    def restore(self, folder: Path) -> None:
        """Go on from the checkpoint in a folder, if there is one."""
        found = load_checkpoint(folder, self.master, self.optimizers)
        if found is not None:
            self.position = found
            self._copy_to_working()

    def batch(self, tokens: Tokens, number: int, *, seed: int) -> MaskedRows:
        """The masked rows of the batch with this number."""
        rows = rows_at(tokens, number, n_rows=self.params.rows_per_batch, length=self.params.sequence_length, seed=seed)
        rng = np.random.default_rng((seed, number, 1))
        return mask_rows(rows, tokens, self.params, max_positions=self.max_positions, rng=rng).to(self.device)

    def step(self, tokens: Tokens) -> tuple[float, float]:
        """Learn from the next `batches_per_step` batches.

        Returns:
            Mean masked loss and mean contrast loss, in nats.
        """
        rank, world = _rank_and_world()
        n_batches = self.params.batches_per_step
        first = self.position.step * n_batches
        losses = torch.zeros(2, device=self.device)
        for number in range(first + rank, first + n_batches, world):
            rows = self.batch(tokens, number, seed=self.params.seed)
            losses += self._backward(rows) / n_batches
        _sum_over_processes(self.master, losses)
        self._update()
        seen = n_batches * self.params.rows_per_batch * self.params.sequence_length
        self.position = Position(self.position.step + 1, self.position.tokens + seen)
        masked, contrast = losses.tolist()
        return masked, contrast

    def _backward(self, rows: MaskedRows) -> Tensor:
        """Add one batch's share of the gradient to the master's; returns both losses, shape (2,)."""
        hidden = self.working(rows.ids, rows.offset)
        masked = masked_loss(self.working, hidden, rows)
        contrast = contrast_loss(
            hidden, rows.shared, temperature=self.params.contrast_temperature, min_tokens=self.params.contrast_min_tokens
        )
        loss = masked + self.params.contrast_weight * contrast
        (loss / self.params.batches_per_step).backward()  # type: ignore[no-untyped-call]
        for master, working in zip(self.master.parameters(), self.working.parameters(), strict=True):
            if working.grad is not None:
                gradient = working.grad.float()
                master.grad = gradient if master.grad is None else master.grad + gradient
                working.grad = None
        return torch.stack([masked.detach(), contrast.detach()])

    def _update(self) -> None:
        """One step of every optimizer at the rate of this moment."""
        norm = nn.utils.clip_grad_norm_(self.master.parameters(), self.params.max_gradient_norm)
        if not bool(torch.isfinite(norm)):
            raise TrainingError(
                f"the loss or its gradient is not finite at step {self.position.step}; the last good checkpoint is kept. "
                "Lower pretraining.learning_rate or max_gradient_norm and start again from it."
            )
        rate = learning_rate_at(self.position.tokens, self.params)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self._copy_to_working()

    @torch.no_grad()
    def _copy_to_working(self) -> None:
        for master, working in zip(self.master.parameters(), self.working.parameters(), strict=True):
            working.copy_(master)

    @torch.no_grad()
    def held_out_loss(self, tokens: Tokens) -> float:
        """Masked loss in nats on held-out passages; always the same rows and masks."""
        losses = []
        for number in range(self.params.held_out_batches):
            rows = self.batch(tokens, number, seed=_HELD_OUT_SEED)
            losses.append(float(masked_loss(self.working, self.working(rows.ids, rows.offset), rows)))
        return float(np.mean(losses))


def pretrain(
    trainer: Trainer, learned: Tokens, held_out: Tokens, *, folder: Path, stop: Callable[[], bool]
) -> Iterator[Progress]:
    """Learn until the decay is over or `stop` says so, saving every few minutes and at the end.

    Args:
        trainer: The run, restored or new.
        learned: What is learned from.
        held_out: What the loss is judged on.
        folder: Takes the checkpoint.
        stop: Asked after every step.

    Yields:
        A line of the log every `log_every_steps` steps.

    Raises:
        TrainingError: If the loss is no longer finite, or a checkpoint cannot be written.
    """
    params = trainer.params
    main = _rank_and_world()[0] == 0
    saved_at = logged_at = time.monotonic()
    window: list[tuple[float, float]] = []
    seen = trainer.position.tokens
    while trainer.position.tokens < params.stable_tokens + params.decay_tokens and not stop():
        window.append(trainer.step(learned))
        position = trainer.position
        if position.step % params.log_every_steps == 0:
            judge = position.step % params.held_out_every_steps == 0
            masked, contrast = np.mean(window, axis=0).tolist()
            now = time.monotonic()
            yield Progress(
                step=position.step,
                tokens=position.tokens,
                masked_loss=masked,
                contrast_loss=contrast,
                held_out_loss=trainer.held_out_loss(held_out) if judge else None,
                learning_rate=learning_rate_at(position.tokens, params),
                tokens_per_second=(position.tokens - seen) / (now - logged_at),
            )
            window, seen, logged_at = [], position.tokens, time.monotonic()
        if main and time.monotonic() - saved_at >= params.checkpoint_minutes * 60:
            save_checkpoint(folder, trainer.master, trainer.optimizers, position)
            saved_at = time.monotonic()
    if main:
        save_checkpoint(folder, trainer.master, trainer.optimizers, trainer.position)


def _rank_and_world() -> tuple[int, int]:
    """Number of this process and of all; (0, 1) outside `torchrun`."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _sum_over_processes(model: nn.Module, losses: Tensor) -> None:
    """Add up gradients and losses; each process already divided by the batches of the whole step."""
    if _rank_and_world()[1] == 1:
        return
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        distributed.all_reduce(parameter.grad)
    distributed.all_reduce(losses)


@contextmanager
def progress_log(path: Path, position: Position) -> Iterator[Callable[[Progress], None]]:
    """Append lines to a JSON-lines file; lines after the restored position are cut off first."""
    kept: list[str] = []
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= position.step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:

        def write(progress: Progress) -> None:
            file.write(json.dumps(asdict(progress)) + "\n")
            file.flush()
            logger.info("encoder: step %d, %d tokens, loss %.3f", progress.step, progress.tokens, progress.masked_loss)

        yield write
