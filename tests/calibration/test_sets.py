"""Category sets with a promised coverage, and lanes."""

import numpy as np
import pytest
from crepes import ConformalClassifier
from scipy.special import softmax

from pipeline.calibration.sets import CategorySets, fit_sets, named


def _drawn(n_reports, seed, shares=(0.6, 0.3, 0.1)):
    """Probabilities and labels of reports; the rare category is told apart worst."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(shares), size=n_reports, p=shares)
    logits = rng.normal(0, 1.5, size=(n_reports, len(shares)))
    logits[np.arange(n_reports), labels] += np.array([3.0, 2.0, 1.0])[labels]
    logits += np.log(shares)
    return softmax(logits, axis=1), labels


def _fit(probabilities, labels, *, n_categories=3, min_reports=20):
    return fit_sets(probabilities, labels, n_categories=n_categories, level=0.9, max_choices=3, min_reports=min_reports)


def test_every_category_is_covered_at_the_level_the_rare_one_too():
    sets = _fit(*_drawn(20_000, seed=1))
    probabilities, labels = _drawn(20_000, seed=2)
    held = sets.members(probabilities)[np.arange(len(labels)), labels]
    for category in range(3):
        assert held[labels == category].mean() == pytest.approx(0.9, abs=0.02)


def test_p_values_are_those_of_crepes():
    probabilities, labels = _drawn(300, seed=1)
    sets, (new, _) = _fit(probabilities, labels), _drawn(50, seed=2)
    found = sets.p_values(new)
    for category in range(3):
        strangeness = 1 - probabilities[labels == category, category]
        expected = ConformalClassifier().fit(strangeness).predict_p(1 - new[:, category], smoothing=False)
        np.testing.assert_allclose(found[:, category], expected)


def test_a_category_with_few_reports_shares_the_scores_of_all():
    probabilities, labels = _drawn(300, seed=1)
    rare = np.where(labels == 2, 0, labels)
    sets = _fit(probabilities, rare)
    assert sets.shared == (False, False, True)
    together = ConformalClassifier().fit(1 - probabilities[np.arange(300), rare])
    expected = together.predict_p(1 - probabilities[:, 2], smoothing=False)
    np.testing.assert_allclose(sets.p_values(probabilities)[:, 2], expected)


def test_with_nine_reports_a_category_can_just_be_left_out_at_nine_tenths():
    sets = CategorySets(level=0.9, max_choices=3, min_reports=9, scores=(tuple(np.linspace(0, 0.5, 9)),))
    assert sets.members(np.array([[0.4], [0.5]])).tolist() == [[False], [True]]


@pytest.mark.parametrize(
    ("members", "lane"),
    [
        ([1, 0, 0, 0], "clear"),
        ([0, 1, 0, 0], "choose"),  # one category, but not the likeliest
        ([1, 1, 0, 0], "choose"),
        ([0, 1, 1, 1], "choose"),
        ([1, 1, 1, 1], "unclear"),
        ([0, 0, 0, 0], "unclear"),
    ],
)
def test_lanes_follow_the_size_of_the_set(members, lane):
    sets = CategorySets(level=0.9, max_choices=3, min_reports=1, scores=((), (), (), ()))
    assert sets.lanes(np.array([[0.7, 0.1, 0.1, 0.1]]), np.array([members], dtype=bool)).tolist() == [lane]


def test_without_any_labelled_report_every_report_is_unclear():
    sets = _fit(np.zeros((0, 4)), np.zeros(0, dtype=int), n_categories=4)
    probabilities = np.full((2, 4), 0.25)
    assert sets.lanes(probabilities, sets.members(probabilities)).tolist() == ["unclear", "unclear"]


def test_sets_are_named_in_the_order_of_the_taxonomy():
    assert named(np.array([[True, False, True], [False] * 3]), ("a", "b", "c")) == [["a", "c"], []]
