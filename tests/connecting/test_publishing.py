import json
from datetime import UTC, date, datetime

import pytest

from pipeline.casework import Search
from pipeline.cli import main
from pipeline.errors import StoreError
from pipeline.nightly import run_night
from pipeline.publishing import open_store, publish_if_kept, publish_night
from pipeline.registry import champion

NOW = datetime(2025, 8, 5, 1, tzinfo=UTC)
DAY = date(2025, 8, 5)


@pytest.fixture
def night(project, monkeypatch, tmp_path):
    """The project with one night run and its store in a folder of its own."""
    monkeypatch.setenv("TRIAGE_STORE", f"sqlite:///{tmp_path}/store.sqlite")
    run_night(project, DAY, model=champion(project, "desk"))
    return project


def test_a_night_goes_into_the_store_and_again_changes_nothing(night):
    first = publish_night(night, DAY, now=NOW)
    assert (first.changed, first.n_selected) == (True, 5)
    found = open_store(night).queue.search(Search(areas=None), now=NOW)
    assert len(found.items) == 5
    assert any(item.similar for item in found.items)
    assert not publish_night(night, DAY, now=NOW).changed


def test_only_a_store_that_exists_is_published_to_by_the_night(night):
    assert publish_if_kept(night, DAY, now=NOW) is None
    publish_night(night, DAY, now=NOW)
    assert publish_if_kept(night, DAY, now=NOW) is not None


def test_a_night_that_was_never_run_is_named(night):
    with pytest.raises(StoreError, match="triage nightly --as-of 2025-08-09"):
        publish_night(night, date(2025, 8, 9), now=NOW)


def test_accounts_backups_and_retention_from_the_command_line(night, monkeypatch, tmp_path, capsys):
    def run(*arguments):
        code = main(["--project", str(night), "--json", *arguments])
        printed = capsys.readouterr()
        return code, json.loads(printed.out) if code == 0 else printed.err

    code, said = run("user", "list")
    assert code == 2
    assert "triage publish" in said
    assert run("publish", "--as-of", "2025-08-05")[1]["n_selected"] == 5
    monkeypatch.setenv("TRIAGE_NEW_PASSWORD", "short")
    assert run("user", "add", "王")[0] == 2
    monkeypatch.setenv("TRIAGE_NEW_PASSWORD", "a long enough phrase")
    assert run("user", "add", "王", "--area", "东区")[1] == {"account": "王", "role": "reviewer"}
    assert run("user", "list")[1]["accounts"] == ["王  reviewer  东区"]
    assert run("purge", "--before", "2025-08-01")[1]["removed"] > 0
    assert run("backup", str(tmp_path / "b.zip"))[1]["rows"] > 100
    assert run("user", "close", "王")[0] == 0
    monkeypatch.setenv("TRIAGE_STORE", f"sqlite:///{tmp_path}/again.sqlite")
    assert run("restore", str(tmp_path / "b.zip"))[0] == 0
    assert run("user", "list")[1]["accounts"] == ["王  reviewer  东区"]
