import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.encoder.export import load_encoder
from pipeline.encoder.vectors import Whitening, mean_vectors
from pipeline.errors import TrainingError
from tests.conftest import ROOT


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


@pytest.fixture(scope="module")
def shipped():
    model, tokenizer = load_encoder(ROOT / "models" / "encoder" / "zh-small")
    return model.eval(), tokenizer


def test_a_vector_is_the_mean_of_first_and_last_layer_over_the_tokens(shipped):
    model, tokenizer = shipped
    with torch.inference_mode():
        layers = model.encoder(**tokenizer("楼上漏水", return_tensors="pt"), output_hidden_states=True).hidden_states
        tokens = (layers[0] + layers[-1])[0, 1:-1] / 2
        found = mean_vectors(model, tokenizer, ["楼上漏水"], max_tokens=32)
    torch.testing.assert_close(found[0], functional.normalize(tokens.mean(dim=0), dim=-1))


def test_a_vector_does_not_depend_on_its_neighbours(shipped):
    with torch.inference_mode():
        alone, beside = (
            mean_vectors(*shipped, texts, max_tokens=32)[0] for texts in (["漏水"], ["漏水", "工地上三个月的工钱没有发"])
        )
    torch.testing.assert_close(alone, beside, atol=1e-5, rtol=1e-5)
