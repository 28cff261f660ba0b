import numpy as np
import pytest

from pipeline.encoder.vectors import Whitening
from pipeline.errors import TrainingError


def _stretched(n_texts, seed):
    """Vectors that share a large common part and vary mostly along one direction."""
    rng = np.random.default_rng(seed)
    return 5.0 + rng.normal(size=(n_texts, 4)) * np.array([10.0, 1.0, 0.1, 0.01])


def test_whitened_training_vectors_vary_alike_in_every_direction():
    known = _stretched(400, seed=1)
    whitening = Whitening.fit(known)
    spread = np.cov((known - whitening.mean) @ whitening.directions, rowvar=False)
    assert spread == pytest.approx(np.eye(4), abs=1e-6)
    assert np.linalg.norm(whitening.apply(known), axis=1) == pytest.approx(np.ones(400))


def test_what_differs_only_in_a_small_direction_is_told_apart_after_whitening():
    whitening = Whitening.fit(_stretched(400, seed=1))
    one, two = whitening.apply(5.0 + np.array([[0.0, 0.0, 0.0, 0.02], [0.0, 0.0, 0.0, -0.02]]))
    assert one @ two < -0.9


def test_a_direction_that_never_varied_does_no_harm():
    known = _stretched(400, seed=2)
    known[:, 3] = 5.0
    assert np.isfinite(Whitening.fit(known).apply(known)).all()


def test_too_few_texts_are_refused():
    with pytest.raises(TrainingError, match="more than 4"):
        Whitening.fit(_stretched(4, seed=1))
