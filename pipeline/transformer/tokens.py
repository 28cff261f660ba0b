"""Title and text become token ids, once, and lie in an Arrow file that is memory-mapped.

Title and text go in as a pair of segments, or joined by the separator; the special tokens around them are those the
tokenizer itself would set. A text that does not fit keeps its head and its tail (Sun et al. 2019, "How to fine-tune BERT for
text classification"): a report opens with what happened and closes with what is asked for.

The file's name is a digest of the texts, the vocabulary and the input parameters, so another seed or learning rate finds it
again and any other change does not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from datasets import Dataset
from datasets.table import InMemoryTable
from transformers import PreTrainedTokenizerBase

from pipeline.errors import TrainingError
from pipeline.transformer.params import InputParams

SCHEMA = pa.schema([pa.field("input_ids", pa.list_(pa.int32())), pa.field("second_from", pa.int32())])
"""Token ids of a report, and the position from which they belong to the second segment."""
_CHUNK_REPORTS = 2000


@dataclass(frozen=True)
class Frame:
    """The special tokens around title and text, and the token type of the second segment."""

    before: list[int]
    between: list[int]
    after: list[int]
    second_type: int

    @property
    def n_tokens(self) -> int:
        """Special tokens a report carries."""
        return len(self.before) + len(self.between) + len(self.after)


def special_tokens(tokenizer: PreTrainedTokenizerBase, joining: str) -> Frame:
    """Find out which special tokens the tokenizer sets around one text or two.

    Raises:
        TrainingError: If the tokenizer is not a fast one, whose segments can be told apart.
    """
    if not tokenizer.is_fast:
        raise TrainingError(
            f"tokenizer {type(tokenizer).__name__} has no fast version, which segments are told apart by. Name an encoder "
            "with a tokenizer.json in encoder.pretrained.name."
        )
    if joining == "joined":
        ids, segments, _ = _sample(tokenizer, ["a"])
        separator = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
        return Frame(ids[: segments.index(0)], [separator], ids[_end(segments, 0) :], second_type=0)
    ids, segments, types = _sample(tokenizer, ["a", "b"])
    first, second = segments.index(0), segments.index(1)
    return Frame(ids[:first], ids[_end(segments, 0) : second], ids[_end(segments, 1) :], second_type=types[second])


def _sample(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> tuple[list[int], list[int | None], list[int]]:
    encoded = tokenizer(*texts, return_token_type_ids=True)
    return encoded["input_ids"], encoded.sequence_ids(0), encoded["token_type_ids"]


def _end(segments: list[int | None], segment: int) -> int:
    """Position behind the last token of a segment."""
    return len(segments) - segments[::-1].index(segment)


def keep_head_and_tail(ids: Sequence[int], n_tokens: int, head_share: float) -> list[int]:
    """Shorten a text to its head and its tail.

    Args:
        ids: Token ids of the text.
        n_tokens: Most tokens to keep.
        head_share: Share of them taken from the head, in [0, 1].
    """
    if len(ids) <= n_tokens:
        return list(ids)
    n_head = round(n_tokens * head_share)
    return [*ids[:n_head], *ids[len(ids) - (n_tokens - n_head) :]]


def tokenize(titles: Sequence[str], texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, params: InputParams) -> pa.Table:
    """Turn reports into token ids.

    Args:
        titles: Titles, empty where there is none.
        texts: Redacted texts, any length including empty.
        tokenizer: The encoder's.
        params: Joining and lengths in tokens.

    Returns:
        A table of `SCHEMA`, one row a report, in order.
    """
    frame = special_tokens(tokenizer, params.joining)
    rows, starts = [], []
    for title, text in zip(_plain_ids(tokenizer, titles), _plain_ids(tokenizer, texts), strict=True):
        opening = [*frame.before, *title[: params.max_title_tokens], *frame.between]
        n_left = params.max_tokens - len(opening) - len(frame.after)
        rows.append([*opening, *keep_head_and_tail(text, n_left, params.head_share), *frame.after])
        starts.append(len(opening))
    return pa.table({"input_ids": rows, "second_from": starts}, schema=SCHEMA)


def _plain_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids without special tokens; the length warning of the library does not apply, we shorten."""
    if not texts:
        return []
    options = {"add_special_tokens": False, "return_attention_mask": False, "return_token_type_ids": False, "verbose": False}
    ids: list[list[int]] = tokenizer(list(texts), **options)["input_ids"]
    return ids


def as_dataset(table: pa.Table) -> Dataset:
    """Tokenized reports as a dataset in memory."""
    return Dataset(InMemoryTable(table)).with_format("arrow")


def tokenized_once(
    reports: pd.DataFrame, tokenizer: PreTrainedTokenizerBase, params: InputParams, folder: Path | None
) -> Dataset:
    """Tokenize reports, or find them tokenized.

    Args:
        reports: Rows with `title` and `text`.
        tokenizer: The encoder's.
        params: Joining and lengths in tokens.
        folder: Where tokenized reports are kept; None keeps them in memory.

    Raises:
        TrainingError: If the file cannot be written.
    """
    titles, texts = reports["title"].tolist(), reports["text"].tolist()
    if folder is None:
        return as_dataset(tokenize(titles, texts, tokenizer, params))
    path = folder / f"{_digest(titles, texts, tokenizer, params)}.arrow"
    if not path.exists():
        _write(path, titles, texts, tokenizer, params)
    return Dataset.from_file(str(path)).with_format("arrow")


def _write(path: Path, titles: list[str], texts: list[str], tokenizer: PreTrainedTokenizerBase, params: InputParams) -> None:
    """Write chunk by chunk, aside and then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.writing")
    try:
        with pa.OSFile(str(aside), "wb") as file, pa.ipc.new_stream(file, SCHEMA) as stream:
            for start in range(0, len(texts), _CHUNK_REPORTS):
                chunk = slice(start, start + _CHUNK_REPORTS)
                stream.write_table(tokenize(titles[chunk], texts[chunk], tokenizer, params))
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise TrainingError(f"tokenized reports could not be written to {path.parent} ({error}). Free space there.") from error


def _digest(titles: list[str], texts: list[str], tokenizer: PreTrainedTokenizerBase, params: InputParams) -> str:
    digest = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode())
    digest.update(params.model_dump_json().encode())
    for title, text in zip(titles, texts, strict=True):
        digest.update(f"{len(title)} {len(text)} {title}{text}".encode())
    return digest.hexdigest()[:24]
