import numpy as np
import pandas as pd
import pytest

from pipeline.emerging.evaluation import Truth, judge, match, related
from pipeline.emerging.rules import moving_average
from tests.emerging.builders import make_series


def _truth(*surges, n_series=2, lead=0, after=0):
    frame = pd.DataFrame(surges, columns=["series", "start", "length"], dtype=int)
    return Truth(frame, np.eye(n_series, dtype=bool), lead, after)


def _scores(text):
    return np.array([[1.0 if mark == "x" else 0.0 for mark in row] for row in text.split()])


def test_a_surge_alarmed_while_it_lasts_is_found_with_its_delay():
    outcome = judge(_scores("....xx.... .........."), 1.0, _truth((0, 3, 4), (1, 3, 4)), merge_gap=3)
    assert outcome.found.tolist() == [True, False]
    assert outcome.delay[0] == 1.0
    assert np.isnan(outcome.delay[1])
    assert outcome.n_false == 0


def test_alarms_elsewhere_are_false_and_counted_once_a_run():
    outcome = judge(_scores("x.x.....xx .........."), 1.0, _truth((1, 3, 4)), merge_gap=2)
    assert outcome.n_false == 2
    assert outcome.n_false_steps == 4


def test_a_run_that_began_before_its_surge_is_not_false():
    assert judge(_scores(".xxxx..... .........."), 1.0, _truth((0, 3, 4)), merge_gap=2).n_false == 0


def test_an_alarm_within_the_lead_is_a_hit_with_a_negative_delay():
    outcome = judge(_scores(".x........ .........."), 1.0, _truth((0, 3, 4), lead=2), merge_gap=2)
    assert outcome.found.tolist() == [True]
    assert outcome.delay.tolist() == [-2.0]


def test_an_alarm_of_a_wider_series_is_not_false():
    keys = make_series().keys
    whole = related(keys)
    cell, other, total = 0, 3, len(keys) - 1
    assert whole[cell, total]
    assert whole[total, cell]
    assert not whole[cell, other]


def test_thresholds_are_matched_at_the_same_number_of_false_surges():
    scores = np.random.default_rng(1).exponential(size=(2, 500))
    outcome = match(scores, _truth((0, 100, 7)), n_false=5, merge_gap=3)
    assert outcome.n_false <= 5
    assert judge(scores, outcome.threshold * 0.98, _truth((0, 100, 7)), merge_gap=3).n_false >= outcome.n_false


def test_the_moving_average_counts_deviations_from_the_steps_before():
    week = [4, 6, 5, 5, 4, 6, 5]
    scores = moving_average(np.array([[*week, 9]]), baseline_steps=7)
    assert scores[0, -1] == pytest.approx((9 - 5) / np.std(week, ddof=1))
    assert (scores[0, :7] == -np.inf).all()
