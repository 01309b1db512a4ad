"""Muon against torch's, which takes matrices only, and against the decomposition that it approximates."""

import copy

import pytest
import torch
from torch import nn

from train.engine.muon import NARROW, Muon, orthogonal


@pytest.mark.parametrize("shape", [(24, 216), (64, 16), (20, 20)])
def test_orthogonal(shape: tuple[int, int]) -> None:
    """The singular vectors stay, the singular values come near 1, whatever the scale."""
    torch.manual_seed(0)
    matrix = torch.randn(shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    for scale in (1e-4, 1.0, 1e4):
        found = u.T @ orthogonal(scale * matrix) @ v.T
        assert ((found.diagonal() > 0.6) & (found.diagonal() < 1.3)).all()
        assert (found - found.diagonal().diag()).abs().max() < 1e-3


def steps(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], count: int = 5) -> None:
    """Several, with gradients that are large, small and of both signs."""
    torch.manual_seed(1)
    for _ in range(count):
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter) * 10 ** torch.empty(()).uniform_(-3, 1)
        optimizer.step()


def test_hidden_matrices_as_in_torch() -> None:
    """torch's iterates in bfloat16, so it comes near and not equal."""
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(NARROW, 40))
    theirs = copy.deepcopy(ours)
    start = ours.detach().clone()
    groups = [{"params": [ours], "weight_decay": 0.1}]
    steps(Muon(groups, 0.01), [ours])
    steps(torch.optim.Muon([theirs], 0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"), [theirs])
    assert (ours - theirs).norm() < 0.02 * (ours - start).norm()


def test_kernels_are_matrices() -> None:
    """A kernel goes where the matrix of its output channels by all else goes, in whatever order memory has it."""
    torch.manual_seed(0)
    matrix = nn.Parameter(torch.randn(20, NARROW * 9))
    kernel = nn.Parameter(matrix.detach().view(20, NARROW, 3, 3).contiguous(memory_format=torch.channels_last))
    torch.manual_seed(1)
    matrix.grad = torch.randn_like(matrix)
    kernel.grad = matrix.grad.view(20, NARROW, 3, 3).contiguous(memory_format=torch.channels_last)
    for parameter in (matrix, kernel):
        Muon([parameter], 0.01).step()
    assert torch.allclose(kernel.flatten(1), matrix, atol=1e-6)
    assert kernel.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(7,), (NARROW - 1, 40), (40, 3, 3, 3)])
def test_all_else_as_adamw(shape: tuple[int, ...]) -> None:
    """Biases, and the kernels of the first and last layers."""
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(shape))
    theirs = copy.deepcopy(ours)
    steps(Muon([{"params": [ours], "weight_decay": 0.1}], 0.01), [ours])
    steps(torch.optim.AdamW([theirs], 0.01, weight_decay=0.1), [theirs])
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_goes_on_as_if_never_saved() -> None:
    """A state that was saved and loaded leads to the same weights; what has no gradient is left alone."""
    torch.manual_seed(0)
    straight = [nn.Parameter(torch.randn(NARROW, 40)), nn.Parameter(torch.randn(7)), nn.Parameter(torch.randn(7))]
    resumed, start = copy.deepcopy(straight), copy.deepcopy(straight)
    optimizer, first, second = Muon(straight, 0.01), Muon(resumed, 0.01), Muon(resumed, 0.01)
    for some in (optimizer, first):
        steps(some, some.param_groups[0]["params"][:2], 3)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for some in (optimizer, second):
        steps(some, some.param_groups[0]["params"][:2], 2)
    assert all(torch.equal(one, other) for one, other in zip(straight, resumed, strict=True))
    assert not torch.equal(straight[0], start[0]) and not torch.equal(straight[1], start[1])
    assert torch.equal(straight[2], start[2])
