"""The same scoring on a Ray cluster: shards travel to the nodes as Arrow tables and come back as scores.

Ray Data does the scheduling, the retries and the sending; a node that dies takes nothing with it, its shards are scored again
on another. Every shard is scored whole, by the very function a single machine uses, so the queue is the same byte for byte.
The model travels once to each node.
"""

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from pipeline.errors import ParameterError
from pipeline.schema import HISTORY
from pipeline.scoring.shards import SCORES, Score, ScoreShards

logger = logging.getLogger(__name__)

_READ = ("title", "text", *HISTORY)
_SHARD = "shard"
_ANSWERS_SECONDS = 10
_NO_CLUSTER = "No Ray cluster answers at '{}'. Start one with `ray start --head`, or correct --address."
_TOKEN = " If it runs and asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN before this command."
Shards = Iterable[tuple[Path, pd.DataFrame]]


def on_ray(address: str | None) -> Callable[[Score], ScoreShards]:
    """Take the scoring to a Ray cluster.

    Args:
        address: Of a running cluster, such as `10.0.0.5:6379` or `auto`; None starts one on this machine.

    Returns:
        From what scores a table of reports, what scores shards.

    Raises:
        ParameterError: If Ray is not installed, or no cluster answers.
    """
    ray = _connect(address)

    def prepare(score: Score) -> ScoreShards:
        def score_shards(waiting: Shards) -> Iterator[tuple[Path, pd.DataFrame]]:
            files = []
            tables = []
            for number, (file, part) in enumerate(waiting):
                files.append(file)
                tables.append(_sent(part, number))
            yield from _scored(ray, ray.put(score), files, tables)

        return score_shards

    return prepare


def _connect(address: str | None) -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ParameterError("Ray is not installed. Install it with `pip install 'dispute-triage[ray]'`.") from error
    if not ray.is_initialized():
        _refuse_silence(address)
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ParameterError(_NO_CLUSTER.format(address) + _TOKEN) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = 0
    return ray


def _refuse_silence(address: str | None) -> None:
    """Ray itself waits five minutes for a cluster that is not there."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=_ANSWERS_SECONDS).close()
        except OSError as error:
            raise ParameterError(_NO_CLUSTER.format(address)) from error


def _sent(part: pd.DataFrame, number: int) -> pa.Table:
    """A shard as it travels: what a model reads and no more, with the shard's number."""
    table = pa.Table.from_pandas(part[list(_READ)], preserve_index=False)
    return table.append_column(_SHARD, pa.array([number] * len(table), pa.int64()))


class _Scorer:
    """Scores whole shards in a process of its own; loads the model when it starts."""

    def __init__(self, score: Any) -> None:
        import ray

        self._score: Score = ray.get(score[0])  # inside a list Ray hands over the reference, not the model

    def __call__(self, shard: pa.Table) -> pa.Table:
        reports = shard.to_pandas()
        scores = pa.Table.from_pandas(self._score(reports.drop(columns=_SHARD)), schema=SCORES, preserve_index=False)
        return scores.append_column(_SHARD, shard[_SHARD])


def _scored(ray: Any, score: Any, files: list[Path], tables: list[pa.Table]) -> Iterator[tuple[Path, pd.DataFrame]]:
    empty = [number for number, table in enumerate(tables) if len(table) == 0]
    for number in empty:  # a block without rows is not passed on
        yield files[number], ray.get(score)(tables[number].to_pandas().drop(columns=_SHARD))
    if len(empty) == len(tables):
        return
    n_nodes = sum(node["Alive"] for node in ray.nodes())
    scored = ray.data.from_arrow(tables).map_batches(
        _Scorer,
        fn_constructor_args=([score],),
        batch_size=None,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, n_nodes)),
        num_cpus=1,
    )
    for block in scored.iter_batches(batch_size=None, batch_format="pyarrow"):
        for number in block[_SHARD].unique().to_pylist():
            of_shard = block.filter(pa.compute.equal(block[_SHARD], number))
            yield files[number], of_shard.drop_columns(_SHARD).to_pandas()
