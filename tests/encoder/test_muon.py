"""Momentum made orthogonal."""

import pytest
import torch

from pipeline.encoder.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 6, 12), (2, 12, 6)])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_singular_values_are_drawn_towards_1(shape, precision):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 50.0
    found = orthogonal(matrices, precision)
    assert found.shape == shape
    assert found.dtype is precision
    values = torch.linalg.svdvals(found.float())
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_singular_vectors_stay():
    matrix = torch.diag(torch.tensor([5.0, 2.0, 1.0]))[None]
    found = orthogonal(matrix, torch.float32)[0]
    torch.testing.assert_close(found - torch.diag(found.diagonal()), torch.zeros(3, 3), atol=1e-6, rtol=0.0)


def test_steps_are_those_of_the_library():
    start = torch.randn(16, 24, generator=torch.Generator().manual_seed(2))
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    mine = Muon([ours], momentum=0.95, weight_decay=0.01, precision=torch.bfloat16, lr=0.02)
    library = torch.optim.Muon([theirs], lr=0.02, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        gradient = torch.randn(16, 24, generator=torch.Generator().manual_seed(step))
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        library.step()
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0.0)
    torch.testing.assert_close(mine.state[ours]["momentum_buffer"], library.state[theirs]["momentum_buffer"])


def test_a_parameter_without_gradient_stays():
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = Muon([parameter], momentum=0.9, weight_decay=0.5, precision=torch.float32, lr=1.0)
    optimizer.step()
    torch.testing.assert_close(parameter, torch.ones(2, 2))


def test_a_vector_is_refused():
    with pytest.raises(ValueError, match="matrices only"):
        Muon([torch.nn.Parameter(torch.ones(3))], momentum=0.9, weight_decay=0.0, precision=torch.float32)
