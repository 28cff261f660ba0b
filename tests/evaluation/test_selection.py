import numpy as np
import pytest

from pipeline.evaluation.selection import Period, recall_on_window, total_regret


def _period(validated, found, n_escalated=10):
    return Period("2025-06-01", validated, found, n_escalated)


def test_the_rule_chooses_the_best_on_the_last_window_and_regret_is_what_the_best_in_hindsight_had_more():
    period = _period({"model": 0.3, "keywords": 0.5}, {"model": 6, "keywords": 4})
    assert (period.chosen, period.best) == ("keywords", "model")
    assert period.regret == pytest.approx(0.2)


def test_of_equals_the_first_is_chosen_and_a_window_without_escalations_chooses_it_too():
    assert _period({"model": 0.5, "keywords": 0.5}, {"model": 1, "keywords": 1}).chosen == "model"
    assert _period({"model": float("nan"), "keywords": float("nan")}, {"model": 1, "keywords": 1}).chosen == "model"


def test_total_regret_weighs_periods_by_their_escalations():
    periods = [_period({"a": 1.0, "b": 0.0}, {"a": 1, "b": 3}, 10), _period({"a": 1.0, "b": 0.0}, {"a": 5, "b": 1}, 30)]
    assert total_regret(periods) == pytest.approx(2 / 40)


def test_recall_on_a_window_reads_the_first_of_each_day():
    scores, escalated, days = (
        np.array([3.0, 2.0, 1.0, 5.0, 4.0]),
        np.array([True, False, True, False, True]),
        np.array([0, 0, 0, 1, 1]),
    )
    assert recall_on_window(scores, escalated, days, capacity=1, max_day_share=1.0) == pytest.approx(1 / 3)
