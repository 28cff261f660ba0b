import pytest
import torch

from pipeline.transformer.encoders import load_saved
from pipeline.transformer.network import Network
from pipeline.transformer.optimization import AveragedWeights, make_optimizer, rate_factor, set_rates
from tests.transformer.small import small_params


@pytest.fixture
def network(encoder_folder):
    params = small_params()
    return Network(load_saved(encoder_folder).network, n_categories=3, params=params.network)


def _optimization(**changes):
    return small_params(optimization=changes).optimization


def test_layers_near_the_text_learn_slower(network):
    optimizer = make_optimizer(network, _optimization(learning_rate=0.1, head_learning_rate=0.5, layer_decay=0.5))
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    rates = {names[id(value)]: group["lr"] for group in optimizer.param_groups for value in group["params"]}
    assert len(rates) == len(names)
    assert rates["encoder.encoder.layer.1.output.dense.weight"] == pytest.approx(0.1)
    assert rates["encoder.encoder.layer.0.output.dense.weight"] == pytest.approx(0.05)
    assert rates["encoder.embeddings.word_embeddings.weight"] == pytest.approx(0.025)
    assert rates["category_head.weight"] == pytest.approx(0.5)


def test_biases_and_norms_do_not_decay(network):
    optimizer = make_optimizer(network, _optimization(weight_decay=0.3))
    for group in optimizer.param_groups:
        assert {value.ndim >= 2 for value in group["params"]} == {group["weight_decay"] == 0.3}


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_the_rate_rises_over_the_warm_up_and_then_falls_to_zero(decay):
    factors = [rate_factor(step, 100, _optimization(warmup_share=0.1, decay=decay)) for step in range(100)]
    assert factors[:10] == sorted(factors[:10])
    assert factors[9] == factors[10] == max(factors) == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0.0 < factors[-1] < 0.02


def test_without_a_warm_up_the_rate_starts_at_its_peak():
    assert rate_factor(0, 100, _optimization(warmup_share=0.0)) == 1.0


def test_setting_the_rate_twice_does_not_add_up(network):
    optimizer = make_optimizer(network, _optimization(head_learning_rate=0.5))
    set_rates(optimizer, 0.5)
    set_rates(optimizer, 0.5)
    assert max(group["lr"] for group in optimizer.param_groups) == pytest.approx(0.25)


def test_averages_follow_the_weights_and_are_taken_back(network):
    average = AveragedWeights(network, decay=0.5)
    before = network.category_head.weight.detach().clone()
    with torch.no_grad():
        network.category_head.weight.add_(1.0)
    average.update(network, step=1000)
    with average.applied(network):
        torch.testing.assert_close(network.category_head.weight, before + 0.5)
    torch.testing.assert_close(network.category_head.weight, before + 1.0)


def test_averaging_can_be_off(network):
    average = AveragedWeights(network, decay=0.0)
    average.update(network, step=1)
    assert average.weights == {}
