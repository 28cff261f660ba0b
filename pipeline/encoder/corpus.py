"""From passages of raw text to one memory-mapped array of token ids, and from there to packed rows.

The passages are shuffled once with a seed, tokenised once, and laid end to end with a [SEP] behind each. A row is [CLS]
and the next `length - 1` tokens: nothing is padded. Rows come in pairs of neighbours, so that a passage lying across the
border gives two views of one text to the contrast. Which rows a step reads is a function of (seed, step) alone: a run
that was killed needs no data position to go on exactly as it would have.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard
from transformers import PreTrainedTokenizerFast

from pipeline.encoder.params import Rewrite
from pipeline.errors import ArtifactError, SourceError

_TOKENIZE_AT_ONCE = 2_000
_SHARE_STEPS = 10_000


@dataclass(frozen=True)
class Tokens:
    """Passages as ids, end to end.

    Attributes:
        ids: Token ids, shape (n_tokens,), uint16; every passage ends with [SEP].
        ends: Index behind the last token of each passage, shape (n_passages,), ascending.
        vocab_size: Size of the vocabulary the ids belong to.
        cls_id: Id of [CLS].
        mask_id: Id of [MASK].
        n_special: Ids below this are control tokens or placeholders and are never masked.
    """

    ids: np.ndarray
    ends: np.ndarray
    vocab_size: int
    cls_id: int
    mask_id: int
    n_special: int


def read_passages(folder: Path, shards: str) -> Iterator[str]:
    """Yield the texts of every shard, in the order of file name and line.

    Args:
        folder: Where the shards lie.
        shards: Glob of JSON-lines files with a `text` key, plain or compressed with Zstandard (`.zst`).

    Raises:
        SourceError: If no file matches, or a line is not what it should be.
    """
    files = sorted(folder.glob(shards))
    if not files:
        raise SourceError(f"no corpus shard matches '{shards}' in {folder}: set corpus.folder and corpus.shards.")
    for file in files:
        with file.open("rb") as raw:
            stream = zstandard.ZstdDecompressor().stream_reader(raw) if file.suffix == ".zst" else raw
            with io.TextIOWrapper(stream, encoding="utf-8") as lines:
                yield from _texts(lines, file.name)


def _texts(lines: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        try:
            yield str(json.loads(line)["text"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise SourceError(f"{name} line {number} is not a JSON object with a 'text' key.") from error


def rewrite(text: str, rules: Sequence[Rewrite]) -> str:
    """Apply each rule to its share of the passages, chosen by the passage's own checksum."""
    draw = zlib.crc32(text.encode()) % _SHARE_STEPS
    for rule in rules:
        if draw < rule.share * _SHARE_STEPS:
            text = re.sub(rule.pattern, rule.replacement, text)
    return text


def tokenize(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, *, n_special: int, seed: int) -> Tokens:
    """Shuffle passages and turn them into ids.

    Args:
        texts: Passages.
        tokenizer: The vocabulary.
        n_special: Number of control tokens and placeholders; they have the lowest ids.
        seed: Of the shuffle.
    """
    order = np.random.default_rng(seed).permutation(len(texts))
    pieces: list[np.ndarray] = []
    for start in range(0, len(order), _TOKENIZE_AT_ONCE):
        batch = [texts[index] for index in order[start : start + _TOKENIZE_AT_ONCE]]
        encoded = tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]
        pieces += [np.array([*ids, tokenizer.sep_token_id], dtype=np.uint16) for ids in encoded if ids]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    ids = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.uint16)
    return Tokens(ids, ends, len(tokenizer), int(tokenizer.cls_token_id), int(tokenizer.mask_token_id), n_special)


def save_tokens(tokens: Tokens, folder: Path) -> None:
    """Write the arrays so that `load_tokens` can map them into memory."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "ids.npy", tokens.ids)
    np.save(folder / "ends.npy", tokens.ends)
    facts = {key: getattr(tokens, key) for key in ("vocab_size", "cls_id", "mask_id", "n_special")}
    (folder / "tokens.json").write_text(json.dumps(facts), encoding="utf-8")


def load_tokens(folder: Path) -> Tokens:
    """Map tokens into memory.

    Raises:
        ArtifactError: If the folder is not complete.
    """
    try:
        facts = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
        return Tokens(np.load(folder / "ids.npy", mmap_mode="r"), np.load(folder / "ends.npy"), **facts)
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(f"{folder} does not hold a tokenised corpus: remove it and run the stage again.") from error


def hold_out(tokens: Tokens, share: float) -> tuple[Tokens, Tokens]:
    """Divide into what is learned from and the last `share` of the passages, by which the loss is judged."""
    n_kept = len(tokens.ends) - max(1, round(len(tokens.ends) * share))
    if n_kept < 1:
        raise SourceError(f"the corpus has {len(tokens.ends)} passages: too few to hold any out.")
    cut = int(tokens.ends[n_kept - 1])
    rest = {key: getattr(tokens, key) for key in ("vocab_size", "cls_id", "mask_id", "n_special")}
    learned = Tokens(tokens.ids[:cut], tokens.ends[:n_kept], **rest)
    return learned, Tokens(tokens.ids[cut:], tokens.ends[n_kept:] - cut, **rest)


@dataclass(frozen=True)
class Rows:
    """Packed rows; rows 2i and 2i + 1 are neighbours in the stream.

    Attributes:
        ids: Token ids, shape (n_rows, length).
        shared: True where a token belongs to the passage that lies across the border of its pair, same shape; all False
            where a passage ends at the border.
    """

    ids: np.ndarray
    shared: np.ndarray


def rows_at(tokens: Tokens, batch: int, *, n_rows: int, length: int, seed: int) -> Rows:
    """The rows of the batch with this number; the same number always gives the same rows.

    Every epoch shifts the borders and permutes the pairs anew. The last incomplete batch of an epoch is left out.

    Args:
        tokens: The corpus.
        batch: Number of the batch since the start of training, from 0.
        n_rows: Rows per batch, even.
        length: Tokens per row with [CLS].
        seed: Of the order.

    Raises:
        SourceError: If the corpus does not fill one batch.
    """
    width = 2 * (length - 1)
    n_pairs = (len(tokens.ids) - width) // width
    per_epoch = n_pairs // (n_rows // 2)
    if per_epoch < 1:
        raise SourceError(f"the corpus has {len(tokens.ids)} tokens, too few for one batch of {n_rows} rows of {length}.")
    epoch, place = divmod(batch, per_epoch)
    rng = np.random.default_rng((seed, epoch))
    shift = int(rng.integers(width))
    pairs = rng.permutation(n_pairs)[place * (n_rows // 2) : (place + 1) * (n_rows // 2)]
    index = shift + pairs[:, None] * width + np.arange(width)  # (n_pairs, 2 * (length - 1))
    passage = np.searchsorted(tokens.ends, index, side="right")
    same = (passage == passage[:, length - 2, None]) & (passage[:, length - 2] == passage[:, length - 1])[:, None]
    ids = np.empty((n_rows, length), dtype=np.int64)
    ids[:, 0] = tokens.cls_id
    ids[:, 1:] = tokens.ids[index].reshape(n_rows, length - 1)
    shared = np.zeros((n_rows, length), dtype=bool)
    shared[:, 1:] = same.reshape(n_rows, length - 1)
    return Rows(ids, shared)
