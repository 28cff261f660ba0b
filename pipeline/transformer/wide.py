"""The wide part: hashed character n-grams that vote for categories directly, beside the encoder.

A linear model over n-grams remembers which words belong to which category; an encoder generalizes. Learned together, each
corrects the other (Cheng et al., Wide & Deep Learning for Recommender Systems, 2016). n-grams are hashed into a fixed number
of buckets (Weinberger et al. 2009), so there is no vocabulary to keep; what is kept is one inverse document frequency a bucket.
The whole text counts, also what the encoder's window cuts away. Placeholders, digits and punctuation are left out: they carry
no topic, and some sources come without punctuation.

Limit: the weighted n-grams of the reports at hand are held in memory, about 3 kB a report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from pipeline.transformer.params import WideParams

_PLACEHOLDER = re.compile(r"\[[A-Z]{0,2}[\u4e00-\u9fff]{1,8}\]")
_NO_TOPIC = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class WideFeatures:
    """Weighs the n-grams of reports.

    Attributes:
        params: Buckets and lengths.
        idf: Inverse document frequency on the training reports, shape (n_buckets,), float32.
    """

    params: WideParams
    idf: np.ndarray

    @classmethod
    def fit(cls, train: pd.DataFrame, params: WideParams) -> WideFeatures:
        """Learn how common each bucket is; smoothed, as if one more report held all."""
        counts = count(train, params)
        n_holding = np.bincount(counts.indices, minlength=params.buckets)
        return cls(params, np.asarray(np.log((1 + len(train)) / (1 + n_holding)) + 1.0, dtype=np.float32))

    def transform(self, reports: pd.DataFrame) -> sparse.csr_matrix:
        """Sublinear term frequency times `idf`, every report of length one; shape (n_reports, n_buckets), float32."""
        if reports.empty:  # scikit-learn neither counts nor normalizes nothing
            return sparse.csr_matrix((0, self.params.buckets), dtype=np.float32)
        weighed = count(reports, self.params)
        weighed.data = (1.0 + np.log(weighed.data)) * self.idf[weighed.indices]
        return normalize(weighed).astype(np.float32)


def count(reports: pd.DataFrame, params: WideParams) -> sparse.csr_matrix:
    """How often each report's title and text hold an n-gram of each bucket; shape (n_reports, n_buckets), n_reports > 0."""
    hasher = HashingVectorizer(
        analyzer="char", ngram_range=(1, params.max_n), n_features=params.buckets, norm=None, alternate_sign=False
    )
    messages = [f"{title} {text}" for title, text in zip(reports["title"], reports["text"], strict=True)]
    return hasher.transform([_NO_TOPIC.sub("", _PLACEHOLDER.sub(" ", message)) for message in messages])


def pad(rows: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Buckets and weights of the rows side by side, filled up with weight zero; both of shape (n_reports, most n-grams)."""
    lengths = np.diff(rows.indptr)
    filled = np.arange(lengths.max(initial=0)) < lengths[:, None]
    buckets, weights = np.zeros(filled.shape, dtype=np.int64), np.zeros(filled.shape, dtype=np.float32)
    buckets[filled], weights[filled] = rows.indices, rows.data
    return buckets, weights
