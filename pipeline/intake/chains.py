"""An inverted index that only looks back: for a key, the rows that had it before, latest first.

Entries of one key form a chain: each knows the one before it, and a table knows the last. A batch is chained and followed
with a few array operations whatever its size, and a row sees exactly the rows before it, also those of its own batch; so it
does not matter how a history is cut into batches. Following at most `limit` steps keeps the cost linear when a key becomes
common. Eight bytes an entry and four a possible key.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.intake.grams import Growing, Rows
from pipeline.intake.pairs import NONE


class Chains:
    """Keys in [0, n_keys) with the rows that had them."""

    def __init__(self, n_keys: int) -> None:
        self._last = np.full(n_keys, NONE, dtype=np.int32)
        self._before = Growing(np.int32)
        self._row = Growing(np.int32)

    def append(self, keys: NDArray[np.integer], rows: Rows) -> Rows:
        """Add entries, in the order of their rows.

        Args:
            keys: Shape (n_entries,).
            rows: The row each key belongs to, ascending, none below a row added before; shape (n_entries,).

        Returns:
            For every entry the entry before it in its chain, or NONE; shape (n_entries,).
        """
        first = len(self._row.values)
        order = np.sort((keys.astype(np.int64) << 32) | np.arange(len(keys)))  # by key, then as they came
        where, key = order & 0xFFFFFFFF, order >> 32
        before = np.full(len(keys), NONE, dtype=np.int64)
        same = np.zeros(len(keys), dtype=bool)
        same[1:] = key[1:] == key[:-1]
        before[where[1:]] = first + where[:-1]
        opens = ~same
        before[where[opens]] = self._last[key[opens]]
        closes = np.ones(len(keys), dtype=bool)
        closes[:-1] = opens[1:]
        self._last[key[closes]] = first + where[closes]
        self._before.append(before.astype(np.int32))
        self._row.append(rows.astype(np.int32))
        return before

    def find(self, keys: NDArray[np.integer]) -> Rows:
        """The last entry of every key, or NONE, without adding anything."""
        last: Rows = self._last[keys].astype(np.int64)
        return last

    def follow(self, entries: Rows, *, limit: int) -> tuple[Rows, Rows]:
        """Walk back from some entries.

        Args:
            entries: Entries to start from, NONE where there is none; shape (n,).
            limit: Most entries to visit in each chain, the first included.

        Returns:
            Pairs (position in `entries`, row visited).
        """
        positions = np.flatnonzero(entries != NONE)
        current = entries[positions]
        before, row = self._before.values, self._row.values
        found_positions, found_rows = [], []
        for _ in range(limit):
            if not len(current):
                break
            found_positions.append(positions)
            found_rows.append(row[current].astype(np.int64))
            current = before[current].astype(np.int64)
            goes_on = current != NONE
            positions, current = positions[goes_on], current[goes_on]
        if not found_rows:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return np.concatenate(found_positions), np.concatenate(found_rows)
