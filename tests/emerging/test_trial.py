"""Surges put into past counts."""

import numpy as np
import pytest

from pipeline.emerging.trial import AVERAGE, AVERAGE_ALIKE, COUNT_ALIKE, RISES, SURGES, try_surges
from tests.emerging.builders import make_params, make_series
from tests.emerging.simulated import Setting, simulate

PARAMS = make_params()


@pytest.fixture(scope="module")
def counts():
    return simulate(Setting(1000, n_areas=4, n_categories=5, history_days=90, watched_days=40), n_surges=0, seed=3)[0]


@pytest.fixture(scope="module")
def tried(counts):
    return try_surges(counts, n_watched=40, params=PARAMS, seed=7)


def test_large_surges_are_found_more_often_than_small_ones_and_than_by_simple_rules(tried):
    by_rule = {one.rule: one for one in tried}
    assert list(by_rule) == [SURGES, AVERAGE, AVERAGE_ALIKE, COUNT_ALIKE]
    ours = by_rule[SURGES]
    assert ours.found[1.5] < ours.found[2.0] < ours.found[3.0]
    assert ours.found[3.0] > 0.9
    assert ours.found[2.0] > max(by_rule[AVERAGE_ALIKE].found[2.0], by_rule[COUNT_ALIKE].found[2.0])
    assert 0 <= ours.delay[3.0] <= 3


def test_simple_rules_get_the_attention_ours_gets_and_two_deviations_get_much_more(tried):
    raised = {one.rule: one.raised_a_month for one in tried}
    assert raised[AVERAGE_ALIKE] <= max(raised[SURGES], 1.0)
    assert raised[COUNT_ALIKE] <= max(raised[SURGES], 1.0)
    assert raised[AVERAGE] > 10 * max(raised[SURGES], 1.0)


def test_surges_of_every_size_are_put_in_alike_and_the_counts_stay_as_they_were(counts, tried):
    before = counts.observed.copy()
    assert tried[0].n_surges == dict.fromkeys(RISES, 16)
    assert try_surges(counts, n_watched=40, params=PARAMS, seed=7) == tried
    assert np.array_equal(counts.observed, before)


def test_every_size_is_tried_where_there_are_few_series():
    tried = try_surges(make_series(), n_watched=40, params=PARAMS, seed=7)
    assert sum(tried[0].n_surges.values()) == 8
    assert min(tried[0].n_surges.values()) >= 2


@pytest.mark.parametrize(("rate", "n_watched"), [(0.05, 40), (6.0, 5), (6.0, 100)])
def test_nothing_is_tried_with_too_few_reports_or_days(rate, n_watched):
    assert try_surges(make_series(rate=rate), n_watched=n_watched, params=PARAMS, seed=7) == []
