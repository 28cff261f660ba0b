"""From stored texts to logits near the machine's limit: a `Predictor` in place of a classifier with a network.

Exact copies (same title, text and history) are scored once; near copies are scored each for themselves, because one word can be
the threat. Reports are sorted by length and cut into batches of so many tokens, so that little is spent on padding, and the
tokenizer reads the next chunk while the network passes over this one.

Limit: a batch's padding can move the last bits of a number, so a report's risk may differ in the sixth digit (in bfloat16 the
third) between two nights that score it among others. The same reports in the same order give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from pipeline.classifier import EncodedReports, Logits, NetworkClassifier
from pipeline.machine import EngineParams
from pipeline.scoring.copies import distinct
from pipeline.scoring.passes import Batch, Pass


class Engine:
    """Scores with a network's pass made elsewhere.

    Args:
        steps: The classifier in three steps.
        network_pass: Makes the middle one.
        params: Sizes of batches and chunks.
    """

    def __init__(self, steps: NetworkClassifier, network_pass: Pass, params: EngineParams) -> None:
        self._steps = steps
        self._pass = network_pass
        self._params = params

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""
        return self._steps.categories

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports with `title`, `text` and `schema.HISTORY`; empty and very long texts like any other."""
        if reports.empty:
            return Logits(np.zeros((0, len(self.categories)), dtype=np.float32), np.zeros(0, dtype=np.float32))
        first, copy_of = distinct(reports)
        n_characters = reports["title"].str.len() + reports["text"].str.len()
        by_length = first[np.argsort(n_characters.to_numpy()[first], kind="stable")]
        chunks = [
            by_length[start : start + self._params.chunk_reports] for start in range(0, len(first), self._params.chunk_reports)
        ]
        parts = list(self._scored(reports, chunks))
        place = np.empty(len(reports), dtype=np.int64)
        place[by_length] = np.arange(len(by_length))
        rows = place[first][copy_of]  # (n_reports,), into the parts
        return Logits(
            np.concatenate([part.category for part in parts])[rows], np.concatenate([part.risk for part in parts])[rows]
        )

    def _scored(self, reports: pd.DataFrame, chunks: list[np.ndarray]) -> Iterator[Logits]:
        """Logits of each chunk; the next one is read by a thread meanwhile."""
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(self._steps.encode, reports.iloc[chunks[0]])
            for number in range(len(chunks)):
                encoded = following.result()
                if number + 1 < len(chunks):
                    following = reader.submit(self._steps.encode, reports.iloc[chunks[number + 1]])
                yield self._passed(encoded)

    def _passed(self, encoded: EncodedReports) -> Logits:
        n_reports = len(encoded.lengths)
        outputs: list[np.ndarray] = [np.zeros((n_reports, 0), dtype=np.float32), np.zeros(n_reports, dtype=np.float32)]

        def deliver(rows: np.ndarray, category: np.ndarray, risk: np.ndarray) -> None:
            if outputs[0].shape[1] == 0:
                outputs[0] = np.zeros((n_reports, category.shape[1]), dtype=np.float32)
            outputs[0][rows], outputs[1][rows] = category, risk

        self._pass(batches(encoded, self._params), deliver)
        return self._steps.decode(encoded, *outputs)


def batches(encoded: EncodedReports, params: EngineParams) -> Iterator[Batch]:
    """Cut reports into batches of like length, the longest first, so that no long one is left for a single thread at the end.

    Args:
        encoded: Reports as the network reads them.
        params: Most tokens and reports in a batch, and the step lengths are rounded up to.
    """
    step = params.length_step
    padded = -(-np.maximum(encoded.lengths, 1) // step) * step
    order = np.argsort(-padded, kind="stable")
    start = 0
    while start < len(order):
        n_tokens = int(padded[order[start]])
        n_rows = max(1, min(params.max_reports_per_batch, params.tokens_per_batch // n_tokens))
        rows = order[start : start + n_rows]
        yield rows, encoded.batch(rows, n_tokens=n_tokens)
        start += n_rows
