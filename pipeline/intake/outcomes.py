"""What became of reports: rows of an outcomes source as OUTCOMES, with ids made the same way as the reports' own."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import pandas as pd

from pipeline import schema
from pipeline.intake.dates import parse_instant
from pipeline.intake.registration import Source
from pipeline.intake.rejection import Reason, Tally, settle
from pipeline.intake.sources import RawBatch


def read_outcomes(
    batches: Iterable[RawBatch], source: Source, *, known_outcomes: tuple[str, ...], as_of: datetime
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, Tally]]:
    """Turn the rows of an outcomes source into OUTCOMES.

    A row without an outcome says that nothing happened and is passed over, as is a label mapped to null; an outcome recorded on
    or after `as_of` is not seen.

    Args:
        batches: Its rows.
        source: Its registry file.
        known_outcomes: Ids of the declared outcomes, `data/taxonomy/outcomes.yaml`.
        as_of: The instant from which we look, aware.

    Yields:
        OUTCOMES, REJECTED, and what became of the rows (`read`, `unseen`, `none`, `rejected`, `accepted`).
    """
    for batch in batches:
        tally: Tally = Counter(read=len(batch.rows) + len(batch.rejected), rejected=len(batch.rejected))
        verdicts = _verdicts(batch.rows, source, known_outcomes, tally)
        accepted, rejected = settle(verdicts, tally, source=source.name, unseen=lambda told: told[2] >= as_of)
        yield _as_outcomes(accepted), pd.concat([batch.rejected, rejected], ignore_index=True), tally


def _verdicts(
    table: pd.DataFrame, source: Source, known_outcomes: tuple[str, ...], tally: Tally
) -> Iterator[tuple[int, tuple[str, str, datetime] | Reason]]:
    """Each row that tells an outcome; those that tell none are counted and passed over."""
    rows = table[["source_row", "report_id", "outcome", "recorded_at"]]
    for row, report_id, label, recorded_at in rows.itertuples(index=False, name=None):
        if not (label or "").strip() or (label in source.outcome_labels and source.outcome_labels[label] is None):
            tally["none"] += 1
        else:
            yield row, _outcome(report_id, label, recorded_at, source=source, known_outcomes=known_outcomes)


def _as_outcomes(rows: list[tuple[str, str, datetime]]) -> pd.DataFrame:
    table = pd.DataFrame.from_records(rows, columns=schema.OUTCOMES.arrow.names)
    return schema.OUTCOMES.check(table.astype({"recorded_at": "datetime64[us, UTC]"}))


def _outcome(
    report_id: str | None, label: str, recorded_at: str | None, *, source: Source, known_outcomes: tuple[str, ...]
) -> tuple[str, str, datetime] | Reason:
    """One OUTCOMES row, or why there is none."""
    label = label.strip()
    outcome = source.outcome_labels.get(label) if source.outcome_labels else label
    if not (report_id or "").strip():
        return Reason.NO_REPORT_ID
    if outcome is None or outcome not in known_outcomes:
        return Reason.UNKNOWN_OUTCOME
    if not (recorded_at or "").strip():
        return Reason.NO_DATE
    instant = parse_instant(str(recorded_at), zone=source.zone, order=source.date_order)
    return Reason.IMPOSSIBLE_DATE if instant is None else (f"{source.of}-{str(report_id).strip()}", outcome, instant)
