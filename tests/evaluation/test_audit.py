import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.audit import below_the_line, drawn_by, estimate_audit, retraining_weights
from pipeline.evaluation.backtesting import Fates

FAR = np.iinfo(np.int64).max
DAY = 86_400_000_000


def _drawn(*rows):
    return pd.DataFrame(rows, columns=["night", "propensity", "escalated"])


def test_a_drawn_report_stands_for_as_many_as_its_propensity_says():
    estimate = estimate_audit(_drawn((0, 0.1, True), (0, 0.1, False), (1, 0.05, False)), n_ranked_escalated=10, confidence=0.95)
    assert estimate.n_below == pytest.approx(40)
    assert estimate.missed_per_1000.point == pytest.approx(250)
    assert estimate.recall.point == pytest.approx(10 / (10 + 10))


def test_equal_chances_give_the_exact_binomial_interval():
    rows = [(night, 1e-9, night < 2) for night in range(100)]
    share = estimate_audit(_drawn(*rows), n_ranked_escalated=0, confidence=0.95).missed_per_1000
    assert share.low == pytest.approx(2.4, abs=0.1)  # Clopper and Pearson's for 2 of 100: 0.24 % to 7.04 %
    assert share.high == pytest.approx(70.4, abs=0.1)


def test_a_draw_that_reached_everybody_is_certain():
    share = estimate_audit(_drawn((0, 1.0, True), (0, 1.0, False)), n_ranked_escalated=1, confidence=0.95).missed_per_1000
    assert (share.low, share.high) == (500, 500)


def test_unequal_weights_say_less_than_equal_ones():
    equal = estimate_audit(_drawn(*[(n, 0.01, False) for n in range(20)]), n_ranked_escalated=0, confidence=0.95)
    unequal = estimate_audit(
        _drawn(*[(n, 0.01 if n % 2 else 0.1, False) for n in range(20)]), n_ranked_escalated=0, confidence=0.95
    )
    assert unequal.n_effective < equal.n_effective


def test_nothing_drawn_is_nothing_estimated():
    assert not estimate_audit(_drawn(), n_ranked_escalated=3, confidence=0.95).recall.defined


def test_retraining_weights_count_a_drawn_report_for_those_it_stands_for():
    selected = pd.Series(["ranked", "audit", "waiting"])
    assert retraining_weights(selected, pd.Series([1.0, 0.04, 0.04])).tolist() == [1.0, 25.0, 0.0]


def test_what_lay_below_the_line_counts_a_report_on_every_night_it_was_open_and_not_ranked():
    fate = Fates(
        matters=np.array(["a", "b", "c"]),
        first_night=np.array([0, 0, 1]),
        settled=np.array([True, True, True]),
        escalated=np.array([False, True, True]),
        outcome_at=np.array([FAR, 2 * DAY + 1, FAR - 1]),
        mornings=np.array([0, DAY, 2 * DAY, 3 * DAY]),
    )
    night, audit = np.array([-1, -1, 2]), np.array([False, False, True])
    assert below_the_line(fate, night, audit) == (4 + 4 + 2, 3 + 2)
    drawn = drawn_by(fate, night, audit, np.array([np.nan, np.nan, 0.5]))
    assert drawn.to_dict("records") == [{"night": 2, "propensity": 0.5, "escalated": True}]
