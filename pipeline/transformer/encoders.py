"""Brings the encoder: any Hugging Face encoder from a folder or a hub, or one that starts from nothing.

What comes is looked over before an hour is spent on it: that it is an encoder (not a decoder such as GPT, nor an
encoder-decoder such as T5), that its weights are all there, that its vocabulary belongs to them, and that one forward
pass works. The hub is asked only where `download` says so; nothing global is set.

Limit: two vocabularies of equal size cannot be told apart here; the saved artifact therefore keeps both together.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, BertConfig, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES
from transformers.utils import logging as library_logging

from pipeline.errors import PipelineError, TrainingError
from pipeline.transformer.params import EncoderChoice, PretrainedEncoder, RandomEncoder
from pipeline.transformer.vocabulary import learn_tokenizer

_UNUSED_ROWS_SHARE, _UNUSED_ROWS = 0.01, 256  # hubs pad embedding tables to round numbers
_SPARE_POSITIONS = 2  # RoBERTa's kin start counting positions behind the padding


@dataclass(frozen=True)
class Encoder:
    """A vocabulary and the network that reads it.

    Attributes:
        tokenizer: Turns text into token ids; has padding and separators.
        network: Gives `last_hidden_state`, shape (n_reports, n_tokens, width).
        max_positions: Longest sequence it takes, in tokens; None where it has no limit.
    """

    tokenizer: PreTrainedTokenizerBase
    network: nn.Module
    max_positions: int | None


def bring_encoder(choice: EncoderChoice, *, root: Path, texts: Sequence[str], max_tokens: int) -> Encoder:
    """Load or create the encoder that the configuration names.

    Args:
        choice: Which encoder.
        root: Project folder, against which a folder's name is read.
        texts: Training titles and texts; only an encoder from nothing without a tokenizer learns its vocabulary from them.
        max_tokens: Longest sequence it will be given, in tokens.

    Raises:
        TrainingError: If there is no such encoder, or it cannot serve.
    """
    if choice.pretrained is not None:
        encoder = _load(choice.pretrained, root)
        name = choice.pretrained.name
    elif choice.random is not None:
        encoder = _create(choice.random, root, texts)
        name = "random"
    else:
        raise TrainingError("the configuration names no encoder: set encoder.pretrained or encoder.random.")
    if encoder.max_positions is not None and max_tokens > encoder.max_positions:
        raise TrainingError(
            f"input.max_tokens is {max_tokens}, but encoder '{name}' takes at most {encoder.max_positions} tokens. Lower "
            "input.max_tokens in the model's config.yaml."
        )
    return encoder


def load_saved(folder: Path) -> Encoder:
    """Read an encoder that `save_encoder` wrote.

    Raises:
        TrainingError: If the folder does not hold a complete encoder with its vocabulary.
    """
    return _load(PretrainedEncoder(name=str(folder), revision=None, download=False), folder.parent)


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write weights and vocabulary so that `AutoModel` and `AutoTokenizer` read them by path."""
    saved: Any = encoder.network
    with _without_progress_bars():
        saved.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)


def _load(choice: PretrainedEncoder, root: Path) -> Encoder:
    where, options = _locate(choice, root)
    try:
        with _without_progress_bars():
            config = AutoConfig.from_pretrained(where, **options)
            _refuse_other_architectures(config, choice.name)
            network, report = AutoModel.from_pretrained(where, output_loading_info=True, dtype=torch.float32, **options)
            tokenizer = AutoTokenizer.from_pretrained(where, **options)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise _not_loaded(choice, where, error) from error
    _refuse_incomplete_weights(report, choice.name)
    _refuse_strangers(tokenizer, network, choice.name)
    return _ready(tokenizer, network, choice.name)


