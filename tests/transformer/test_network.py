import numpy as np
import pytest
import torch
from torch import nn

from pipeline.transformer.batches import UNKNOWN, Batch
from pipeline.transformer.encoders import load_saved
from pipeline.transformer.network import Network, Objective, log_shares, set_dropout
from pipeline.transformer.optimization import Adversary
from tests.transformer.small import small_params

NAN = float("nan")


class Given(nn.Module):
    """Stands in for a network: answers the logits it was given, to every pass the next of them."""

    def __init__(self, category, risk, *, second=None):
        super().__init__()
        self.category, self.risk = nn.Parameter(torch.tensor(category)), nn.Parameter(torch.tensor(risk))
        self.second = second

    def forward(self, batch):
        if len(batch.category) == len(self.category):
            return self.category, self.risk
        shift = 0.0 if self.second is None else self.second
        return torch.cat([self.category, self.category.flip(1) * shift + self.category * (1 - shift)]), self.risk.repeat(2)


def _batch(category, escalated):
    n_reports = len(category)
    ids = torch.full((n_reports, 3), 7)
    return Batch(ids, torch.ones_like(ids), torch.zeros_like(ids), torch.tensor(category), torch.tensor(escalated))


def _objective(kind="plain", *, shares=(0.5, 0.5), r_drop=0.0, per_batch=(2.0, 2.0), **changes):
    params = small_params(loss={"category": kind, **changes}).loss
    return Objective(params, r_drop, torch.log(torch.tensor(shares)), per_batch)


def test_a_report_without_a_label_adds_nothing_to_that_head():
    network = Given([[2.0, -1.0], [0.5, 0.5]], [1.0, -3.0])
    _objective()(network, _batch([0, UNKNOWN], [NAN, 1.0])).backward()
    assert network.category.grad[1].tolist() == [0.0, 0.0]
    assert network.risk.grad[0] == 0.0
    assert network.category.grad[0].abs().sum() > 0
    assert network.risk.grad[1] < 0  # it escalated, so its logit must rise


@pytest.mark.parametrize(
    ("category", "escalated"), [([UNKNOWN] * 2, [0.0, 1.0]), ([0, 1], [NAN] * 2), ([UNKNOWN] * 2, [NAN] * 2)]
)
@pytest.mark.parametrize("r_drop", [0.0, 1.0])
def test_a_batch_without_a_label_for_a_head_has_a_finite_loss_and_gradient(category, escalated, r_drop):
    network = Given([[2.0, -1.0], [0.5, 0.5]], [1.0, -3.0])
    loss = _objective(r_drop=r_drop)(network, _batch(category, escalated))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(network.category.grad).all()
    if category == [UNKNOWN] * 2 and np.isnan(escalated).all():
        assert loss == 0.0


def test_every_report_weighs_the_same_in_a_small_batch_and_a_large_one():
    one = _objective()(Given([[2.0, -1.0]], [0.0]), _batch([0], [NAN]))
    two = _objective()(Given([[2.0, -1.0]] * 2, [0.0] * 2), _batch([0, 0], [NAN] * 2))
    torch.testing.assert_close(two, 2 * one)


def test_logit_adjustment_asks_more_of_the_rare_class():
    network = Given([[0.0, 0.0], [0.0, 0.0]], [0.0, 0.0])
    batch = _batch([0, 1], [NAN] * 2)
    _objective("logit_adjusted", shares=(0.9, 0.1))(network, batch).backward()
    common, rare = network.category.grad[0, 0].abs(), network.category.grad[1, 1].abs()
    assert rare > common


def test_without_adjustment_by_shares_the_loss_is_plain_cross_entropy():
    network, batch = Given([[2.0, -1.0], [0.3, 0.1]], [0.0, 0.0]), _batch([0, 1], [NAN] * 2)
    expected = nn.functional.cross_entropy(network.category, batch.category)
    torch.testing.assert_close(_objective()(network, batch), expected)
    torch.testing.assert_close(_objective("logit_adjusted")(network, batch), expected)  # equal shares change nothing


def test_balanced_loss_gives_each_class_the_same_weight():
    network = Given([[0.0, 0.0]] * 4, [0.0] * 4)
    batch = _batch([0, 0, 0, 1], [NAN] * 4)
    _objective("balanced", shares=(0.75, 0.25))(network, batch).backward()
    torch.testing.assert_close(network.category.grad[:3, 0].sum(), network.category.grad[3, 1])


def test_r_drop_adds_nothing_for_equal_passes_and_something_for_unequal_ones():
    batch = _batch([0, 1], [NAN] * 2)
    category, risk = [[2.0, -1.0], [0.5, 0.0]], [0.0, 0.0]
    plain = _objective()(Given(category, risk), batch)
    torch.testing.assert_close(_objective(r_drop=5.0)(Given(category, risk), batch), plain)
    small, large = (_objective(r_drop=alpha)(Given(category, risk, second=0.3), batch) for alpha in (1.0, 5.0))
    assert large > small


def test_log_shares_count_labelled_reports_only():
    shares = log_shares(np.array([0, 0, 0, 1, UNKNOWN]), 2).exp()
    torch.testing.assert_close(shares, torch.tensor([0.75, 0.25]))


def _network(encoder_folder, **changes):
    params = small_params(**changes)
    encoder = load_saved(encoder_folder)
    set_dropout(encoder.network, params.network)
    return Network(encoder.network, n_categories=2, params=params.network)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_padding_does_not_change_a_report(encoder_folder, pooling):
    network = _network(encoder_folder, network={"pooling": pooling}).eval()
    batch = _batch([0], [NAN])
    padded = Batch(**{
        name: torch.cat([value, torch.zeros(1, 4, dtype=value.dtype)], dim=1)
        if name in ("input_ids", "attention_mask", "token_types") else value
        for name, value in vars(batch).items()
    })  # fmt: skip
    torch.testing.assert_close(network(padded)[0], network(batch)[0], atol=1e-5, rtol=1e-5)


def test_dropout_is_set_apart_for_attention(encoder_folder):
    network = _network(encoder_folder, network={"dropout": 0.25, "attention_dropout": 0.05})
    rates = {name: module.p for name, module in network.encoder.named_modules() if isinstance(module, nn.Dropout)}
    assert {rate for name, rate in rates.items() if "attention.self" in name} == {0.05}
    assert {rate for name, rate in rates.items() if "attention.self" not in name} == {0.25}


def test_the_adversarial_step_raises_the_loss_and_leaves_no_trace(encoder_folder):
    network = _network(encoder_folder).eval()
    batch, objective = _batch([0, 1], [0.0, 1.0]), _objective(per_batch=(2.0, 2.0))
    adversary = Adversary(network.encoder.get_input_embeddings(), length=0.5)
    loss = objective(network, batch)
    loss.backward()
    with adversary.perturbed():
        perturbed = objective(network, batch)
    assert perturbed > loss
    torch.testing.assert_close(objective(network, batch), loss)
    adversary.leave()
    torch.testing.assert_close(objective(network, batch), loss)
