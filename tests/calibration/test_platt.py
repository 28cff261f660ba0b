"""A sigmoid for the risk logit."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.calibration.platt import fit_risk_scaler, smoothed_targets


def _drawn(slope, intercept, n_reports=20_000):
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, size=n_reports)
    return logits, rng.random(n_reports) < expit(slope * logits + intercept)


def test_the_sigmoid_that_made_the_outcomes_is_found():
    logits, escalated = _drawn(0.7, -2.0)
    scaler = fit_risk_scaler(logits, escalated, min_positives=20)
    assert scaler.method == "platt"
    assert scaler.slope == pytest.approx(0.7, rel=0.1)
    assert scaler.intercept == pytest.approx(-2.0, rel=0.1)


def test_targets_are_platts():
    targets = smoothed_targets(np.array([True, True, False]))
    np.testing.assert_allclose(targets, [3 / 4, 3 / 4, 1 / 3])


def test_perfectly_separated_outcomes_give_a_finite_slope():
    logits = np.r_[np.full(50, -1.0), np.full(50, 1.0)]
    scaler = fit_risk_scaler(logits, logits > 0, min_positives=20)
    assert np.isfinite(scaler.slope)
    assert scaler.apply(logits)[-1] == pytest.approx(51 / 52, abs=0.01)  # Platt's target for 50 escalations


def test_with_few_escalations_only_the_base_rate_is_moved():
    logits, escalated = np.linspace(-1, 1, 100), np.arange(100) >= 95
    scaler = fit_risk_scaler(logits, escalated, min_positives=20)
    assert (scaler.method, scaler.slope) == ("shift", 1.0)
    assert scaler.apply(logits).mean() == pytest.approx(6 / 102)


@pytest.mark.parametrize("value", [True, False])
def test_one_kind_of_outcome_moves_the_base_rate_but_not_to_the_end(value):
    scaler = fit_risk_scaler(np.zeros(30), np.full(30, value), min_positives=20)
    assert scaler.method == "shift"
    assert scaler.apply(np.zeros(1))[0] == pytest.approx(31 / 32 if value else 1 / 32)


def test_a_backward_ranking_is_not_turned_around():
    logits, escalated = _drawn(-1.0, 0.0)
    scaler = fit_risk_scaler(logits, escalated, min_positives=20)
    assert scaler.method == "shift"
    assert scaler.slope == 1.0


def test_equal_logits_get_the_base_rate():
    escalated = np.arange(200) < 50
    scaler = fit_risk_scaler(np.zeros(200), escalated, min_positives=20)
    assert scaler.apply(np.zeros(1))[0] == pytest.approx(51 / 202)


def test_logits_far_from_zero_are_moved_to_the_base_rate_too():
    escalated = np.arange(100) < 5
    logits = np.linspace(-305, -300, 100)
    assert fit_risk_scaler(logits, escalated, min_positives=20).apply(logits).mean() == pytest.approx(6 / 102)


def test_without_outcomes_nothing_is_calibrated_and_the_scaler_says_so():
    scaler = fit_risk_scaler(np.zeros(0), np.zeros(0, dtype=bool), min_positives=20)
    assert (scaler.method, scaler.slope, scaler.intercept) == ("none", 1.0, 0.0)


def test_risk_rises_with_the_logit_and_stays_within_zero_and_one():
    logits, escalated = _drawn(1.0, -1.0)
    risk = fit_risk_scaler(logits, escalated, min_positives=20).apply(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    assert (np.diff(risk) > 0).all()
    assert risk.min() >= 0.0
    assert risk.max() <= 1.0
