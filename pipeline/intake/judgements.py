"""What reviewers decided, as their unit exported it: rows of a decisions source as DECISIONS.

The file names reports by their whole id and holds no text. Each row says with which probability the report was given to a
person at all, so that what is learned from the decisions can be weighed back to all reports.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from pipeline import schema
from pipeline.intake.dates import parse_instant
from pipeline.intake.registration import Source
from pipeline.intake.rejection import Reason, Tally, settle
from pipeline.intake.sources import RawBatch

_COLUMNS = ["source_row", "report_id", "recorded_at", "action", "category", "selected", "propensity"]


def read_judgements(
    batches: Iterable[RawBatch], source: Source, *, categories: tuple[str, ...], as_of: datetime
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, Tally]]:
    """Turn the rows of a decisions source into DECISIONS; a decision made on or after `as_of` is not seen.

    Args:
        batches: Its rows.
        source: Its registry file.
        categories: Ids of the profile's taxonomy; a decision that names another is rejected.
        as_of: The instant from which we look, aware.

    Yields:
        DECISIONS, REJECTED, and what became of the rows (`read`, `unseen`, `rejected`, `accepted`).
    """
    for batch in batches:
        tally: Tally = Counter(read=len(batch.rows) + len(batch.rejected), rejected=len(batch.rejected))
        rows = batch.rows.reindex(columns=_COLUMNS).to_dict("records")
        verdicts = (
            (int(row["source_row"]), _judgement({str(name): value for name, value in row.items()}, source, categories))
            for row in rows
        )
        accepted, rejected = settle(verdicts, tally, source=source.name, unseen=lambda told: told["decided_at"] >= as_of)
        yield _as_decisions(accepted), pd.concat([batch.rejected, rejected], ignore_index=True), tally


def _as_decisions(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame.from_records(rows, columns=schema.DECISIONS.arrow.names)
    return schema.DECISIONS.check(table.astype({"decided_at": "datetime64[us, UTC]", "propensity": "float64"}))


def _judgement(row: dict[str, Any], source: Source, categories: tuple[str, ...]) -> dict[str, Any] | Reason:
    """One DECISIONS row, or why there is none."""
    told = {name: str(value).strip() if isinstance(value, str) else "" for name, value in row.items()}
    if not told["report_id"]:
        return Reason.NO_REPORT_ID
    if not told["recorded_at"]:
        return Reason.NO_DATE
    if told["category"] and told["category"] not in categories:
        return Reason.UNKNOWN_CATEGORY
    try:
        propensity = float(told["propensity"] or 1.0)
    except ValueError:
        return Reason.NO_PROPENSITY
    if not 0.0 < propensity <= 1.0:
        return Reason.NO_PROPENSITY
    instant = parse_instant(told["recorded_at"], zone=source.zone, order=source.date_order)
    if instant is None:
        return Reason.IMPOSSIBLE_DATE
    return {
        "report_id": told["report_id"], "decided_at": instant, "action": told["action"] or "recategorize",
        "category": told["category"] or None, "selected": told["selected"] or "ranked", "propensity": propensity,
    }  # fmt: skip
