"""The transformer in three steps, so that an engine other than torch can make the network's pass.

The pass is the encoder, pooling and both heads. The wide part and history stay outside: they are a sparse product and nine
numbers per report, exact and cheap, and nothing an inference engine does better.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import Tensor, nn

from pipeline.classifier import Logits
from pipeline.joint import small_features
from pipeline.transformer.batches import Batch
from pipeline.transformer.encoders import pad_id
from pipeline.transformer.labels import widen
from pipeline.transformer.model import Transformer
from pipeline.transformer.network import Network
from pipeline.transformer.tokens import special_tokens, tokenize


class Pass(nn.Module):
    """The network without its wide part, taking plain tensors."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.pooled = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_types: Tensor) -> tuple[Tensor, Tensor]:
        """Category logits, shape (n_reports, n_learned), and risk logits, shape (n_reports,)."""
        nothing = torch.zeros(0)  # labels and n-grams have no part in the pass
        batch = Batch(input_ids, attention_mask, token_types, category=nothing, escalated=nothing)
        category, risk = self.pooled(batch)
        return category, risk


@dataclass(frozen=True)
class EncodedTexts:
    """Tokenized reports; an `EncodedReports`.

    Attributes:
        tokens: All token ids, one report behind the other, shape (n_tokens in all,).
        starts: Where each report begins in `tokens`, shape (n_reports,).
        lengths: Tokens of each report, shape (n_reports,).
        second_from: Position from which a report's tokens belong to the second segment, shape (n_reports,).
        small: Length and history, of `joint.small_features`, shape (n_reports, N_SMALL).
        votes: What the wide part adds to the category logits, shape (n_reports, n_learned); zeros without one.
        pad_id: Token that fills up.
        second_type: Token type of the second segment.
    """

    tokens: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    second_from: np.ndarray
    small: np.ndarray
    votes: np.ndarray
    pad_id: int
    second_type: int

    def batch(self, rows: np.ndarray, *, n_tokens: int) -> tuple[np.ndarray, ...]:
        """Token ids, mask and types of some reports, each of shape (n_rows, n_tokens), int64."""
        positions = np.arange(n_tokens)
        mask = positions < self.lengths[rows, None]  # (n_rows, n_tokens)
        ids = np.full(mask.shape, self.pad_id, dtype=np.int64)
        ids[mask] = self.tokens[(self.starts[rows, None] + positions)[mask]]
        second = mask & (positions >= self.second_from[rows, None])
        return ids, mask.astype(np.int64), second.astype(np.int64) * self.second_type


class TransformerSteps:
    """A fitted transformer as a `NetworkClassifier`.

    Args:
        model: Fitted or loaded.
        with_history: Give what `predict` gives; otherwise what `predict_by_text` does.
    """

    def __init__(self, model: Transformer, *, with_history: bool = True) -> None:
        self._model = model
        self._joined = model.fitted_.joined if with_history else None
        self.network = Pass(model.fitted_.network).eval()
        self.categories = model.categories
        self.heads = ("category_head", "risk_head")

    @property
    def digest(self) -> str:
        """Of configuration, vocabulary, categories and weights."""
        fitted = self._model.fitted_
        digest = hashlib.sha256(self._model.params.model_dump_json().encode())
        digest.update(fitted.encoder.tokenizer.backend_tokenizer.to_str().encode())
        digest.update(repr((self.categories, fitted.learned, fitted.joined is None, self._joined)).encode())
        for name, value in fitted.network.state_dict().items():
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def encode(self, reports: pd.DataFrame) -> EncodedTexts:
        """Tokenize reports and weigh their n-grams."""
        fitted, params = self._model.fitted_, self._model.params
        tokenizer = fitted.encoder.tokenizer
        table = tokenize(reports["title"].tolist(), reports["text"].tolist(), tokenizer, params.input)
        ids = table["input_ids"].combine_chunks()
        lengths = np.asarray(pa.compute.list_value_length(ids), dtype=np.int64)
        return EncodedTexts(
            tokens=np.asarray(ids.flatten()),
            starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
            lengths=lengths,
            second_from=np.asarray(table["second_from"], dtype=np.int64),
            small=small_features(reports),
            votes=self._votes(reports),
            pad_id=pad_id(fitted.encoder),
            second_type=special_tokens(tokenizer, params.input.joining).second_type,
        )

    def _votes(self, reports: pd.DataFrame) -> np.ndarray:
        fitted = self._model.fitted_
        if fitted.wide is None or fitted.network.wide is None:
            return np.zeros((len(reports), len(fitted.learned)), dtype=np.float32)
        weights = fitted.network.wide.weight.detach().cpu().numpy()  # (n_buckets, n_learned)
        return np.asarray(fitted.wide.transform(reports) @ weights, dtype=np.float32)

    def decode(self, encoded: EncodedTexts, category: np.ndarray, risk: np.ndarray) -> Logits:
        """Add the wide part's votes, join history, and give every category of the taxonomy its column."""
        fitted = self._model.fitted_
        if self._joined is not None:
            risk = self._joined.risk(risk, encoded.small)
        return widen(category + encoded.votes, risk, self.categories, fitted.learned, has_risk=fitted.joined is not None)
