"""Character n-grams of texts as sorted sets of hashed codes, for whole batches at once.

Chinese has no spaces, and a word segmenter would have to know every estate and company name; character n-grams need nothing
and keep place names whole. Only letters and digits count: two exports of one message differ in punctuation and line breaks
first. A code is a hash, 3-grams below `FIRST_BIGRAM`, 2-grams from there on. Two different 3-grams share a code about once in
four million; among a report's few hundred that moves a similarity in the third decimal at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

TRIGRAM_BITS, BIGRAM_BITS = 22, 20
FIRST_BIGRAM = 1 << TRIGRAM_BITS
N_CODES = FIRST_BIGRAM + (1 << BIGRAM_BITS)

_START, _END = "\x02", "\x03"
_MIX = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93))
_BASIC_PLANE = 0x10000
_CODE_BITS = np.uint64(23)  # enough for N_CODES

Codes = NDArray[np.uint32]
Rows = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)


def _kept_characters() -> NDArray[np.bool_]:
    kept = np.fromiter((chr(point).isalnum() for point in range(_BASIC_PLANE)), dtype=bool, count=_BASIC_PLANE)
    kept[[ord(_START), ord(_END)]] = True
    return kept


_KEPT = _kept_characters()


@dataclass(frozen=True)
class GramSets:
    """The n-gram sets of some texts, one after the other.

    Attributes:
        codes: Each text's distinct codes, ascending; shape (n_codes,).
        starts: Where each text's codes begin, with the end of the last; shape (n_texts + 1,).
    """

    codes: Codes
    starts: Rows


def gram_sets(texts: Sequence[str], *, bigrams: bool) -> GramSets:
    """Hash every text's character 3-grams, and its 2-grams if asked; beginning and end count as a character.

    Args:
        texts: Any texts; letter case is ignored.
        bigrams: Whether 2-grams are wanted beside the 3-grams.

    Returns:
        The sets, in the order of the texts. A text without a letter or digit has an empty one.
    """
    points, owner = _characters(texts)
    keys = np.concatenate([_keys(points, owner, width) for width in ((3, 2) if bigrams else (3,))])
    keys.sort()
    distinct = np.ones(len(keys), dtype=bool)
    distinct[1:] = keys[1:] != keys[:-1]
    keys = keys[distinct]
    bounds = np.arange(len(texts) + 1, dtype=np.uint64) << _CODE_BITS
    codes = (keys & np.uint64((1 << int(_CODE_BITS)) - 1)).astype(np.uint32)
    return GramSets(codes, np.searchsorted(keys, bounds).astype(np.int64))


def _characters(texts: Sequence[str]) -> tuple[NDArray[np.uint64], Rows]:
    """Letters and digits of all texts between sentinels, and the text each belongs to; shapes (n_characters,)."""
    framed = [_START + text.lower() + _END for text in texts]
    points = np.frombuffer("".join(framed).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(framed)), [len(text) for text in framed])
    kept = (points >= _BASIC_PLANE) | _KEPT[np.minimum(points, _BASIC_PLANE - 1)]
    points, owner = points[kept], owner[kept]
    holds_nothing = np.bincount(owner, minlength=len(framed)) <= 2  # only the sentinels
    kept = ~holds_nothing[owner]
    return points[kept].astype(np.uint64), owner[kept]


def _keys(points: NDArray[np.uint64], owner: Rows, width: int) -> NDArray[np.uint64]:
    """Sortable keys (text, code) of all n-grams of one width that stay within a text."""
    n = max(len(points) - width + 1, 0)
    mixed = np.zeros(n, dtype=np.uint64)
    for step in range(width):
        mixed += points[step : step + n] * _MIX[step]
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX[3]
    if width == 3:
        codes = mixed >> np.uint64(64 - TRIGRAM_BITS)
    else:
        codes = (mixed >> np.uint64(64 - BIGRAM_BITS)) + np.uint64(FIRST_BIGRAM)
    first, last = owner[:n], owner[width - 1 : width - 1 + n]
    within: NDArray[np.uint64] = ((first.astype(np.uint64) << _CODE_BITS) | codes)[first == last]
    return within


class GramStore:
    """The n-gram sets of every text so far; rows are numbered as they come."""

    def __init__(self) -> None:
        self._codes = Growing(np.uint32)
        self._ends = Growing(np.int64)
        self._ends.append(np.zeros(1, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._ends.values) - 1

    def append(self, sets: GramSets) -> None:
        """Keep more sets; their rows follow those before."""
        self._ends.append(sets.starts[1:] + self._ends.values[-1])
        self._codes.append(sets.codes)

    def sizes(self, rows: Rows) -> Rows:
        """How many n-grams each of some rows has."""
        sizes: Rows = self._ends.values[rows + 1] - self._ends.values[rows]
        return sizes

    def take(self, rows: Rows) -> GramSets:
        """The sets of some rows."""
        starts = np.zeros(len(rows) + 1, dtype=np.int64)
        sizes = self.sizes(rows)
        np.cumsum(sizes, out=starts[1:])
        where = np.arange(starts[-1]) + np.repeat(self._ends.values[rows] - starts[:-1], sizes)
        return GramSets(self._codes.values[where], starts)


class Growing(Generic[Scalar]):
    """A one-dimensional array that grows at its end, with at most a quarter of its room unused."""

    def __init__(self, dtype: type[Scalar]) -> None:
        self._room: NDArray[Scalar] = np.empty(1024, dtype=dtype)
        self._length = 0

    @property
    def values(self) -> NDArray[Scalar]:
        """What has been appended so far; not to be kept, for growing may move it."""
        return self._room[: self._length]

    def append(self, block: NDArray[Scalar]) -> None:
        """Add values at the end."""
        needed = self._length + len(block)
        if needed > len(self._room):
            self._room.resize(max(needed, len(self._room) * 5 // 4), refcheck=False)
        self._room[self._length : needed] = block
        self._length = needed
