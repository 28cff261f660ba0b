"""Something new: reports that fit no category, grouped from night to night until a person can give the group a name.

A report that fits none joins the group it resembles most, or opens its own. What was grouped stays grouped and a group is
named by its first report, so a candidate keeps its identity from night to night; a group without a new report for
`window_days` is over. Similarity is the cosine between a report and the sum of a group's, over character 2- and 3-grams that
at least two unclear reports have, weighted by how rare they are among recent reports that do fit a category: words of a known
kind of trouble say nothing, words that only unclear reports share say most. Characteristic terms are those whose share in the
group stands out most surely from that in reports that fit: the z-score of the log-odds with an informative prior (Monroe,
Colaresi and Quinn, Political Analysis 16, 2008, 372-403).

Limits: short or very general reports fit no category either and gather in groups of their own; a group is a hint for a
person, not a category.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from pipeline import schema
from pipeline.sections import NoveltyParams

Reals = NDArray[np.float64]

BACKGROUND = 5000
"""Latest reports that fit a category which tell what is usual."""
TERM_LENGTHS = (2, 5)
"""Characters of a term: a word, a name, a short phrase."""
PRIOR_TEXTS = 10.0
"""Texts that the prior of the terms' shares counts for."""
_BETWEEN = re.compile(r"[\W_]")
_ALONE = 2  # reports that must have an n-gram for it to count
_NAMES, _RARE = 4, 3  # a text counts in full from so many n-grams on that so few usual reports have; set phrases alone do not


def fits_no_category(counted: pd.DataFrame, params: NoveltyParams) -> "pd.Series[bool]":
    """Which reports no category fits well.

    The rule is plain until the calibrated sets of categories are at hand: the likeliest category is unlikely.

    Args:
        counted: COUNTED; reports whose probability is unknown are not among them.
        params: Section `emerging.novelty`.
    """
    return (counted["category_probability"] < params.max_category_probability).fillna(False)


def group(
    earlier: pd.DataFrame, new: pd.DataFrame, unclear: pd.DataFrame, usual: pd.DataFrame, params: NoveltyParams
) -> pd.DataFrame:
    """Put new reports that fit no category into groups.

    Args:
        earlier: CANDIDATES of the night before.
        new: `report_id`, `received_at`, `title`, `text` of the new reports that fit none, dated.
        unclear: `report_id`, `title`, `text` of the reports of `earlier`.
        usual: `title`, `text` of recent reports that fit a category.
        params: Section `emerging.novelty`.

    Returns:
        CANDIDATES: those of `earlier` whose group is not over, then the new ones in order of arrival.
    """
    if new.empty and earlier.empty:
        return schema.CANDIDATES.empty()
    now = max(part["received_at"].max() for part in (earlier, new) if len(part))
    newest = earlier.groupby("candidate_id")["received_at"].transform("max")
    kept = earlier[newest > now - pd.Timedelta(days=params.window_days)]
    new = new.sort_values(["received_at", "report_id"])
    texts = unclear.drop_duplicates("report_id").set_index("report_id")
    known = kept[kept["report_id"].isin(texts.index)]
    weighed = _weigh([*_written(texts.loc[known["report_id"]]), *_written(new)], _written(usual.tail(BACKGROUND)))
    given = _join(weighed, known["candidate_id"].tolist(), new["report_id"].tolist(), params.similarity)
    added = new[["report_id", "received_at"]].assign(candidate_id=given)
    parts = [part for part in (kept, added) if len(part)]
    return schema.CANDIDATES.check(pd.concat(parts, ignore_index=True)) if parts else schema.CANDIDATES.empty()


