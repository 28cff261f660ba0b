"""A challenger against the champion on the same reports."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.challenge import CHALLENGER, CHAMPION, Contest, champion_gates
from pipeline.params import load_params
from tests.conftest import ROOT

N, CATEGORIES = 600, ("wages", "neighbours", "fraud")
CAPACITY_GATE = "recall at capacity is no worse than the champion's"
F1_GATE = "category macro-F1 is no worse than the champion's"
RECALL_GATE = "no category's recall collapses against the champion"


@pytest.fixture(scope="module")
def params():
    return load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 200})


@pytest.fixture
def reports():
    """600 reports, thirty a day, one in ten escalates; the champion is right about every category and ranks well."""
    rng = np.random.default_rng(5)
    actual = np.arange(N) % 3
    escalated = (np.arange(N) % 10 == 0).astype(float)
    return actual, escalated, 0.1 + 0.3 * escalated + 0.2 * rng.random(N), rng


def _gates(params, reports, *, risk=None, predicted=None, escalated=None):
    actual, happened, good, _ = reports
    contest = Contest(
        categories=CATEGORIES,
        actual=actual,
        predicted={CHALLENGER: actual if predicted is None else predicted, CHAMPION: actual},
        escalated=happened if escalated is None else escalated,
        risk={CHALLENGER: good if risk is None else risk, CHAMPION: good},
        matters=pd.Series(np.arange(N) // 2),
        duplicate_groups=pd.Series(np.arange(N)),
        days=np.arange(N) // 30,
    )
    return {gate.name: gate for gate in champion_gates(contest, params, capacity=4, seed=1)}


def test_the_champion_itself_equals_the_champion(params, reports):
    assert all(gate.passed for gate in _gates(params, reports).values())


def test_a_better_ranking_passes(params, reports):
    _, escalated, _, _ = reports
    assert _gates(params, reports, risk=escalated)[CAPACITY_GATE].passed


def test_a_random_ranking_is_refused(params, reports):
    gate = _gates(params, reports, risk=reports[3].random(N))[CAPACITY_GATE]
    assert not gate.passed
    assert "against 1.000" in gate.got


def test_a_wide_interval_does_not_excuse_a_large_drop(params, reports):
    actual, _, _, rng = reports
    few = np.full(N, np.nan)
    few[:30] = 0.0
    few[[0, 7]] = 1.0
    good = np.where(few == 1.0, 0.9, 0.1)
    worse = good.copy()
    worse[7] = 0.0
    contest = Contest(
        categories=CATEGORIES, actual=np.full(N, -1), predicted={CHALLENGER: actual, CHAMPION: actual}, escalated=few,
        risk={CHALLENGER: worse, CHAMPION: good}, matters=pd.Series(np.arange(N)),
        duplicate_groups=pd.Series(np.arange(N)), days=np.zeros(N, dtype=int),
    )  # fmt: skip
    (gate,) = champion_gates(contest, params, capacity=4, seed=1)
    assert not gate.passed
    assert "difference -0.500 (-1.000 to +0.000)" in gate.got


def test_a_collapsed_category_is_refused_by_name_though_the_others_gain(params, reports):
    blind = np.where(reports[0] == 2, 0, reports[0])
    gate = _gates(params, reports, predicted=blind)[RECALL_GATE]
    assert not gate.passed
    assert gate.got == "fraud (0.00 against 1.00)"


def test_a_few_more_mistakes_are_no_collapse(params, reports):
    predicted = reports[0].copy()
    predicted[:6] = (predicted[:6] + 1) % 3
    assert _gates(params, reports, predicted=predicted)[RECALL_GATE].passed


def test_without_settled_escalations_only_categories_are_compared(params, reports):
    assert set(_gates(params, reports, escalated=np.full(N, np.nan))) == {F1_GATE, RECALL_GATE}
