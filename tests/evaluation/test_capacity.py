"""What is read at capacity."""

import itertools

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.capacity import local_days, make_queue, read_at_capacity, read_share, read_top


def _read(scores, days, escalated, *, capacity=2, max_day_share=1.0):
    queue = make_queue(np.array(scores, dtype=float), np.array(days))
    return read_at_capacity(queue, np.array(escalated, dtype=bool), capacity=capacity, max_day_share=max_day_share)


def test_each_day_reads_its_highest_scores_up_to_capacity():
    read = _read([3, 1, 2, 9, 8, 7], [0, 0, 0, 1, 1, 1], [0] * 6)
    assert read.chance.tolist() == [1, 0, 1, 1, 1, 0]


def test_a_day_with_few_reports_is_read_to_its_share_rounded_up():
    read = _read(range(10), [0] * 5 + [1] * 5, [0] * 10, max_day_share=0.2)
    assert read.chance.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_a_day_with_many_reports_is_read_to_capacity():
    assert _read(range(100), [0] * 100, [0] * 100, capacity=7, max_day_share=0.2).chance.sum() == 7


def test_equals_share_the_chance_of_being_read():
    read = _read([5, 1, 1, 1], [0] * 4, [0, 1, 0, 0])
    assert read.chance.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])


def test_worst_expected_and_best_are_those_of_all_orders_of_equals():
    scores, escalated = [2, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 1]
    hits = [sum(escalated[i] for i in (0, *order[:2])) for order in itertools.permutations([1, 2, 3, 4])]
    read = _read(scores, [0] * 6, escalated, capacity=3)
    assert (read.worst, read.best) == (min(hits), max(hits))
    assert (read.chance * escalated).sum() == pytest.approx(np.mean(hits))


def test_without_ties_worst_expected_and_best_agree():
    read = _read([4, 3, 2, 1], [0, 0, 1, 1], [0, 1, 1, 0], capacity=1)
    assert read.worst == read.best == (read.chance * [0, 1, 1, 0]).sum() == 1


def test_the_order_of_the_rows_does_not_matter():
    scores, days, escalated = np.array([1, 1, 5, 2, 2, 2]), np.array([0, 1, 0, 1, 1, 0]), np.array([1, 0, 0, 1, 0, 0])
    shuffled = np.array([3, 0, 5, 1, 4, 2])
    straight, mixed = _read(scores, days, escalated), _read(scores[shuffled], days[shuffled], escalated[shuffled])
    np.testing.assert_allclose(mixed.chance, straight.chance[shuffled])
    assert (mixed.worst, mixed.best) == (straight.worst, straight.best)


def test_reading_a_share_reads_fractions_by_chance():
    queue = make_queue(np.array([3.0, 2.0, 1.0]), np.zeros(3, dtype=int))
    assert read_share(queue, np.zeros(3, dtype=bool), share=0.5).chance.tolist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(("share", "n_read"), [(0.0, 0), (1.0, 3)])
def test_reading_nothing_or_everything(share, n_read):
    queue = make_queue(np.array([1.0, 1.0, 1.0]), np.array([0, 0, 1]))
    assert read_share(queue, np.ones(3, dtype=bool), share=share).chance.sum() == n_read


def test_one_list_ignores_the_days():
    read = read_top(np.array([1.0, 3.0, 2.0]), np.array([False, True, True]), n_read=2)
    assert read.chance.tolist() == [0, 1, 1]


def test_days_are_local():
    received = pd.Series(pd.to_datetime(["2025-01-01T15:59:00Z", "2025-01-01T16:01:00Z", None]))
    assert local_days(received, "Asia/Shanghai").tolist() == [0, 1, -1]
