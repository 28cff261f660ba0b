"""From narrative to text: normalize, redact, hash the reporter. Each row by itself, so batches can go to several processes.

Area and channel are redacted too: exports exist whose area column holds full addresses, or a telephone number in the channel.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from typing import TypeVar

import pandas as pd

from pipeline.intake.hashing import hash_reporter
from pipeline.intake.normalization import normalize
from pipeline.intake.redaction import redact
from pipeline.intake.rejection import Reason, rejected_rows

Tag = TypeVar("Tag")
_FEW_BATCHES = 5  # 2,000 reports take 0.4 s to clean, a process one or two seconds to start


@dataclass(frozen=True)
class Cleaned:
    """A batch without personal data.

    Attributes:
        rows: REPORTS columns up to `segmented`, and `duplicate_key`.
        rejected: REJECTED rows of which normalizing left nothing.
        placeholders: How often each placeholder was put into a title or text.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    placeholders: Counter[str]


def clean(rows: pd.DataFrame, *, simplify: bool, key: bytes) -> Cleaned:
    """Turn validated rows into rows that may leave intake.

    Args:
        rows: `rows` of `validation.Validated`, of one source.
        simplify: Whether traditional characters become simplified ones.
        key: Secret key of the reporters' hashes.
    """
    placeholders: Counter[str] = Counter()
    cleaned = {
        column: [_clean_text(cell, simplify=simplify, placeholders=placeholders) for cell in rows[narrative]]
        for column, narrative in (("title", "title"), ("text", "narrative"))
    }
    table = rows.drop(columns=["narrative", "reporter"]).assign(**cleaned)
    for column in ("area", "channel"):
        known = {
            cell: _clean_text(cell, simplify=simplify, placeholders=Counter()) or None
            for cell in rows[column].dropna().unique()
        }
        table[column] = pd.Series([known.get(cell) for cell in rows[column]], dtype=object, index=rows.index)
    hashes = [
        None if reporter is None else hash_reporter(reporter, source, key)
        for source, reporter in zip(rows["source"], rows["reporter"], strict=True)
    ]
    table["reporter_hash"] = pd.Series(hashes, dtype=object, index=rows.index)
    is_empty = table["text"] == ""
    lost = table[is_empty]
    source = "" if lost.empty else str(lost["source"].iloc[0])
    rejected = rejected_rows(source, lost["source_row"].tolist(), [Reason.NO_TEXT] * len(lost))
    return Cleaned(table[~is_empty].reset_index(drop=True), rejected, placeholders)


def _clean_text(narrative: str | None, *, simplify: bool, placeholders: Counter[str]) -> str:
    """A text without personal data; the placeholders put in are added to `placeholders`."""
    if narrative is None:
        return ""
    redaction = redact(normalize(narrative, simplify=simplify))
    placeholders.update(redaction.counts)
    return str(redaction.text)


def clean_all(
    batches: Iterable[tuple[Tag, pd.DataFrame]], *, simplify: bool, key: bytes, n_processes: int
) -> Iterator[tuple[Tag, Cleaned]]:
    """Clean batches in order, in several processes where there are enough of them.

    Args:
        batches: Something to recognize a batch by, and its rows.
        simplify: As for `clean`.
        key: As for `clean`.
        n_processes: Processes; at most three batches for each are held in memory.
    """
    work = partial(clean, simplify=simplify, key=key)
    stream = iter(batches)
    first = list(islice(stream, _FEW_BATCHES))
    stream = chain(first, stream)
    if n_processes == 1 or len(first) < _FEW_BATCHES:
        yield from ((tag, work(rows)) for tag, rows in stream)
        return
    with ProcessPoolExecutor(n_processes, mp_context=get_context("spawn")) as pool:
        waiting: deque[tuple[Tag, Future[Cleaned]]] = deque()
        for tag, rows in stream:
            waiting.append((tag, pool.submit(work, rows)))
            if len(waiting) >= 3 * n_processes:
                done_tag, done = waiting.popleft()
                yield done_tag, done.result()
        while waiting:
            done_tag, done = waiting.popleft()
            yield done_tag, done.result()
