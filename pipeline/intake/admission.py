"""How rows become reports, the same way in learning and every night: `admit`.

    read → validate → (not yet seen? already known?) → normalize, redact, hash → in order of arrival → duplicates → matters

The rows of a file may come in any order, but a duplicate or a matter is looked for among earlier reports only. So rows are
cleaned batch by batch as they are read, set aside on disk, and given to the `MatterIndex` in order of `received_at` (ties by
`report_id`; undated reports last, as the source has them). Admitting a history at once or night by night therefore gives every
report the same duplicate group and matter. Of several rows with one id the earliest is the report; the others are rejected.

In memory are a few batches for each process, 20,000 reports on their way to the index, the index itself, and an id and an
instant for each report.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import schema
from pipeline.errors import RejectLimitError
from pipeline.intake.cleaning import Cleaned, clean_all
from pipeline.intake.decided import Decision, apply
from pipeline.intake.declared import DeclaredCopies
from pipeline.intake.matters import MatterIndex
from pipeline.intake.ordering import Spool
from pipeline.intake.registration import Source
from pipeline.intake.rejection import Reason, Tally, rejected_rows
from pipeline.intake.sources import RawBatch
from pipeline.intake.validation import validate
from pipeline.sections import IntakeParams


@dataclass(frozen=True)
class Admitted:
    """Part of what came in; the parts of an admission add up.

    Attributes:
        reports: REPORTS, in order of arrival.
        rejected: REJECTED.
        tallies: Name of a source to what became of its rows.
    """

    reports: pd.DataFrame
    rejected: pd.DataFrame
    tallies: Mapping[str, Tally]


class _Keys:
    """Id, instant and place of every row that may be a report; all that is kept of it while it waits on disk."""

    def __init__(self, known: "pd.Index[str]") -> None:
        self._known = known
        self._parts: list[pd.DataFrame] = []
        self._met: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame, first_place: int) -> None:
        """Remember rows that may be new reports; `first_place` is their position in the spool."""
        keys = rows[["report_id", "source", "source_row", "received_at"]]
        self._parts.append(keys.assign(place=np.arange(first_place, first_place + len(rows))))

    def add_known(self, rows: pd.DataFrame, numbers: NDArray[np.int64]) -> None:
        """Remember rows of reports already known by their numbers there; a million ids would take too much room."""
        self._met.append(rows[["source", "source_row", "received_at"]].assign(number=numbers.astype(np.int32)))

    def in_order(self) -> pd.DataFrame:
        """Keys of new reports and of ids met more than once, in order of arrival; `repeated` for all but the first of an id."""
        parts = [part for part in (*self._parts, self._known_again()) if len(part)]
        if not parts:
            return pd.DataFrame({"report_id": [], "source": [], "source_row": [], "place": [], "repeated": []})
        keys = pd.concat(parts, ignore_index=True)
        keys["tie"] = keys["report_id"].where(keys["received_at"].notna(), "")  # undated rows stay as the source has them
        keys = keys.sort_values(["received_at", "tie", "source", "source_row"], na_position="last", ignore_index=True)
        return keys.assign(repeated=keys["report_id"].duplicated())

    def _known_again(self) -> pd.DataFrame:
        if not self._met:
            return pd.DataFrame()
        met = pd.concat(self._met, ignore_index=True)
        again = met[met["number"].duplicated(keep=False)]
        return again.assign(report_id=self._known.take(again["number"].to_numpy()), place=-1).drop(columns="number")


def admit(
    raw: Iterable[tuple[Source, Iterable[RawBatch]]],
    *,
    earlier: pd.DataFrame,
    as_of: datetime,
    params: IntakeParams,
    key: bytes,
    n_processes: int,
    decisions: Sequence[Decision] = (),
) -> Iterator[Admitted]:
    """Make reports of the rows received before `as_of` that are not reports yet.

    Args:
        raw: Sources of reports and their batches.
        earlier: REPORTS admitted before; empty when learning begins.
        as_of: The instant from which we look, aware; later rows are not seen.
        params: Section `intake` of params.yaml.
        key: Secret key of the reporters' hashes, from `hashing.secret_key`.
        n_processes: Processes to clean with.
        decisions: What people decided about matters before `as_of`, see `decided`.

    Yields:
        First what was rejected, as the rows are read; then the reports in order of arrival.
    """
    known = pd.Index(earlier["report_id"])
    index = MatterIndex(params, decisions)
    if len(known):
        index.restore(earlier)
    with tempfile.TemporaryDirectory(prefix="triage-intake-") as folder:
        spool, keys = Spool(Path(folder)), _Keys(known)
        validated = _validated(raw, known, keys, as_of=as_of, params=params)
        for before, cleaned in clean_all(validated, simplify=params.simplify, key=key, n_processes=n_processes):
            keys.add(cleaned.rows, spool.n_rows)
            spool.append(cleaned.rows)
            yield _refused(before, cleaned)
        order = keys.in_order()
        yield _repeated(order)
        ranks = np.full(spool.n_rows, -1, dtype=np.int64)
        places = order.loc[~order["repeated"] & (order["place"] >= 0), "place"].to_numpy(dtype=np.int64)
        ranks[places] = np.arange(len(places))
        yield from _matched(spool.in_order(ranks), index, decisions)


@dataclass(frozen=True)
class _Before:
    """What is known of a batch before its texts are cleaned."""

    source: str
    rejected: pd.DataFrame
    tally: Tally


def _validated(
    raw: Iterable[tuple[Source, Iterable[RawBatch]]],
    known: "pd.Index[str]",
    keys: _Keys,
    *,
    as_of: datetime,
    params: IntakeParams,
) -> Iterator[tuple[_Before, pd.DataFrame]]:
    """Validate batches and leave out the reports already known; their keys are kept, for other rows may repeat their ids."""
    for source, batches in raw:
        for batch in batches:
            valid = validate(batch.rows, source, as_of=as_of, params=params)
            numbers = known.get_indexer(pd.Index(valid.rows["report_id"]))
            is_known = numbers >= 0
            keys.add_known(valid.rows[is_known], numbers[is_known])
            rejected = pd.concat([batch.rejected, valid.rejected], ignore_index=True)
            tally = Counter(
                read=len(batch.rejected) + len(batch.rows) - valid.n_unseen,
                unseen=valid.n_unseen,
                known=int(is_known.sum()),
                rejected=len(rejected),
                unknown_labels=valid.n_unknown_labels,
            )
            yield _Before(source.name, rejected, tally), valid.rows[~is_known].reset_index(drop=True)


def _refused(before: _Before, cleaned: Cleaned) -> Admitted:
    """What of a batch did not become reports, and what was replaced in those that may."""
    tally = Counter(before.tally)
    tally["rejected"] += len(cleaned.rejected)
    tally.update({f"placeholder {name}": count for name, count in cleaned.placeholders.items()})
    rejected = pd.concat([before.rejected, cleaned.rejected], ignore_index=True)
    return Admitted(schema.REPORTS.empty(), rejected, {before.source: tally})


def _repeated(order: pd.DataFrame) -> Admitted:
    """Reject the rows whose id an earlier row has."""
    rows = order[order["repeated"].astype(bool)]
    parts, tallies = [schema.REJECTED.empty()], {}
    for source, of_source in rows.groupby("source", sort=True):
        parts.append(rejected_rows(str(source), of_source["source_row"].tolist(), [Reason.DUPLICATE_ID] * len(of_source)))
        tallies[str(source)] = Counter(rejected=len(of_source), known=-int((of_source["place"] < 0).sum()))
    return Admitted(schema.REPORTS.empty(), pd.concat(parts, ignore_index=True), tallies)


def _matched(ordered: Iterable[pd.DataFrame], index: MatterIndex, decisions: Sequence[Decision]) -> Iterator[Admitted]:
    """Give reports in order of arrival their duplicate group and matter."""
    declared = DeclaredCopies()
    for rows in ordered:
        reports = schema.REPORTS.check(apply(declared.join(index.add(rows), rows["duplicate_key"]), decisions))
        tallies = {
            str(source): Counter(accepted=len(of_source), duplicates=int(of_source["duplicate_of"].notna().sum()))
            for source, of_source in reports.groupby("source", sort=True)
        }
        yield Admitted(reports, schema.REJECTED.empty(), tallies)


def together(parts: Iterable[Admitted]) -> Admitted:
    """Add up the parts of an admission; for a night, whose reports fit into memory."""
    reports, rejected = [schema.REPORTS.empty()], [schema.REJECTED.empty()]
    tallies: dict[str, Tally] = {}
    for part in parts:
        reports.append(part.reports)
        rejected.append(part.rejected)
        add_up(tallies, part.tallies)
    return Admitted(_concat(reports), _concat(rejected).sort_values(["source", "source_row"], ignore_index=True), tallies)


def _concat(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def add_up(tallies: dict[str, Tally], more: Mapping[str, Tally]) -> None:
    """Add tallies to those before."""
    for source, tally in more.items():
        tallies.setdefault(source, Counter()).update(tally)


def check_reject_limit(tallies: Mapping[str, Tally], limit: float) -> None:
    """Refuse an admission in which too many of a source's rows were rejected.

    Args:
        tallies: What became of each source's rows.
        limit: Largest permitted share of rejected rows among those seen, in [0, 1]; `intake.reject_limit`.

    Raises:
        RejectLimitError: If a source is above it.
    """
    for source, tally in tallies.items():
        if tally["rejected"] > limit * tally["read"]:
            share = tally["rejected"] / max(tally["read"], 1)
            raise RejectLimitError(
                f"Source '{source}': {tally['rejected']} of {tally['read']} rows were rejected ({share:.1%}; the limit is "
                f"{limit:.1%}), so the export is probably broken. Nothing was written. Look at the reasons with "
                f"`triage check`, export the file again, or raise 'intake.reject_limit' in params.yaml."
            )
