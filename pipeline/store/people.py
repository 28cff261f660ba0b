"""Accounts and sessions. Passwords come in hashed and tokens digested: nothing here opens anything by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from pipeline.casework import ROLES, Account, Person, Role, SignedIn
from pipeline.errors import StoreError
from pipeline.store import log
from pipeline.store.database import Database
from pipeline.store.tables import SessionRow, UserRow


class People:
    """The desk for accounts and sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, password_hash: str, *, role: str, areas: Sequence[str] | None, now: datetime) -> Person:
        """Make an account, or give an existing one a new password, role and areas; it is active and unlocked after.

        Args:
            name: What the person signs in with, 1 to 100 characters.
            password_hash: Argon2 hash of the password.
            role: One of `ROLES`.
            areas: Areas the person sees; None for all.
            now: Instant, aware.

        Raises:
            StoreError: If the name or role cannot be used.
        """
        name = name.strip()
        if not 1 <= len(name) <= 100 or role not in ROLES:
            raise StoreError(f"An account needs a name of 1 to 100 characters and a role among {', '.join(ROLES)}.")
        with self._database.writing() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name).with_for_update()).first()
            kind = "account_added" if row is None else "account_changed"
            row = row if row is not None else UserRow(name=name, created_at=now)
            row.password_hash, row.role, row.areas = password_hash, role, None if areas is None else list(areas)
            row.active, row.failed_attempts, row.locked_until = True, 0, None
            session.add(row)
            session.flush()
            session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            log.write(session, kind, at=now, detail={"name": name, "role": role, "areas": row.areas})
            return _person(row)

    def deactivate(self, name: str, *, now: datetime) -> None:
        """Close an account and end its sessions; what the person decided stays theirs.

        Raises:
            StoreError: If there is no such account.
        """
        with self._database.writing() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name)).first()
            if row is None:
                raise StoreError(f"There is no account '{name}'. `triage user list` shows them.")
            row.active = False
            session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            log.write(session, "account_closed", at=now, detail={"name": name})

    def everybody(self) -> Sequence[Person]:
        """Every account by name."""
        with self._database.reading() as session:
            return [_person(row) for row in session.scalars(select(UserRow).order_by(UserRow.name))]

    def account(self, name: str) -> Account | None:
        """What signing in needs, or None for an unknown or closed account, or one whose role this program does not know."""
        with self._database.reading() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name, UserRow.active, UserRow.role.in_(ROLES))).first()
            return None if row is None else Account(_person(row), row.password_hash, row.failed_attempts, row.locked_until)

    def failed(self, person: Person, *, now: datetime, attempts: int, minutes: int) -> None:
        """Count a wrong password; lock the account for some minutes after some attempts."""
        with self._database.writing() as session:
            row = session.get_one(UserRow, person.id, with_for_update=True)
            row.failed_attempts += 1
            log.write(session, "sign_in_failed", at=now, person=person.id)
            if row.failed_attempts >= attempts:
                row.failed_attempts, row.locked_until = 0, now + timedelta(minutes=minutes)
                log.write(session, "locked_out", at=now, person=person.id, detail={"minutes": minutes})

    def sign_in(self, person: Person, *, token_digest: str, form_token: str, now: datetime, hours: int) -> None:
        """Begin a session; expired sessions of everybody are forgotten."""
        with self._database.writing() as session:
            row = session.get_one(UserRow, person.id, with_for_update=True)
            row.failed_attempts, row.locked_until = 0, None
            session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            session.add(
                SessionRow(
                    token_digest=token_digest, user_id=person.id, form_token=form_token, created_at=now,
                    expires_at=now + timedelta(hours=hours),
                )
            )  # fmt: skip
            log.write(session, "signed_in", at=now, person=person.id)

    def sign_out(self, token_digest: str, *, now: datetime) -> None:
        """End a session."""
        with self._database.writing() as session:
            row = session.get(SessionRow, token_digest)
            if row is not None:
                log.write(session, "signed_out", at=now, person=row.user_id)
                session.delete(row)

    def session(self, token_digest: str, *, now: datetime) -> SignedIn | None:
        """A live session of an open account with a role this program knows, or None."""
        query = (
            select(SessionRow, UserRow)
            .join(UserRow, UserRow.id == SessionRow.user_id)
            .where(
                SessionRow.token_digest == token_digest, SessionRow.expires_at > now, UserRow.active, UserRow.role.in_(ROLES)
            )
        )
        with self._database.reading() as session:
            found = session.execute(query).first()
            return None if found is None else SignedIn(_person(found[1]), found[0].form_token, found[0].expires_at)


def _person(row: UserRow) -> Person:
    role: Role | None = next((role for role in ROLES if role == row.role), None)
    if role is None:
        raise StoreError(f"{row.name} has the role '{row.role}', which this program does not know. Give the account another.")
    return Person(row.id, row.name, role, None if row.areas is None else tuple(row.areas), row.active)
