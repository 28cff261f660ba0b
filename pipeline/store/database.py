"""Opening the database: SQLite in WAL mode by default, PostgreSQL by URL; and its transactions.

Every call of a desk is one transaction. On SQLite a transaction that writes begins with BEGIN IMMEDIATE, so that two people
deciding at once queue up instead of failing half-way; readers are never kept waiting, because the log is written ahead
(https://www.sqlite.org/wal.html). On PostgreSQL the isolation is READ COMMITTED and rows are locked where they are chosen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, TimeoutError
from sqlalchemy.orm import Session

from pipeline.errors import StoreError
from pipeline.params import Places

BUSY_SECONDS = 10  # a writer waits this long for another before giving up; a night of 100,000 reports is written in less
_MIGRATIONS = Path(__file__).with_name("migrations")


def store_url(root: Path, profile: str, environment: str | None) -> str:
    """Where a profile's store is: the value of TRIAGE_STORE if set, else its SQLite file."""
    return environment or f"sqlite:///{(Places(root, profile).room('store').with_suffix('.sqlite')).resolve()}"


class Database:
    """A database, and transactions on it."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writing = self.engine.execution_options(triage_writes=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing.

        Raises:
            StoreError: If the database does not answer.
        """
        with _said(self.engine), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or not at all.

        Raises:
            StoreError: If the database does not answer.
        """
        with _said(self.engine), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def exists(self) -> bool:
        """Whether the store was ever made; asks without making it."""
        if self.is_sqlite and self.engine.url.database not in (None, "", ":memory:"):
            return Path(str(self.engine.url.database)).exists()
        with _said(self.engine), self.engine.connect() as connection:
            return self.engine.dialect.has_table(connection, "alembic_version")

    def migrate(self, revision: str = "head") -> None:
        """Bring the tables to a revision, the newest unless told otherwise; make them where there are none."""
        if self.is_sqlite and self.engine.url.database not in (None, "", ":memory:"):
            Path(str(self.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with _said(self.engine), self._writing.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    def empty_log(self) -> None:
        """Let SQLite move what was written ahead into its file, so that removed texts are overwritten there and then."""
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def renew_statistics(self) -> None:
        """Let PostgreSQL look at its tables anew, after so much was written that it would plan by what is no longer so."""
        if not self.is_sqlite:
            with self.writing() as session:
                session.execute(text("ANALYZE"))

    def revision(self, connection: Connection) -> str | None:
        """The revision the tables are at."""
        return MigrationContext.configure(connection).get_current_revision()

    def check(self) -> None:
        """See that the store is there and at the newest revision.

        Raises:
            StoreError: If it is not.
        """
        if not self.exists():
            raise StoreError(f"There is no store at {self.where}. Publish a night first: `triage publish --as-of <day>`.")
        newest = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
        with _said(self.engine), self.engine.connect() as connection:
            found = self.revision(connection)
        if found != newest:
            raise StoreError(
                f"The store at {self.where} is at revision {found}, the program at {newest}. Publish or migrate it."
            )

    @property
    def where(self) -> str:
        """The database's address without its password."""
        return self.engine.url.render_as_string(hide_password=True)


def dialect_insert(session: Session, table: Any) -> Any:
    """An INSERT of the session's own database, which can say what to do with rows that are there already."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)


@contextmanager
def _said(engine: Engine) -> Iterator[None]:
    """Say where the database is when it does not answer; statements and values, which may hold texts, are not repeated."""
    try:
        yield
    except TimeoutError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(
            f"The store at {where} is busy: every connection is taken. Nothing of this step was kept; repeat it in a moment."
        ) from error
    except DBAPIError as error:
        if not (error.connection_invalidated or type(error).__name__ in ("OperationalError", "InterfaceError")):
            raise
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(
            f"The store at {where} does not answer ({type(error.orig).__name__}). See that it runs and can be written; nothing "
            "of this step was kept, so it can be repeated."
        ) from error


def _engine(url: str) -> Engine:
    try:
        kind = make_url(url).get_backend_name()
        given: dict[str, Any] = {"hide_parameters": True}
        if kind == "sqlite":
            engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **given)
        else:
            engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=50, pool_timeout=BUSY_SECONDS, **given)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreError("TRIAGE_STORE must be a URL such as postgresql+psycopg://user@host/database.") from error
    if kind == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Write ahead, keep references, overwrite what is removed, and leave beginning a transaction to us."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("triage_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
