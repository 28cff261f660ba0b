"""Metrics from weights, held to scikit-learn where it has them."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, log_loss, roc_auc_score

from pipeline.evaluation import metrics

RNG = np.random.default_rng(11)
SCORES = RNG.integers(0, 8, size=200).astype(float)  # many ties
POSITIVE = RNG.random(200) < 0.1 + SCORES / 12
COPIES = RNG.integers(0, 4, size=200)
ONCE = np.ones((1, 200))


def _repeated(values):
    return np.repeat(values, COPIES)


def test_average_precision_equals_scikit_learns_with_ties():
    assert metrics.average_precision(SCORES, POSITIVE, ONCE)[0] == pytest.approx(average_precision_score(POSITIVE, SCORES))


def test_roc_auc_equals_scikit_learns_with_ties():
    assert metrics.roc_auc(SCORES, POSITIVE, ONCE)[0] == pytest.approx(roc_auc_score(POSITIVE, SCORES))


@pytest.mark.parametrize("metric", [metrics.average_precision, metrics.roc_auc])
def test_a_weight_is_a_number_of_copies(metric):
    repeated = metric(_repeated(SCORES), _repeated(POSITIVE), np.ones((1, COPIES.sum())))
    assert metric(SCORES, POSITIVE, COPIES[None, :].astype(float))[0] == pytest.approx(repeated[0])


def test_each_row_of_weights_is_measured_by_itself():
    both = metrics.average_precision(SCORES, POSITIVE, np.vstack([ONCE, COPIES]))
    assert both.tolist() == pytest.approx(
        [metrics.average_precision(SCORES, POSITIVE, row[None, :])[0] for row in (ONCE[0], COPIES.astype(float))]
    )


@pytest.mark.parametrize("metric", [metrics.average_precision, metrics.roc_auc])
def test_without_a_positive_a_ranking_is_undefined(metric):
    assert np.isnan(metric(SCORES, np.zeros(200, dtype=bool), ONCE)[0])


def test_a_constant_score_has_the_base_rate_as_average_precision():
    assert metrics.average_precision(np.zeros(200), POSITIVE, ONCE)[0] == pytest.approx(POSITIVE.mean())


def test_macro_f1_equals_scikit_learns():
    actual, predicted = RNG.integers(0, 4, size=200), RNG.integers(0, 4, size=200)
    counts = metrics.confusion(actual, predicted, 4, ONCE)
    assert metrics.macro_f1(counts)[0] == pytest.approx(f1_score(actual, predicted, average="macro"))


def test_macro_f1_leaves_out_categories_that_neither_occur_nor_are_predicted():
    counts = metrics.confusion(np.array([0, 1]), np.array([0, 1]), 5, np.ones((1, 2)))
    assert metrics.macro_f1(counts)[0] == 1.0


def test_a_category_never_predicted_has_no_precision_and_an_f1_of_zero():
    counts = metrics.confusion(np.array([0, 1]), np.array([0, 0]), 2, np.ones((1, 2)))
    precision, recall, f1 = metrics.precision_recall_f1(counts)
    assert np.isnan(precision[0, 1])
    assert (recall[0, 1], f1[0, 1]) == (0.0, 0.0)


def test_the_confusion_matrix_is_actual_by_predicted():
    counts = metrics.confusion(np.array([0, 0, 1]), np.array([1, 0, 1]), 2, np.array([[2.0, 1.0, 1.0]]))
    assert counts[0].tolist() == [[1.0, 2.0], [0.0, 1.0]]


def test_brier_and_log_loss_equal_scikit_learns():
    probabilities = np.clip(SCORES / 8, 0.01, 0.99)
    truth = np.where(POSITIVE, probabilities, 1 - probabilities)
    assert metrics.brier(probabilities, POSITIVE, ONCE)[0] == pytest.approx(brier_score_loss(POSITIVE, probabilities))
    assert metrics.log_loss(truth, ONCE)[0] == pytest.approx(log_loss(POSITIVE, probabilities))


def test_a_probability_of_zero_for_what_happened_costs_much_but_not_everything():
    assert np.isfinite(metrics.log_loss(np.array([0.0]), np.ones((1, 1)))[0])


def test_calibration_error_is_the_mean_gap_of_bins():
    probabilities = np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9])
    happened = np.array([0, 0, 0, 1, 1, 1, 1, 1], dtype=bool)  # stated 0.1 and 0.9, observed 0.25 and 1
    assert metrics.calibration_error(probabilities, happened, np.ones((1, 8)), n_bins=2)[0] == pytest.approx(0.125)


def test_bins_hold_equal_counts_however_small_the_probabilities():
    probabilities = np.arange(100) / 1e5
    assert np.bincount(metrics.equal_count_bins(probabilities, 10)).tolist() == [10] * 10


def test_equal_probabilities_share_a_bin():
    assert len(set(metrics.equal_count_bins(np.full(30, 0.2), 10).tolist())) == 1
