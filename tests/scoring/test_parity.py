import numpy as np
import pandas as pd
import pytest

from pipeline.params import load_params
from pipeline.scoring.parity import compare
from tests.conftest import ROOT

LIMITS = load_params(ROOT).scoring.parity


def _scores(first_shares, risks):
    shares = np.column_stack([first_shares, 1 - np.asarray(first_shares)])
    likeliest = shares.argmax(axis=1)
    return pd.DataFrame(
        {
            "category_probabilities": list(shares),
            "category": np.array(["a", "b"], dtype=object)[likeliest],
            "category_probability": shares.max(axis=1),
            "risk": risks,
        }
    )


def _error(probabilities, right):
    return float(abs(probabilities.mean() - right.mean()))


def _compare(exact, fast, n_top=2):
    labels = pd.Series(["a"] * len(exact))
    return compare(
        exact,
        fast,
        labels,
        priority=lambda scores: scores["risk"].to_numpy(),
        calibration_error=_error,
        n_top=n_top,
        limits=LIMITS,
    )


def test_equal_scores_pass():
    scores = _scores([0.9, 0.2, 0.6], [0.1, 0.2, 0.3])
    parity = _compare(scores, scores)
    assert parity.failed == ()
    assert parity.median_difference == 0.0
    assert parity.top_overlap == 1.0


def test_a_changed_label_fails():
    parity = _compare(_scores([0.501, 0.2, 0.6], [0.1, 0.2, 0.3]), _scores([0.499, 0.2, 0.6], [0.1, 0.2, 0.3]))
    assert parity.label_flips == pytest.approx(1 / 3)
    assert "label_flips" in parity.failed


def test_a_report_that_leaves_the_top_fails_however_small_the_difference():
    parity = _compare(_scores([0.9] * 3, [0.3, 0.2000, 0.1999]), _scores([0.9] * 3, [0.3, 0.1999, 0.2000]))
    assert parity.failed == ("top_overlap",)


def test_a_risk_that_moves_fails():
    parity = _compare(_scores([0.9] * 3, [0.3, 0.2, 0.1]), _scores([0.9] * 3, [0.5, 0.4, 0.3]))
    assert parity.median_difference == pytest.approx(0.2)
    assert set(parity.failed) == {"median_difference", "p99_difference"}


def test_lost_calibration_fails():
    parity = _compare(_scores([0.9] * 3, [0.3, 0.2, 0.1]), _scores([0.8] * 3, [0.3, 0.2, 0.1]))
    assert parity.calibration_error_change == pytest.approx(0.1)
    assert "calibration_error_change" in parity.failed


def test_numbers_that_are_none_keep_no_limit():
    assert _compare(_scores([0.9] * 3, [0.3, 0.2, 0.1]), _scores([0.9] * 3, [np.nan] * 3)).failed
