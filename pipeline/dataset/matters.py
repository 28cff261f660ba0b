"""Reports grouped by matter and in order of time: what labels look forward over and history looks back over.

Most matters have one report and need no loop, so the cost of a loop over the others is linear in reports and small.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MICROSECONDS_A_DAY = 86_400_000_000
UNKNOWN = -1


@dataclass(frozen=True)
class Matter:
    """The dated reports of one matter, ascending by time.

    Attributes:
        places: Position of each in the table, shape (n_reports,).
        received: Microseconds since 1970 at which each arrived, shape (n_reports,).
        reporters: Number of each one's reporter, UNKNOWN where there is none, shape (n_reports,).
    """

    places: list[int]
    received: list[int]
    reporters: list[int]


def microseconds(instants: "pd.Series[pd.Timestamp]") -> NDArray[np.int64]:
    """Microseconds since 1970, shape (n_instants,); meaningless where null."""
    return np.asarray(instants.astype("datetime64[us, UTC]").astype("int64"), dtype=np.int64)


def repeated_matters(reports: pd.DataFrame) -> Iterator[Matter]:
    """Matters with at least two dated reports.

    Args:
        reports: A table with `received_at`, `matter_id` and `reporter_hash`; its index plays no part.
    """
    places = np.flatnonzero(reports["received_at"].notna().to_numpy())
    if not len(places):
        return
    received = microseconds(reports["received_at"].iloc[places])
    matters, _ = pd.factorize(reports["matter_id"].iloc[places])
    reporters, _ = pd.factorize(reports["reporter_hash"].iloc[places])
    order = np.lexsort((places, received, matters))
    starts = np.flatnonzero(np.r_[True, np.diff(matters[order]) != 0])
    for start, stop in zip(starts, np.r_[starts[1:], len(order)], strict=True):
        if stop - start > 1:
            rows = order[start:stop]
            yield Matter(places[rows].tolist(), received[rows].tolist(), reporters[rows].tolist())
