"""Tables written part by part next to their place, and put in place at once when all is well."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow.parquet as pq

from pipeline.schema import Table


class Aside:
    """A Parquet file in the making; left without `put_in_place`, it is removed and the earlier file stays."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path = path
        self._aside = path.with_name(path.name + ".writing")
        self._table = table

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._aside, self._table.arrow, compression="zstd")
        return self

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows of the table."""
        if len(frame):
            self._writer.write_table(self._table.to_arrow(frame))

    def put_in_place(self) -> None:
        """Finish the file and let it replace the earlier one."""
        self._writer.close()
        self._aside.replace(self._path)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()
        self._aside.unlink(missing_ok=True)
