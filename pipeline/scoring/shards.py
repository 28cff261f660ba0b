"""Scores a night shard by shard, so that a night that is killed goes on where it was.

A finished shard is one Arrow file, written aside, flushed to disk and renamed. Its name holds a digest of the reports in it and
of who scored them, so nothing is taken for finished that was made of other reports or by another model. Only the shard at work
is in memory beside the result; `stream_shards` holds no more than that one.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm

from pipeline import schema
from pipeline.scoring.copies import digest_reports, distinct

Score = Callable[[pd.DataFrame], pd.DataFrame]
SCORES = pa.schema([column for column in schema.PROBABILITIES.arrow if column.name not in ("report_id", "split")])
"""What a model says of a report."""
ScoreShards = Callable[[Iterable[tuple[Path, pd.DataFrame]]], Iterator[tuple[Path, pd.DataFrame]]]
"""Scores shards somewhere and gives each back with the file it belongs in, in any order."""


def score_in_shards(
    reports: pd.DataFrame,
    score: Score | None,
    *,
    folder: Path,
    identity: str,
    shard_reports: int,
    elsewhere: ScoreShards | None = None,
) -> pd.DataFrame:
    """Score reports, exact copies once, keeping every finished shard in a folder.

    Args:
        reports: With `title`, `text` and `schema.HISTORY`.
        score: Scores a table of reports; None where `elsewhere` does.
        folder: Where finished shards are kept; the caller removes it when the night is published.
        identity: Who scores: model, engine and parameters.
        shard_reports: Reports in a shard.
        elsewhere: Scores shards on other machines.

    Returns:
        The scores, one row a report, in order.
    """
    first, copy_of = distinct(reports)
    unique = reports.iloc[first]
    n_shards = max(1, -(-len(unique) // shard_reports))  # no reports are one empty shard, which has the columns
    parts = [unique.iloc[number * shard_reports : (number + 1) * shard_reports] for number in range(n_shards)]
    files = [_file(folder, number, part, identity) for number, part in enumerate(parts)]
    folder.mkdir(parents=True, exist_ok=True)
    bar = tqdm(total=len(unique), desc="scoring", unit=" reports", delay=3, disable=None, leave=False)
    with bar:
        waiting = [(file, part) for file, part in zip(files, parts, strict=True) if not file.exists()]
        bar.update(len(unique) - sum(len(part) for _, part in waiting))
        for file, scores in elsewhere(waiting) if elsewhere is not None and waiting else _here(waiting, score):
            write_scores(scores, file)
            bar.update(len(scores))
    together = pa.concat_tables([_read(file) for file in files]).take(pa.array(copy_of))
    return _to_frame(together)


def stream_shards(batches: Iterable[pa.RecordBatch], score: Score, *, folder: Path, identity: str) -> Iterator[pa.RecordBatch]:
    """Score a stream of Arrow batches of reports, each a shard; memory does not grow with their number.

    Args:
        batches: Reports with `title`, `text` and `schema.HISTORY`.
        score: Scores a table of reports.
        folder: Where finished shards are kept.
        identity: Who scores: model, engine and parameters.

    Yields:
        The scores of each batch, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, batch in enumerate(batches):
        reports = batch.to_pandas()
        file = _file(folder, number, reports, identity)
        if not file.exists():
            first, copy_of = distinct(reports)
            write_scores(score(reports.iloc[first]).iloc[copy_of], file)
        yield from _read(file).combine_chunks().to_batches()


def _here(waiting: Iterable[tuple[Path, pd.DataFrame]], score: Score | None) -> Iterator[tuple[Path, pd.DataFrame]]:
    if score is not None:
        for file, part in waiting:
            yield file, score(part)


def forget(folder: Path) -> None:
    """Remove finished shards; the night they were made for is published."""
    shutil.rmtree(folder, ignore_errors=True)


def _file(folder: Path, number: int, part: pd.DataFrame, identity: str) -> Path:
    digest = hashlib.sha256(identity.encode())
    digest.update(np.ascontiguousarray(digest_reports(part)).tobytes())
    return folder / f"{number:06d}-{digest.hexdigest()[:20]}.arrow"


def write_scores(scores: pd.DataFrame, file: Path) -> None:
    """Write a shard's scores aside, flush them to disk, and rename."""
    aside = file.with_suffix(f".{os.getpid()}.writing")
    table = pa.Table.from_pandas(scores, schema=SCORES, preserve_index=False) if len(scores) else SCORES.empty_table()
    with aside.open("wb") as sink:
        with pa.ipc.new_file(sink, SCORES) as writer:
            writer.write_table(table)
        sink.flush()
        os.fsync(sink.fileno())
    aside.replace(file)


def _read(file: Path) -> pa.Table:
    with pa.OSFile(str(file), "rb") as source:
        return pa.ipc.open_file(source).read_all()


def _to_frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.astype({column.name: object for column in SCORES if pa.types.is_string(column.type)})
