"""Why a row was not accepted, and the REJECTED rows that say so: row number and reason, never what the row said."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

import pandas as pd

from pipeline import schema

Row = TypeVar("Row")

Tally = Counter[str]
"""What became of a source's rows: `read` (all but the unseen), `unseen` (on or after `as_of`), `known` (already reports),
`rejected`, `accepted`, `duplicates`, `unknown_labels`, and `placeholder …` for each kind of replacement."""


class Reason(StrEnum):
    """Every reason for which a single row is turned away."""

    BROKEN_ENCODING = "broken encoding"
    NUL = "NUL bytes"
    N_COLUMNS = "wrong number of columns"
    QUOTES = "unbalanced quotes"
    NOT_AN_OBJECT = "not a JSON object"
    TOO_LONG = "text too long"
    NO_TEXT = "no text"
    NO_DATE = "no date"
    IMPOSSIBLE_DATE = "impossible date"
    DUPLICATE_ID = "duplicate id"
    NO_REPORT_ID = "no report id"
    UNKNOWN_OUTCOME = "unknown outcome"
    UNKNOWN_CATEGORY = "unknown category"
    NO_PROPENSITY = "propensity not in (0, 1]"


def rejected_rows(source: str, rows: Sequence[int], reasons: Sequence[str]) -> pd.DataFrame:
    """A REJECTED table.

    Args:
        source: Name of the source.
        rows: Row numbers, counted from 1 after the header and on through all files of the source.
        reasons: One reason a row.
    """
    if not rows:
        return schema.REJECTED.empty()
    return schema.REJECTED.check(
        pd.DataFrame({"source": source, "source_row": list(rows), "reason": [str(r) for r in reasons]})
    )


def settle(
    verdicts: Iterable[tuple[int, Row | Reason]], tally: Tally, *, source: str, unseen: Callable[[Row], bool]
) -> tuple[list[Row], pd.DataFrame]:
    """Part rows that were read into those accepted and those turned away, and count them.

    Args:
        verdicts: Row number, and what the row says or why it is turned away.
        tally: Counted into; has `read` and `rejected` of what was turned away before.
        source: Name of the source.
        unseen: Whether what a row says lies on or after `as_of`; such rows are passed over.

    Returns:
        What the accepted rows say, and REJECTED.
    """
    accepted: list[Row] = []
    refused: list[tuple[int, Reason]] = []
    for row, verdict in verdicts:
        if isinstance(verdict, Reason):
            refused.append((row, verdict))
        elif unseen(verdict):
            tally["unseen"] += 1
        else:
            accepted.append(verdict)
    tally.update(accepted=len(accepted), rejected=len(refused))
    tally["read"] -= tally["unseen"]
    return accepted, rejected_rows(source, [row for row, _ in refused], [reason for _, reason in refused])
