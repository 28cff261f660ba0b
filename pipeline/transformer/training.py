"""The training loop.

Our own rather than the library's `Trainer`: it is about as short as what `Trainer` would need by way of subclasses (two masked
heads, batches by token budget, two passes for R-Drop and FGM, averaged weights judged on validation, a resume that gives the
same numbers), and on two cores the stock loop reached a sixth of the speed of a plain length-sorted one.

A run is a function of its inputs and seed: on a processor, and with the same number of threads, a run that was killed and
resumed ends with the very weights of one that was not.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.errors import TrainingError
from pipeline.precision import working_type
from pipeline.transformer.batches import UNKNOWN, Batch, Reports, plan_learning, plan_scoring
from pipeline.transformer.checkpoints import EpochResult, Position, State, load_state, save_state
from pipeline.transformer.network import Network, Objective
from pipeline.transformer.optimization import (
    Adversary,
    AveragedWeights,
    make_optimizer,
    rate_factor,
    set_rates,
    set_weights,
)
from pipeline.transformer.params import OptimizationParams, RegularizationParams

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """What a run is given.

    Attributes:
        learned: Training reports.
        judged: Validation reports.
        objective: The loss.
        optimization: How to minimize it.
        regularization: What to add against learning by heart.
        pad_id: Token id of padding.
        second_type: Token type of the second segment.
        mask_id: Token id that hides others.
        special_ids: Token ids that are never hidden.
        seed: Of batches and dropout.
        device: Where to compute.
        checkpoint: File of the run's state; None keeps none.
        fingerprint: Of everything above, so that no run goes on with another's state.
    """

    learned: Reports
    judged: Reports
    objective: Objective
    optimization: OptimizationParams
    regularization: RegularizationParams
    pad_id: int
    second_type: int
    mask_id: int
    special_ids: tuple[int, ...]
    seed: int
    device: torch.device
    checkpoint: Path | None
    fingerprint: str

    def plan(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch."""
        return plan_learning(
            self.learned.lengths,
            tokens_per_batch=self.optimization.tokens_per_batch,
            max_reports=self.optimization.max_reports_per_batch,
            seed=self.seed,
            epoch=epoch,
        )


def learn(network: Network, task: Task) -> tuple[EpochResult, ...]:
    """Fit the network and leave it with the weights of its best epoch.

    Returns:
        What each epoch came to.

    Raises:
        TrainingError: If the loss is no longer finite, or a checkpoint cannot be written; the last good one stays.
    """
    run = _Run(network, task)
    try:
        run.restore()
        while not run.is_over():
            run.go_through_epoch()
    finally:
        run.leave()
    set_weights(network, run.best)
    return run.position.results


