"""The tables of the store, as SQLAlchemy models.

`reports` holds what came in, `items` what the champion says of the open ones and where each stands, `decisions` what people
concluded. Decisions and events are append-only: the first migration makes the database itself refuse to change or remove them.
Nothing about a reporter is kept, not even the keyed hash: only how many different people reported a matter.

Limit: one store serves one profile.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, Integer, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

APPEND_ONLY = ("decisions", "events")


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant on every database; SQLite itself keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive instants; write UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant must be timezone-aware")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table; constraints are named alike on every database, so that migrations can name them."""

    type_annotation_map = {datetime: Instant(), dict[str, Any]: JSON(), list[Any]: JSON()}
    metadata_naming = {
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }


Base.metadata.naming_convention = Base.metadata_naming

_Row = Integer().with_variant(BigInteger(), "postgresql")


class NightRow(Base):
    """A published night."""

    __tablename__ = "nights"
    as_of: Mapped[date] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime]
    manifest: Mapped[dict[str, Any]]


class ReportRow(Base):
    """A report some night admitted. Retention empties `title` and `text` and keeps the rest."""

    __tablename__ = "reports"
    report_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
    title: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    area: Mapped[str | None] = mapped_column(String(200))
    channel: Mapped[str | None] = mapped_column(String(200))
    matter_id: Mapped[str] = mapped_column(String(220), index=True)
    matter_by_person: Mapped[bool] = mapped_column(default=False)
    text_removed_at: Mapped[datetime | None]


class WordsRow(Base):
    """What a report says, as terms separated by spaces, for searching (`words.py`)."""

    __tablename__ = "report_words"
    id: Mapped[int] = mapped_column(_Row, primary_key=True)
    report_id: Mapped[str] = mapped_column(String(200), unique=True)
    terms: Mapped[str] = mapped_column(Text)


class ItemRow(Base):
    """A report in the queue: the scores of the last night that held it, and where it stands.

    `asked` says that somebody is asked to read it (`selected` is not `waiting`). `turn` orders the reading, rising so that an
    index gives it: the negative priority, except that an audit draw takes the turn of the ranked report in whose place it is
    read. `known` says that two people judged it alike, so that it may be handed out once more, unannounced, to see how
    attentively people read. `risk` and the like are the champion's and never change by hand; `category` is corrected by people.
    """

    __tablename__ = "items"
    report_id: Mapped[str] = mapped_column(ForeignKey("reports.report_id"), primary_key=True)
    area: Mapped[str | None] = mapped_column(String(200))
    received_at: Mapped[datetime]
    as_of: Mapped[date] = mapped_column(index=True)
    rank: Mapped[int]
    selected: Mapped[str] = mapped_column(String(20))
    asked: Mapped[bool]
    turn: Mapped[float]
    predicted: Mapped[str] = mapped_column(String(100))
    category: Mapped[str] = mapped_column(String(100))
    category_probability: Mapped[float]
    category_set: Mapped[list[Any]]
    lane: Mapped[str | None] = mapped_column(String(100))
    risk: Mapped[float]
    risk_low: Mapped[float | None]
    risk_high: Mapped[float | None]
    priority: Mapped[float]
    propensity: Mapped[float]
    reasons: Mapped[list[Any]]
    history: Mapped[dict[str, Any]]
    similar: Mapped[list[Any]]
    model: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(100))
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(20), default="open")
    snoozed_until: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    second_due: Mapped[bool] = mapped_column(default=False)
    known: Mapped[bool] = mapped_column(default=False)
    first_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[int] = mapped_column(default=1)
    __table_args__ = (
        # two in the very order of reading, without and with what waits below the line; and one that answers counts alone
        Index("ix_items_asked", "status", "asked", "turn", "received_at", "report_id"),
        Index("ix_items_reading", "status", "turn", "received_at", "report_id"),
        Index("ix_items_counting", "status", "asked", "due_at", "area", "snoozed_until"),
        Index("ix_items_second", "second_due"),
        Index("ix_items_known", "known"),
        Index("ix_items_claimed_by", "claimed_by"),
    )


class MatterRow(Base):
    """A matter with its counts, renewed when a night is published or people join and part reports."""

    __tablename__ = "matters"
    matter_id: Mapped[str] = mapped_column(String(220), primary_key=True)
    n_reports: Mapped[int]
    n_reporters: Mapped[int | None]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)


class OutcomeRow(Base):
    """A declared outcome some source recorded for a report."""

    __tablename__ = "outcomes"
    report_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(100), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)


class AlertRow(Base):
    """Something emerging that people are told about."""

    __tablename__ = "alerts"
    alert_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    area: Mapped[str | None] = mapped_column(String(200))
    category: Mapped[str | None] = mapped_column(String(100))
    matter_id: Mapped[str | None] = mapped_column(String(220))
    first_day: Mapped[date]
    last_day: Mapped[date]
    unit: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), default="open")
    evidence: Mapped[dict[str, Any]]


class UserRow(Base):
    """Somebody with an account. `areas` null is every area."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(300))
    role: Mapped[str] = mapped_column(String(20))
    areas: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    active: Mapped[bool] = mapped_column(default=True)
    failed_attempts: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SessionRow(Base):
    """Somebody signed in. Only a digest of the cookie's token is kept, so that reading the store opens no session."""

    __tablename__ = "sessions"
    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    form_token: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class DecisionRow(Base):
    """What somebody concluded of a report, with what the page showed. An undo is a row of its own that names the one undone.

    `before` is where the report stood, for the undo; `second` marks a blind second judgement, which changes nothing; with
    `known`, of a report two people had judged alike before.
    """

    __tablename__ = "decisions"
    id: Mapped[int] = mapped_column(_Row, primary_key=True)
    report_id: Mapped[str] = mapped_column(ForeignKey("reports.report_id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(String(20))
    category: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(String(100))
    until: Mapped[datetime | None]
    matter_id: Mapped[str] = mapped_column(String(220))
    second: Mapped[bool]
    known: Mapped[bool] = mapped_column(default=False)
    blind: Mapped[bool]
    batch: Mapped[str] = mapped_column(String(32), index=True)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    before: Mapped[dict[str, Any]]
    shown: Mapped[dict[str, Any]]


class EventRow(Base):
    """A line of the log: who saw or changed what, when. Never a text."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(_Row, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40), index=True)
    report_id: Mapped[str | None] = mapped_column(String(200), index=True)
    detail: Mapped[dict[str, Any]]
