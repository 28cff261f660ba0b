"""Gates on calibration and on every category, which need no champion."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.categories import measure_categories
from pipeline.evaluation.honesty import calibration_gates, coverage_gates, set_gate
from pipeline.evaluation.lanes import measure_lanes
from pipeline.evaluation.risks import measure_risk
from pipeline.params import load_params
from tests.conftest import ROOT

N = 2000


@pytest.fixture(scope="module")
def params():
    return load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 100})


def _risk(stated, escalated, params):
    clusters = pd.Series(np.arange(len(stated)))
    days = np.arange(len(stated)) // 20
    return measure_risk(stated, escalated, [], clusters, days, known_rate=0.15, capacity=3, params=params, seed=1)


def _sharpened(probabilities, factor):
    odds = (probabilities / (1 - probabilities)) ** factor
    return odds / (1 + odds)


def _failed(gates):
    return [gate.name for gate in gates if not gate.passed]


def test_a_model_that_states_the_truth_passes(params):
    rng = np.random.default_rng(3)
    stated = rng.beta(1, 6, N)
    risk = _risk(stated, rng.random(N) < stated, params)
    assert _failed(calibration_gates(None, risk, params)) == []


def test_a_model_five_times_too_sure_of_its_risk_fails(params):
    rng = np.random.default_rng(3)
    stated = rng.beta(1, 6, N)
    risk = _risk(_sharpened(stated, 5), rng.random(N) < stated, params)
    assert "risk is calibrated" in _failed(calibration_gates(None, risk, params))


def test_a_model_five_times_too_sure_of_its_category_fails(params):
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet([0.6, 0.6, 0.6], N)
    actual = np.array([rng.choice(3, p=row) for row in probabilities])
    sure = probabilities**5 / (probabilities**5).sum(axis=1, keepdims=True)
    passed = {
        name: _failed(calibration_gates(_category(actual, stated, params), None, params))
        for name, stated in (("honest", probabilities), ("sure", sure))
    }
    assert "category is calibrated" not in passed["honest"]
    assert "category is calibrated" in passed["sure"]


def _category(actual, probabilities, params):
    clusters = pd.Series(np.arange(len(actual)))
    names = ("wages", "neighbours", "fraud")
    return measure_categories(actual, probabilities, {}, clusters, categories=names, params=params, seed=1)


def test_a_model_blind_to_a_category_fails_and_the_category_is_named(params):
    actual = np.repeat([0, 1, 2], 20)
    probabilities = np.eye(3)[np.where(actual == 2, 0, actual)] * 0.9 + 1 / 30
    (gate,) = coverage_gates(_category(actual, probabilities, params).per_class, params.gates)
    assert not gate.passed
    assert gate.got == "below: fraud (0.00 of 20)"


def test_a_category_with_too_few_reports_is_not_held_against_a_model(params):
    actual = np.r_[np.repeat([0, 1], 20), np.full(params.gates.min_category_reports - 1, 2)]
    probabilities = np.eye(3)[np.where(actual == 2, 0, actual)] * 0.9 + 1 / 30
    (gate,) = coverage_gates(_category(actual, probabilities, params).per_class, params.gates)
    assert gate.passed


def _lanes(n_held, n_reports):
    actual = np.repeat([0, 1], n_reports)
    sets = pd.Series([("wage", "noise")] * n_reports + [("noise",)] * n_held + [("wage",)] * (n_reports - n_held))
    lanes = pd.Series(["choose"] * n_reports + ["clear"] * n_reports)
    return measure_lanes(
        actual, actual, sets, lanes, categories=["wage", "noise"], shared={"wage": False}, level=0.9, confidence=0.95
    )


def test_sets_that_miss_a_category_are_refused_and_it_is_named(params):
    gate = set_gate(_lanes(140, 200), params.gates)
    assert not gate.passed
    assert "noise (0.70 of 200)" in gate.got


def test_sets_that_miss_a_category_by_chance_alone_pass(params):
    assert set_gate(_lanes(8, 10), params.gates).passed
