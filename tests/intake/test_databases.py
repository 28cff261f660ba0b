"""Sources that are queries, on SQLite and on PostgreSQL."""

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


@pytest.mark.slow
def test_a_query_on_postgresql_is_a_source(postgresql, tmp_path, monkeypatch):
    _fill(postgresql)
    monkeypatch.setenv("TRIAGE_TEST_DATABASE", postgresql)
    _assert_reads_all(read_all(_source(), tmp_path, batch_rows=10))
