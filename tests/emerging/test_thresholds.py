import numpy as np
import pytest

from pipeline.emerging.nulls import draw
from pipeline.emerging.thresholds import (
    adjusted,
    count_surges,
    fit_tail,
    group,
    place,
    quiet,
    tightened,
)


def _alarms(text):
    return np.array([[mark == "x" for mark in row] for row in text.split()])


def test_alarms_close_together_are_one_surge():
    assert count_surges(_alarms("x..x....x ........."), merge_gap=3) == 2
    assert count_surges(_alarms("x..x....x ........."), merge_gap=1) == 3
    assert count_surges(_alarms("xxxxxxxxx x.......x"), merge_gap=3) == 3


def test_the_tail_gives_the_share_of_scores_as_high():
    scores = np.random.default_rng(1).exponential(size=20000)
    np.testing.assert_allclose(fit_tail(scores).p_values(np.array([1.0, 3.0])), np.exp([-1.0, -3.0]), rtol=0.05)


def test_the_tail_goes_on_beyond_the_highest_score_drawn():
    tail = fit_tail(np.random.default_rng(1).exponential(size=20000))
    np.testing.assert_allclose(np.log(tail.p_values(np.array([15.0]))), -15.0, rtol=0.15)
    falling = tail.p_values(np.linspace(0, 1000, 500))
    assert (np.diff(falling) <= 0).all()
    assert (falling > 0).all()


def test_scores_that_are_all_alike_have_p_value_one():
    assert fit_tail(np.zeros(500)).p_values(np.zeros(3)).tolist() == [1, 1, 1]


def test_the_threshold_raises_the_wanted_number_of_surges_on_what_it_was_placed_on():
    p_values = np.random.default_rng(2).uniform(size=(400, 30))
    cut = place(p_values, surges_wanted=20, merge_gap=3)
    assert count_surges(p_values <= cut, merge_gap=3) == 20


def test_groups_hold_series_of_similar_size():
    level = np.random.default_rng(3).exponential(size=60)
    groups = group(level)
    assert set(groups.tolist()) == set(range(6))
    assert all(level[groups == at].max() < level[groups == at + 1].min() for at in range(5))
    assert group(np.array([3.0])).tolist() == [0]


def test_the_threshold_is_lowered_only_where_quiet_days_look_unusual():
    even = (np.arange(100_000) + 1) / 100_000
    assert tightened(1e-4, seen=even, drawn=even) == pytest.approx(1e-4)
    assert tightened(1e-4, seen=even**0.5, drawn=even) == pytest.approx(1e-4)
    assert tightened(1e-4, seen=even**1.1, drawn=even) == pytest.approx(1e-4**1.1, rel=0.1)
    assert tightened(1e-4, seen=np.array([1e-3, 0.5]), drawn=even) > 0.7e-4  # two days prove nothing


def test_days_around_an_alarm_are_not_quiet():
    p_values = np.full((1, 20), 0.5)
    p_values[0, 8:12] = [1e-9, 0.01, 0.01, 0.01]
    assert quiet(p_values, cut=1e-6, around=3).tolist() == [0.5] * 13
    assert sorted(quiet(p_values, cut=1e-6, around=1)) == [0.01] * 2 + [0.5] * 15


def test_false_discovery_rates_are_benjamini_and_hochbergs():
    rates = adjusted(np.array([[0.01], [0.04], [0.03], [0.5]]))
    np.testing.assert_allclose(rates[:, 0], [0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_drawn_counts_have_the_mean_and_the_variance_asked_for():
    rows = 20000
    counts = draw(
        np.full(rows, 10.0), np.ones((rows, 7)), np.full(rows, 0.02), np.full(rows, 0.1), rng=np.random.default_rng(4)
    )
    np.testing.assert_allclose(counts.mean(), 10.0, rtol=0.01)
    np.testing.assert_allclose(counts[:, 0].var(), 10 + 0.12 * 100, rtol=0.05)
    np.testing.assert_allclose(counts.sum(axis=1).var(), 70 + (0.02 * 0.9 + 0.1 / 7) * 4900, rtol=0.05)
