"""What the store promises about what it keeps: append-only logs, accounts, retention, backups."""

import json
import zipfile

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from pipeline.casework import Search, Verdict
from pipeline.errors import StoreError
from pipeline.store.backups import backup, restore
from pipeline.store.database import Database, store_url
from pipeline.store.retention import purge
from pipeline.store.store import Store
from pipeline.store.tables import APPEND_ONLY, Base
from tests.casework import NOON, later, make_person, publish_queue


def _decided(store, report_id="a"):
    publish_queue(store, "a", "b")
    wang = make_person(store, "王")
    store.decisions.decide(report_id, Verdict("false_alarm", reason="无事"), wang, now=NOON, wants_second=False)
    return wang


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_decisions_and_events(store, table, statement):
    _decided(store)
    with pytest.raises(DBAPIError, match="append-only"), store.database.writing() as session:
        session.execute(text(statement.format(table)))


def test_migrations_make_the_tables_the_models_say(database):
    index = ("report_terms", "ix_report_words_terms")  # FTS5's own tables and GIN over an expression, which models cannot say
    ours = {"include_name": lambda name, kind, parents: name is None or not name.startswith(index)}
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), Base.metadata) == []


def test_retention_removes_texts_of_decided_reports_and_keeps_counts(store):
    _decided(store)
    purged = purge(store.database, before=later(0), now=later(1))
    assert (purged.n_removed, purged.n_kept_open) == (1, 1)
    gone = store.queue.get("a")
    assert (gone.title, gone.text, gone.reasons) == (None, None, ())
    assert (gone.category, gone.status, store.queue.get("b").text) == ("neighbours", "false_alarm", "楼上漏水b")
    assert purge(store.database, before=later(0), now=later(2)).n_removed == 0


def test_a_backup_restores_into_an_empty_store_and_work_goes_on(store, empty, tmp_path):
    wang = _decided(store)
    file = tmp_path / "backup.zip"
    n_rows = backup(store.database, file)
    other = Store(empty)
    assert restore(empty, file) == n_rows
    assert other.queue.get("a") == store.queue.get("a")
    assert other.judgements.of_report("a") == store.judgements.of_report("a")
    other.decisions.decide("b", Verdict("confirm"), wang, now=NOON, wants_second=False)


def test_a_backup_from_before_a_migration_is_restored_and_brought_up(store, tmp_path):
    _decided(store)
    backup(store.database, tmp_path / "new.zip")
    with zipfile.ZipFile(tmp_path / "new.zip") as new, zipfile.ZipFile(tmp_path / "old.zip", "w") as old:
        for name in new.namelist():
            if name != "report_words.jsonl":
                old.writestr(name, b"0001" if name == "revision" else new.read(name))
    unmade = Database(f"sqlite:///{tmp_path / 'unmade.sqlite'}")
    restore(unmade, tmp_path / "old.zip")
    found = Store(unmade).queue.search(Search(areas=None, words="漏水b"), now=NOON)
    assert [item.report_id for item in found.items] == ["b"]


def test_neither_a_store_nor_a_backup_is_overwritten(store, database, tmp_path):
    _decided(store)
    file = tmp_path / "backup.zip"
    backup(database, file)
    with pytest.raises(StoreError, match="not empty"):
        restore(database, file)
    with pytest.raises(StoreError, match="exists"):
        backup(database, file)


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_file_that_is_no_backup_is_refused(tmp_path, content):
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    with pytest.raises(StoreError, match="not a backup"):
        restore(Database(f"sqlite:///{tmp_path}/s.sqlite"), file)


def test_a_backup_of_another_revision_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("revision", "9999")
        archive.writestr("nights.jsonl", json.dumps({}))
    database = Database(f"sqlite:///{tmp_path}/s.sqlite")
    with pytest.raises(StoreError, match="revision 9999"):
        restore(database, tmp_path / "x.zip")
    database.engine.dispose()


def test_wrong_passwords_lock_the_account_for_a_while(store):
    wang = make_person(store, "王")
    for _ in range(3):
        store.people.failed(wang, now=NOON, attempts=3, minutes=15)
    assert store.people.account("王").locked_until == later(15)
    assert [event.kind for event in store.log.newest(limit=1)] == ["locked_out"]


def test_a_session_ends_with_its_time_its_account_or_its_password(store):
    wang = make_person(store, "王")

    def sign_in():
        store.people.sign_in(wang, token_digest="d", form_token="f", now=NOON, hours=1)

    sign_in()
    assert store.people.session("d", now=later(59)).person == wang
    assert store.people.session("d", now=later(60)) is None
    make_person(store, "王")  # a new password
    assert store.people.session("d", now=NOON) is None
    sign_in()
    store.people.deactivate("王", now=NOON)
    assert store.people.session("d", now=NOON) is None
    assert store.people.account("王") is None


def test_an_unknown_role_is_refused(store):
    with pytest.raises(StoreError, match="viewer, reviewer, lead, admin"):
        make_person(store, "王", "king")


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path):
    database = Database("postgresql+psycopg://triage:geheim@127.0.0.1:1/none")
    with pytest.raises(StoreError, match="does not answer") as caught:
        Store(database).queue.get("a")
    assert "geheim" not in str(caught.value)


def test_the_store_of_a_profile_is_a_file_of_its_own_unless_the_environment_names_one(tmp_path):
    assert store_url(tmp_path, "desk", None).endswith("/data/store/desk.sqlite")
    assert store_url(tmp_path, "desk", "postgresql+psycopg://host/x") == "postgresql+psycopg://host/x"


def test_a_store_that_was_never_made_is_said(tmp_path):
    with pytest.raises(StoreError, match="triage publish"):
        Database(f"sqlite:///{tmp_path}/none.sqlite").check()
    assert not (tmp_path / "none.sqlite").exists()
