"""Exact copies among reports, found by a digest of all that a model reads of them; 16 bytes are kept for each report."""

import hashlib

import numpy as np
import pandas as pd

from pipeline.schema import HISTORY


def distinct(reports: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find reports whose title, text and history are equal to the last character.

    Args:
        reports: With `title`, `text` and `schema.HISTORY`, shape (n_reports, ...).

    Returns:
        Rows of the first of each kind, ascending, shape (n_distinct,), and for every report the number of its kind in them,
        shape (n_reports,).
    """
    digests = digest_reports(reports)
    _, first, kind = np.unique(digests, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    number = np.empty(len(first), dtype=np.int64)
    number[order] = np.arange(len(first))
    return first[order], number[kind.reshape(-1)]


def digest_reports(reports: pd.DataFrame) -> np.ndarray:
    """128 bits of BLAKE2 of what a model reads of each report, shape (n_reports,), dtype S32 of hexadecimal digits."""
    history = np.ascontiguousarray(reports[list(HISTORY)].to_numpy(dtype=np.float64))
    rows = zip(reports["title"], reports["text"], history, strict=True)
    found = [_digest(str(title), str(text), counts) for title, text, counts in rows]
    return np.array(found, dtype="S32")


def _digest(title: str, text: str, counts: np.ndarray) -> str:
    digest = hashlib.blake2b(f"{len(title)} {title}{text}".encode(), digest_size=16)
    digest.update(counts.tobytes())
    return digest.hexdigest()
