"""What the store keeps and the review pages work with: plain values.

The store and the pages are two rooms and never import each other; they meet here, as models and the night meet in
`classifier.py`. Values are frozen and hold no database handle; every change goes through one of the desks in `desks.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Role = Literal["viewer", "reviewer", "lead", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "reviewer", "lead", "admin")
"""In rising order of what they may do; an admin keeps accounts and does not thereby decide more than a lead."""

Action = Literal["confirm", "false_alarm", "recategorize", "merge", "split", "hand_over", "mediated", "snooze"]
ACTIONS: tuple[Action, ...] = ("confirm", "false_alarm", "recategorize", "merge", "split", "hand_over", "mediated", "snooze")
CLOSING: Mapping[Action, str] = {
    "confirm": "confirmed", "false_alarm": "false_alarm", "hand_over": "handed_over", "mediated": "mediated",
    "snooze": "snoozed",
}  # fmt: skip
"""Actions after which a report no longer waits for a reader, and the status it then has; the others leave it open."""

NEEDS_REASON: frozenset[Action] = frozenset({"false_alarm", "merge", "split", "hand_over", "snooze"})
"""Actions somebody else will ask about: why was it not followed, joined, parted, passed on, put off?"""

STATUSES = ("open", "snoozed", "confirmed", "false_alarm", "handed_over", "mediated", "withdrawn")
"""`withdrawn`: a republished night no longer holds the report; it is kept, and nobody is asked to read it."""


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `areas` None sees every area; reports without an area are seen by everybody."""

    id: int
    name: str
    role: Role
    areas: tuple[str, ...] | None
    active: bool = True

    def at_least(self, role: Role) -> bool:
        """Whether the person's role is this one or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def may_see(self, area: str | None) -> bool:
        """Whether reports of an area are the person's business."""
        return self.areas is None or area is None or area in self.areas


@dataclass(frozen=True)
class Account:
    """A person with what signing in needs; never handed to a template."""

    person: Person
    password_hash: str
    failed_attempts: int
    locked_until: datetime | None


@dataclass(frozen=True)
class SignedIn:
    """A live session: who, since when, and the token every form must carry."""

    person: Person
    form_token: str
    expires_at: datetime


@dataclass(frozen=True)
class Reason:
    """Why a report ranks where it does; as REASON in `schema.py`."""

    kind: str
    evidence: str
    effect: float


@dataclass(frozen=True)
class Item:
    """A report in the queue, as last published and as decided since.

    `title` and `text` are None after retention removed them. `as_of` is the night whose scores these are; `version` rises
    with every change, so that a page can tell that what it showed is no longer so.
    """

    report_id: str
    received_at: datetime
    title: str | None
    text: str | None
    area: str | None
    channel: str | None
    matter_id: str
    as_of: date
    rank: int
    selected: str
    category: str
    category_probability: float
    category_set: tuple[str, ...]
    lane: str | None
    risk: float
    risk_low: float | None
    risk_high: float | None
    priority: float
    propensity: float
    reasons: tuple[Reason, ...]
    history: Mapping[str, float]
    similar: tuple[str, ...]
    model: str
    unit: str
    due_at: datetime
    status: str
    snoozed_until: datetime | None
    claimed_by: int | None
    claimed_name: str | None
    claimed_until: datetime | None
    second_due: bool
    known: bool
    first_by: int | None
    version: int

    def is_held(self, now: datetime) -> bool:
        """Whether somebody has the report in hand just now."""
        return self.claimed_by is not None and self.claimed_until is not None and self.claimed_until > now


@dataclass(frozen=True)
class PastReport:
    """A similar earlier report and what is known to have happened to it."""

    report_id: str
    received_at: datetime
    title: str | None
    text: str | None
    area: str | None
    status: str | None
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """What the queue page asks for. None means any; `areas` is the asker's scope and always holds."""

    areas: tuple[str, ...] | None
    area: str | None = None
    category: str | None = None
    lane: str | None = None
    status: str | None = None
    unit: str | None = None
    words: str | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    only_selected: bool = True
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True)
class Found:
    """One page of the queue and how many reports match in all."""

    items: tuple[Item, ...]
    n_matching: int


@dataclass(frozen=True)
class Verdict:
    """What a reviewer concluded; which fields must be given depends on `action`."""

    action: Action
    category: str | None = None
    reason: str = ""
    unit: str | None = None
    until: datetime | None = None
    matter_id: str | None = None
    blind: bool = False
    seen_version: int | None = None


@dataclass(frozen=True)
class Decision:
    """A decision as kept: append-only, undone only by another row."""

    id: int
    report_id: str
    person: str
    at: datetime
    action: str
    category: str
    reason: str
    unit: str | None
    until: datetime | None
    matter_id: str
    second: bool
    blind: bool
    batch: str | None
    undone: bool


@dataclass(frozen=True)
class Decided:
    """What became of a decision: the rows written, and what the reviewer must be told."""

    report_ids: tuple[str, ...]
    batch: str
    scores_changed: bool = False


@dataclass(frozen=True)
class Matter:
    """Several reports about one thing."""

    matter_id: str
    title: str | None
    area: str | None
    n_reports: int
    n_reporters: int | None
    n_open: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Alert:
    """A surge or a fast-growing matter people were told about."""

    alert_id: str
    kind: str
    area: str | None
    category: str | None
    matter_id: str | None
    first_day: date
    last_day: date
    unit: str | None
    status: str
    evidence: Mapping[str, object]


@dataclass(frozen=True)
class NightRecord:
    """A published night; `manifest` as `nightly.py` wrote it."""

    as_of: date
    model: str
    published_at: datetime
    digest: str
    manifest: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """A line of the append-only log."""

    id: int
    at: datetime
    person: str | None
    kind: str
    report_id: str | None
    detail: Mapping[str, object]


@dataclass(frozen=True)
class Pair:
    """Two judgements of one report made independently: the first reviewer's and the blind second's."""

    report_id: str
    first_action: str
    second_action: str
    first_category: str
    second_category: str


@dataclass(frozen=True)
class Judged:
    """A report with the decision that stands; `propensity` and `selected` are as when it was decided."""

    report_id: str
    received_at: datetime
    title: str | None
    text: str | None
    area: str | None
    channel: str | None
    matter_id: str
    at: datetime
    action: str
    category: str
    predicted: str
    selected: str
    propensity: float


@dataclass(frozen=True)
class Counts:
    """What the top of the queue page says: reports still to read, late ones, and decisions made today."""

    n_to_read: int
    n_late: int
    n_waiting: int
    n_decided_today: int
