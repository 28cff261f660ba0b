"""Groups reports of like length into batches, so that little is spent on padding.

A batch is limited by tokens, padding included, and by reports. For learning, reports are shuffled, sorted by length within
pools of many batches, cut, and the batches shuffled again (so that no epoch runs from short to long); everything follows from
the seed and the epoch's number, so a run can go on from the middle of an epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from scipy import sparse
from torch import Tensor

from pipeline.transformer.wide import pad

UNKNOWN = -100
"""Category index of a report without category; torch's cross-entropy passes over it."""
_POOL_BATCHES = 50


@dataclass(frozen=True)
class Batch:
    """Reports as tensors, all of one length.

    Attributes:
        input_ids: Shape (n_reports, n_tokens), padded behind.
        attention_mask: 1 for tokens, 0 for padding; same shape.
        token_types: Token type ids; same shape.
        category: Category indices or `UNKNOWN`, shape (n_reports,).
        escalated: 1.0, 0.0, or NaN where not known, shape (n_reports,).
        wide_buckets: Buckets of the wide part, shape (n_reports, most n-grams); empty without one.
        wide_weights: Their weights, zero where filled up; same shape.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_types: Tensor
    category: Tensor
    escalated: Tensor
    wide_buckets: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    wide_weights: Tensor = field(default_factory=lambda: torch.zeros(0))

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})

    def hiding(self, share: float, mask_id: int, kept: Tensor) -> Batch:
        """The batch with some of its tokens hidden, drawn anew at each call.

        Args:
            share: Of the tokens to hide, in [0, 1).
            mask_id: The token that stands in their place.
            kept: Ids of the special tokens, which are never hidden, shape (n_special,).
        """
        if share == 0.0:
            return self
        hidden = (torch.rand(self.input_ids.shape) < share).to(self.input_ids.device) & ~torch.isin(self.input_ids, kept)
        return replace(self, input_ids=self.input_ids.masked_fill(hidden, mask_id))

    def twice(self) -> Batch:
        """Every report two times, the second half behind the first."""
        return Batch(**{name: torch.cat([value, value]) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Reports:
    """Tokenized reports with labels.

    Attributes:
        tokens: A dataset of `tokens.SCHEMA`.
        lengths: Tokens of each report, shape (n_reports,).
        category: Indices or `UNKNOWN`, shape (n_reports,), int64.
        escalated: 1.0, 0.0 or NaN, shape (n_reports,), float32.
        wide: Weighted n-grams, shape (n_reports, n_buckets); None without a wide part.
    """

    tokens: Dataset
    lengths: np.ndarray
    category: np.ndarray
    escalated: np.ndarray
    wide: sparse.csr_matrix | None = None

    def batch(self, rows: np.ndarray, *, pad_id: int, second_type: int) -> Batch:
        """The given reports as one padded batch."""
        input_ids, mask, types = _pad(self.tokens[rows.tolist()], pad_id, second_type)
        wide = {} if self.wide is None else dict(zip(("wide_buckets", "wide_weights"), pad(self.wide[rows]), strict=True))
        return Batch(
            input_ids=torch.from_numpy(input_ids),
            attention_mask=torch.from_numpy(mask),
            token_types=torch.from_numpy(types),
            category=torch.from_numpy(self.category[rows]),
            escalated=torch.from_numpy(self.escalated[rows]),
            **{name: torch.from_numpy(values) for name, values in wide.items()},
        )


def make_reports(
    tokens: Dataset,
    category: np.ndarray | None = None,
    escalated: np.ndarray | None = None,
    wide: sparse.csr_matrix | None = None,
) -> Reports:
    """Put tokens and labels side by side; labels not given are unknown."""
    n_reports = len(tokens)
    table = tokens[:] if n_reports else pa.table({"input_ids": pa.array([], pa.list_(pa.int32()))})
    return Reports(
        tokens=tokens,
        lengths=np.asarray(pa.compute.list_value_length(table["input_ids"]), dtype=np.int64),
        category=np.full(n_reports, UNKNOWN, dtype=np.int64) if category is None else category,
        escalated=np.full(n_reports, np.nan, dtype=np.float32) if escalated is None else escalated,
        wide=wide,
    )


def _pad(table: pa.Table, pad_id: int, second_type: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Token ids, mask and types, each of shape (n_reports, n_tokens)."""
    ids = table["input_ids"].combine_chunks()
    lengths = np.asarray(pa.compute.list_value_length(ids), dtype=np.int64)
    positions = np.arange(lengths.max(initial=1))
    mask = positions < lengths[:, None]  # (n_reports, n_tokens)
    padded = np.full(mask.shape, pad_id, dtype=np.int64)
    padded[mask] = np.asarray(ids.flatten())
    second = (positions >= np.asarray(table["second_from"])[:, None]) & mask
    return padded, mask.astype(np.int64), np.where(second, second_type, 0).astype(np.int64)


def plan_learning(lengths: np.ndarray, *, tokens_per_batch: int, max_reports: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Divide an epoch into batches of like length in random order.

    Args:
        lengths: Tokens of each report, shape (n_reports,).
        tokens_per_batch: Most tokens in a batch, padding included.
        max_reports: Most reports in a batch.
        seed: Of the run.
        epoch: Number of the epoch; each has its own order.

    Returns:
        Row numbers of each batch; every report once.
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(len(lengths))
    pool = _POOL_BATCHES * max_reports
    batches: list[np.ndarray] = []
    for start in range(0, len(shuffled), pool):
        rows = shuffled[start : start + pool]
        batches += _cut(rows[np.argsort(lengths[rows], kind="stable")], lengths, tokens_per_batch, max_reports)
    return [batches[number] for number in rng.permutation(len(batches))]


def plan_scoring(lengths: np.ndarray, *, tokens_per_batch: int, max_reports: int) -> list[np.ndarray]:
    """Divide reports into batches from short to long."""
    return _cut(np.argsort(lengths, kind="stable"), lengths, tokens_per_batch, max_reports)


def _cut(ascending: np.ndarray, lengths: np.ndarray, tokens_per_batch: int, max_reports: int) -> list[np.ndarray]:
    """Cut rows that ascend in length where the next report would break a limit."""
    batches, start = [], 0
    for end in range(1, len(ascending) + 1):
        n_with_next = end + 1 - start
        fits = n_with_next <= max_reports and end < len(ascending)
        if fits and n_with_next * lengths[ascending[end]] <= tokens_per_batch:
            continue
        batches.append(ascending[start:end])
        start = end
    return batches
