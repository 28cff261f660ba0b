"""The review pages on a project's store, and a demo of them that needs nothing but the shipped sample's night."""

import hmac
import logging
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI

from pipeline.bulletin.comparing import Compared, Days
from pipeline.bulletin.files import to_csv, to_xlsx
from pipeline.bulletin.pages import to_fragment, to_html
from pipeline.bulletin.telling import tell
from pipeline.errors import ParameterError, StoreError
from pipeline.evaluation.baselines import load_harm_words
from pipeline.intake.hashing import secret_key
from pipeline.params import load_project, midnight
from pipeline.period import BulletinForm, PeriodFigures, WriteBulletin
from pipeline.publishing import open_database, open_store, publish_night
from pipeline.review.access import Settings
from pipeline.review.app import create_app
from pipeline.review.elsewhere import Provider
from pipeline.review.passwords import hash_password
from pipeline.store.store import Store
from pipeline.taxonomy import Taxonomy, load_outcomes, load_taxonomy

DISTRESSING = ("life", "injury")  # groups of harm_words.yaml whose words fold a text behind a warning
DEMO_ACCOUNTS = (("lead", "lead"), ("reviewer", "reviewer"))

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Demo:
    """The demo's accounts and the password drawn for them."""

    as_of: date
    names: tuple[str, ...]
    password: str
    clock: Callable[[], datetime]


def review_app(root: Path, *, secure: bool, clock: Callable[[], datetime] | None = None) -> FastAPI:
    """The review pages of a project's profile.

    Args:
        root: Project folder.
        secure: Whether cookies go over https only; False only where the pages are served to this machine alone.
        clock: Gives the present instant; None for the real one.

    Raises:
        StoreError: If the store was never made, or is of another revision.
    """
    params, profile, places = load_project(root)
    harm_words = load_harm_words(places.taxonomy("harm_words"))
    store, taxonomy = open_store(root), load_taxonomy(places.taxonomy(profile.taxonomy))
    settings = Settings(
        params=params.review,
        taxonomy=taxonomy,
        outcomes=load_outcomes(places.outcome_definitions),
        timezone=profile.timezone,
        key=hmac.new(secret_key(root), b"review pages", sha256).digest(),
        distressing=tuple(word for group in harm_words.groups if group.id in DISTRESSING for word in group.words),
        secure=secure,
        provider=_provider(os.environ),
        bulletin=bulletin_writer(store, taxonomy, profile.timezone),
        clock=clock if clock is not None else lambda: datetime.now(UTC),
    )
    return create_app(store, settings)


def _provider(environment: Mapping[str, str]) -> Provider | None:
    """The identity provider named by the environment, or None.

    Raises:
        ParameterError: If only part of it is named.
    """
    given = {
        name: environment.get(f"TRIAGE_OIDC_{name}", "") for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")
    }
    if not any(given.values()):
        return None
    missing = [f"TRIAGE_OIDC_{name}" for name, value in given.items() if not value]
    if missing:
        raise ParameterError(f"Signing in through a provider also needs {', '.join(missing)}. Set them, or none of them.")
    claim = environment.get("TRIAGE_OIDC_CLAIM") or "preferred_username"
    return Provider(given["ISSUER"], given["CLIENT_ID"], given["CLIENT_SECRET"], given["REDIRECT_URI"], claim)


def bulletin_writer(store: Store, taxonomy: Taxonomy, timezone: str) -> WriteBulletin:
    """Writes bulletins from a store.

    Args:
        store: What is counted.
        taxonomy: Names of categories and units.
        timezone: IANA name; whose midnight divides days.
    """

    def figures(days: Days, areas: Sequence[str] | None) -> PeriodFigures:
        begins, ends = midnight(days.first, timezone), midnight(days.last + timedelta(days=1), timezone)
        return store.figures.period(begins, ends, areas)

    def write(first: date, last: date, areas: Sequence[str] | None, language: str, form: BulletinForm) -> bytes:
        if not date(1901, 1, 1) <= first <= last <= date(2200, 1, 1):
            raise ParameterError(f"A bulletin runs from a day to the same or a later one, got {first} to {last}.")
        days = Days(first, last)
        now, before, last_year = (figures(one, areas) for one in (days, days.before, days.last_year))
        compared = Compared(days, now, before if before.n_known else None, last_year if last_year.n_known else None)
        told = tell(compared, taxonomy, areas, language)
        if form == "csv":
            return to_csv(told)
        if form == "xlsx":
            return to_xlsx(told)
        return (to_html(told) if form == "html" else to_fragment(told)).encode("utf-8")

    return write


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until interrupted. One process: SQLite has one writer, and a page takes milliseconds."""
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)


def prepare_demo(root: Path) -> Demo:
    """Publish the project's nights and make accounts `lead` and `reviewer` with a password drawn now.

    The demo's clock begins at nine in the morning of the latest night, so that the sample's reports are as old as then.

    Raises:
        StoreError: If no night was run yet.
    """
    _, profile, places = load_project(root)
    nights = [date.fromisoformat(folder.name) for folder in sorted(places.nights.glob("????-??-??"))]
    if not nights:
        raise StoreError("There is no night to show. Run `make demo`, or `triage nightly --as-of <day>`, first.")
    started = datetime.now(UTC)
    morning = midnight(nights[-1], profile.timezone) + timedelta(hours=9)

    def clock() -> datetime:
        return morning + (datetime.now(UTC) - started)

    for night in nights:
        publish_night(root, night, now=clock())
    store, password = Store(open_database(root)), secrets.token_urlsafe(9)
    for name, role in DEMO_ACCOUNTS:
        store.people.add(name, hash_password(password), role=role, areas=None, now=clock())
    return Demo(nights[-1], tuple(name for name, _ in DEMO_ACCOUNTS), password, clock)
