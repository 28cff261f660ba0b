"""Coverage of category sets, and lanes."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.lanes import as_section, measure_lanes, wilson


def _measure(actual, sets, lanes, shared=None):
    return measure_lanes(
        np.array(actual), np.zeros(len(actual), dtype=int), pd.Series(sets), pd.Series(lanes), categories=("wages", "fraud"),
        shared=shared or {}, level=0.9, confidence=0.95,
    )  # fmt: skip


def test_wilson_gives_the_published_interval():
    estimate = wilson(81, 263, 0.95)  # Newcombe, Statistics in Medicine 17, 1998, table I
    assert (estimate.low, estimate.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_coverage_counts_reports_whose_set_holds_their_category():
    found = _measure([0, 0, 1, 1], [["wages"], [], ["wages", "fraud"], ["wages"]], ["clear", "unclear", "choose", "clear"])
    assert found.coverage.point == 0.5
    assert found.per_category["coverage"].tolist() == [0.5, 0.5]
    assert found.mean_size == 1.0


def test_lanes_say_how_often_their_first_choice_is_right():
    found = _measure([0, 1, 1, 1], [["wages"], ["wages"], ["wages", "fraud"], []], ["clear", "clear", "choose", "unclear"])
    lanes = found.lanes.set_index("lane")
    assert lanes.loc["clear", ["n_reports", "share", "right", "held"]].tolist() == [2, 0.5, 0.5, 0.5]
    assert lanes.loc["choose", ["right", "held"]].tolist() == [0.0, 1.0]


def test_categories_with_under_a_hundred_reports_are_marked_and_do_not_make_the_worst_gap():
    actual = [0] * 100 + [1] * 99
    found = _measure(actual, [["wages"]] * 85 + [[]] * 15 + [[]] * 99, ["clear"] * 199)
    assert found.per_category["few"].tolist() == [False, True]
    assert found.worst_gap == pytest.approx(0.05)


def test_a_category_without_a_threshold_of_its_own_is_marked():
    found = _measure([0, 1], [["wages"], ["fraud"]], ["clear", "clear"], shared={"fraud": True})
    assert found.per_category["shared"].tolist() == [False, True]


def test_metrics_leave_out_what_was_not_measured():
    section = as_section(_measure([0, 1], [["wages"], ["fraud"]], ["clear", "clear"]))
    assert "worst_gap" not in section
    assert section["by_lane"]["unclear"] == {
        "n_reports": 0,
        "share": 0.0,
        **{k: section["by_lane"]["unclear"][k] for k in ("share_low", "share_high")},
    }
