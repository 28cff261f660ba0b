"""Why a report ranks where it does: which words and which history raised its risk.

The risk is predicted again with a part of the report taken away; what the risk then loses is what the part added. This is
representation erasure (Li, Monroe & Jurafsky, arXiv:1612.08220, 2016; Zeiler & Fergus's occlusion, ECCV 2014, for text). It
needs nothing but a model that scores, so the same reasons serve every classifier. It looks at clauses first and then at the
short spans inside those that mattered, some 30 predictions a report. Its limit: two phrases that say the same thing cover for
each other, and neither then shows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.schema import HISTORY, PLACEHOLDERS

CLAUSE = re.compile(r"[^，。！？；：、,.!?;:\s…]+")
WHOLE_CHARACTERS = 16  # a clause up to this long is shown as it stands; a reader takes it in at a glance
SPAN_CHARACTERS = 8  # of a longer clause, the stretch that mattered: most Chinese words and set phrases have two to four
CLAUSES_LOOKED_INTO = 3
PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))  # shown whole or not at all
SMALLEST_EFFECT = 0.005  # a difference of risks below half a percentage point is not worth a reader's second

Score = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class _Span:
    """A part of one report's title or text."""

    row: int
    column: str
    start: int
    end: int


def explain(reports: pd.DataFrame, score: Score, *, n_reasons: int) -> list[list[dict[str, object]]]:
    """Give each report its strongest reasons.

    Args:
        reports: Reports with `title`, `text` and `schema.HISTORY`, shape (n_reports, ...).
        score: Returns the risk of each report, shape (n_reports,), in [0, 1].
        n_reasons: The most reasons a report gets.

    Returns:
        For each report, REASON entries by falling effect: `kind` is `words` or `history`, `evidence` the words or the
        history column, `effect` the risk it added. Fewer than `n_reasons` where nothing else raised the risk.
    """
    reports = reports.reset_index(drop=True)
    if reports.empty:
        return []
    risk = score(reports)
    clauses = [span for row in range(len(reports)) for span in _clauses(reports, row)]
    effects = _effects(reports, risk, clauses, score)
    looked_into = _strongest(clauses, effects, len(reports), CLAUSES_LOOKED_INTO)
    spans = [
        inner
        for row in looked_into
        for clause, _ in row
        for inner in _inside(clause, str(reports.at[clause.row, clause.column]))
    ]
    words = _strongest(spans, _effects(reports, risk, spans, score), len(reports), n_reasons)
    history = _history_effects(reports, risk, score)
    return [_reasons(reports, row, words[row], history[row], n_reasons) for row in range(len(reports))]


def _clauses(reports: pd.DataFrame, row: int) -> list[_Span]:
    return [
        _Span(row, column, match.start(), match.end())
        for column in ("title", "text")
        for match in CLAUSE.finditer(str(reports.at[row, column]))
    ]


def _inside(clause: _Span, text: str) -> list[_Span]:
    """Short spans inside a clause, half overlapping; the clause itself if it is short enough to be read."""
    if clause.end - clause.start <= WHOLE_CHARACTERS:
        return [clause]
    placeholders = [match.span() for match in PLACEHOLDER.finditer(text, clause.start, clause.end)]
    starts = range(clause.start, clause.end - SPAN_CHARACTERS + 1, SPAN_CHARACTERS // 2)
    return [
        _Span(
            clause.row,
            clause.column,
            min([start, *(first for first, end in placeholders if first < start < end)]),
            max([start + SPAN_CHARACTERS, *(end for first, end in placeholders if first < start + SPAN_CHARACTERS < end)]),
        )
        for start in starts
    ]


def _effects(reports: pd.DataFrame, risk: np.ndarray, spans: list[_Span], score: Score) -> np.ndarray:
    """What the risk loses without each span, shape (n_spans,)."""
    if not spans:
        return np.zeros(0)
    without = reports.iloc[[span.row for span in spans]].reset_index(drop=True)
    for column in ("title", "text"):
        texts = without[column].astype(str).tolist()
        without[column] = [
            text[: span.start] + text[span.end :] if span.column == column else text
            for text, span in zip(texts, spans, strict=True)
        ]
    return risk[[span.row for span in spans]] - score(without)


def _strongest(spans: list[_Span], effects: np.ndarray, n_reports: int, n_wanted: int) -> list[list[tuple[_Span, float]]]:
    """For each report its strongest spans that raised the risk and do not overlap."""
    kept: list[list[tuple[_Span, float]]] = [[] for _ in range(n_reports)]
    for place in np.argsort(-effects, kind="stable"):
        span, effect = spans[place], float(effects[place])
        others = kept[span.row]
        overlaps = any(o.column == span.column and o.start < span.end and span.start < o.end for o, _ in others)
        if effect >= SMALLEST_EFFECT and len(others) < n_wanted and not overlaps:
            others.append((span, effect))
    return kept


def _history_effects(reports: pd.DataFrame, risk: np.ndarray, score: Score) -> np.ndarray:
    """What the risk loses if nothing had been reported of the matter before, shape (n_reports,)."""
    return risk - score(reports.assign(**dict.fromkeys(HISTORY, 0)))


def _telling_column(report: "pd.Series[Any]") -> str:
    """The history column a reader is told: the shortest window in which the matter was reported before."""
    return next((name for name in HISTORY if report[name] > 0), HISTORY[-1])


def _reasons(
    reports: pd.DataFrame, row: int, words: list[tuple[_Span, float]], history: float, n_reasons: int
) -> list[dict[str, object]]:
    found: list[dict[str, object]] = [
        {"kind": "words", "evidence": str(reports.at[span.row, span.column])[span.start : span.end], "effect": effect}
        for span, effect in words
    ]
    if history >= SMALLEST_EFFECT:
        found.append({"kind": "history", "evidence": _telling_column(reports.iloc[row]), "effect": float(history)})
    return sorted(found, key=lambda reason: -float(str(reason["effect"])))[:n_reasons]
