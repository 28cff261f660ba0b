"""Seasons that a series shares with the rest of the wider one."""

import numpy as np
import pytest

from pipeline.emerging.season import SEASON_STEPS, season, wider

N_DAYS = 200
PARENTS = np.array([2, 2, -1])


def counts(one, other):
    """Two series and the one that holds both."""
    one, other = (np.broadcast_to(np.asarray(values), N_DAYS) for values in (one, other))
    return np.stack([one, other, one + other]).astype(np.int64)


def factors(observed):
    return season(observed, np.ones(observed.shape), PARENTS)


def test_a_series_is_expected_to_grow_as_the_rest_does():
    steady = np.round(100 * 1.004 ** np.arange(N_DAYS))
    growing = factors(counts(50, steady))[0]
    assert growing[: SEASON_STEPS + 1] == pytest.approx(np.ones(SEASON_STEPS + 1))
    assert growing[150] / growing[100] == pytest.approx(1.004**50, rel=0.01)


def test_a_surge_raises_neither_its_own_yardstick_nor_its_neighbours():
    surge = np.full(N_DAYS, 50)
    surge[150:157] = 500
    assert factors(counts(surge, 100)) == pytest.approx(np.ones((3, N_DAYS)), rel=0.01)


def test_a_day_says_nothing_of_those_before_it():
    before, after = counts(50, 100), counts(50, 100)
    after[1:, 120:] += 40
    changed = factors(after) / factors(before)
    assert changed[0, :121] == pytest.approx(np.ones(121))
    assert changed[0, 199] > 1.2


def test_a_rest_with_few_reports_tells_no_season():
    assert wider(counts(50, 100), PARENTS).tolist() == [2, 2, -1]
    assert wider(counts(50, 1), PARENTS).tolist() == [-1, 2, -1]


def test_a_short_history_tells_no_season():
    short = counts(50, 3)[:, : SEASON_STEPS // 2]
    assert wider(short, PARENTS).tolist() == [-1, 2, -1]
    assert season(short, np.ones(short.shape), PARENTS) == pytest.approx(np.ones(short.shape))
