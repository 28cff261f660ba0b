"""An encoder with two heads, and what is minimized.

Both heads are linear on the pooled text; a wide part may add its votes to the categories (`wide.py`). History does not come in
here: `history.py` joins it afterwards.

Losses are masked: a report without a label for a head adds nothing to it, and a batch with no label at all adds zero.
`logit_adjusted` adds the log of the class shares to the logits while learning (Menon et al. 2021), so that the plain logits
rank the classes as if they were equally common, which is what macro-F1 asks; `balanced` weighs each report by the inverse of
its class share instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.transformer.batches import UNKNOWN, Batch
from pipeline.transformer.encoders import takes_segments
from pipeline.transformer.params import LossParams, NetworkParams

_HEAD_DEVIATION = 0.02


class Network(nn.Module):
    """Encoder, pooling, category head and risk head."""

    def __init__(self, encoder: nn.Module, *, n_categories: int, params: NetworkParams, n_buckets: int = 0) -> None:
        super().__init__()
        width = int(getattr(encoder, "config").hidden_size)  # noqa: B009 - an nn.Module declares no config
        self.encoder = encoder
        self.pooling = params.pooling
        self.dropout = nn.Dropout(params.dropout)
        self.category_head = nn.Linear(width, n_categories)
        self.risk_head = nn.Linear(width, 1)
        for module in (self.category_head, self.risk_head):
            nn.init.normal_(module.weight, std=_HEAD_DEVIATION)
            nn.init.zeros_(module.bias)
        self.wide = nn.EmbeddingBag(n_buckets, n_categories, mode="sum") if n_buckets else None
        if self.wide is not None:
            nn.init.zeros_(self.wide.weight)
            self.register_buffer("wide_idf", torch.zeros(n_buckets))
        self._segments = takes_segments(encoder)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Category logits, shape (n_reports, n_categories), and risk logits, shape (n_reports,)."""
        pooled = self.dropout(self.pool(batch))  # (n_reports, width)
        risk = self.risk_head(pooled)  # (n_reports, 1)
        category = self.category_head(pooled)  # (n_reports, n_categories)
        if self.wide is not None and batch.wide_buckets.numel():
            category = category + self.wide(batch.wide_buckets, per_sample_weights=batch.wide_weights)
        return category, risk[:, 0]

    def pool(self, batch: Batch) -> Tensor:
        """One vector a report, shape (n_reports, width)."""
        segments = {"token_type_ids": batch.token_types} if self._segments else {}
        hidden: Tensor = self.encoder(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, **segments
        ).last_hidden_state  # (n_reports, n_tokens, width)
        if self.pooling == "first":
            return hidden[:, 0]
        mask = batch.attention_mask[:, :, None].to(hidden.dtype)  # (n_reports, n_tokens, 1)
        return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def set_dropout(encoder: Any, params: NetworkParams) -> None:
    """Give the encoder the configured dropout.

    Attention and the rest are told apart by the module's place; networks that read the rate from their configuration as they
    go are told there too.
    """
    for key in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(encoder.config, key):
            setattr(encoder.config, key, params.attention_dropout)
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Dropout):
            in_attention = "attention" in name and not name.endswith("output.dropout")
            module.p = params.attention_dropout if in_attention else params.dropout
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = params.attention_dropout


@dataclass(frozen=True)
class Objective:
    """The loss of a batch.

    Attributes:
        params: Kind and weights.
        r_drop: Weight of the divergence between two passes; 0.0 makes one pass.
        log_shares: Log of each category's share of the training labels, shape (n_categories,).
        labels_per_batch: Mean number of category and of risk labels in a batch. Sums are divided by these and not by the
            batch's own counts, so that every report weighs the same whatever batch it falls in.
    """

    params: LossParams
    r_drop: float
    log_shares: Tensor
    labels_per_batch: tuple[float, float]

    def __call__(self, network: Network, batch: Batch) -> Tensor:
        """Loss of one batch, a scalar; with R-Drop two passes that differ by dropout (Liang et al. 2021)."""
        seen = batch.twice() if self.r_drop > 0.0 else batch
        category, risk = (logits.float() for logits in network(seen))
        n_passes = len(seen.category) / max(len(batch.category), 1)
        loss = (self._category_loss(category, seen) + self._risk_loss(risk, seen)) / n_passes
        if self.r_drop > 0.0:
            loss = loss + self.r_drop * self._divergence(category, risk, batch)
        return loss

    def _category_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        weights = None
        if self.params.category == "logit_adjusted":
            logits = logits + self.params.adjustment * self.log_shares
        elif self.params.category == "balanced":
            weights = torch.exp(-self.log_shares) / len(self.log_shares)  # a report of a class of mean share weighs 1
        total = functional.cross_entropy(
            logits,
            batch.category,
            weight=weights,
            ignore_index=UNKNOWN,
            reduction="sum",
            label_smoothing=self.params.label_smoothing,
        )
        return total / self.labels_per_batch[0]

    def _risk_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        if self.labels_per_batch[1] == 0.0:
            return logits.sum() * 0.0
        known = ~torch.isnan(batch.escalated)
        total = functional.binary_cross_entropy_with_logits(logits[known], batch.escalated[known], reduction="sum")
        return self.params.risk_weight * total / self.labels_per_batch[1]

    def _divergence(self, category: Tensor, risk: Tensor, batch: Batch) -> Tensor:
        """Mean of both Kullback-Leibler divergences between the two passes, over labelled reports."""
        one, two = category.chunk(2)
        labelled = batch.category != UNKNOWN
        total = _both_ways(functional.log_softmax(one, dim=1), functional.log_softmax(two, dim=1), labelled)
        loss = total / self.labels_per_batch[0]
        if self.labels_per_batch[1] > 0.0:
            first, second = (
                torch.stack([functional.logsigmoid(part), functional.logsigmoid(-part)], dim=1) for part in risk.chunk(2)
            )
            total = _both_ways(first, second, ~torch.isnan(batch.escalated))
            loss = loss + self.params.risk_weight * total / self.labels_per_batch[1]
        return loss


def _both_ways(one: Tensor, two: Tensor, rows: Tensor) -> Tensor:
    """Half the sum of both divergences between log probabilities of shape (n_reports, n_classes)."""
    difference = (one.exp() - two.exp()) * (one - two)  # summed, this is KL(one | two) + KL(two | one)
    return 0.5 * difference[rows].sum()


def log_shares(category: np.ndarray, n_categories: int) -> Tensor:
    """Log of each category's share of the labels, shape (n_categories,)."""
    counts = np.bincount(category[category != UNKNOWN], minlength=n_categories)
    return torch.from_numpy(np.log(counts / counts.sum())).float()