def _locate(choice: PretrainedEncoder, root: Path) -> tuple[str, dict[str, Any]]:
    """The folder or hub name, and how to ask for it."""
    folder = root / choice.name
    if folder.is_dir():
        return str(folder), {"local_files_only": True}
    return choice.name, {"local_files_only": not choice.download, "revision": choice.revision or "main"}


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Loading and saving are over in a second; their bars would stand in every log."""
    shown = library_logging.is_progress_bar_enabled()
    library_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            library_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _not_loaded(choice: PretrainedEncoder, where: str, error: Exception) -> PipelineError:
    said = str(error).strip().splitlines()[0][:200].rstrip(".") if str(error).strip() else type(error).__name__
    if Path(where).is_dir():
        return TrainingError(
            f"encoder '{choice.name}' is a folder, but no encoder with its tokenizer can be read from it: {said}. It needs "
            "config.json, model.safetensors and tokenizer.json as `save_pretrained` writes them."
        )
    tried = "on the hub" if choice.download else "in the local hub cache (encoder.pretrained.download is false)"
    return TrainingError(
        f"encoder '{choice.name}' was not found: there is no such folder in the project, and nothing of that name {tried}: "
        f"{said}. Correct encoder.pretrained.name in the model's config.yaml, or set download: true where a hub is reachable."
    )


def _refuse_other_architectures(config: Any, name: str) -> None:
    kind = "an encoder-decoder" if getattr(config, "is_encoder_decoder", False) else "a decoder-only or other model"
    is_encoder = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_encoder_decoder", False)
    if not is_encoder or getattr(config, "is_decoder", False):
        raise TrainingError(
            f"encoder '{name}' is of type '{config.model_type}', which is {kind}; the heads need an encoder that reads both "
            "ways, such as BERT, RoBERTa, ELECTRA, DeBERTa or ModernBERT. Name another in encoder.pretrained.name."
        )


def _refuse_incomplete_weights(report: dict[str, Any], name: str) -> None:
    """A fresh pooler is fine, we do not use it; anything else missing means weights of another network."""
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    strange = [str(entry) for entry in report["mismatched_keys"]]
    if missing or strange:
        example = (missing + strange)[0]
        raise TrainingError(
            f"encoder '{name}': {len(missing) + len(strange)} weight(s) of the checkpoint are missing or of another shape "
            f"(first: {example}), so weights and config.json do not belong together. Restore the folder it was exported to."
        )


def _refuse_strangers(tokenizer: PreTrainedTokenizerBase, network: Any, name: str) -> None:
    """Refuse a vocabulary that was not made for these weights."""
    n_tokens, n_rows = len(tokenizer), int(network.get_input_embeddings().weight.shape[0])
    spare = max(_UNUSED_ROWS, int(_UNUSED_ROWS_SHARE * n_rows))
    if not n_rows - spare <= n_tokens <= n_rows:
        raise TrainingError(
            f"encoder '{name}': vocabulary and checkpoint do not belong together: the tokenizer has {n_tokens} tokens, the "
            f"embedding table {n_rows} rows. Load both from the folder or hub name they were published under."
        )
    if tokenizer.pad_token_id is None or (tokenizer.sep_token_id is None and tokenizer.eos_token_id is None):
        raise TrainingError(
            f"encoder '{name}': its tokenizer has no padding or separator token, which batches and segments need. Name "
            "another encoder in encoder.pretrained.name."
        )


def _create(choice: RandomEncoder, root: Path, texts: Sequence[str]) -> Encoder:
    """A BERT of the given shape with random weights; randomness is torch's, seeded by the caller."""
    if choice.tokenizer is None:
        tokenizer = learn_tokenizer(texts, vocabulary_size=choice.vocabulary_size, max_length=choice.max_positions)
    else:
        tokenizer = _load_tokenizer(choice.tokenizer, root)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=choice.width,
        num_hidden_layers=choice.n_layers,
        num_attention_heads=choice.n_heads,
        intermediate_size=choice.feed_forward,
        max_position_embeddings=choice.max_positions,
        pad_token_id=tokenizer.pad_token_id,
    )
    network = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    return _ready(tokenizer, network, "random")


def _load_tokenizer(name: str, root: Path) -> PreTrainedTokenizerBase:
    choice = PretrainedEncoder(name=name, revision=None, download=False)
    where, options = _locate(choice, root)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(where, **options)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(choice, where, error) from error
    return tokenizer


def _ready(tokenizer: PreTrainedTokenizerBase, network: Any, name: str) -> Encoder:
    """Drop the pooler, which we do not use, and see that one forward pass works."""
    if isinstance(getattr(network, "pooler", None), nn.Module):
        network.pooler = None
    sample = torch.tensor([tokenizer("a")["input_ids"]])
    try:
        with torch.no_grad():
            network.eval()(input_ids=sample, attention_mask=torch.ones_like(sample)).last_hidden_state.shape  # noqa: B018
    except (TypeError, AttributeError, RuntimeError, IndexError, ValueError) as error:
        raise TrainingError(
            f"encoder '{name}' ({type(network).__name__}) cannot read a text: {str(error).splitlines()[0]}. Name another in "
            "encoder.pretrained.name."
        ) from error
    return Encoder(tokenizer, network, _max_positions(tokenizer, network.config))


def _max_positions(tokenizer: PreTrainedTokenizerBase, config: Any) -> int | None:
    """Longest sequence in tokens, from the network and the tokenizer; None without a limit."""
    limits = []
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and positions > 0:
        behind_padding = config.model_type not in ("bert", "electra", "distilbert", "albert", "deberta-v2", "modernbert")
        limits.append(positions - _SPARE_POSITIONS if behind_padding else positions)
    if tokenizer.model_max_length < int(1e9):  # "unlimited" is written as 1e30
        limits.append(tokenizer.model_max_length)
    return min(limits) if limits else None


def takes_segments(network: nn.Module) -> bool:
    """Whether the network distinguishes first and second segment by token types."""
    return "token_type_ids" in inspect.signature(network.forward).parameters


def pad_id(encoder: Encoder) -> int:
    """The token that fills short reports up.

    Raises:
        TrainingError: If the tokenizer has none.
    """
    if encoder.tokenizer.pad_token_id is None:
        raise TrainingError("the encoder's tokenizer has no padding token. Name another in encoder.pretrained.name.")
    return int(encoder.tokenizer.pad_token_id)


def mask_id(encoder: Encoder, token_dropout: float) -> int:
    """The token that hides others; any where nothing is hidden.

    Raises:
        TrainingError: If tokens shall be hidden and the tokenizer has none.
    """
    if encoder.tokenizer.mask_token_id is None:
        if token_dropout > 0.0:
            raise TrainingError("the encoder's tokenizer has no mask token. Set regularization.token_dropout to 0.")
        return 0
    return int(encoder.tokenizer.mask_token_id)
