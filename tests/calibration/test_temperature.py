"""One temperature for the category logits."""

import numpy as np
import pytest
from scipy.special import softmax

from pipeline.calibration.temperature import apply_temperature, fit_temperature, fit_temperature_and_doubt, temperature_nll


def _drawn(temperature, n_reports=4000, n_categories=4):
    """Logits, and labels drawn from what they say after division by the temperature."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, size=(n_reports, n_categories))
    shares = softmax(logits / temperature, axis=1).cumsum(axis=1)
    return logits, (rng.random((n_reports, 1)) > shares).sum(axis=1).clip(max=n_categories - 1)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    logits, labels = _drawn(temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.1)


def test_the_fit_is_not_worse_than_leaving_the_logits_alone():
    logits, labels = _drawn(2.0)
    fitted = fit_temperature(logits, labels)
    assert temperature_nll(-np.log(fitted), logits, labels) <= temperature_nll(0.0, logits, labels)


def test_rows_sum_to_one_and_keep_their_order():
    logits = np.array([[1.0, 2.0, -20.0], [1000.0, -1000.0, 0.0]])
    probabilities = apply_temperature(logits, 0.5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    assert probabilities.argsort(axis=1).tolist() == logits.argsort(axis=1).tolist()


def test_a_higher_temperature_is_less_sure():
    logits = np.array([[2.0, 0.0]])
    assert apply_temperature(logits, 2.0).max() < apply_temperature(logits, 1.0).max()


def test_without_reports_the_logits_stay_as_they_are():
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=int)) == 1.0


def test_labels_that_are_always_right_give_a_finite_temperature():
    logits = np.eye(3) * 5
    assert 0 < fit_temperature(logits, np.arange(3)) < 1


def test_wrong_labels_become_doubt_and_leave_the_temperature_alone():
    logits, labels = _drawn(0.5, n_reports=8000)
    rng = np.random.default_rng(9)
    wrong = rng.random(8000) < 0.08
    noted = np.where(wrong, rng.integers(4, size=8000), labels)
    temperature, doubt = fit_temperature_and_doubt(logits, noted)
    assert fit_temperature(logits, noted) > 0.9  # alone it would pay for the errors
    assert temperature == pytest.approx(0.5, rel=0.1)
    assert doubt == pytest.approx(0.08, abs=0.02)


def test_without_wrong_labels_there_is_hardly_any_doubt():
    temperature, doubt = fit_temperature_and_doubt(*_drawn(2.0))
    assert temperature == pytest.approx(2.0, rel=0.1)
    assert doubt < 0.02


def test_doubt_keeps_rows_summing_to_one_and_in_order():
    logits = np.array([[1.0, 2.0, -20.0]])
    probabilities = apply_temperature(logits, 0.5, 0.1)
    assert probabilities.sum() == pytest.approx(1.0)
    assert probabilities.argsort(axis=1).tolist() == logits.argsort(axis=1).tolist()


def test_without_reports_there_is_no_doubt():
    assert fit_temperature_and_doubt(np.zeros((0, 3)), np.zeros(0, dtype=int)) == (1.0, 0.0)