def _join(weighed: csr_matrix, known: Sequence[str], report_ids: Sequence[str], similarity: float) -> list[str]:
    """The group of each new report: that whose sum of members it resembles most, if enough, else its own."""
    names = list(dict.fromkeys(known))
    place = {name: row for row, name in enumerate(names)}
    sums = [np.zeros(weighed.shape[1], dtype=np.float32) for _ in names]
    for row, name in enumerate(known):
        sums[place[name]] += weighed[row].toarray().ravel()
    given = []
    for row, report_id in enumerate(report_ids, start=len(known)):
        own = weighed[row].toarray().ravel()
        alike = np.array([one @ own / max(float(np.linalg.norm(one)), 1e-9) for one in sums])
        nearest = int(alike.argmax()) if len(alike) else 0
        if not len(alike) or alike[nearest] < similarity:
            names.append(f"n-{report_id}")
            sums.append(np.zeros(weighed.shape[1], dtype=np.float32))
            nearest = len(names) - 1
        sums[nearest] += own
        given.append(names[nearest])
    return given


def _written(reports: pd.DataFrame) -> list[str]:
    return [f"{title}\n{text}" for title, text in zip(reports["title"], reports["text"], strict=True)]


def _weigh(texts: Sequence[str], usual: Sequence[str]) -> csr_matrix:
    """Rows of length at most 1, one a text, of n-grams that two of the texts have, weighted by squared rarity in usual ones."""
    if not texts:
        return csr_matrix((0, 1), dtype=np.float32)
    vectorizer = CountVectorizer(analyzer="char", ngram_range=(2, 3), preprocessor=_plain, binary=True, dtype=np.float32)
    counted = vectorizer.fit_transform([*texts, ""])[: len(texts)]
    shared = np.asarray(counted.sum(axis=0)).ravel() >= _ALONE
    frequency = np.asarray(vectorizer.transform(usual).sum(axis=0)).ravel() if usual else np.zeros(len(shared))
    rarity = np.log((len(usual) + 2.0) / (frequency + 1.0)) ** 2 * shared
    weighed = counted.multiply(rarity[None, :].astype(np.float32)).tocsr()
    least = np.sqrt(_NAMES) * np.log((len(usual) + 2.0) / _RARE) ** 2
    norms = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1))).ravel()
    return csr_matrix(weighed.multiply(1.0 / np.maximum(norms, max(least, 1e-9))[:, None]), dtype=np.float32)


def _plain(text: str) -> str:
    """A text without placeholders, punctuation and blanks."""
    for placeholder in schema.PLACEHOLDERS:
        text = text.replace(placeholder, "\n")
    return _BETWEEN.sub("\n", text.lower()) or "\n\n"


@dataclass(frozen=True)
class Told:
    """What earlier nights told about.

    Attributes:
        still_open: Candidates whose alert is open.
        lately: How many reports each alert raised in the last 30 days has now.
        quiet_since: A candidate without a report since then is not told about anew, or its alert would close as it is raised.
    """

    still_open: frozenset[str]
    lately: tuple[int, ...]
    quiet_since: pd.Timestamp


NOT_TOLD = Told(frozenset(), (), pd.Timestamp.min.tz_localize("UTC"))
Group = tuple[str, pd.DataFrame]


@dataclass(frozen=True)
class Candidate:
    """A group large enough for a person to look at.

    Attributes:
        candidate_id: `n-` and the id of its first report.
        reports: Its rows of CANDIDATES.
        terms: Characteristic terms, the most telling first.
    """

    candidate_id: str
    reports: pd.DataFrame
    terms: tuple[str, ...]


