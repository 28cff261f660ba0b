"""Similar earlier reports, so that a reader sees what such things came to.

Cosine of TF-IDF weighted character 2- and 3-grams (Salton & Buckley, *Information Processing & Management* 24, 1988), which
need no word segmentation. The search is exact over the newest reports; older ones say little about how things are handled now.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

NEWEST_REPORTS = 20_000  # looked through; a second of work and 100 MB on the nightly machine
SMALLEST_COSINE = 0.1  # below it two reports share little but common words


def find_similar(reports: pd.DataFrame, past: pd.DataFrame, *, n_similar: int) -> Mapping[str, tuple[str, ...]]:
    """Find for each report the most similar ones that arrived before it.

    Args:
        reports: Reports with `report_id`, `received_at`, `title` and `text`.
        past: Reports to look among, with the same columns.
        n_similar: The most ids a report gets.

    Returns:
        report_id to ids of earlier reports, the most similar first; a report without any has no entry.
    """
    past = past[past["received_at"].notna()].sort_values(["received_at", "report_id"]).tail(NEWEST_REPORTS)
    if reports.empty or past.empty:
        return {}
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(2, 3), sublinear_tf=True, dtype=np.float32)
    try:
        known = vectorizer.fit_transform(_words(past))  # (n_past, n_grams)
    except ValueError:  # no report has two characters
        return {}
    cosines = (vectorizer.transform(_words(reports)) @ known.T).tocsr()  # (n_reports, n_past)
    ids, arrived = past["report_id"].to_numpy(), past["received_at"].to_numpy()
    found: dict[str, tuple[str, ...]] = {}
    for row, (report_id, received_at) in enumerate(zip(reports["report_id"], reports["received_at"].to_numpy(), strict=True)):
        cosine = cosines[row].toarray().ravel()
        cosine[(arrived >= received_at) | (ids == report_id)] = 0.0
        best = [place for place in np.argsort(-cosine, kind="stable")[:n_similar] if cosine[place] >= SMALLEST_COSINE]
        if best:
            found[report_id] = tuple(str(ids[place]) for place in best)
    return found


def _words(reports: pd.DataFrame) -> list[str]:
    return [f"{title} {text}" for title, text in zip(reports["title"], reports["text"], strict=True)]
