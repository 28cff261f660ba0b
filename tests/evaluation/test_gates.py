"""The first gates of promotion."""

import pytest

from pipeline.evaluation.gates import check_gates
from pipeline.params import load_params
from tests.conftest import ROOT

CATEGORY = {"n_reports": 100, "macro_f1": 0.9, "majority_macro_f1": 0.05, "n_never_predicted": 0}
RISK = {"n_reports": 100, "average_precision": 0.3, "brier": 0.04, "brier_base_rate": 0.05, "brier_gain_high": 0.02}
BASELINES = {"keywords": {"average_precision": 0.2, "gain_average_precision_high": 0.2}}
GOOD = {"category": CATEGORY, "risk": RISK, "baselines": BASELINES}


@pytest.fixture
def params():
    return load_params(ROOT).evaluation


def _failed(metrics, params):
    return [gate.name for gate in check_gates(metrics, params) if not gate.passed]


def test_a_model_that_beats_the_baselines_passes(params):
    assert _failed(GOOD, params) == []


@pytest.mark.parametrize(
    ("section", "change", "gate"),
    [
        ("category", {"macro_f1": 0.04}, "category beats the commonest category"),
        ("category", {"n_never_predicted": 1}, "no category is forgotten"),
        ("risk", {"brier_gain_high": -0.001}, "stated risks are no worse than the constant base rate"),
    ],
)
def test_each_gate_fails_for_its_own_reason(params, section, change, gate):
    assert _failed({**GOOD, section: {**GOOD[section], **change}}, params) == [gate]


def test_a_ranking_worse_than_a_baseline_by_more_than_chance_fails(params):
    worse = {"keywords": {"average_precision": 0.5, "gain_average_precision": -0.2, "gain_average_precision_high": -0.05}}
    assert _failed({**GOOD, "baselines": worse}, params) == ["risk ranks no worse than keywords"]


def test_a_sure_but_tiny_difference_to_a_baseline_is_let_pass(params):
    close = {
        "text_only": {"average_precision": 0.301, "gain_average_precision": -0.001, "gain_average_precision_high": -0.0005}
    }
    assert _failed({**GOOD, "baselines": close}, params) == []


def test_a_model_without_risk_labels_is_judged_by_category_alone(params):
    assert _failed({"category": CATEGORY, "risk": {"n_reports": 0}}, params) == []


def test_a_model_without_category_labels_is_judged_by_risk_alone(params):
    assert _failed({"category": {"n_reports": 0}, "risk": RISK, "baselines": BASELINES}, params) == []


def test_a_model_that_was_not_measured_does_not_pass(params):
    assert _failed({"category": {"n_reports": 0}, "risk": {"n_reports": 0}}, params) == ["something was measured"]


def test_a_gate_says_what_was_wanted_and_what_came(params):
    gate = next(gate for gate in check_gates(GOOD, params) if gate.name.startswith("category beats"))
    assert (gate.wanted, gate.got) == ("macro-F1 above 0.050", "0.900")
