"""`triage run encoder`: learn the vocabulary, pre-train, export; alone in its room to touch disk.

Work in progress lies in `data/processed/encoder/<name>` and survives a kill: started again, the stage goes on from the last
checkpoint. SIGTERM saves and stops without exporting. Under `torchrun` every process takes its share of each step.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from torch import distributed
from transformers import PreTrainedTokenizerFast

from pipeline.encoder.corpus import Tokens, hold_out, load_tokens, read_passages, rewrite, save_tokens, tokenize
from pipeline.encoder.export import CardFacts, add_placeholders, export_encoder, load_encoder
from pipeline.encoder.initialization import svd_embeddings
from pipeline.encoder.objectives import PretrainingModel, bert_config
from pipeline.encoder.params import LOG, EncoderParams, PretrainingParams
from pipeline.encoder.pretraining import Trainer, pretrain, progress_log
from pipeline.encoder.vocabulary import CONTROL_TOKENS, build_tokenizer, load_tokenizer
from pipeline.settings import read_yaml

logger = logging.getLogger(__name__)

CORPUS_CARD = (
    "raw Chinese text of the licence groups pd (official texts) and open (permissive, CC0, CC BY, CC BY-SA); "
    "sources in models/encoder/SOURCES.md"
)


@dataclass(frozen=True)
class EncoderSummary:
    """What the stage did.

    Attributes:
        n_tokens: Tokens read, over all starts.
        held_out_loss: Nats per hidden token at the end.
        finished: Whether the decay is over and the encoder exported.
        seconds: Of this start.
        exported: The shipped folder; there only once finished.
    """

    n_tokens: int
    held_out_loss: float
    finished: bool
    seconds: float
    exported: Path


def run(root: Path) -> EncoderSummary:
    """Pre-train the encoder of `models/encoder/config.yaml`, or go on with it, and export it when it is done.

    Args:
        root: The project's folder.
    """
    params = read_yaml(root / "models" / "encoder" / "config.yaml", EncoderParams)
    work, exported = params.work(root), params.exported(root)
    torch.set_num_threads(params.pretraining.threads)
    with _processes() as device:
        tokenizer, tokens = _prepare(root, params, work)
        learned, held_out = hold_out(tokens, params.corpus.held_out_share)
        model = _new_model(params, learned)
        facts = (params.name, CORPUS_CARD)
        placeholders = params.vocabulary.placeholders
        return _learn(model, tokenizer, (learned, held_out), params.pretraining, placeholders, device, work, exported, facts)


def continue_pretraining(
    texts: Sequence[str], params: EncoderParams, *, start: Path, work: Path, exported: Path
) -> EncoderSummary:
    """Adapt an exported encoder to a deployment's own unlabelled reports.

    Args:
        texts: Redacted reports of the training side, title and text joined by a line break; never of the test side.
        params: As for the shipped encoder; `stable_tokens` and `decay_tokens` count from here.
        start: Folder of the encoder to start from.
        work: Takes the checkpoint.
        exported: Takes the result; weights made from reports stay out of the repository.
    """
    torch.set_num_threads(params.pretraining.threads)
    with _processes() as device:
        model, tokenizer = load_encoder(start)
        add_placeholders(model, tokenizer, params.vocabulary.placeholders)
        n_special = len(CONTROL_TOKENS) + len(params.vocabulary.placeholders)
        tokens = tokenize(texts, tokenizer, n_special=n_special, seed=params.pretraining.seed)
        parts = hold_out(tokens, params.corpus.held_out_share)
        facts = (exported.name, "unlabelled reports of one deployment, from a pre-trained start")
        return _learn(
            model, tokenizer, parts, params.pretraining, params.vocabulary.placeholders, device, work, exported, facts
        )


def _learn(
    model: PretrainingModel,
    tokenizer: PreTrainedTokenizerFast,
    parts: tuple[Tokens, Tokens],
    params: PretrainingParams,
    placeholders: Sequence[str],
    device: torch.device,
    work: Path,
    exported: Path,
    facts: tuple[str, str],
) -> EncoderSummary:
    """Train from the last checkpoint in `work`; export once the decay is over."""
    started = time.perf_counter()
    learned, held_out = parts
    work.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(model, params, device=device)
    trainer.restore(work)
    main = not distributed.is_initialized() or distributed.get_rank() == 0
    log = work / LOG if main else Path(os.devnull)
    with _stop_on_sigterm() as stopped, progress_log(log, trainer.position) as write:
        for progress in pretrain(trainer, learned, held_out, folder=work, stop=lambda: bool(stopped)):
            write(progress)
    n_tokens = trainer.position.tokens
    loss = trainer.held_out_loss(held_out)
    finished = n_tokens >= params.stable_tokens + params.decay_tokens
    if finished and main:
        result = trainer.master.to("cpu")
        add_placeholders(result, tokenizer, placeholders)
        card = CardFacts(facts[0], facts[1], n_tokens, len(learned.ids), loss)
        export_encoder(result, tokenizer, exported, card)
    seconds = time.perf_counter() - started
    logger.info("encoder: %d tokens read, held-out loss %.3f, finished %s (%.1f s)", n_tokens, loss, finished, seconds)
    return EncoderSummary(n_tokens, loss, finished, seconds, exported)


def _prepare(root: Path, params: EncoderParams, work: Path) -> tuple[PreTrainedTokenizerFast, Tokens]:
    """Vocabulary and tokens, from `work` where an earlier start left them; the main process makes them."""
    done = work / "tokens" / "tokens.json"
    if not done.is_file() and (not distributed.is_initialized() or distributed.get_rank() == 0):
        rules = params.corpus.rewrites
        texts = [rewrite(text, rules) for text in read_passages(root / params.corpus.folder, params.corpus.shards)]
        vocabulary = params.vocabulary
        sample = texts[:: vocabulary.sample_every]
        tokenizer = build_tokenizer(sample, vocabulary, max_length=params.model.max_positions)
        tokenizer.save_pretrained(work / "tokenizer")
        n_special = len(CONTROL_TOKENS) + len(vocabulary.placeholders)
        save_tokens(tokenize(texts, tokenizer, n_special=n_special, seed=params.pretraining.seed), done.parent)
    if distributed.is_initialized():
        distributed.barrier()
    return load_tokenizer(work / "tokenizer"), load_tokens(done.parent)


def _new_model(params: EncoderParams, learned: Tokens) -> PretrainingModel:
    """Random weights, with the embedding table started from co-occurrence where asked for."""
    torch.manual_seed(params.pretraining.seed)
    model = PretrainingModel(bert_config(params.model, learned.vocab_size))
    if params.initialization.svd:
        vectors = svd_embeddings(learned, params.initialization, width=params.model.width, seed=params.pretraining.seed)
        with torch.no_grad():
            model.encoder.embeddings.word_embeddings.weight.copy_(torch.from_numpy(vectors))
    return model


@contextmanager
def _processes() -> Iterator[torch.device]:
    """The device of this process; joins the others where `torchrun` started several."""
    gpu = torch.cuda.is_available()
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if several:
        distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if gpu else torch.device("cpu")
    finally:
        if several:
            distributed.destroy_process_group()


@contextmanager
def _stop_on_sigterm() -> Iterator[list[int]]:
    """A list that fills when SIGTERM comes, so that a step is finished and saved first."""
    stopped: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        stopped.append(number)

    before = signal.signal(signal.SIGTERM, remember)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)
