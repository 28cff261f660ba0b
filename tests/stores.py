"""Stores with nothing in them, on either database: copies of one that was migrated once."""

import shutil
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from pipeline.store.database import Database

ON_EACH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
_TEMPLATE = "migrated_store"
_made: dict[str, object] = {}


@contextmanager
def empty_database(kind, folder, request):
    """A store at the newest revision with nothing in it.

    Args:
        kind: `sqlite` or `postgresql`.
        folder: Where a file may lie.
        request: The test's, through which the server is started when it is first needed.
    """
    name = f"store_{uuid4().hex}"
    database = Database(
        _sqlite_copy(folder / f"{name}.sqlite", request) if kind == "sqlite" else _postgresql_copy(name, request)
    )
    try:
        yield database
    finally:
        database.engine.dispose()


def _sqlite_copy(path, request):
    if "sqlite" not in _made:
        template = request.getfixturevalue("tmp_path_factory").mktemp("template") / f"{_TEMPLATE}.sqlite"
        database = Database(f"sqlite:///{template}")
        database.migrate()
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.engine.dispose()
        _made["sqlite"] = template
    shutil.copy(_made["sqlite"], path)
    return f"sqlite:///{path}"


def _postgresql_copy(name, request):
    server = request.getfixturevalue("postgresql")
    if _made.get("postgresql") != server:
        _create(server, _TEMPLATE)
        database = Database(server.removesuffix("postgres") + _TEMPLATE)
        database.migrate()
        database.engine.dispose()
        _made["postgresql"] = server
    _create(server, name, template=_TEMPLATE)
    return server.removesuffix("postgres") + name


def _create(server, name, *, template="template1"):
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
