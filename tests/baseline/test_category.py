"""The category head."""

import numpy as np
from scipy import sparse

from pipeline.baseline.category import ABSENT_LOGIT, best_strength, fit_category_head, number_categories

SETTINGS = {"strength": 1.0, "balance": True, "seed": 7}


def test_labels_are_numbered_in_the_taxonomys_order():
    assert number_categories(["b", "a", "b"], ("a", "b", "c")).tolist() == [1, 0, 1]


def test_two_categories_get_opposite_margins():
    features = sparse.csr_array(np.eye(2, dtype=np.float32))
    logits = fit_category_head(features, np.array([0, 1]), n_categories=2, **SETTINGS).logits(features)
    np.testing.assert_allclose(logits[:, 0], -logits[:, 1])
    assert logits.argmax(axis=1).tolist() == [0, 1]


def test_a_category_without_examples_gets_the_absent_logit():
    features = sparse.csr_array(np.eye(3, dtype=np.float32))
    logits = fit_category_head(features, np.array([0, 2, 3]), n_categories=4, **SETTINGS).logits(features)
    assert (logits[:, 1] == ABSENT_LOGIT).all()
    assert logits.argmax(axis=1).tolist() == [0, 2, 3]


def test_of_equally_good_strengths_the_smallest_is_chosen():
    assert best_strength({3.0: 0.9, 1.0: 0.9, 0.3: 0.8}) == 1.0
