"""What people decide about matters, and that it sticks."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from pipeline import schema
from pipeline.errors import SourceError
from pipeline.intake.decided import MERGE, MOVE, Decision, apply, confirmed, read_decisions, record
from pipeline.intake.matters import MatterIndex
from pipeline.params import load_params
from tests.builders import make_reports
from tests.conftest import ROOT
from tests.intake.test_matters import PARKING, STATION, STATION_AGAIN, history, nights

PARAMS = load_params(ROOT).intake


def decision(day, action, subject, into):
    return Decision(pd.Timestamp(day, tz="UTC"), action, subject, into)


def matters(written, decisions):
    """The matters of reports on consecutive days from 2024-01-01, admitted one by one and in the end."""
    titles, texts = zip(*written, strict=True)
    reports = make_reports([f"2024-01-0{day + 1}" for day in range(len(written))], title=list(titles), text=list(texts))
    index = MatterIndex(PARAMS, decisions)
    added = pd.concat([index.add(reports.iloc[[place]]) for place in range(len(reports))])
    return apply(added, decisions)["matter_id"].tolist()


def test_a_report_that_was_parted_takes_those_that_copy_it_along():
    parted = [decision("2024-01-03", MOVE, "r1", "m-r1")]
    assert matters([STATION, STATION_AGAIN, STATION_AGAIN], []) == ["m-r0"] * 3
    assert matters([STATION, STATION_AGAIN, STATION_AGAIN], parted) == ["m-r0", "m-r1", "m-r1"]


def test_matters_that_were_joined_stay_joined_for_newcomers():
    joined = [decision("2024-01-03", MERGE, "m-r1", "m-r0")]
    assert matters([STATION, PARKING, PARKING], joined) == ["m-r0", "m-r0", "m-r0"]


def test_a_decision_can_be_taken_back():
    back = [decision("2024-01-03", MERGE, "m-r1", "m-r0"), decision("2024-01-04", MOVE, "r1", "m-r1")]
    assert matters([STATION, PARKING, STATION, PARKING], back) == ["m-r0", "m-r1", "m-r0", "m-r1"]


def test_a_merge_does_not_change_what_came_after_it_and_was_given_otherwise():
    came = make_reports(["2024-01-01", "2024-01-05"], matter_id="m-r0")
    assert apply(came, [decision("2024-01-03", MERGE, "m-r0", "m-x")])["matter_id"].tolist() == ["m-x", "m-r0"]


def test_decisions_applied_twice_are_applied_once():
    decisions = [decision("2024-01-03", MERGE, "m-r1", "m-r0"), decision("2024-01-04", MOVE, "r1", "m-r1")]
    reports = make_reports(["2024-01-01", "2024-01-02"])
    once = apply(reports, decisions)
    pd.testing.assert_frame_equal(apply(once, decisions), once)


@pytest.mark.parametrize("days", [1, 11])
def test_with_decisions_night_by_night_equals_all_at_once(days):
    reports = history(500)
    plain = MatterIndex(PARAMS).add(reports)
    sizes = plain["matter_id"].value_counts()
    large, other = sizes.index[0], sizes.index[1]
    inside = plain.loc[plain["matter_id"] == large, "report_id"].iloc[3]
    days_of = reports["received_at"].dt.floor("D").drop_duplicates().tolist()
    decisions = [
        Decision(days_of[len(days_of) // 3], MERGE, other, large),
        Decision(days_of[len(days_of) // 2], MOVE, inside, f"m-{inside}"),
    ]
    at_once = apply(MatterIndex(PARAMS, decisions).add(reports), decisions)
    index = MatterIndex(PARAMS, decisions)
    by_night = apply(pd.concat([index.add(part) for part in nights(reports, days)]), decisions)
    pd.testing.assert_frame_equal(by_night, at_once)
    assert (at_once["matter_id"] != plain["matter_id"]).any()
    known = at_once.iloc[:400]
    restored = MatterIndex(PARAMS, decisions)
    restored.restore(known)
    pd.testing.assert_frame_equal(apply(restored.add(reports.iloc[400:]), decisions), at_once.iloc[400:])


def test_what_was_recorded_holds_from_the_next_midnight_on(tmp_path):
    path = tmp_path / "desk" / "matters.parquet"
    when = datetime(2024, 1, 2, 20, tzinfo=UTC)  # January 3, 4:00 in Shanghai
    record(path, action=MERGE, subject="m-r1", into="m-r0", by="li", why="同一件事", now=when)
    record(path, action=MOVE, subject="r2", into="m-r2", by="li", why="另一件事", now=when)

    def known(day, hour):
        return read_decisions(path, as_of=datetime(2024, 1, day, hour, tzinfo=UTC), timezone="Asia/Shanghai")

    assert known(3, 15) == ()
    assert [one.subject for one in known(3, 16)] == ["m-r1", "r2"]
    assert schema.MATTER_DECISIONS.read(path)["by"].tolist() == ["li", "li"]


def test_membership_is_suggested_until_a_person_puts_a_report_where_it_is():
    reports = make_reports(["2024-01-01", "2024-01-02"], matter_id="m-r0")
    assert confirmed(reports, [decision("2024-01-03", MOVE, "r1", "m-r0")]).tolist() == [False, True]


def test_without_a_table_nothing_has_been_decided(tmp_path):
    assert read_decisions(tmp_path / "none.parquet", as_of=datetime(2024, 1, 1, tzinfo=UTC), timezone="UTC") == ()


def test_an_unknown_action_is_refused(tmp_path):
    with pytest.raises(SourceError, match="merge or move"):
        record(
            tmp_path / "m.parquet", action="burn", subject="x", into="y", by="li", why="", now=datetime(2024, 1, 1, tzinfo=UTC)
        )
