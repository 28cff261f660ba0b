"""Sources that are queries, on SQLite and on a PostgreSQL server that the test starts for itself and stops again."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
import sqlalchemy

from pipeline.errors import SourceError
from tests.intake.builders import make_source, read_all

QUERY = {"url_env": "TRIAGE_TEST_DATABASE", "query": "select id, time, title, text from reports order by id"}


def _source():
    return make_source(format="sql", files=[], sql=QUERY)


def _fill(url):
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table reports (id integer, time timestamp, title text, text text)"))
        row = sqlalchemy.text("insert into reports values (:id, '2024-03-01 08:05:00', null, :text)")
        connection.execute(row, [{"id": n, "text": f"楼道第{n}天没有灯"} for n in range(25)])


def _assert_reads_all(batch):
    assert batch.rows["source_id"].tolist() == [str(n) for n in range(25)]
    assert batch.rows["narrative"].iloc[24] == "楼道第24天没有灯"
    assert batch.rows["received_at"].iloc[0].replace("T", " ").startswith("2024-03-01 08:05:00")


def test_a_query_on_sqlite_is_a_source(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    _fill(url)
    monkeypatch.setenv("TRIAGE_TEST_DATABASE", url)
    _assert_reads_all(read_all(_source(), tmp_path, batch_rows=10))


def test_an_unset_address_names_the_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("TRIAGE_TEST_DATABASE", raising=False)
    with pytest.raises(SourceError, match="TRIAGE_TEST_DATABASE is not set"):
        read_all(_source(), tmp_path)


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/desk.db", "oracle://desk", "not an address"])
def test_a_database_that_does_not_answer_is_refused_without_showing_its_address(tmp_path, monkeypatch, url):
    monkeypatch.setenv("TRIAGE_TEST_DATABASE", url)
    with pytest.raises(SourceError, match="did not answer") as caught:
        read_all(_source(), tmp_path)
    assert url not in str(caught.value)


def test_a_column_the_query_does_not_give_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_TEST_DATABASE", "sqlite://")
    source = make_source(format="sql", files=[], sql=QUERY | {"query": "select 1 as id, '停水' as text"})
    with pytest.raises(SourceError, match=r"lacks the column\(s\) time, title; it has id, text"):
        read_all(source, tmp_path)


def _server_binaries():
    """The folder of initdb and pg_ctl, or None where no server is installed."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@pytest.fixture
def postgresql():
    """URL of a fresh server on this machine, listening on a socket and a free local port."""
    binaries = _server_binaries()
    if binaries is None:
        pytest.skip("needs a PostgreSQL server: install the package postgresql")
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next((name for name in ("postgres", "nobody") if any(entry.pw_name == name for entry in pwd.getpwall())), None)
        if user is None:
            pytest.skip("needs a user other than root to run PostgreSQL as")
    with tempfile.TemporaryDirectory(prefix="triage-pg-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = f"{folder}/data"

        def command(*arguments):
            subprocess.run(
                [binaries / arguments[0], *arguments[1:]], check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder
            )

        command("initdb", "-D", data, "-U", "triage", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        command("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", f"-p {port} -k {folder} -h 127.0.0.1 -F", "start")
        try:
            yield f"postgresql+psycopg://triage@127.0.0.1:{port}/postgres"
        finally:
            command("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


@pytest.mark.slow
def test_a_query_on_postgresql_is_a_source(postgresql, tmp_path, monkeypatch):
    _fill(postgresql)
    monkeypatch.setenv("TRIAGE_TEST_DATABASE", postgresql)
    _assert_reads_all(read_all(_source(), tmp_path, batch_rows=10))
