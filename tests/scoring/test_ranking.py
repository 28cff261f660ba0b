import numpy as np
import pandas as pd
import pytest

from pipeline.scoring import ranking


def rank(scored, *, capacity, audit_share, seed, unclear_share=0.0):
    return ranking.rank(scored, capacity=capacity, audit_share=audit_share, unclear_share=unclear_share, seed=seed)


def _open(n, priorities=None, unclear=()):
    return pd.DataFrame(
        {
            "report_id": [f"r{i:03d}" for i in range(n)],
            "received_at": pd.date_range("2025-06-01", periods=n, freq="h", tz="UTC"),
            "lane": ["unclear" if i in unclear else "clear" for i in range(n)],
            "priority": np.arange(n, 0, -1) / n if priorities is None else priorities,
        }
    )


def test_the_highest_priority_is_read_first_and_nothing_is_dropped():
    ranked = rank(_open(30), capacity=10, audit_share=0.1, seed=1)
    assert ranked["report_id"].tolist() == [f"r{i:03d}" for i in range(30)]
    assert ranked["rank"].tolist() == list(range(1, 31))
    assert ranked["selected"].value_counts().to_dict() == {"waiting": 20, "ranked": 9, "audit": 1}


def test_ties_go_to_the_earlier_report():
    ranked = rank(_open(3, priorities=[0.5, 0.5, 0.5]), capacity=1, audit_share=0.0, seed=1)
    assert ranked["report_id"].tolist() == ["r000", "r001", "r002"]


def test_shuffled_input_gives_the_same_queue():
    reports = _open(50)
    one = rank(reports, capacity=10, audit_share=0.2, seed=3)
    other = rank(reports.sample(frac=1, random_state=4), capacity=10, audit_share=0.2, seed=3)
    pd.testing.assert_frame_equal(one, other)


def test_the_audit_draw_lies_below_the_line_and_knows_its_propensity():
    ranked = rank(_open(100), capacity=20, audit_share=0.25, seed=5)
    drawn = ranked[ranked["selected"] == "audit"]
    assert len(drawn) == 5
    assert (drawn["rank"] > 15).all()
    assert ranked.loc[ranked["rank"] <= 15, "propensity"].eq(1.0).all()
    assert ranked.loc[ranked["rank"] > 15, "propensity"].eq(5 / 85).all()


def test_the_audit_draw_reaches_every_report_below_the_line_equally_often():
    reports = _open(12)
    hits = pd.Series(0, index=reports["report_id"])
    for seed in range(2000):
        ranked = rank(reports, capacity=4, audit_share=0.5, seed=seed)
        hits[ranked.loc[ranked["selected"] == "audit", "report_id"]] += 1
    below = hits[hits > 0]
    assert len(below) == 10  # two are ranked, ten lie below
    expected = 2000 * 2 / 10
    assert (abs(below - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("n_open", [0, 1, 5])
def test_when_everything_can_be_read_nothing_is_drawn(n_open):
    ranked = rank(_open(n_open), capacity=5, audit_share=0.5, seed=1)
    assert len(ranked) == n_open
    assert ranked["selected"].eq("ranked").all()
    assert ranked["propensity"].eq(1.0).all()


def test_a_share_of_the_capacity_is_kept_for_unclear_reports_below_the_line():
    ranked = rank(_open(30, unclear=(2, 20, 21, 25)), capacity=10, audit_share=0.1, unclear_share=0.2, seed=1)
    assert ranked.loc[ranked["selected"] == "unclear", "report_id"].tolist() == ["r020", "r021"]
    assert ranked.loc[ranked["selected"] == "ranked", "report_id"].tolist() == [f"r{i:03d}" for i in range(7)]


def test_the_order_is_by_priority_whatever_the_lane():
    ranked = rank(_open(30, unclear=(2, 20, 21, 25)), capacity=10, audit_share=0.1, unclear_share=0.2, seed=1)
    assert ranked["report_id"].tolist() == [f"r{i:03d}" for i in range(30)]


def test_places_no_unclear_report_needs_go_to_the_next_in_order():
    ranked = rank(_open(30, unclear=(20,)), capacity=10, audit_share=0.0, unclear_share=0.3, seed=1)
    assert ranked.loc[ranked["selected"] == "ranked", "rank"].tolist() == list(range(1, 10))
    assert ranked.loc[ranked["selected"] == "unclear", "rank"].tolist() == [21]


def test_unclear_reports_that_were_selected_for_sure_have_propensity_one():
    ranked = rank(_open(30, unclear=(20,)), capacity=10, audit_share=0.2, unclear_share=0.1, seed=1)
    chosen = ranked["selected"].isin(["ranked", "unclear"])
    assert ranked.loc[chosen, "propensity"].eq(1.0).all()
    assert ranked.loc[~chosen, "propensity"].eq(2 / 22).all()