class _Run:
    """A run under way: the network with everything that changes from step to step."""

    def __init__(self, network: Network, task: Task) -> None:
        self.network, self.task, self.position = network, task, Position()
        self.optimizer = make_optimizer(network, task.optimization)
        self.average = AveragedWeights(network, task.regularization.average_decay)
        self.best: dict[str, Tensor] = {}
        self.n_steps = sum(len(task.plan(epoch)) for epoch in range(task.optimization.epochs))
        self.type = working_type(task.optimization.precision, task.device)
        table: nn.Module = getattr(network.encoder, "get_input_embeddings")()  # noqa: B009 - not declared by nn.Module
        self.adversary = Adversary(table, task.regularization.fgm) if task.regularization.fgm > 0.0 else None
        self.special = torch.tensor(task.special_ids, device=task.device)
        self.saved_at = time.monotonic()

    def leave(self) -> None:
        """Take our hooks out of the network."""
        if self.adversary is not None:
            self.adversary.leave()

    def is_over(self) -> bool:
        """Whether all epochs are done, or the best is too long ago."""
        results, params = self.position.results, self.task.optimization
        if len(results) >= params.epochs:
            return True
        return bool(results) and len(results) - 1 - _best(results, self._risk_weight()) >= params.patience_epochs

    def _risk_weight(self) -> float:
        return self.task.objective.params.risk_weight

    def go_through_epoch(self) -> None:
        """Learn from what is left of the epoch under way, then judge it."""
        plan, began = self.task.plan(self.position.epoch), time.monotonic()
        spent = self.position.seconds
        self.network.train()
        left = plan[self.position.batch :]
        for rows in tqdm(left, desc=f"epoch {self.position.epoch + 1}", unit="batch", leave=False, disable=None):
            loss = self._step(rows)
            now, before = time.monotonic(), self.position
            self.position = replace(
                before,
                batch=before.batch + 1,
                step=before.step + 1,
                loss_sum=before.loss_sum + loss,
                seconds=spent + now - began,
            )
            if now - self.saved_at >= self.task.optimization.checkpoint_minutes * 60:
                self.save()
        self._judge(len(plan), spent + time.monotonic() - began)
        self.save()

    def _step(self, rows: np.ndarray) -> float:
        """One step on one batch; its loss."""
        task = self.task
        batch = task.learned.batch(rows, pad_id=task.pad_id, second_type=task.second_type).to(task.device)
        batch = batch.hiding(task.regularization.token_dropout, task.mask_id, self.special)
        set_rates(self.optimizer, rate_factor(self.position.step, self.n_steps, task.optimization))
        loss = self._backward(batch)
        if self.adversary is not None:
            with self.adversary.perturbed():
                self._backward(batch)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), task.optimization.max_gradient_norm)
        if not (np.isfinite(loss) and bool(torch.isfinite(norm))):
            raise TrainingError(
                f"the loss or its gradient is no longer a number at step {self.position.step} of {self.n_steps}; the last good "
                "checkpoint is kept. Lower optimization.learning_rate or set precision: float32 in the model's config.yaml."
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.network, self.position.step)
        return loss

    def _backward(self, batch: Batch) -> float:
        with torch.autocast(self.task.device.type, dtype=self.type, enabled=self.type is torch.bfloat16):
            loss = self.task.objective(self.network, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _judge(self, n_batches: int, seconds: float) -> None:
        """Measure the epoch on validation, with the averaged weights, and keep them if they are the best."""
        position = self.position
        with self.average.applied(self.network):
            macro_f1, precision = judge(self.network, self.task, self.type)
            result = EpochResult(position.epoch, position.loss_sum / max(n_batches, 1), macro_f1, precision, seconds)
            results = (*position.results, result)
            if _best(results, self._risk_weight()) == len(results) - 1:
                self.best = {name: value.detach().clone() for name, value in self.network.named_parameters()}
        self.position = Position(epoch=position.epoch + 1, step=position.step, results=results)
        judged = ("-" if value is None else f"{value:.4f}" for value in (macro_f1, precision))
        logger.info(
            "transformer: epoch %d, loss %.4f, validation macro-F1 %s, average precision of the text's risk %s (%.0f s)",
            result.epoch + 1, result.loss, *judged, seconds,
        )  # fmt: skip

    def save(self) -> None:
        """Write the state."""
        self.saved_at = time.monotonic()
        if self.task.checkpoint is None:
            return
        random = {"cpu": torch.random.get_rng_state()}
        if self.task.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state()
        state = State(
            network=dict(self.network.named_parameters()),
            optimizer=self.optimizer.state_dict(),
            average=self.average.weights,
            best=self.best,
            random=random,
            position=self.position,
        )
        save_state(self.task.checkpoint, state, fingerprint=self.task.fingerprint)

    def restore(self) -> None:
        """Go on where the last checkpoint of this very run stands."""
        if self.task.checkpoint is None:
            return
        state = load_state(self.task.checkpoint, fingerprint=self.task.fingerprint)
        if state is None:
            return
        device = self.task.device
        set_weights(self.network, state.network)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), **state.optimizer})
        self.average.weights = {name: value.to(device) for name, value in state.average.items()}
        self.best = {name: value.to(device) for name, value in state.best.items()}
        torch.random.set_rng_state(state.random["cpu"])
        if device.type == "cuda" and "cuda" in state.random:
            torch.cuda.set_rng_state(state.random["cuda"])
        self.position = state.position
        logger.info("transformer: going on at epoch %d, batch %d", state.position.epoch + 1, state.position.batch)


def _best(results: tuple[EpochResult, ...], risk_weight: float) -> int:
    """Position of the best epoch, the first of equals; without validation, of the last."""
    scores = [
        float(result.epoch)
        if result.macro_f1 is None
        else result.macro_f1 + risk_weight * (0.0 if result.average_precision is None else result.average_precision)
        for result in results
    ]
    return int(np.argmax(scores))


def judge(network: Network, task: Task, dtype: torch.dtype) -> tuple[float | None, float | None]:
    """Macro-F1 over the categories that occur on validation, and the average precision of the text's risk.

    Both are None without validation; the precision is None too where validation does not hold both outcomes or the risk head
    learned nothing.
    """
    if len(task.judged.lengths) == 0:
        return None, None
    with torch.autocast(task.device.type, dtype=dtype, enabled=dtype is torch.bfloat16):
        category, risk = score(network, task.judged, task.optimization, task.pad_id, task.second_type, task.device)
    known = task.judged.category != UNKNOWN
    truth = task.judged.category[known]
    macro_f1 = f1_score(truth, category[known].argmax(axis=1), labels=np.unique(truth), average="macro", zero_division=0.0)
    settled = ~np.isnan(task.judged.escalated)
    outcomes = task.judged.escalated[settled]
    if task.objective.labels_per_batch[1] == 0.0 or len(np.unique(outcomes)) < len((False, True)):
        return float(macro_f1), None
    return float(macro_f1), float(average_precision_score(outcomes, risk[settled]))


def score(
    network: Network, reports: Reports, params: OptimizationParams, pad_id: int, second_type: int, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of reports, without dropout.

    Returns:
        Category logits, shape (n_reports, n_categories), and risk logits, shape (n_reports,), both float32.
    """
    n_reports = len(reports.lengths)
    category = np.zeros((n_reports, network.category_head.out_features), dtype=np.float32)
    risk = np.zeros(n_reports, dtype=np.float32)
    was_training = network.training
    network.eval()
    plan = plan_scoring(reports.lengths, tokens_per_batch=params.tokens_per_batch, max_reports=params.max_reports_per_batch)
    with torch.inference_mode():
        for rows in plan:
            batch = reports.batch(rows, pad_id=pad_id, second_type=second_type).to(device)
            category_logits, risk_logits = network(batch)
            category[rows] = category_logits.float().cpu().numpy()
            risk[rows] = risk_logits.float().cpu().numpy()
    network.train(was_training)
    return category, risk
