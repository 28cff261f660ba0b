"""Which rows are reports: an instant that can be, a text of bearable length, an id, a known category label.

The day of arrival is looked at first, and a row received on or after `as_of` is dropped there and then, neither accepted nor
rejected: a night must not know of it in any way. An unknown category label does not cost the report; it becomes null and is
counted, because the text is still worth reading and the label is not needed to read it.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pandas as pd

from pipeline.intake.dates import parse_instant
from pipeline.intake.registration import Source
from pipeline.intake.rejection import Reason, rejected_rows
from pipeline.sections import IntakeParams


@dataclass(frozen=True)
class Validated:
    """A batch of rows, sorted into those to go on with and those not.

    Attributes:
        rows: Columns of RAW_REPORTS with `report_id` in place of `source_id`, `received_at` in UTC (null in an undated
            source), `category` as taxonomy ids, and empty cells as null.
        rejected: REJECTED.
        n_unseen: Rows received on or after `as_of`.
        n_unknown_labels: Accepted rows whose category label the registry file does not map.
    """

    rows: pd.DataFrame
    rejected: pd.DataFrame
    n_unseen: int
    n_unknown_labels: int


def validate(raw: pd.DataFrame, source: Source, *, as_of: datetime, params: IntakeParams) -> Validated:
    """Sort the rows of a batch into accepted, rejected and not yet seen.

    Args:
        raw: RAW_REPORTS of one source.
        source: Its registry file.
        as_of: The instant from which we look, aware; only earlier rows are seen.
        params: Section `intake` of params.yaml.
    """
    received = _arrivals(raw["received_at"], source) if source.dated else [None] * len(raw)
    seen = [not isinstance(value, datetime) or value < as_of for value in received]
    verdicts = [
        received_at if isinstance(received_at, Reason) else _fault(title, narrative, params.max_text_characters)
        for received_at, title, narrative in zip(received, raw["title"], raw["narrative"], strict=True)
    ]
    good = pd.Series([ok and fault is None for ok, fault in zip(seen, verdicts, strict=True)], dtype=bool)
    bad = [ok and fault is not None for ok, fault in zip(seen, verdicts, strict=True)]
    rows = raw.reset_index(drop=True).drop(columns="source_id")
    ids = [_report_id(*cells) for cells in zip(raw["source"], raw["source_id"], raw["source_row"], strict=True)]
    rows.insert(0, "report_id", pd.Series(ids, dtype=object))
    instants = [value if isinstance(value, datetime) else pd.NaT for value in received]
    rows["received_at"] = pd.Series(instants, dtype="datetime64[us, UTC]")
    rows = rows[good].reset_index(drop=True)
    for column in ("area", "channel", "reporter", "duplicate_key"):
        rows[column] = pd.Series([_stripped(cell) for cell in rows[column]], dtype=object)
    labels = [_stripped(cell) for cell in rows["category"]]
    categories = [source.categories.get(label) if label and source.categories else label for label in labels]
    rows["category"] = pd.Series(categories, dtype=object)
    return Validated(
        rows=rows,
        rejected=rejected_rows(
            source.name,
            [int(row) for row, is_bad in zip(raw["source_row"], bad, strict=True) if is_bad],
            [str(fault) for fault, is_bad in zip(verdicts, bad, strict=True) if is_bad],
        ),
        n_unseen=len(seen) - sum(seen),
        n_unknown_labels=sum(label is not None and found is None for label, found in zip(labels, categories, strict=True)),
    )


def _arrivals(written: "pd.Series[str]", source: Source) -> list[datetime | Reason]:
    """The instant of arrival of every row, or why it has none."""
    zone, order = source.zone, source.date_order
    end = None
    if source.as_of_day is not None:  # a day's grace, because files are made in other time zones than they are read in
        end = datetime.combine(source.as_of_day + timedelta(days=2), time.min, zone)
    arrivals: list[datetime | Reason] = []
    for cell in written:
        if (text := _stripped(cell)) is None:
            arrivals.append(Reason.NO_DATE)
            continue
        instant = parse_instant(text, zone=zone, order=order)
        arrivals.append(Reason.IMPOSSIBLE_DATE if instant is None or (end is not None and instant >= end) else instant)
    return arrivals


def _fault(title: str | None, narrative: str | None, max_characters: int) -> Reason | None:
    if _stripped(narrative) is None:
        return Reason.NO_TEXT
    return Reason.TOO_LONG if max(len(narrative or ""), len(title or "")) > max_characters else None


def _stripped(cell: str | None) -> str | None:
    """The cell without surrounding blanks; None if nothing is left."""
    return None if cell is None else cell.strip() or None


def _report_id(source: str, source_id: str | None, row: int) -> str:
    known_as = _stripped(source_id)
    return f"{source}-row{row}" if known_as is None else f"{source}-{known_as}"
