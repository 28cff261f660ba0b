import stat

import pytest

from pipeline.errors import ParameterError
from pipeline.intake.hashing import hash_reporter, secret_key


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.delenv("TRIAGE_SECRET_KEY", raising=False)
    key = secret_key(tmp_path)
    assert secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / ".triage-key").stat().st_mode) == 0o600


def test_the_environment_comes_before_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "k" * 32)
    assert secret_key(tmp_path) == b"k" * 32
    assert not list(tmp_path.iterdir())


def test_a_short_key_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "short")
    with pytest.raises(ParameterError, match="at least 16 characters"):
        secret_key(tmp_path)


def test_a_hash_depends_on_reporter_source_and_key_and_shows_none_of_them():
    first = hash_reporter("A00031618", "desk", b"k" * 16)
    assert first == hash_reporter("A00031618", "desk", b"k" * 16)
    assert len({first, hash_reporter("A2", "desk", b"k" * 16), hash_reporter("A00031618", "app", b"k" * 16), "A00031618"}) == 4
    assert first != hash_reporter("A00031618", "desk", b"l" * 16)
