"""The encoder as it is shipped: a `BertModel` in bf16 safetensors, its tokenizer, and a card.

Anything that loads Hugging Face models reads the folder. The pooler that `BertModel` expects is the identity under a
tanh and was not trained: use the mean of the hidden states, which the contrast trained. The head that predicts
hidden tokens lies beside it in `head.safetensors`, for pre-training to go on.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

from pipeline.encoder.objectives import PretrainingModel
from pipeline.encoder.vocabulary import check_belongs_together, load_tokenizer
from pipeline.errors import ArtifactError, TrainingError

HEAD = "head.safetensors"


@dataclass(frozen=True)
class CardFacts:
    """What the card says of a run.

    Attributes:
        name: Of the encoder.
        corpus: What it learned from, and under which licences.
        n_tokens_read: Tokens seen in training, repetitions counted.
        n_tokens_corpus: Tokens of the corpus.
        held_out_loss: Nats per hidden token on held-out passages.
    """

    name: str
    corpus: str
    n_tokens_read: int
    n_tokens_corpus: int
    held_out_loss: float


def add_placeholders(model: PretrainingModel, tokenizer: PreTrainedTokenizerFast, placeholders: Sequence[str]) -> None:
    """Teach model and tokenizer placeholders they lack, in place; each starts from the mean of those known.

    Args:
        model: Its embedding table and output bias grow by the number of new tokens.
        tokenizer: Grows likewise.
        placeholders: All that must be single tokens.
    """
    vocabulary = tokenizer.get_vocab()
    missing = [word for word in placeholders if word not in vocabulary]
    known = [vocabulary[word] for word in placeholders if word in vocabulary]
    if not missing:
        return
    tokenizer.add_special_tokens({"additional_special_tokens": missing}, replace_extra_special_tokens=False)
    table, bias = model.encoder.embeddings.word_embeddings.weight.detach(), model.bias.detach()
    rows = known or list(range(len(table)))
    table = torch.cat([table, table[rows].mean(0, keepdim=True).repeat(len(missing), 1)])
    model.bias = torch.nn.Parameter(torch.cat([bias, bias[rows].mean().repeat(len(missing))]))
    embedding = torch.nn.Embedding(len(table), table.shape[1], padding_idx=0)
    embedding.weight = torch.nn.Parameter(table)
    model.encoder.embeddings.word_embeddings = embedding
    model.encoder.config.vocab_size = len(table)


def export_encoder(model: PretrainingModel, tokenizer: PreTrainedTokenizerFast, folder: Path, facts: CardFacts) -> None:
    """Write the shipped folder aside, then put it in the place of the one before.

    Raises:
        ArtifactError: If vocabulary and weights do not belong together.
        TrainingError: If it cannot be written; the one before stays.
    """
    check_belongs_together(tokenizer, int(model.encoder.config.vocab_size), where="the trained model")
    config = BertConfig.from_dict(model.encoder.config.to_dict())
    shipped: Any = BertModel(config)
    shipped.load_state_dict(model.encoder.state_dict(), strict=False)
    with torch.no_grad():
        shipped.pooler.dense.weight.copy_(torch.eye(config.hidden_size))
        shipped.pooler.dense.bias.zero_()
    head = {key: value for key, value in model.state_dict().items() if not key.startswith("encoder.")}
    aside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        shipped.to(torch.bfloat16).save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        save_file({key: value.to(torch.bfloat16).contiguous() for key, value in head.items()}, aside / HEAD)
        (aside / "README.md").write_text(render_card(config, facts), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(aside, ignore_errors=True)
        raise TrainingError(f"the encoder could not be written to {folder}: {error}. Free space and export again.") from error


def load_encoder(folder: Path) -> tuple[PretrainingModel, PreTrainedTokenizerFast]:
    """Read an exported encoder in fp32, ready to be pre-trained further.

    Raises:
        ArtifactError: If it is incomplete, damaged, or of two halves that do not belong together.
    """
    tokenizer = load_tokenizer(folder)
    try:
        shipped = AutoModel.from_pretrained(folder, dtype=torch.float32)
        head = {key: value.float() for key, value in load_file(folder / HEAD).items()}
        check_belongs_together(tokenizer, int(shipped.config.vocab_size), where=str(folder))
        model = PretrainingModel(shipped.config)
        weights = {f"encoder.{key}": value for key, value in shipped.state_dict().items() if "pooler" not in key}
        model.load_state_dict(weights | head)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        said = str(error).splitlines()[0]
        raise ArtifactError(f"{folder} does not hold a complete exported encoder: {said}. Export it again.") from error
    return model, tokenizer


def render_card(config: BertConfig, facts: CardFacts) -> str:
    """The model card, in Markdown."""
    return f"""# {facts.name}

A small Chinese text encoder, pre-trained from nothing by this project (`pipeline/encoder`, `models/encoder/config.yaml`).

| | |
|---|---|
| architecture | BertModel, {config.num_hidden_layers} layers x {config.hidden_size}, feed-forward {config.intermediate_size} |
| vocabulary | {config.vocab_size} tokens: characters, frequent words, sub-words, redaction placeholders |
| learned from | {facts.corpus} |
| size of the corpus | {facts.n_tokens_corpus:,} tokens |
| read in training | {facts.n_tokens_read:,} tokens ({facts.n_tokens_read / facts.n_tokens_corpus:.2f} of the corpus) |
| objective | masked LM with span masking, and contrast of two pieces of one passage |
| held-out loss | {facts.held_out_loss:.3f} nats per hidden token |
| precision | bf16 |

Texts must be redacted and NFKC-normalised before they are read. Use the mean of the last hidden states; the pooler
was not trained. Mean vectors serve to look for similar reports, after fine-tuning or further contrast.

## What it must not be used for

Ranking, profiling or watching people; deciding anything about a person without a person deciding; inferring who wrote
a text. It ranks reports, nothing else.

## Limits

It has read little: judge it by its downstream figures, never by its size. The corpus leans to law, courts, counselling and
fraud calls; part of it was written by language models; citizens' messages, police notices and dialect are scarce.
It carries whatever prejudice those texts carry. Its table of tokens starts from factorised co-occurrence of the corpus.
"""
