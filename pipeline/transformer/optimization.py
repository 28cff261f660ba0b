"""What changes the weights: learning rates by depth and time, averaged weights, adversarial embeddings.

Layers near the text learn slower than layers near the heads (discriminative rates, Howard and Ruder 2018), because what the
encoder knows of the language should outlive a few thousand reports.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.transformer.network import Network
from pipeline.transformer.params import OptimizationParams

_LAYER_NUMBER = re.compile(r"\.(\d+)\.")
_MATRIX_DIMENSIONS = 2


def make_optimizer(network: Network, params: OptimizationParams) -> torch.optim.AdamW:
    """AdamW whose groups differ in learning rate by depth and in weight decay by kind; biases and norms do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    depths = {name: _depth(name) for name, _ in network.encoder.named_parameters()}
    n_layers = max((depth for depth in depths.values() if depth is not None), default=0)
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = params.wide_learning_rate if name.startswith("wide.") else params.head_learning_rate
        if name.startswith("encoder."):
            depth = depths[name.removeprefix("encoder.")]
            rate = params.learning_rate * params.layer_decay ** (n_layers - (n_layers if depth is None else depth))
        decay = params.weight_decay if parameter.ndim >= _MATRIX_DIMENSIONS else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": rate, "base_rate": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def _depth(name: str) -> int | None:
    """0 for embeddings, 1 and up for layers from the text upwards, None for what stands above the layers."""
    number = _LAYER_NUMBER.search(f".{name}")
    if number is not None:
        return int(number.group(1)) + 1
    return 0 if "embed" in name else None


def rate_factor(step: int, n_steps: int, params: OptimizationParams) -> float:
    """Share of the learning rate at a step: up from zero over the warm-up, then down to zero.

    Args:
        step: Steps done, in [0, n_steps).
        n_steps: Steps of the whole run.
        params: Share of the warm-up and form of the descent.
    """
    n_warmup = math.ceil(n_steps * params.warmup_share)
    if step < n_warmup:
        return (step + 1) / n_warmup
    gone = (step - n_warmup) / max(n_steps - n_warmup, 1)
    return 1.0 - gone if params.decay == "linear" else 0.5 * (1.0 + math.cos(math.pi * gone))


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Put every group at its share of its own rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_rate"] * factor


class AveragedWeights:
    """An exponential moving average of the weights; early steps count less by a shorter memory.

    Attributes:
        weights: The averages by parameter name; empty where averaging is off.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = (
            {name: value.detach().clone() for name, value in network.named_parameters()} if decay > 0.0 else {}
        )

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step."""
        if not self.weights:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        now = dict(network.named_parameters())
        torch._foreach_lerp_(list(self.weights.values()), [now[name].detach() for name in self.weights], 1.0 - decay)

    @contextmanager
    def applied(self, network: nn.Module) -> Iterator[None]:
        """Let the network work with the averages meanwhile."""
        if not self.weights:
            yield
            return
        own = {name: value.detach().clone() for name, value in network.named_parameters()}
        set_weights(network, self.weights)
        try:
            yield
        finally:
            set_weights(network, own)


@torch.no_grad()
def set_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copy weights into the network by name."""
    for name, value in network.named_parameters():
        value.copy_(weights[name])


class Adversary:
    """Moves each report's embedded tokens a little in the direction that hurts most (Miyato et al. 2017).

    It watches what the embedding table gives out; after a backward pass the gradient there, scaled to a fixed length per
    report, is the step `perturbed` adds in a second pass.
    """

    def __init__(self, embeddings: nn.Module, length: float) -> None:
        self.length = length
        self._seen: Tensor | None = None
        self._step: Tensor | None = None
        self._handle = embeddings.register_forward_hook(self._watch)

    def _watch(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor | None:
        if self._step is not None:
            return output + self._step
        if output.requires_grad:
            output.retain_grad()
            self._seen = output
        return None

    @contextmanager
    def perturbed(self) -> Iterator[None]:
        """Forward passes in here see the perturbed embeddings."""
        gradient = self._seen.grad if self._seen is not None else None
        if gradient is None:
            yield
            return
        norm = gradient.flatten(1).norm(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)  # (n_reports,)
        self._step = self.length * gradient / norm[:, None, None]
        try:
            yield
        finally:
            self._step = self._seen = None

    def leave(self) -> None:
        """Stop watching."""
        self._handle.remove()


def best_device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
