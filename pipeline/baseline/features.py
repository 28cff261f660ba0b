"""Turns a report's title and text into weighted n-gram counts.

Two blocks stand side by side. The first weighs the n-grams of the whole message (title and text) by sublinear term frequency
and inverse document frequency and gives every message length one (Salton & Buckley, Information Processing & Management 24(5),
1988). The second does the same for the lead, the first characters of title and text, where people say what it is about; it has
its own, smaller weight. Joining the title to the text rather than keeping it apart lets reports with and without a title,
which some sources deliver, look alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.preprocessing import normalize

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.ngrams import NgramCounter, learn_counter

CHARACTERS_AT_ONCE = 2_000_000  # keeps the working memory of one step under 200 MB, whatever the table's size


@dataclass(frozen=True)
class TextFeatures:
    """The n-grams of both blocks and their inverse document frequencies.

    Attributes:
        whole: Counter of the whole message.
        whole_idf: Inverse document frequency of each of its n-grams, shape (n_whole,).
        lead: Counter of the lead.
        lead_idf: The same for the lead, shape (n_lead,).
        lead_characters: How many characters the lead has.
        lead_weight: Length of the lead's block; the whole message's is one.
    """

    whole: NgramCounter
    whole_idf: np.ndarray
    lead: NgramCounter
    lead_idf: np.ndarray
    lead_characters: int
    lead_weight: float

    @property
    def n_features(self) -> int:
        """Columns of both blocks together."""
        return len(self.whole_idf) + len(self.lead_idf)

    def transform(self, reports: pd.DataFrame) -> sparse.csr_array:
        """Weigh the n-grams of each report.

        Args:
            reports: Reports with `title` and `text`, normalized and redacted.

        Returns:
            Shape (n_reports, n_features), float32; a row without a known n-gram is zero throughout.
        """
        blocks = [self._transform(messages) for messages in in_steps(join(reports))]
        if not blocks:
            return sparse.csr_array((0, self.n_features), dtype=np.float32)
        return with_short_indices(sparse.vstack(blocks, format="csr"))

    def _transform(self, messages: Sequence[str]) -> sparse.csr_array:
        leads = [message[: self.lead_characters] for message in messages]
        whole = weigh(self.whole.count(messages), self.whole_idf)
        lead = weigh(self.lead.count(leads), self.lead_idf) * np.float32(self.lead_weight)
        return sparse.hstack([whole, lead], format="csr")


def learn_features(reports: pd.DataFrame, config: BaselineConfig) -> TextFeatures:
    """Learn which n-grams to keep and how to weigh them.

    Args:
        reports: Training reports with `title` and `text`.
        config: How many n-grams, of which lengths, and how long the lead is.
    """
    messages = join(reports)
    whole, whole_seen = _learn(messages, config)
    lead, lead_seen = _learn([message[: config.lead_characters] for message in messages], config)
    return TextFeatures(
        whole=whole,
        whole_idf=inverse_document_frequency(whole_seen, len(messages)),
        lead=lead,
        lead_idf=inverse_document_frequency(lead_seen, len(messages)),
        lead_characters=config.lead_characters,
        lead_weight=config.lead_weight,
    )


def _learn(messages: Sequence[str], config: BaselineConfig) -> tuple[NgramCounter, np.ndarray]:
    return learn_counter(
        in_steps(messages),
        min_n=config.min_n,
        max_n=config.max_n,
        min_reports=config.min_reports,
        max_features=config.max_features,
    )


def join(reports: pd.DataFrame) -> list[str]:
    """Each report's title and text as one message; the full stop keeps n-grams from bridging the two."""
    return [f"{title}。{text}" for title, text in zip(reports["title"], reports["text"], strict=True)]


def in_steps(messages: Sequence[str]) -> Iterator[Sequence[str]]:
    """Slices of the messages that hold about `CHARACTERS_AT_ONCE` characters each, in order."""
    start, characters = 0, 0
    for position, message in enumerate(messages):
        characters += len(message)
        if characters >= CHARACTERS_AT_ONCE:
            yield messages[start : position + 1]
            start, characters = position + 1, 0
    if start < len(messages):
        yield messages[start:]


def inverse_document_frequency(n_reports_with: np.ndarray, n_reports: int) -> np.ndarray:
    """Log of how rare each n-gram is, smoothed as if one more report held them all; float32, at least 1."""
    return (np.log((1 + n_reports) / (1 + n_reports_with)) + 1).astype(np.float32)


def weigh(counts: sparse.csr_array, idf: np.ndarray) -> sparse.csr_array:
    """Sublinear term frequency times inverse document frequency, each row of length one.

    Args:
        counts: Shape (n_reports, n_features); changed in place.
        idf: Shape (n_features,).
    """
    counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
    return normalize(counts, copy=False)


def with_short_indices(matrix: sparse.csr_array) -> sparse.csr_array:
    """The same matrix with 32-bit indices where they suffice: liblinear reads no others."""
    if matrix.nnz < np.iinfo(np.int32).max:
        matrix.indices = matrix.indices.astype(np.int32, copy=False)
        matrix.indptr = matrix.indptr.astype(np.int32, copy=False)
    return matrix
