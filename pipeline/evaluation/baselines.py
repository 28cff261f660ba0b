"""The first baselines: what a unit has without a model.

For risk: reading in order of arrival, newest first, by a list of harm words (`data/taxonomy/harm_words.yaml`), by the one
history feature that ranks best on the training split, and by the baseline model's text score without history. For the
category: always the commonest one, and the one most of whose keywords occur (the taxonomy's list). A model that does not beat
these is not worth its upkeep.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.evaluation.metrics import average_precision
from pipeline.schema import HISTORY
from pipeline.settings import Section, read_yaml
from pipeline.taxonomy import Taxonomy


class _Group(Section):
    id: str
    weight: float = Field(gt=0.0)
    words: tuple[str, ...] = Field(min_length=1)


class HarmWords(Section):
    """The list the keyword ranking looks for."""

    name: str
    version: int
    groups: tuple[_Group, ...] = Field(min_length=1)

    def score(self, messages: pd.Series) -> np.ndarray:
        """Sum of the weights of the words each message holds, shape (n_reports,)."""
        scores = np.zeros(len(messages))
        for group in self.groups:
            for word in group.words:
                scores += group.weight * messages.str.contains(word, regex=False).to_numpy(dtype=float)
        return scores


@dataclass(frozen=True)
class Ranking:
    """A way to order reports by risk.

    Attributes:
        name: Key in `metrics.json`.
        title: As the report names it.
        scores: Higher is read first, shape (n_reports,).
    """

    name: str
    title: str
    scores: np.ndarray


def load_harm_words(path: Path) -> HarmWords:
    """Read the list of harm words."""
    return read_yaml(path, HarmWords)


def first_rankings(
    train: pd.DataFrame, test: pd.DataFrame, harm_words: HarmWords, text_only: np.ndarray | None
) -> list[Ranking]:
    """The rankings to beat.

    Args:
        train: EXAMPLES of the training split with a settled escalation; chooses the one feature.
        test: EXAMPLES of the test split with a settled escalation.
        harm_words: The keyword list.
        text_only: Text-only risk of the test reports, shape (n_reports,), where the baseline model has been run.
    """
    rankings = []
    if test["received_at"].notna().any():
        arrival = seconds(test["received_at"])
        rankings.append(Ranking("arrival_order", "in order of arrival", -arrival))
        rankings.append(Ranking("newest_first", "newest first", arrival))
    rankings.append(Ranking("keywords", "harm words", harm_words.score(messages(test))))
    feature, sign = best_feature(train)
    rankings.append(Ranking("best_feature", f"one feature ({feature})", sign * test[feature].to_numpy(dtype=float)))
    if text_only is not None:
        rankings.append(Ranking("text_only", "text only, no history", text_only))
    return rankings


def best_feature(train: pd.DataFrame) -> tuple[str, float]:
    """The history column, and direction, with the highest average precision on train.

    Args:
        train: EXAMPLES with a settled escalation; where none escalated the first column is taken.
    """
    positive = train["escalated"].to_numpy(dtype=bool)
    if not positive.any():
        return HISTORY[0], 1.0
    weights = np.ones((1, len(train)))
    found = {
        (feature, sign): average_precision(sign * train[feature].to_numpy(dtype=float), positive, weights)[0]
        for feature in HISTORY
        for sign in (1.0, -1.0)
    }
    return max(found, key=lambda choice: found[choice])


def commonest_category(train: pd.DataFrame) -> str:
    """The category most training reports have; of equals the first by name."""
    return str(train["category"].dropna().value_counts().sort_index().idxmax())


def keyword_categories(reports: pd.DataFrame, taxonomy: Taxonomy, fallback: str) -> np.ndarray:
    """The category most of whose keywords each report holds; without any, the fallback.

    Args:
        reports: Reports with `title` and `text`.
        taxonomy: Categories with keywords; of equals the first in its order.
        fallback: Category id.
    """
    texts = messages(reports)
    hits = np.zeros((len(reports), len(taxonomy.ids)))
    for column, category in enumerate(taxonomy.categories):
        for word in category.keywords:
            hits[:, column] += texts.str.contains(word, regex=False).to_numpy(dtype=float)
    found = np.asarray(taxonomy.ids, dtype=object)[hits.argmax(axis=1)]
    return np.where(hits.max(axis=1) > 0, found, fallback)


def messages(reports: pd.DataFrame) -> "pd.Series[str]":
    """Title and text of each report."""
    return reports["title"].astype(str) + "。" + reports["text"].astype(str)


def seconds(received_at: pd.Series) -> np.ndarray:
    """Arrival in seconds; reports without a time count as the earliest."""
    known = received_at.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    values = known.to_numpy().astype("int64") / 1e6
    missing = received_at.isna().to_numpy()
    return np.where(missing, values[~missing].min() if (~missing).any() else 0.0, values)
