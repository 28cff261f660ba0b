"""Comparing many pairs of n-gram sets at once.

The sets of the rows concerned are laid out once as a sparse matrix; a pair is the element-wise product of two of its rows,
which scipy merges in compiled code. About 10 microseconds a pair of ordinary reports.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pipeline.intake.grams import N_CODES, Codes, GramStore, Rows

NONE = -1
_PAIRS_AT_ONCE = 1 << 13

Reals = NDArray[np.float64]
Weigh = Callable[[Codes], NDArray[np.float32]]


def n_shared(store: GramStore, left: Rows, right: Rows) -> Reals:
    """How many n-grams the two reports of each pair share, shape (n_pairs,)."""
    return _products(store, left, right, None)[0]


def cosine(store: GramStore, left: Rows, right: Rows, weigh: Weigh, *, least: float = 0.0) -> Reals:
    """Cosine of the weighted n-gram sets of each pair.

    Args:
        store: Where the sets are.
        left: Row of one report of each pair, shape (n_pairs,).
        right: Row of the other, shape (n_pairs,).
        weigh: Gives the weight of each of some codes.
        least: What the product of the norms counts as at least, so that sets which say little are not alike for being equal.

    Returns:
        Shape (n_pairs,), in [0, 1], rounded to six decimals so that equal pairs compare equal; 0.0 where a set is empty.
    """
    products, left_norm, right_norm = _products(store, left, right, weigh)
    return np.round(products / np.maximum(left_norm * right_norm, max(least, 1e-12)), 6)


def _products(store: GramStore, left: Rows, right: Rows, weigh: Weigh | None) -> tuple[Reals, Reals, Reals]:
    """Inner product of each pair and the norms of its two sides; each (n_pairs,)."""
    products, left_norms, right_norms = (np.empty(len(left)) for _ in range(3))
    for begin in range(0, len(left), _PAIRS_AT_ONCE):
        block = slice(begin, begin + _PAIRS_AT_ONCE)
        rows, places = np.unique(np.concatenate([left[block], right[block]]), return_inverse=True)
        n_pairs = len(left[block])
        sets = store.take(rows)
        values = np.ones(len(sets.codes), dtype=np.float32) if weigh is None else weigh(sets.codes)
        matrix = csr_matrix(
            (values, sets.codes.astype(np.int32), sets.starts.astype(np.int32)), (len(rows), N_CODES), copy=False
        )
        matrix.has_canonical_format = True  # codes ascend and are distinct
        one, other = matrix[places[:n_pairs]], matrix[places[n_pairs:]]
        one.has_canonical_format = other.has_canonical_format = True
        products[block] = np.asarray(one.multiply(other).sum(axis=1, dtype=np.float64)).ravel()
        norms = np.sqrt(np.asarray(matrix.power(2).sum(axis=1, dtype=np.float64)).ravel())
        left_norms[block], right_norms[block] = norms[places[:n_pairs]], norms[places[n_pairs:]]
    return products, left_norms, right_norms


def best_earlier(left: Rows, right: Rows, score: Reals, rows: Rows) -> Rows:
    """For each of some rows the earlier row with the highest score, the latest among equals, or NONE.

    Args:
        left: Row of each pair, shape (n_pairs,).
        right: Its earlier row, shape (n_pairs,).
        score: Higher is better, shape (n_pairs,).
        rows: Consecutive row numbers that hold all of `left`, shape (n_rows,).
    """
    best = np.full(len(rows), NONE, dtype=np.int64)
    order = np.lexsort((right, score, left))
    best[left[order] - rows[0]] = right[order]  # the last written stays
    return best


def first_of_each(groups: Rows, order: NDArray[np.floating], limit: int) -> Rows:
    """Positions of the first `limit` members of each group.

    Args:
        groups: Group of each member, shape (n_members,).
        order: What sorts the members of a group, smallest first; the later of equals comes first; shape (n_members,).
        limit: Most members of a group to keep.

    Returns:
        Positions, sorted by group and `order`.
    """
    by_group = np.lexsort((-np.arange(len(groups)), order, groups))
    sorted_groups = groups[by_group]
    place = np.arange(len(groups)) - np.searchsorted(sorted_groups, sorted_groups)
    return by_group[place < limit]
