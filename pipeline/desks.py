"""What the review pages can ask of a store. `pipeline/store` provides it; pages see nothing else.

Each call is one transaction; one that changes something writes its line in the event log in the same transaction. What every
argument means stands in `pipeline/store`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pipeline.casework import (
    Account,
    Alert,
    Counts,
    Decided,
    Decision,
    Event,
    Found,
    Item,
    Judged,
    Matter,
    NightRecord,
    Pair,
    PastReport,
    Person,
    Search,
    SignedIn,
    Verdict,
)
from pipeline.period import PeriodFigures


class QueueDesk(Protocol):
    """Open reports, and handing each to one person."""

    def search(self, search: Search, *, now: datetime) -> Found:
        """One page of matching reports in reading order."""

    def get(self, report_id: str) -> Item | None:
        """A report in the queue."""

    def past(self, report_ids: Sequence[str]) -> Sequence[PastReport]:
        """Earlier reports with what happened to them."""

    def counts(self, areas: Sequence[str] | None, *, now: datetime, since: datetime) -> Counts:
        """What is left to do and what was done since an instant."""

    def claim_next(self, person: Person, *, now: datetime, minutes: int, wants_known: bool = False) -> Item | None:
        """Hand the person the next report; None when nothing is left."""

    def claim(self, report_id: str, person: Person, *, now: datetime, minutes: int) -> Item | None:
        """Hand the person one report, if nobody else has it."""

    def release(self, report_id: str, person: Person, *, now: datetime) -> None:
        """Let go of a report."""


class DecisionDesk(Protocol):
    """Decisions, and the way back."""

    def decide(self, report_id: str, verdict: Verdict, person: Person, *, now: datetime, wants_second: bool) -> Decided:
        """Keep a decision about one report."""

    def decide_matter(self, matter_id: str, verdict: Verdict, person: Person, *, now: datetime) -> Decided:
        """Keep one decision about every open and free report of a matter."""

    def undo(self, batch: str, person: Person, *, now: datetime) -> tuple[str, ...]:
        """Take back what one decision did."""


class JudgementDesk(Protocol):
    """Reading decisions."""

    def of_report(self, report_id: str) -> Sequence[Decision]:
        """Every decision about a report, newest first."""

    def pairs(self) -> Sequence[Pair]:
        """First judgements with their blind seconds."""

    def checked(self) -> Sequence[Pair]:
        """First judgements with those of people who met the report as a hidden known one."""

    def judged(self) -> Sequence[Judged]:
        """Every report with the decision that stands."""


class MatterDesk(Protocol):
    """Matters and alerts."""

    def growing(self, areas: Sequence[str] | None, *, limit: int, offset: int = 0) -> Sequence[Matter]:
        """Matters of several reports, those with most open first."""

    def get(self, matter_id: str, areas: Sequence[str] | None) -> Matter | None:
        """A matter with reports in scope."""

    def reports(self, matter_id: str, areas: Sequence[str] | None, *, limit: int) -> Sequence[PastReport]:
        """Reports of a matter, newest first."""

    def alerts(self, areas: Sequence[str] | None, *, limit: int) -> Sequence[Alert]:
        """Alerts, open ones first."""

    def settle(self, alert_id: str, person: Person, *, status: str, now: datetime) -> None:
        """Say where an alert stands."""


class FiguresDesk(Protocol):
    """Counts."""

    def period(self, start: datetime, end: datetime, areas: Sequence[str] | None) -> PeriodFigures:
        """What happened in a period."""

    def arrivals(
        self, areas: Sequence[str] | None, *, area: str | None, category: str | None, matter_id: str | None,
        since: datetime, before: datetime,
    ) -> Sequence[datetime]:  # fmt: skip
        """When reports of an area, a category or a matter arrived."""


class NightDesk(Protocol):
    """Published nights and what their queues hold."""

    def newest(self, *, limit: int) -> Sequence[NightRecord]:
        """Nights, the latest first."""

    def areas(self) -> Sequence[str]:
        """Every area reports came from."""

    def lanes(self) -> Sequence[str]:
        """Every lane the queue has."""


class PeopleDesk(Protocol):
    """Accounts and sessions."""

    def everybody(self) -> Sequence[Person]:
        """Every account by name."""

    def account(self, name: str) -> Account | None:
        """What signing in needs."""

    def failed(self, person: Person, *, now: datetime, attempts: int, minutes: int) -> None:
        """Count a wrong password."""

    def sign_in(self, person: Person, *, token_digest: str, form_token: str, now: datetime, hours: int) -> None:
        """Begin a session."""

    def sign_out(self, token_digest: str, *, now: datetime) -> None:
        """End a session."""

    def session(self, token_digest: str, *, now: datetime) -> SignedIn | None:
        """A live session of an open account."""


class LogDesk(Protocol):
    """The event log."""

    def note(
        self,
        kind: str,
        *,
        at: datetime,
        person: int | None = None,
        report_id: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a line."""

    def of_report(self, report_id: str, *, limit: int) -> Sequence[Event]:
        """The newest lines about a report."""

    def newest(self, *, limit: int, kind: str | None = None, areas: Sequence[str] | None = None) -> Sequence[Event]:
        """The newest lines."""


class Store(Protocol):
    """A store: its desks."""

    @property
    def queue(self) -> QueueDesk:
        """Open reports."""

    @property
    def decisions(self) -> DecisionDesk:
        """Decisions."""

    @property
    def judgements(self) -> JudgementDesk:
        """What was decided."""

    @property
    def matters(self) -> MatterDesk:
        """Matters and alerts."""

    @property
    def figures(self) -> FiguresDesk:
        """Counts."""

    @property
    def nights(self) -> NightDesk:
        """Nights."""

    @property
    def people(self) -> PeopleDesk:
        """Accounts."""

    @property
    def log(self) -> LogDesk:
        """Events."""
