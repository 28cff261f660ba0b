"""The last phase for a deployment: titles find their bodies.

InfoNCE with the other bodies of the batch as negatives (as in Izacard et al. 2022), on mean vectors. The raw corpus has no
titles, so the shipped encoder only learned that two pieces of a passage belong together; a deployment's own reports of the
training side teach it what a title says of its body. Padded batches, for titles are short.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional
from torch.optim import AdamW
from transformers import PreTrainedTokenizerFast

from pipeline.encoder.objectives import PretrainingModel
from pipeline.encoder.params import PairingParams
from pipeline.encoder.vectors import mean_vectors
from pipeline.errors import TrainingError


def learn_pairs(
    model: PretrainingModel,
    tokenizer: PreTrainedTokenizerFast,
    pairs: Sequence[tuple[str, str]],
    params: PairingParams,
    *,
    seed: int,
) -> list[float]:
    """Teach titles to find their bodies; the model is changed in place.

    Args:
        model: The encoder.
        tokenizer: Its vocabulary.
        pairs: Redacted title and body of reports of the training side, neither empty.
        params: Lengths, rate and epochs.
        seed: Of the order.

    Returns:
        Mean loss of each epoch, in nats.

    Raises:
        TrainingError: If there are too few pairs for one batch, or the loss is no longer finite.
    """
    size = params.pairs_per_batch
    if len(pairs) < size:
        raise TrainingError(f"{len(pairs)} title-body pairs are fewer than pairing.pairs_per_batch ({size}): lower it.")
    optimizer = AdamW(model.encoder.parameters(), lr=params.learning_rate, weight_decay=0.0)
    rng = np.random.default_rng(seed)
    losses = []
    for _ in range(params.epochs):
        order = rng.permutation(len(pairs))
        batches = [[pairs[index] for index in order[at : at + size]] for at in range(0, len(pairs) - size + 1, size)]
        losses.append(float(np.mean([_step(model, tokenizer, batch, params, optimizer) for batch in batches])))
    return losses


def _step(
    model: PretrainingModel,
    tokenizer: PreTrainedTokenizerFast,
    batch: Sequence[tuple[str, str]],
    params: PairingParams,
    optimizer: AdamW,
) -> float:
    titles = mean_vectors(model, tokenizer, [title for title, _ in batch], max_tokens=params.max_title_tokens)
    bodies = mean_vectors(model, tokenizer, [body for _, body in batch], max_tokens=params.max_body_tokens)
    cosines = titles @ bodies.T / params.temperature  # (n_pairs, n_pairs)
    own = torch.arange(len(batch), device=cosines.device)
    loss = (functional.cross_entropy(cosines, own) + functional.cross_entropy(cosines.T, own)) / 2
    if not bool(torch.isfinite(loss)):
        raise TrainingError("the loss of title-body pairs is not finite; lower pairing.learning_rate.")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())
