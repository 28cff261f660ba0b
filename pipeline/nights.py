"""What nights leave behind, and what the next one takes up from it.

A night publishes one folder, written aside and renamed. The next reads what earlier ones left: the reports they admitted,
which of them somebody was given to read, and the last scores. A process that runs one night after the other (a backtest)
carries that along in a `Replay` instead of reading and admitting everything anew each time; its queues are the same, byte for
byte, because a report's duplicate group and matter depend on earlier reports only, however they come in.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema
from pipeline.alerting import Alerted
from pipeline.intake.decided import Decision, apply


@dataclass(frozen=True)
class Earlier:
    """What nights before this one left.

    Attributes:
        reports: REPORTS they admitted.
        selected: Ids of reports they gave somebody to read.
        opening: The day from which the first of them took reports as open; None if there was none.
        last_queue: The queue of the last of them.
        last_scored_by: Identity of the model and parameters that scored it.
    """

    reports: pd.DataFrame
    selected: frozenset[str]
    opening: date | None
    last_queue: pd.DataFrame
    last_scored_by: str

    def after(self, new: pd.DataFrame, queue: pd.DataFrame, *, opening: date, scored_by: str) -> "Earlier":
        """What the night after one more night finds."""
        return Earlier(
            reports=joined(self.reports, new),
            selected=self.selected.union(queue.loc[queue["selected"] != "waiting", "report_id"]),
            opening=opening,
            last_queue=queue,
            last_scored_by=scored_by,
        )

    def decided(self, decisions: Sequence[Decision]) -> "Earlier":
        """The same with the matters that people's decisions give reports."""
        return replace(self, reports=apply(self.reports, decisions), last_queue=apply(self.last_queue, decisions))


def joined(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Two REPORTS tables as one; an empty one adds nothing, not even its types."""
    return pd.concat([part for part in (earlier, later) if len(part)] or [later], ignore_index=True)


def published(nights: Path) -> list[date]:
    """The days whose queues are published, ascending."""
    return [date.fromisoformat(folder.name) for folder in sorted(nights.glob("????-??-??"))]


def earlier_nights(nights: Path, as_of: date) -> Earlier:
    """Read what the nights before a day left.

    Args:
        nights: Folder with one folder a published night.
        as_of: The day; its own night and later ones play no part.
    """
    folders = [nights / day.isoformat() for day in published(nights) if day < as_of]
    if not folders:
        return Earlier(schema.REPORTS.empty(), frozenset(), None, schema.QUEUE.empty(), "")
    reports = pd.concat([schema.REPORTS.read(folder / "reports.parquet") for folder in folders], ignore_index=True)
    selected: set[str] = set()
    for folder in folders:
        queue = pd.read_parquet(folder / "queue.parquet", columns=["report_id", "selected"])
        selected.update(queue.loc[queue["selected"] != "waiting", "report_id"])
    first, last = (manifest(folder) for folder in (folders[0], folders[-1]))
    last_queue = schema.QUEUE.read(folders[-1] / "queue.parquet")
    return Earlier(reports, frozenset(selected), date.fromisoformat(first["opening"]), last_queue, last["scored_by"])


def manifest(folder: Path) -> dict[str, Any]:
    """What a published night says it did."""
    said: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return said


class Replay:
    """What a process that runs one night after the other need not read again: everything that came in, admitted once.

    Args:
        admitted: REPORTS of the nightly sources, in order of arrival as intake gives them, reaching at least to the last night
            that will be run.
        checksums: Source to file name to sha256.
    """

    def __init__(self, admitted: pd.DataFrame, checksums: dict[str, dict[str, str]]) -> None:
        self._admitted = admitted
        self._dated = int(admitted["received_at"].notna().sum())
        self._instants = pd.DatetimeIndex(admitted["received_at"].iloc[: self._dated])
        self._last: tuple[date, Earlier] | None = None
        self.checksums = checksums

    def earlier(self, nights: Path, as_of: date) -> Earlier:
        """What nights before `as_of` left: as carried from the last one run, or read where that was another."""
        if self._last is not None and self._last[0] == max((day for day in published(nights) if day < as_of), default=None):
            return self._last[1]
        return earlier_nights(nights, as_of)

    def new(self, earlier: Earlier, before: datetime) -> pd.DataFrame:
        """REPORTS received before an instant that no earlier night has admitted.

        Args:
            earlier: What earlier nights left.
            before: The instant at which the night's day begins, aware.
        """
        start = int(earlier.reports["received_at"].notna().sum())
        stop = int(self._instants.searchsorted(pd.Timestamp(before)))
        undated = self._admitted.iloc[self._dated :] if earlier.opening is None else self._admitted.iloc[:0]
        return joined(self._admitted.iloc[start:stop], undated)

    def remember(self, as_of: date, left: Earlier) -> None:
        """Carry along what the night of `as_of` leaves."""
        self._last = (as_of, left)


def publish(
    nights: Path,
    as_of: date,
    night: Any,
    queue: pd.DataFrame,
    rejected: pd.DataFrame,
    reports: pd.DataFrame,
    alerted: Alerted,
) -> None:
    """Write a night aside, then rename it into place.

    Args:
        nights: Folder with one folder a published night.
        as_of: The night's day.
        night: Its manifest, a dataclass.
        queue: QUEUE.
        rejected: REJECTED.
        reports: The REPORTS it admitted.
        alerted: What it raises.
    """
    aside, final, old = (nights / f"{prefix}{as_of.isoformat()}" for prefix in (".writing-", "", ".replaced-"))
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    schema.QUEUE.write(queue, aside / "queue.parquet")
    schema.REJECTED.write(rejected, aside / "rejected.parquet")
    schema.REPORTS.write(reports, aside / "reports.parquet")
    alerted.write(aside)
    said = {**asdict(night), "published_at": datetime.now(UTC).isoformat(timespec="seconds")}
    (aside / "manifest.json").write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if final.exists():
        final.rename(old)
    aside.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def restore_interrupted(nights: Path) -> None:
    """Put back a night whose replacement was cut off between the two renames."""
    for old in nights.glob(".replaced-*"):
        final = nights / old.name.removeprefix(".replaced-")
        if final.exists():
            shutil.rmtree(old)
        else:
            old.rename(final)
