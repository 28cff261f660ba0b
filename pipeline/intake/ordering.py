"""Putting more rows in order than fit into memory: written once as they come, then once more by where they belong.

The first pass writes batches to a temporary file; only the ranks are kept. The second deals the rows out into files of
`BUCKET_ROWS` consecutive ranks each, which are then read and sorted one after another. Everything written is redacted already,
and gone when the folder is.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import schema

BUCKET_ROWS = 20_000
_GIVEN_LATER = ("duplicate_group", "duplicate_of", "matter_id")
ARRIVED = pa.schema(
    [field for field in schema.REPORTS.arrow if field.name not in _GIVEN_LATER] + [pa.field("duplicate_key", pa.string())]
)
"""REPORTS before duplicates and matters are known, with the copies the source itself declares."""
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class Spool:
    """Rows set aside in the order they came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "arrived.arrow"
        self._writer = pa.ipc.new_stream(self._path, ARRIVED, options=_OPTIONS)
        self.n_rows = 0

    def append(self, rows: pd.DataFrame) -> None:
        """Set rows aside, with the columns of `ARRIVED`."""
        if len(rows):
            self._writer.write_table(pa.Table.from_pandas(rows[ARRIVED.names], schema=ARRIVED, preserve_index=False))
            self.n_rows += len(rows)

    def in_order(self, ranks: NDArray[np.int64]) -> Iterator[pd.DataFrame]:
        """Give the rows back in order, at most `BUCKET_ROWS` at a time; nothing can be appended any more.

        Args:
            ranks: Place of each row, shape (n_rows,): 0, 1, 2, … for those to keep, -1 for those to leave out.
        """
        self._writer.close()
        paths = self._deal(ranks)
        self._path.unlink()
        for path in paths:
            with pa.ipc.open_stream(path) as reader:
                table = reader.read_all()
            path.unlink()
            yield table.sort_by("rank").drop_columns("rank").to_pandas()

    def _deal(self, ranks: NDArray[np.int64]) -> list[Path]:
        """Write every row to the file of its ranks; returns the files in order."""
        n_files = -(-(int(ranks.max(initial=-1)) + 1) // BUCKET_ROWS)
        paths = [self._folder / f"{number}.arrow" for number in range(n_files)]
        ranked = ARRIVED.append(pa.field("rank", pa.int64()))
        writers = [pa.ipc.new_stream(path, ranked, options=_OPTIONS) for path in paths]
        start = 0
        with pa.ipc.open_stream(self._path) as reader:
            for batch in reader:
                places = ranks[start : start + batch.num_rows]
                start += batch.num_rows
                table = pa.Table.from_batches([batch]).append_column("rank", pa.array(places))
                buckets = np.where(places >= 0, places // BUCKET_ROWS, -1)
                for bucket in np.unique(buckets[buckets >= 0]):
                    writers[bucket].write_table(table.filter(pa.array(buckets == bucket)))
        for writer in writers:
            writer.close()
        return paths
