"""The stage that joins a text's score with length and history."""

import numpy as np
import pandas as pd
import pytest

from pipeline.hazard import make_periods
from pipeline.joint import N_SMALL, TEXT_ALONE, fit_joint, small_features, without_history
from pipeline.schema import HISTORY

NOTHING = np.zeros(1 + N_SMALL)


def _settled(escalated):
    return make_periods(np.full(len(escalated), 14.0), np.where(escalated, 3.0, np.nan), (14,))


def test_length_and_history_are_taken_in_logarithms_and_unknown_counts_as_none():
    reports = pd.DataFrame(
        {"title": ["", "题", "题"], "text": ["", "正文", ""], **{name: [np.nan, 0.0, np.e - 1] for name in HISTORY}}
    )
    small = small_features(reports)
    np.testing.assert_allclose(small[:, 0], np.log([1, 4, 2]))
    np.testing.assert_allclose(small[:, 1], [0.0, 0.0, 1.0])


def test_without_history_the_length_stays():
    small = without_history(np.arange(2.0 * N_SMALL).reshape(2, N_SMALL))
    assert small[:, 0].tolist() == [0.0, float(N_SMALL)]
    assert not small[:, 1:].any()


def test_where_nothing_speaks_for_it_a_weight_stays_as_known():
    known = np.linspace(0.2, 1.0, 1 + N_SMALL)
    weights, _ = fit_joint(np.zeros(40), np.zeros((40, N_SMALL)), _settled(np.arange(40) % 4 == 0), penalty=1.0, known=known)
    np.testing.assert_allclose(weights, known)


def test_a_text_score_that_was_learned_by_heart_loses_its_weight():
    rng = np.random.default_rng(0)
    text, escalated = rng.normal(scale=4.0, size=400), np.arange(400) % 10 == 0
    weights, constants = fit_joint(text, np.zeros((400, N_SMALL)), _settled(escalated), penalty=1.0, known=TEXT_ALONE)
    assert weights[0] < 0.2
    assert constants[0] == pytest.approx(np.log(1 / 9), abs=0.2)


def test_weights_are_for_inputs_as_they_come():
    rng = np.random.default_rng(0)
    small = np.column_stack([rng.normal(5.0, 2.0, 3000), np.zeros((3000, len(HISTORY)))])
    text = rng.normal(-3.0, 1.0, 3000)
    chance = 1 / (1 + np.exp(-(0.8 * text + 0.5 * small[:, 0] - 1.0)))
    weights, constants = fit_joint(text, small, _settled(rng.random(3000) < chance), penalty=1e-6, known=NOTHING)
    np.testing.assert_allclose(weights[:2], [0.8, 0.5], atol=0.1)
    assert constants[0] == pytest.approx(-1.0, abs=0.4)
