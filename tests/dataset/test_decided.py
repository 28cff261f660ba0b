import pandas as pd

from pipeline import schema
from pipeline.dataset.decided import use_decisions
from tests.builders import make_reports

AS_OF = pd.Timestamp("2024-08-01", tz="UTC")


def make_decisions(*rows):
    """DECISIONS from (report_id, day, category)."""
    frame = pd.DataFrame(
        [(report_id, pd.Timestamp(day, tz="UTC"), "confirm", category, "ranked", 1.0) for report_id, day, category in rows],
        columns=schema.DECISIONS.arrow.names,
    )
    return schema.DECISIONS.check(frame.astype({"decided_at": "datetime64[us, UTC]"}))


def _categories(*decisions):
    reports = make_reports(["2024-01-01", "2024-01-02"], category=["wages", None])
    return use_decisions(reports, make_decisions(*decisions), as_of=AS_OF)["category"].tolist()


def test_a_decided_category_stands_over_the_sources_own_and_labels_what_had_none():
    assert _categories(("r0", "2024-02-01", "fraud"), ("r1", "2024-02-01", "wages")) == ["fraud", "wages"]


def test_the_newest_decision_counts():
    assert _categories(("r0", "2024-02-02", "fraud"), ("r0", "2024-02-01", "neighbours"))[0] == "fraud"


def test_later_decisions_those_without_a_category_and_those_of_other_reports_play_no_part():
    assert _categories(("r0", "2024-08-01", "fraud"), ("r0", "2024-02-01", None), ("x", "2024-02-01", "fraud")) == [
        "wages",
        None,
    ]
