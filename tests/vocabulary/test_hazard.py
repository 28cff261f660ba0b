"""The hazard over bins of days, against numbers worked out by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pipeline.hazard import Periods, fit_hazard, log_odds_within, make_periods, settled_periods

ENDS = (2, 7, 14)
UNKNOWN = float("nan")


def periods(*known, ends=ENDS):
    followed, outcome = np.array(known, dtype=float).T
    return make_periods(followed, outcome, ends)


def fit(inputs, made, *, penalty=1e-9):
    n_inputs = inputs.shape[1]
    return fit_hazard(inputs, made, penalty=penalty, known=np.zeros(n_inputs), bounds=[(None, None)] * n_inputs)


def test_an_outcome_ends_the_bins_of_its_report():
    made = periods((30, 1.9), (30, 2), (30, 13.9))
    assert made.n_bins.tolist() == [1, 2, 3], "a bin holds its beginning and not its end"
    assert made.happened.all()


def test_a_report_without_an_outcome_counts_in_every_bin():
    made = periods((30, UNKNOWN), (14, UNKNOWN), (30, 20))
    assert made.n_bins.tolist() == [3, 3, 3], "an outcome after the last bin is none"
    assert not made.happened.any()


def test_a_censored_report_counts_in_the_bins_it_got_through_only():
    made = periods((1.9, UNKNOWN), (2, UNKNOWN), (13, UNKNOWN), (UNKNOWN, UNKNOWN))
    assert made.n_bins.tolist() == [0, 1, 2, 0]
    assert made.at_risk().tolist() == [[False] * 3, [True, False, False], [True, True, False], [False] * 3]


def test_an_outcome_in_an_unfinished_bin_is_left_out_like_the_silence_of_others_there():
    made = periods((5, 3), (5, UNKNOWN))
    assert made.n_bins.tolist() == [1, 1]
    assert not made.happened.any()


def test_the_hazard_of_a_bin_is_outcomes_over_reports_that_came_so_far():
    made = periods((30, 1), (30, 3), (30, 5), (30, UNKNOWN), (7, UNKNOWN), (2, UNKNOWN), (30, 10), (30, UNKNOWN))
    _, constants = fit(np.zeros((8, 1)), made)
    # eight reports in the first bin and one outcome; six in the second with two; three in the third with one
    np.testing.assert_allclose(1 / (1 + np.exp(-constants)), [1 / 8, 2 / 6, 1 / 3], atol=1e-4)


def test_a_bin_nobody_was_followed_through_yet_has_the_hazard_of_the_one_before():
    _, constants = fit(np.zeros((4, 1)), periods((8, 1), (8, UNKNOWN), (8, 3), (8, UNKNOWN)))
    np.testing.assert_allclose(1 / (1 + np.exp(-constants)), [1 / 4, 1 / 3, 1 / 3], atol=1e-4)


def test_the_chances_of_getting_through_multiply_to_the_risk():
    hazards = np.array([1 / 8, 2 / 6, 1 / 3])
    within = log_odds_within(np.zeros(1), np.log(hazards / (1 - hazards)))
    risk = 1 / (1 + np.exp(-within[0]))
    np.testing.assert_allclose(risk, [1 / 8, 1 - 7 / 8 * 4 / 6, 1 - 7 / 8 * 4 / 6 * 2 / 3])


def test_the_risk_never_falls_with_the_horizon_however_large_or_small():
    within = log_odds_within(np.array([-60.0, -3.0, 0.0, 3.0, 60.0]), np.array([-2.0, -9.0, 1.0]))
    assert np.isfinite(within).all()
    assert (np.diff(within, axis=1) >= 0).all()


def test_one_bin_is_the_log_odds_of_its_hazard():
    np.testing.assert_allclose(log_odds_within(np.array([-2.0, 0.0, 1.5]), np.array([0.5]))[:, 0], [-1.5, 0.5, 2.0])


def test_one_bin_and_nothing_censored_is_logistic_regression():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(200, 3))
    escalated = rng.random(200) < 1 / (1 + np.exp(-inputs @ [1.0, -0.5, 0.0] + 1.0))
    weights, constants = fit(inputs, periods(*[(14, 3 if came else UNKNOWN) for came in escalated], ends=(14,)), penalty=0.5)
    expected = LogisticRegression(C=2.0, tol=1e-8).fit(inputs, escalated)
    np.testing.assert_allclose(weights, expected.coef_[0], atol=1e-3)
    np.testing.assert_allclose(constants, expected.intercept_, atol=1e-3)


def test_the_expansion_written_down_row_by_row_gives_the_same_weights():
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(150, 2))
    outcome = rng.exponential(8 * np.exp(-inputs[:, 0]))
    followed = rng.uniform(0, 20, 150)
    made = make_periods(followed, np.where(outcome < followed, outcome, UNKNOWN), ENDS)
    rows = [(report, bin_) for report in range(150) for bin_ in range(made.n_bins[report])]
    written = np.array([np.r_[inputs[report], np.eye(3)[bin_] * 1e3] for report, bin_ in rows])  # constants all but unpenalized
    came = [made.happened[report] and bin_ == made.n_bins[report] - 1 for report, bin_ in rows]
    expected = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-8, max_iter=5000).fit(written, came).coef_[0]
    weights, constants = fit(inputs, made, penalty=1.0)
    np.testing.assert_allclose(weights, expected[:2], atol=2e-3)
    np.testing.assert_allclose(constants, expected[2:] * 1e3, atol=1e-2)


def test_settled_labels_are_one_bin_that_everybody_was_followed_through():
    escalated = np.array([1.0, 0.0, 1.0])
    made, written = settled_periods(escalated), periods((14, 3), (14, UNKNOWN), (14, 0), ends=(14,))
    assert made.n_all == written.n_all == 1
    assert made.n_bins.tolist() == written.n_bins.tolist()
    assert made.happened.tolist() == written.happened.tolist()


@pytest.mark.parametrize(("n_bins", "happened"), [([1, 2], [False, False]), ([1, 1], [True, True]), ([], [])])
def test_without_an_outcome_or_a_bin_without_one_nothing_is_taught(n_bins, happened):
    assert not Periods(np.array(n_bins, dtype=int), np.array(happened, dtype=bool), 3).teaches
