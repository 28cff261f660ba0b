"""The two-stage risk head."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pipeline.baseline.risk import blocks_in_time, fit_risk_head, order_of_arrival
from pipeline.hazard import make_periods
from pipeline.joint import N_SMALL
from pipeline.schema import HISTORY

SETTINGS = {"ends": (14,), "text_strength": 1.0, "penalty": 1.0, "n_blocks": 4}


def _settled(escalated):
    return make_periods(np.full(len(escalated), 14.0), np.where(escalated, 3.0, np.nan), (14,))


def _history(column, values):
    small = np.zeros((len(values), N_SMALL))
    small[:, 1 + HISTORY.index(column)] = values
    return small


def test_every_block_is_scored_from_earlier_reports_only():
    for earlier, block in blocks_in_time(10, 4):
        assert earlier.max() < block.min()


def test_all_blocks_but_the_first_are_scored_once():
    scored = np.concatenate([block for _, block in blocks_in_time(10, 4)])
    assert scored.tolist() == list(range(2, 10))


def test_reports_are_ordered_by_arrival_with_undated_ones_first():
    reports = pd.DataFrame(
        {
            "report_id": ["c", "b", "a", "d"],
            "received_at": pd.to_datetime(["2025-02-01", "2025-01-01", "2025-02-01", None], utc=True),
        }
    )
    assert reports["report_id"].to_numpy()[order_of_arrival(reports)].tolist() == ["d", "b", "a", "c"]


def test_history_never_lowers_the_risk():
    escalated = np.arange(80) % 4 == 0
    head = fit_risk_head(
        sparse.csr_array((80, 1)), _history("n_similar_7d", (~escalated).astype(float)), _settled(escalated), **SETTINGS
    )
    assert (head.weights[2:] >= 0).all()


def test_longer_messages_may_lower_or_raise_the_risk():
    escalated = np.arange(80) % 4 == 0
    for sign in (1.0, -1.0):
        small = np.zeros((80, N_SMALL))
        small[:, 0] = 5 + sign * escalated
        assert np.sign(fit_risk_head(sparse.csr_array((80, 1)), small, _settled(escalated), **SETTINGS).weights[1]) == sign


def test_history_that_goes_with_escalation_raises_the_logit():
    n_similar = np.arange(80) % 4
    escalated = n_similar >= 2
    head = fit_risk_head(
        sparse.csr_array((80, 1)), _history("n_similar_7d", np.log1p(n_similar)), _settled(escalated), **SETTINGS
    )
    low, high = head.logits(sparse.csr_array((2, 1)), _history("n_similar_7d", np.log1p([0, 3])))
    assert high[0] > low[0]


def test_words_that_go_with_escalation_raise_the_logit():
    escalated = np.arange(80) % 4 == 0
    words = sparse.csr_array(np.column_stack([escalated, ~escalated]).astype(np.float32))
    head = fit_risk_head(words, np.zeros((80, N_SMALL)), _settled(escalated), **SETTINGS)
    with_word, without = head.logits(sparse.csr_array(np.eye(2, dtype=np.float32)), np.zeros((2, N_SMALL)))
    assert with_word[0] > without[0]


def test_the_mean_probability_is_near_the_share_escalated_though_classes_are_unequal():
    rng = np.random.default_rng(0)
    words = sparse.csr_array((rng.random((2000, 5)) < 0.3).astype(np.float32))
    escalated = rng.random(2000) < 0.05
    head = fit_risk_head(words, np.zeros((2000, N_SMALL)), _settled(escalated), **SETTINGS)
    risk = 1 / (1 + np.exp(-head.logits(words, np.zeros((2000, N_SMALL)))))
    assert risk.mean() == pytest.approx(escalated.mean(), abs=0.015)


@pytest.mark.parametrize("escalated", [np.zeros(10, dtype=bool), np.ones(10, dtype=bool), np.zeros(0, dtype=bool)])
def test_one_kind_of_outcome_teaches_nothing(escalated):
    n_reports = len(escalated)
    small = np.ones((n_reports, N_SMALL))
    head = fit_risk_head(sparse.csr_array((n_reports, 3)), small, _settled(escalated), **SETTINGS)
    assert (head.logits(sparse.csr_array((4, 3)), np.ones((4, N_SMALL))) == 0).all()


def test_escalations_that_come_too_late_to_score_words_leave_length_and_history():
    escalated = np.arange(40) >= 38
    words = sparse.csr_array(np.column_stack([escalated, ~escalated]).astype(np.float32))
    head = fit_risk_head(words, _history("n_similar_7d", escalated.astype(float)), _settled(escalated), **SETTINGS)
    assert head.weights[0] == 0
    assert head.weights[2] > 0
