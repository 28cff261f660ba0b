"""A store on each database."""

import pytest

from pipeline.store.store import Store
from tests.stores import ON_EACH, empty_database


@pytest.fixture(params=ON_EACH)
def database(request, tmp_path):
    """A store at the newest revision, with nothing in it."""
    with empty_database(request.param, tmp_path, request) as made:
        yield made


@pytest.fixture(params=ON_EACH)
def empty(request, tmp_path):
    """Another one, on either database whatever the first is on."""
    with empty_database(request.param, tmp_path, request) as made:
        yield made


@pytest.fixture
def store(database):
    return Store(database)
