"""A store on each database."""

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from pipeline.store.database import Database
from pipeline.store.store import Store

ON_EACH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(params=ON_EACH)
def database(request, tmp_path):
    """A store at the newest revision, with nothing in it."""
    yield from _opened(request, tmp_path)


@pytest.fixture(params=ON_EACH)
def empty(request, tmp_path):
    """Another one, on either database whatever the first is on."""
    yield from _opened(request, tmp_path)


@pytest.fixture
def store(database):
    return Store(database)


def _opened(request, folder):
    made = Database(fresh_url(request, folder))
    made.migrate()
    yield made
    made.engine.dispose()


def fresh_url(request, folder):
    """URL of a database that holds nothing."""
    name = f"store_{uuid4().hex}"
    if request.param == "sqlite":
        return f"sqlite:///{folder}/{name}.sqlite"
    server = request.getfixturevalue("postgresql")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.removesuffix("postgres") + name
