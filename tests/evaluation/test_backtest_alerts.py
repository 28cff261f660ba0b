"""What a backtest says of alerts, in words."""

import math
from dataclasses import replace

import pytest

from pipeline.evaluation.backtest_alerts import AlertsFound, alert_sentences, surge_heads, surge_rows
from pipeline.schema import GROWING, NOVEL, SURGE

TOLD = {"n_told": 4, "n_true": 3, "n_grew_told": 3, "false_a_month": 0.5, "people": 5.0}
FOUND = AlertsFound(
    raised_a_month={SURGE: 1.5, GROWING: 0.8, NOVEL: 0.0},
    declared_a_month={SURGE: 2.0, GROWING: 1.0},
    surges=[
        {
            "rule": "surges", "raised_a_month": 1.5, "n_surges": {1.5: 20, 2.0: 20, 3.0: 0},
            "found": {1.5: 0.0, 2.0: 0.75, 3.0: math.nan}, "delay": {1.5: math.nan, 2.0: 2.0, 3.0: math.nan},
        }
    ],
    growing={"n_days": 60, "n_grew": 12, "count": 6, "alerts": TOLD, "counting": {**TOLD, "n_true": 1}},
)  # fmt: skip


def test_numbers_are_said_in_both_languages():
    chinese, english = zip(*alert_sentences(FOUND), strict=True)
    assert "数量突增 1.5 条" in chinese[0]
    assert "surges 1.5" in english[0]
    assert "of 4 matters said to grow 3 did; 0.5 a month were false (1.0 declared). 12 matters grew, 3 of them" in english[1]
    assert "6 people report within a week instead: 4 told, 1 grew" in english[2]


def test_before_a_horizon_has_closed_nothing_is_said_of_growth():
    early = replace(FOUND, growing={**FOUND.growing, "n_days": 0})
    assert [english for _, english in alert_sentences(early)][1:] == ["It is too early to tell which matters grew."]


def test_sizes_that_were_not_tried_or_not_found_have_no_day():
    (row,) = surge_rows(FOUND)
    assert row["cells"] == ["1.5", "0 / 20", "15 / 20, 3", "–"]
    assert len(surge_heads(FOUND)) == len(row["cells"])


@pytest.mark.parametrize("language", [0, 1])
def test_without_surges_there_is_no_table(language):
    none = replace(FOUND, surges=[])
    assert surge_rows(none) == []
    assert len(alert_sentences(none)[0][language]) > 0