def candidates(
    grouped: pd.DataFrame,
    unclear: pd.DataFrame,
    usual: pd.DataFrame,
    params: NoveltyParams,
    *,
    timezone: str,
    told: Told = NOT_TOLD,
) -> list[Candidate]:
    """Groups to tell about: enough reports, by enough different people, on enough days, and not too many groups a month.

    Unclear reports gather by chance too, in a large town every night, and nobody reads a dozen such groups a day. So no more
    than `told_a_month` are told about in a month, the largest first, unless one holds more reports than each of those.

    Args:
        grouped: CANDIDATES.
        unclear: `report_id`, `title`, `text`, `reporter_hash` of its reports.
        usual: `title`, `text` of recent reports that fit a category.
        params: Section `emerging.novelty`.
        timezone: Zone in which days begin.
        told: What earlier nights told about.

    Returns:
        The candidates, the largest first.
    """
    persisted = []
    people = unclear.drop_duplicates("report_id").set_index("report_id")["reporter_hash"]
    for candidate_id, rows in grouped.groupby("candidate_id", sort=True):
        who = rows["report_id"].map(people)
        n_people = who.nunique() if who.notna().any() else len(rows)
        n_days = rows["received_at"].dt.tz_convert(timezone).dt.date.nunique()
        if len(rows) >= params.min_reports and n_people >= params.min_reporters and n_days >= params.min_days:
            persisted.append((str(candidate_id), rows))
    persisted = _to_tell(sorted(persisted, key=lambda one: (-len(one[1]), one[0])), told, params.told_a_month)
    own = [_written(unclear[unclear["report_id"].isin(rows["report_id"])]) for _, rows in persisted]
    said = terms(own, _written(usual.tail(BACKGROUND)), params.n_terms)
    return [Candidate(name, rows, tuple(one)) for (name, rows), one in zip(persisted, said, strict=True)]


def _to_tell(persisted: list[Group], told: Told, most: int) -> list[Group]:
    """The groups, largest first, that are open already or may still be told about."""
    kept, sizes = [], list(told.lately)
    for name, rows in persisted:
        if name not in told.still_open:
            if rows["received_at"].max() < told.quiet_since:
                continue
            if len(sizes) >= most and len(rows) <= max(sizes):
                continue
            sizes.append(len(rows))
        kept.append((name, rows))
    return kept


def terms(groups: Sequence[Sequence[str]], usual: Sequence[str], n_terms: int) -> list[list[str]]:
    """For each group of texts the terms whose share in it stands out most surely, none a part of another.

    Args:
        groups: Texts of each group, none of them empty.
        usual: What is usual.
        n_terms: At most so many a group.
    """
    if not groups:
        return []
    vectorizer = CountVectorizer(analyzer="char", ngram_range=TERM_LENGTHS, preprocessor=_plain, binary=True, dtype=np.float64)
    counted = vectorizer.fit_transform([*(text for group in groups for text in group), ""])
    there = np.asarray(vectorizer.transform(usual).sum(axis=0)).ravel() if usual else np.zeros(counted.shape[1])
    names, chosen, start = vectorizer.get_feature_names_out(), [], 0
    for group in groups:
        here = np.asarray(counted[start : start + len(group)].sum(axis=0)).ravel()
        start += len(group)
        likely = [place for place in np.flatnonzero(here >= min(_ALONE, len(group))) if names[place].isalpha()]
        score = _telling(here[likely], there[likely], len(group), len(usual))
        chosen.append(_first_apart([str(name) for name in names[likely]], score, n_terms))
    return chosen


def _telling(here: Reals, there: Reals, n_here: int, n_there: int) -> Reals:
    """How surely each term's share in a group exceeds that in what is usual: a z-score; each (n_terms,)."""
    prior = PRIOR_TEXTS * (here + there) / (n_here + n_there)
    with_it, without = here + prior, n_here + PRIOR_TEXTS - here - prior
    usual_with, usual_without = there + prior, n_there + PRIOR_TEXTS - there - prior
    odds = np.log(with_it / np.maximum(without, 0.5)) - np.log(usual_with / np.maximum(usual_without, 0.5))
    score: Reals = odds / np.sqrt(1.0 / with_it + 1.0 / usual_with)
    return score


def _first_apart(names: Sequence[str], score: Reals, n_terms: int) -> list[str]:
    """The best terms, the longest of equally telling ones, without those that are part of a better one or hold it."""
    chosen: list[str] = []
    lengths = np.array([len(name) for name in names])
    for place in np.lexsort((-lengths, -score.round(6))):
        if len(chosen) == n_terms:
            break
        if not any(names[place] in other or other in names[place] for other in chosen):
            chosen.append(names[place])
    return chosen
