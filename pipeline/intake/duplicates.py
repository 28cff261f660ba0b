"""Copies and near copies of earlier reports: Jaccard similarity of character 3-grams, found by MinHash and verified exactly.

The signature is a one-permutation MinHash: the hashed 3-grams are cut into 64 bins and each bin's smallest value kept, empty
bins borrowing from the next (Broder, On the resemblance and containment of documents, 1997; Li, Owen and Zhang, One
permutation hashing, 2012; Shrivastava and Li, Densifying one permutation hashing via rotation, 2014). Sixteen bands of four
values are the keys of a chained index (Leskovec, Rajaraman and Ullman, Mining of massive datasets, chapter 3): at similarity
0.8 a pair meets in some band with probability 0.9998. Pairs that meet are compared 3-gram by 3-gram, so nothing below the
threshold is ever called a duplicate. Equal normalized texts have equal signatures and need no index of their own.

Limit: of the reports that share a band only the latest `MAX_PER_BAND` are compared.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.intake.chains import Chains
from pipeline.intake.grams import TRIGRAM_BITS, GramSets, GramStore, Growing, Rows
from pipeline.intake.pairs import Reals, best_earlier, n_shared

N_BINS, N_BANDS, MAX_PER_BAND = 64, 16, 6
_PER_BAND = N_BINS // N_BANDS
_BIN_BITS = TRIGRAM_BITS - 6  # of a code, 6 bits are the bin and 16 the value in it
_DATED_SLOTS, _UNDATED_SLOTS = 1 << 23, 1 << 21
_ESTIMATE_SLACK = 0.25  # five standard deviations of a 64-value estimate at similarity 0.8
_MIX = np.uint64(0x9E3779B97F4A7C15)


def signatures(sets: GramSets) -> NDArray[np.uint16]:
    """One-permutation MinHash of 3-gram sets.

    Returns:
        Shape (n_reports, N_BINS); the share of equal values of two reports estimates their Jaccard similarity. An empty set
        has zeros.
    """
    n_reports = len(sets.starts) - 1
    codes = sets.codes.astype(np.int64)
    cells = np.repeat(np.arange(n_reports), np.diff(sets.starts)) * N_BINS + (codes >> _BIN_BITS)
    first = np.ones(len(cells), dtype=bool)
    first[1:] = cells[1:] != cells[:-1]  # codes ascend, so the first in a bin is its smallest
    values = np.full(n_reports * N_BINS, -1, dtype=np.int64)
    values[cells[first]] = codes[first] & ((1 << _BIN_BITS) - 1)
    ring = np.tile(values.reshape(n_reports, N_BINS), (1, 2))  # (n_reports, 2 * N_BINS)
    filled = np.where(ring >= 0, np.arange(2 * N_BINS), 2 * N_BINS)
    nearest = np.minimum.accumulate(filled[:, ::-1], axis=1)[:, ::-1][:, :N_BINS]
    borrowed = np.take_along_axis(ring, np.minimum(nearest, 2 * N_BINS - 1), axis=1)
    borrowed += 7919 * (nearest - np.arange(N_BINS))  # what was borrowed from afar differs from what was there
    return np.where(nearest < 2 * N_BINS, borrowed, 0).astype(np.uint16)


def _band_slots(signature: NDArray[np.uint16], n_slots: int) -> NDArray[np.int64]:
    """Slot of each band in an index, shape (n_reports, N_BANDS)."""
    bands = signature.reshape(len(signature), N_BANDS, _PER_BAND).astype(np.uint64)
    keys = np.tile(np.arange(1, N_BANDS + 1, dtype=np.uint64), (len(signature), 1))
    for step in range(_PER_BAND):
        keys = (keys ^ bands[:, :, step]) * _MIX
        keys ^= keys >> np.uint64(31)
    return (keys % np.uint64(n_slots)).astype(np.int64)


class DuplicateIndex:
    """Finds, for each report, the most similar earlier one above the threshold.

    Reports without a date come after all dated ones: they look at both kinds, dated reports never look at them.
    """

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self._store = GramStore()
        self._dated, self._undated = Chains(_DATED_SLOTS), Chains(_UNDATED_SLOTS)
        self._signatures = Growing(np.uint16)

    @property
    def store(self) -> GramStore:
        """The 3-gram sets of all reports so far."""
        return self._store

    def add(self, sets: GramSets, *, dated: bool) -> tuple[Rows, Rows]:
        """Add reports; they get the next row numbers.

        Args:
            sets: Their 3-grams.
            dated: Whether they have an arrival time.

        Returns:
            Pairs (row, earlier row) that share a band.
        """
        rows = np.arange(len(self._store), len(self._store) + len(sets.starts) - 1)
        signature = signatures(sets)
        self._store.append(sets)
        self._signatures.append(signature.ravel())
        holds_any = np.diff(sets.starts) > 0
        signature, owners = signature[holds_any], np.repeat(rows[holds_any], N_BANDS)
        slots = _band_slots(signature, _DATED_SLOTS).ravel()
        if dated:
            visits = [self._dated.follow(self._dated.append(slots, owners), limit=MAX_PER_BAND)]
        else:
            undated_slots = _band_slots(signature, _UNDATED_SLOTS).ravel()
            visits = [self._dated.follow(self._dated.find(slots), limit=MAX_PER_BAND)]
            visits.append(self._undated.follow(self._undated.append(undated_slots, owners), limit=MAX_PER_BAND))
        pairs = np.unique(np.concatenate([(owners[entry] << 32) | row for entry, row in visits]))
        left, right = pairs >> 32, pairs & 0xFFFFFFFF
        return left[right < left], right[right < left]

    def most_similar(self, left: Rows, right: Rows, rows: Rows) -> Rows:
        """For each row the earlier row it copies, the latest among equally similar ones, or NONE.

        Args:
            left: Row of each pair that may be copies, shape (n_pairs,).
            right: Its earlier row, shape (n_pairs,).
            rows: Consecutive row numbers that hold all of `left`, shape (n_rows,).
        """
        similarity = self.jaccard(left, right)
        copies = similarity >= self._similarity
        return best_earlier(left[copies], right[copies], similarity[copies], rows)

    def jaccard(self, left: Rows, right: Rows) -> Reals:
        """Jaccard similarity of each pair; 0.0 where the signatures already say that it is far below the threshold."""
        table = self._signatures.values.reshape(-1, N_BINS)
        similarity = np.zeros(len(left))
        likely = np.flatnonzero((table[left] == table[right]).mean(axis=1) >= self._similarity - _ESTIMATE_SLACK)
        shared = n_shared(self._store, left[likely], right[likely])
        similarity[likely] = shared / (self._store.sizes(left[likely]) + self._store.sizes(right[likely]) - shared)
        return similarity
