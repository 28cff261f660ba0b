"""What every test may ask for."""

import os
from pathlib import Path

import pytest

from tests.servers import postgresql_server

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def project_root() -> Path:
    return ROOT


@pytest.fixture
def mirror() -> Path:
    """The folder of real corpora; the test says why it skips where there is none."""
    folder = Path(os.environ.get("TRIAGE_MIRROR", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the real corpora: set TRIAGE_MIRROR (looked in {folder.name})")
    return folder


@pytest.fixture(scope="session")
def postgresql():
    """URL of a database on a PostgreSQL server of our own; the test says why it skips where none is installed."""
    with postgresql_server() as url:
        yield url
