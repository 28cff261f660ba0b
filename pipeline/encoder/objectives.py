"""What the encoder learns from raw text: masked tokens, and which two pieces are of one passage.

Masked LM with span masking (Joshi et al. 2020, SpanBERT): Chinese words have one to four characters and no spaces, so
spans of neighbouring tokens stand in for whole words without a segmenter. The output layer is computed at masked positions
only and shares its weights with the embedding table.

Contrast (InfoNCE; cropping as in Izacard et al. 2022, Contriever): a passage across the border of two neighbouring rows is
seen as two pieces; the mean vector of each must find the other among all pieces of the batch. It uses the hidden states
the masked LM computed anyway, so it costs next to nothing, and makes the mean-pooled vector usable for similar reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from pipeline.encoder.corpus import Rows, Tokens
from pipeline.encoder.params import ModelParams, PretrainingParams

_IGNORED = -100
_SHARE_MASK, _SHARE_RANDOM = 0.8, 0.1


@dataclass(frozen=True)
class MaskedRows:
    """Input of one batch.

    Attributes:
        ids: Token ids with masks in place, shape (n_rows, length).
        positions: Flat indices of the tokens to predict, shape (n_masked,).
        targets: Their true ids, shape (n_masked,).
        shared: As in `Rows`, with control tokens off, shape (n_rows, length).
        offset: Position number of the first column.
    """

    ids: Tensor
    positions: Tensor
    targets: Tensor
    shared: Tensor
    offset: int

    def to(self, device: torch.device) -> MaskedRows:
        """The same rows on another device."""
        moved = {key: getattr(self, key).to(device) for key in ("ids", "positions", "targets", "shared")}
        return MaskedRows(**moved, offset=self.offset)


def mask_spans(
    ids: np.ndarray, *, share: float, span_probabilities: Sequence[float], n_special: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose the tokens to predict.

    Args:
        ids: Token ids, shape (n_rows, length).
        share: Share of all tokens to choose, in (0, 1); at 0.2 the average is 0.21.
        span_probabilities: Chance of a span of 1, 2, 3 ... tokens.
        n_special: Ids below this are never chosen.
        rng: Source of chance.

    Returns:
        Boolean mask of the shape of `ids`.
    """
    mean = sum(length * chance for length, chance in enumerate(span_probabilities, start=1))
    # a token stays out only if no span covers it: with starts at rate r, P(covered) = 1 - exp(-r * mean) nearly
    starts = rng.random(ids.shape) < -np.log1p(-share) / mean
    lengths = rng.choice(len(span_probabilities), size=ids.shape, p=span_probabilities) + 1
    chosen = np.zeros(ids.shape, dtype=bool)
    for step in range(len(span_probabilities)):
        reach = starts & (lengths > step)
        chosen[:, step:] |= reach[:, : ids.shape[1] - step]
    return chosen & (ids >= n_special)


def mask_rows(
    rows: Rows, tokens: Tokens, params: PretrainingParams, *, max_positions: int, rng: np.random.Generator
) -> MaskedRows:
    """Hide tokens: of the chosen 80 % become [MASK], 10 % another token, 10 % stay (Devlin et al. 2019).

    Half of the batches are placed at random positions, so that every position up to `max_positions` is learned although
    rows are short.
    """
    chosen = mask_spans(
        rows.ids, share=params.mask_share, span_probabilities=params.span_probabilities, n_special=tokens.n_special, rng=rng
    )
    fate = rng.random(rows.ids.shape)
    hidden = rows.ids.copy()
    hidden[chosen & (fate < _SHARE_MASK)] = tokens.mask_id
    swapped = chosen & (fate >= _SHARE_MASK) & (fate < _SHARE_MASK + _SHARE_RANDOM)
    hidden[swapped] = rng.integers(tokens.n_special, tokens.vocab_size, size=int(swapped.sum()))
    room = max_positions - rows.ids.shape[1]
    offset = int(rng.integers(room + 1)) if rng.random() < 0.5 else 0
    positions = np.flatnonzero(chosen)
    return MaskedRows(
        ids=torch.from_numpy(hidden),
        positions=torch.from_numpy(positions),
        targets=torch.from_numpy(rows.ids.reshape(-1)[positions]),
        shared=torch.from_numpy(rows.shared & (rows.ids >= tokens.n_special)),
        offset=offset,
    )


def bert_config(params: ModelParams, vocab_size: int) -> BertConfig:
    """The standard architecture in our shape; no dropout while pre-training, where no text is seen often."""
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=params.width,
        num_hidden_layers=params.n_layers,
        num_attention_heads=params.n_heads,
        intermediate_size=params.feed_forward,
        hidden_act=params.activation,
        max_position_embeddings=params.max_positions,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        type_vocab_size=2,
        pad_token_id=0,
    )


class PretrainingModel(nn.Module):
    """A `BertModel` and the head that predicts hidden tokens; the head stays behind when the encoder is exported."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        config._attn_implementation = "eager"  # measured on CPU at length 128: a quarter faster than sdpa
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.transform = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        nn.init.normal_(self.transform.weight, std=config.initializer_range)
        nn.init.zeros_(self.transform.bias)

    def forward(self, ids: Tensor, offset: int) -> Tensor:
        """Hidden states of ids of shape (n_rows, length), shape (n_rows, length, width)."""
        place = torch.arange(offset, offset + ids.shape[1], device=ids.device)[None]
        hidden: Tensor = self.encoder(input_ids=ids, position_ids=place).last_hidden_state
        return hidden

    def predict(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary for hidden states of shape (n_masked, width), shape (n_masked, vocab_size)."""
        features = self.norm(functional.gelu(self.transform(hidden), approximate="tanh"))
        scores: Tensor = functional.linear(features, self.encoder.embeddings.word_embeddings.weight, self.bias)
        return scores


def masked_loss(model: PretrainingModel, hidden: Tensor, rows: MaskedRows) -> Tensor:
    """Mean cross-entropy in nats per hidden token."""
    picked = hidden.reshape(-1, hidden.shape[-1])[rows.positions]  # (n_masked, width)
    return functional.cross_entropy(model.predict(picked).float(), rows.targets)


def contrast_loss(hidden: Tensor, shared: Tensor, *, temperature: float, min_tokens: int) -> Tensor:
    """How hard it is to find, by cosine of mean vectors, the other piece of each passage among the batch's pieces.

    Args:
        hidden: Shape (n_rows, length, width); rows 2i and 2i + 1 are neighbours.
        shared: True at the tokens of the passage both rows share, shape (n_rows, length).
        temperature: Divides the cosines.
        min_tokens: Both pieces must have as many tokens.

    Returns:
        Mean cross-entropy in nats over both directions; 0 where fewer than two pairs qualify.
    """
    size = shared.sum(dim=1)  # (n_rows,)
    fits = (size >= min_tokens).view(-1, 2).all(dim=1)  # (n_pairs,)
    pooled = torch.einsum("rlw,rl->rw", hidden, shared.to(hidden.dtype)).float() / size.clamp(min=1)[:, None]
    pieces = functional.normalize(pooled, dim=-1).view(-1, 2, hidden.shape[-1])[fits]  # (n_fit, 2, width)
    if len(pieces) < 2:
        return hidden.sum() * 0.0
    cosines = pieces[:, 0] @ pieces[:, 1].T / temperature  # (n_fit, n_fit)
    own = torch.arange(len(pieces), device=hidden.device)
    return (functional.cross_entropy(cosines, own) + functional.cross_entropy(cosines.T, own)) / 2
