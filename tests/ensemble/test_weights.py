import numpy as np
import pytest

from pipeline.classifier import Logits
from pipeline.ensemble.weights import Weights, learn_weights

UNKNOWN = np.full(60, np.nan)


def _logits(category, risk=None):
    category = np.asarray(category, dtype=np.float32)
    return Logits(category, np.zeros(len(category), dtype=np.float32) if risk is None else np.asarray(risk, dtype=np.float32))


def _right_in(share, truth, *, seed):
    """Logits that put the true one of three categories on top in about this share of the reports."""
    rng = np.random.default_rng(seed)
    named = np.where(rng.random(len(truth)) < share, truth, rng.integers(3, size=len(truth)))
    return 2.0 * np.eye(3)[named]


def test_the_member_that_is_right_more_often_counts_more():
    truth = np.arange(60) % 3
    good, bad = _logits(_right_in(0.9, truth, seed=1)), _logits(_right_in(0.1, truth, seed=2))
    weights = learn_weights((bad, good), truth, UNKNOWN)
    assert weights.category[1] > 2 * weights.category[0]


def test_each_category_counts_the_same_however_rare():
    truth = np.array([0] * 54 + [1] * 3 + [2] * 3)
    knows_common, knows_rare = np.zeros((60, 3)), np.zeros((60, 3))
    knows_common[:, 0] = 1.0
    knows_rare[np.arange(60), truth] = 1.0
    weights = learn_weights((_logits(knows_common), _logits(knows_rare)), truth, UNKNOWN)
    assert weights.category[1] > weights.category[0]


def test_risk_weights_put_escalated_reports_above_others():
    outcomes = np.array([1.0, 0.0, 0.0] * 100)
    noise = np.random.default_rng(3).normal(size=300)
    members = (_logits(np.zeros((300, 3)), noise), _logits(np.zeros((300, 3)), 3 * outcomes + 0.5 * noise))
    weights = learn_weights(members, np.full(300, -1), outcomes)
    risk = weights.combine(members).risk
    assert risk[outcomes == 1.0].mean() > risk[outcomes == 0.0].mean()
    assert weights.risk[1] > weights.risk[0]


def test_a_few_escalations_do_not_turn_the_risk_over_to_another_member():
    outcomes = (np.arange(60) % 20 == 0).astype(float)  # three
    first, second = np.random.default_rng(4).normal(size=(2, 60))
    members = (_logits(np.zeros((60, 3)), first), _logits(np.zeros((60, 3)), second + outcomes))
    weights = learn_weights(members, np.full(60, -1), outcomes)
    assert weights.risk[0] == pytest.approx(1.0, abs=0.3)
    assert weights.risk[1] < 0.3


@pytest.mark.parametrize("outcomes", [UNKNOWN, np.zeros(60), np.ones(60)])
def test_without_both_outcomes_the_risk_is_the_first_members(outcomes):
    members = (_logits(np.zeros((60, 3)), np.ones(60)),) * 2
    weights = learn_weights(members, np.arange(60) % 3, outcomes)
    assert weights.risk[0] == 1.0
    assert weights.risk[1] == pytest.approx(0.0, abs=0.011)
    assert weights.risk_intercept == 0.0


def test_a_member_never_counts_nothing():
    truth = np.arange(60) % 3
    wrong = _logits(2.0 * np.eye(3)[(truth + 1) % 3])
    right = _logits(2.0 * np.eye(3)[truth])
    assert learn_weights((wrong, right), truth, UNKNOWN).category[0] > 0


def test_logits_are_added_with_the_weights():
    one, two = _logits([[1.0, 2.0]], [3.0]), _logits([[10.0, 20.0]], [30.0])
    mixed = Weights((2.0, 0.5), (1.0, 0.1), 0.25).combine((one, two))
    np.testing.assert_allclose(mixed.category, [[7.0, 14.0]])
    np.testing.assert_allclose(mixed.risk, [6.25])
    assert mixed.category.dtype == mixed.risk.dtype == np.float32
