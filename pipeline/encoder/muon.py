"""Muon: momentum made orthogonal before it is applied (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

A momentum matrix has few large singular values; with all of them drawn towards 1 the rare directions are learned as fast as the
common ones. Five steps of a Newton-Schulz iteration, a quintic polynomial of the matrix, do that by products alone. Updates are
scaled to the size of AdamW's (Liu et al. 2025, arXiv 2502.16982), so that one learning rate serves both.

torch.optim.Muon always iterates in bfloat16, which takes more than half of a step on a processor without instructions for it
(4 layers of 256, AVX2: 10.6 of 19.1 s); here the precision is given, and matrices of one shape go through together.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # steepest at zero; singular values end between 0.7 and 1.2
_STEPS = 5
_SIZE = 0.2  # root mean square of AdamW's updates


class Muon(Optimizer):
    """Nesterov momentum, made orthogonal; for matrices only."""

    def __init__(
        self, matrices: Iterable[Tensor], *, momentum: float, weight_decay: float, precision: torch.dtype, lr: float = 0.0
    ) -> None:
        """Take charge of some matrices.

        Args:
            matrices: Parameters of two dimensions.
            momentum: Share of the momentum kept from step to step, in [0, 1).
            weight_decay: Share of a weight taken off per step, times the rate.
            precision: Type the iteration is computed in.
            lr: Learning rate.

        Raises:
            ValueError: If a parameter has not two dimensions.
        """
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._precision = precision
        wrong = [tuple(value.shape) for group in self.param_groups for value in group["params"] if value.ndim != 2]
        if wrong:
            raise ValueError(f"Muon takes matrices only, got a parameter of shape {wrong[0]}")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, tuple[list[Tensor], list[Tensor]]] = {}
            for value in group["params"]:
                if value.grad is not None:
                    values, moved = by_shape.setdefault(value.shape, ([], []))
                    values.append(value)
                    moved.append(self._moved(value, value.grad, group["momentum"]))
            for shape, (values, moved) in by_shape.items():
                rate = group["lr"] * _SIZE * max(shape) ** 0.5
                for value, update in zip(values, orthogonal(torch.stack(moved), self._precision), strict=True):
                    value.mul_(1.0 - group["lr"] * group["weight_decay"]).add_(update.to(value.dtype), alpha=-rate)

    def _moved(self, value: Tensor, gradient: Tensor, kept: float) -> Tensor:
        """The gradient, looked at from where the momentum leads."""
        state = self.state[value]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(value)
        state["momentum_buffer"].lerp_(gradient, 1.0 - kept)
        return torch.lerp(gradient, state["momentum_buffer"], kept)


def orthogonal(matrices: Tensor, precision: torch.dtype) -> Tensor:
    """Draw the singular values of matrices towards 1.

    Args:
        matrices: Shape (n, n_rows, n_columns).
        precision: Type to compute in.

    Returns:
        Matrices with the same singular vectors and singular values of about 0.7 to 1.2, zero where they were zero; in
        `precision`, of the same shape.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    found: Tensor = (matrices.mT if tall else matrices).to(precision)
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    first, third, fifth = _COEFFICIENTS
    for _ in range(_STEPS):
        square = found @ found.mT
        found = first * found + (third * square + fifth * square @ square) @ found
    return found.mT if tall else found
