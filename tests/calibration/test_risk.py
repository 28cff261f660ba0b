"""The maps from risk logit to stated risk, and the choice between them."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

from pipeline.calibration.risk import choose_method, fit_risk_map
from pipeline.params import load_params
from tests.conftest import ROOT

PARAMS = load_params(ROOT).calibration
METHODS = ("platt", "isotonic", "venn_abers")


def _drawn(truth, n_reports=3000, seed=5):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, size=n_reports)
    return logits, rng.random(n_reports) < truth(logits), np.arange(n_reports).astype(str)


def _kinked(logits):
    """Low, a rise, and no further rise: no sigmoid is like this."""
    return np.where(logits > 0.5, 0.3, 0.02)


def _by_definition(logits, escalated, new, outcome):
    """Isotonic regression at a new report that is added with the given outcome."""
    values, place = np.unique(np.r_[logits, new], return_inverse=True)
    weights = np.bincount(place).astype(float)
    means = np.bincount(place, weights=np.r_[escalated, outcome].astype(float)) / weights
    return isotonic_regression(means, sample_weight=weights)[np.searchsorted(values, new)]


@pytest.mark.parametrize("decimals", [1, 8])
def test_venn_abers_is_isotonic_regression_with_the_report_added_as_each_outcome(decimals):
    logits, escalated, _ = _drawn(expit, n_reports=120)
    logits = logits.round(decimals)
    found = fit_risk_map(logits, escalated, "venn_abers", min_positives=1)
    new = np.r_[-9.0, logits[:20], logits[:20] + 0.05, 9.0]
    for steps, outcome, including in ((found.low, 0, True), (found.high, 1, False)):
        expected = [_by_definition(logits, escalated, value, outcome) for value in new]
        np.testing.assert_allclose(steps.at(new, including=including), expected, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_risk_rises_with_the_logit_and_stays_within_zero_and_one(method):
    logits, escalated, _ = _drawn(_kinked)
    risk = fit_risk_map(logits, escalated, method, min_positives=20).apply(np.linspace(-20, 20, 500))
    assert (np.diff(risk) > 0).all()
    assert risk.min() > 0.0
    assert risk.max() < 1.0


@pytest.mark.parametrize("method", METHODS)
def test_every_map_finds_a_sigmoid(method):
    logits, escalated, _ = _drawn(lambda values: expit(0.7 * values - 2), n_reports=20_000)
    found = fit_risk_map(logits, escalated, method, min_positives=20)
    probe = np.linspace(-2, 2, 9)
    np.testing.assert_allclose(found.apply(probe), expit(0.7 * probe - 2), atol=0.03)


def test_cross_validation_prefers_steps_to_a_sigmoid_where_no_sigmoid_fits():
    logits, escalated, matters = _drawn(_kinked)
    method, trials = choose_method(logits, escalated, matters, PARAMS)
    assert method in ("isotonic", "venn_abers")
    assert [trial.method for trial in trials if trial.chosen] == [method]


def test_cross_validation_keeps_the_sigmoid_where_it_fits():
    logits, escalated, matters = _drawn(lambda values: expit(0.7 * values - 2))
    assert choose_method(logits, escalated, matters, PARAMS)[0] == "platt"


def test_copies_of_a_matter_do_not_make_steps_look_certain():
    logits, escalated, _ = _drawn(lambda values: expit(0.7 * values - 2), n_reports=150)
    copied = np.repeat(np.arange(150), 20)
    method, _ = choose_method(logits[copied], escalated[copied], copied.astype(str), PARAMS)
    assert method == "platt"


def test_a_declared_method_is_taken_without_trials():
    logits, escalated, matters = _drawn(_kinked)
    declared = PARAMS.model_copy(update={"risk_method": "isotonic"})
    assert choose_method(logits, escalated, matters, declared) == ("isotonic", ())


def test_few_escalated_matters_are_not_compared():
    logits, matters = np.linspace(-1, 1, 100), np.arange(100).astype(str)
    assert choose_method(logits, np.arange(100) >= 95, matters, PARAMS) == ("platt", ())


@pytest.mark.parametrize("method", METHODS)
def test_too_few_escalations_move_the_base_rate_only_whatever_the_method(method):
    found = fit_risk_map(np.linspace(-1, 1, 100), np.arange(100) >= 95, method, min_positives=20)
    assert found.method == "shift"
    assert found.apply(np.linspace(-1, 1, 100)).mean() == pytest.approx(6 / 102)
