"""What people have decided about matters: joined two, parted one, or confirmed where a report belongs.

Membership that nobody has looked at is suggested; a decision makes it stand. A decision takes effect at the next midnight: that
is when a night first sees it. From then on it changes the matter of reports that came before, and reports that come later join
what the report they resemble belongs to now; so what was joined stays joined and what was parted stays parted, for newcomers
too. Admitting a history night by night and at once gives the same matters, because the index takes decisions in at the same
moments either way. These are the only ways in which a report's matter changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from pipeline import schema
from pipeline.errors import SourceError

MERGE, MOVE = "merge", "move"
"""All of one matter into another; one report into a matter, its own if it is to stand alone, or where it is, to confirm it."""
_ONE = ["decided_at", "action", "subject", "into"]  # what makes two rows one decision


@dataclass(frozen=True)
class Decision:
    """One decision, as the index takes it in.

    Attributes:
        effective_at: Midnight from which it holds, aware.
        action: MERGE or MOVE.
        subject: Matter that is merged, or report that is moved.
        into: Matter that it becomes part of.
    """

    effective_at: pd.Timestamp
    action: str
    subject: str
    into: str


def read_decisions(path: Path, *, as_of: datetime, timezone: str) -> tuple[Decision, ...]:
    """Decisions that hold at an instant, in the order in which they take effect.

    Args:
        path: A MATTER_DECISIONS table; none have been made if there is no such file.
        as_of: The instant, aware.
        timezone: Zone whose midnight a decision waits for.

    Raises:
        SchemaError: If the file is not that table.
        SourceError: If an action is unknown.
    """
    if not path.exists():
        return ()
    rows = schema.MATTER_DECISIONS.read(path).sort_values("decided_at", kind="stable")
    unknown = sorted(set(rows["action"]) - {MERGE, MOVE})
    if unknown:
        raise SourceError(f"{path} holds the action(s) {', '.join(unknown)}; there are {MERGE} and {MOVE}. Correct the table.")
    local = rows["decided_at"].dt.tz_convert(timezone).dt.normalize() + pd.DateOffset(days=1)
    effective = local.dt.tz_convert("UTC")
    named = zip(effective, rows["action"], rows["subject"], rows["into"], strict=True)
    return tuple(Decision(*one) for one in named if one[0] <= pd.Timestamp(as_of))


def apply(reports: pd.DataFrame, decisions: Sequence[Decision]) -> pd.DataFrame:
    """Reports with the matters that decisions made after they came give them.

    Args:
        reports: `report_id`, `received_at`, `matter_id` as given on arrival or by some of the decisions already.
        decisions: In the order in which they take effect.
    """
    if not decisions or reports.empty:
        return reports
    matters = reports["matter_id"].copy()
    for decision in decisions:
        subject = reports["report_id"] if decision.action == MOVE else matters
        came_before = reports["received_at"].isna() | (reports["received_at"] < decision.effective_at)
        matters = matters.mask((subject == decision.subject) & came_before, decision.into)
    return reports.assign(matter_id=matters)


def confirmed(reports: pd.DataFrame, decisions: Sequence[Decision]) -> "pd.Series[bool]":
    """Which reports a person has put where they are; the membership of all others is suggested."""
    moved = {decision.subject: decision.into for decision in decisions if decision.action == MOVE}
    return reports["report_id"].map(moved).eq(reports["matter_id"])


def record(path: Path, *, action: str, subject: str, into: str, by: str, why: str, now: datetime) -> None:
    """Add a decision to the table, which is made if there is none.

    Args:
        path: Where the table lies.
        action: MERGE or MOVE.
        subject: Matter that is merged, or report that is moved.
        into: Matter that it becomes part of.
        by: Who decided.
        why: The reason.
        now: The instant of deciding, aware.

    Raises:
        SourceError: If the action is unknown.
    """
    if action not in (MERGE, MOVE):
        raise SourceError(f"A matter cannot be changed by '{action}'. Use {MERGE} or {MOVE}.")
    given = {"decided_at": pd.Timestamp(now), "action": action, "subject": subject, "into": into, "by": by, "reason": why}
    add(path, pd.DataFrame([given]))


def add(path: Path, decisions: pd.DataFrame) -> int:
    """Add those of some MATTER_DECISIONS that the table does not hold yet; returns how many."""
    earlier = schema.MATTER_DECISIONS.read(path) if path.exists() else schema.MATTER_DECISIONS.empty()
    known = set(earlier[_ONE].itertuples(index=False, name=None))
    added = decisions[[one not in known for one in decisions[_ONE].itertuples(index=False, name=None)]]
    if len(added):
        together = pd.concat([part for part in (earlier, added) if len(part)], ignore_index=True)
        schema.MATTER_DECISIONS.write(together, path)
    return len(added)
