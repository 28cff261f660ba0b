"""Searching what reports say, on each database."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text

from pipeline.casework import Search, Verdict
from pipeline.store import words
from pipeline.store.database import _MIGRATIONS
from pipeline.store.publishing import publish
from pipeline.store.retention import purge
from pipeline.store.tables import WordsRow
from tests.casework import NOON, later, make_night, make_person, make_queue, publish_queue

SAID = {"a": "楼上漏水，找物业A座", "b": "物业不管漏洞", "c": "工资 三个月没发", "d": "水管漏了"}


@pytest.fixture
def filled(store):
    publish_queue(store, *SAID, text=list(SAID.values()))
    return store


def _found(store, asked):
    return [item.report_id for item in store.queue.search(Search(areas=None, words=asked), now=NOON).items]


def test_terms_are_characters_and_pairs_within_runs():
    assert words.terms("漏水,Ａ1 漏") == ["漏", "水", "漏水", "a", "1", "a1"]


@pytest.mark.parametrize("rare", [words.RARE, 0], ids=["by the index", "by reading"])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("漏水", ["a"]), ("漏", ["a", "b", "d"]), ("物业", ["a", "b"]), ("物业 漏水", ["a"]), ("a座", ["a"]), ("，", ["a"]),
        ("水，找", ["a"]), ("水找", []), ("c", ["c"]), ("资 三", ["c"]), ("漏洞水", []), ('"漏水" OR', []), ("漏水" * 100, []),
    ],
)  # fmt: skip
def test_a_search_finds_the_same_with_the_index_as_without(filled, monkeypatch, rare, asked, expected):
    monkeypatch.setattr(words, "RARE", rare)
    assert _found(filled, asked) == expected


def test_terms_go_with_the_text_they_are_of(filled):
    person = make_person(filled, "王")
    filled.decisions.decide("a", Verdict("confirm"), person, now=NOON, wants_second=False)
    purge(filled.database, before=later(0), now=later(1))
    publish(filled.database, make_night(make_queue(*SAID, text=list(SAID.values())), digest="b"), now=later(2))
    with filled.database.reading() as session:
        assert set(session.scalars(select(WordsRow.report_id))) == {"b", "c", "d"}
    assert filled.queue.search(Search(areas=None, status="confirmed", words="漏水"), now=NOON).items == ()


def test_a_night_published_again_enters_nothing_twice(filled):
    publish(filled.database, make_night(make_queue(*SAID, text=list(SAID.values())), digest="b"), now=later(2))
    with filled.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(WordsRow)) == len(SAID)


def test_a_store_from_before_the_index_is_brought_up(filled):
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with filled.database._writing.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert connection.execute(text("SELECT count(*) FROM reports")).scalar() == len(SAID)
    filled.database.migrate()
    assert _found(filled, "漏水") == ["a"]
