"""Counts character n-grams: the baseline's view of a text.

Chinese has no spaces, so runs of one to four characters stand in for words, and need no dictionary. Because sources write
the same message with or without punctuation and digits (some deliver word-segmented text only), characters that carry no
topic are folded before counting: punctuation breaks a run, digits and spaces are dropped, Latin letters are lower-cased,
and placeholders left by redaction ([手机号] and the like) count as punctuation, so that a model never learns from them.

Why not scikit-learn's own `CountVectorizer`: it walks every n-gram in Python. Here a text is a row of 16-bit character codes,
an n-gram is up to four of them in one 64-bit key, and counting is a few array operations. The vocabulary is then a plain array,
which can be stored without a pickle. Limits: n is at most 4, and characters outside the Basic Multilingual Plane (emoji, rare
names) are folded to one.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import sparse

MAX_N = 4
_BITS = 16
_DROP, _BREAK, _RARE = 0, 1, 0xFFFD
_PLACEHOLDER = re.compile(r"\[[\u4e00-\u9fff]{1,8}\]")


@dataclass(frozen=True)
class NgramCounter:
    """Counts the n-grams it knows.

    Attributes:
        keys: The n-grams, as ascending 64-bit keys, shape (n_features,).
        min_n: Shortest n-gram, in characters.
        max_n: Longest n-gram, in characters.
    """

    keys: np.ndarray
    min_n: int
    max_n: int

    def count(self, texts: Sequence[str]) -> sparse.csr_array:
        """Count the known n-grams.

        Args:
            texts: Normalized and redacted texts of any length, including empty.

        Returns:
            Counts, shape (n_texts, n_features), float32.
        """
        rows, keys = _ngrams(texts, self.min_n, self.max_n)
        features = pd.Index(self.keys).get_indexer(pd.Index(keys)).astype(np.int32)
        known = features >= 0
        ones = np.ones(int(known.sum()), dtype=np.float32)
        return sparse.csr_array((ones, (rows[known], features[known])), shape=(len(texts), len(self.keys)))

    def names(self) -> list[str]:
        """The n-grams, readable, in the order of the columns."""
        return [_decode(int(key)) for key in self.keys]


def learn_counter(
    steps: Iterable[Sequence[str]], *, min_n: int, max_n: int, min_reports: int, max_features: int
) -> tuple[NgramCounter, np.ndarray]:
    """Learn which n-grams occur often enough to keep.

    Args:
        steps: The texts, in slices that fit into memory.
        min_n: Shortest n-gram, in characters.
        max_n: Longest n-gram, in characters.
        min_reports: Texts an n-gram must occur in.
        max_features: The most n-grams to keep; the commonest stay.

    Returns:
        The counter, and the number of texts that hold each of its n-grams, shape (n_features,).
    """
    keys, n_reports = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    for texts in steps:
        more_keys, more_reports = _document_frequencies(texts, min_n, max_n)
        keys, position = np.unique(np.concatenate([keys, more_keys]), return_inverse=True)
        n_reports = np.bincount(position, weights=np.concatenate([n_reports, more_reports])).astype(np.int64)
    keep = np.flatnonzero(n_reports >= min_reports)
    if len(keep) > max_features:
        keep = np.sort(keep[np.lexsort((keys[keep], -n_reports[keep]))[:max_features]])
    return NgramCounter(keys[keep], min_n, max_n), n_reports[keep]


def _document_frequencies(texts: Sequence[str], min_n: int, max_n: int) -> tuple[np.ndarray, np.ndarray]:
    """Each n-gram that occurs, and in how many of the texts."""
    rows, keys = _ngrams(texts, min_n, max_n)
    codes, unique = pd.factorize(keys)
    once = sparse.csr_array((np.ones(len(rows), dtype=np.int32), (rows, codes)), shape=(len(texts), len(unique)))
    return unique.astype(np.uint64), np.bincount(once.indices, minlength=len(unique))


def _decode(key: int) -> str:
    """The characters of a 64-bit key."""
    codes = [(key >> (_BITS * place)) & 0xFFFF for place in reversed(range(MAX_N))]
    return "".join(chr(code) for code in codes if code)


def _ngrams(texts: Sequence[str], min_n: int, max_n: int) -> tuple[np.ndarray, np.ndarray]:
    """Every n-gram of every text, with repeats.

    Returns:
        Index of the text and 64-bit key of each n-gram, both of shape (n_ngrams,).
    """
    codes, text_of = _encode(texts)
    rows, keys = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.uint64)]
    key = codes.astype(np.uint64)
    whole = codes != _BREAK
    for n in range(1, min(max_n, len(codes)) + 1):
        if n > 1:
            last = codes[n - 1 :]
            key = (key[:-1] << np.uint64(_BITS)) | last.astype(np.uint64)
            whole = whole[:-1] & (last != _BREAK) & (text_of[: len(last)] == text_of[n - 1 :])
        if n >= min_n:
            rows.append(text_of[: len(key)][whole])
            keys.append(key[whole])
    return np.concatenate(rows), np.concatenate(keys)


def _encode(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Folded character codes of all texts in one row, and the index of the text each belongs to."""
    plain = [_PLACEHOLDER.sub("。", text) if "[" in text else text for text in texts]
    lengths = np.fromiter(map(len, plain), dtype=np.int64, count=len(plain))
    points = np.frombuffer("".join(plain).encode("utf-32-le", "replace"), dtype=np.uint32)
    codes = _folding()[np.minimum(points, _RARE)]
    text_of = np.repeat(np.arange(len(plain), dtype=np.int32), lengths)
    kept = codes != _DROP
    return codes[kept], text_of[kept]


@lru_cache(maxsize=1)
def _folding() -> np.ndarray:
    """What each code point of the Basic Multilingual Plane counts as."""
    table = np.arange(0x10000, dtype=np.uint16)
    for point in range(0x10000):
        kind = unicodedata.category(chr(point))
        if kind[0] in "ZC" or kind == "Nd":
            table[point] = _DROP
        elif kind[0] in "PS":
            table[point] = _BREAK
        elif kind in ("Lu", "Lt"):
            lower = chr(point).lower()
            table[point] = ord(lower) if len(lower) == 1 else point
    table[_RARE] = _RARE
    return table
