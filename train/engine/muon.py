"""Muon, for networks whose steps are few and dear."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

BETAS, MOMENTUM, EPS = (0.9, 0.999), 0.95, 1e-8
NARROW = 16  # channels: kernels with fewer are the first and the last, whose place in the network is another
NEWTON_SCHULZ, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """Muon for hidden kernels and matrices, AdamW for all else, both at one learning rate.

    The momentum of a kernel, as a matrix of output channels by the rest, is made orthogonal: all that it has to say
    is heard alike, whereas in Adam's step the few loudest directions drown the others (Jordan et al. 2024). It is
    scaled to be as large as an AdamW step would be (Liu et al. 2025, equation 4).
    """

    def __init__(self, parameters: Iterable[nn.Parameter] | Iterable[dict], lr: float):
        super().__init__(parameters, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                update = muon_update if p.ndim > 1 and min(p.shape[:2]) >= NARROW else adam_update
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(update(p.grad, self.state[p]), alpha=group["lr"])
        return loss


def muon_update(grad: torch.Tensor, state: dict) -> torch.Tensor:
    """The direction in which to go, with Nesterov's momentum."""
    momentum = state.setdefault("momentum", torch.zeros_like(grad)).mul_(MOMENTUM).add_(grad)
    matrix = grad.add(momentum, alpha=MOMENTUM).flatten(1)
    return (0.2 * max(matrix.shape) ** 0.5 * orthogonal(matrix)).view(grad.shape)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """About U V' of the singular value decomposition U S V': singular values become some 0.7 to 1.2.

    By Newton and Schulz, X <- a X + (b A + c A A) X with A = X X'. All these factors are polynomials of the first A,
    so they are gathered in the small square matrix, and X itself is multiplied once.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = COEFFICIENTS
    x = matrix / (matrix.norm() + EPS)
    square = x @ x.T
    one = gathered = torch.eye(len(square), device=x.device)
    for _ in range(NEWTON_SCHULZ):
        factor = a * one + b * square + c * square @ square
        gathered, square = factor @ gathered, factor @ square @ factor
    return gathered @ x


def adam_update(grad: torch.Tensor, state: dict) -> torch.Tensor:
    """As in Adam, both averages freed of their start at zero."""
    first, second = (state.setdefault(name, torch.zeros_like(grad)) for name in ("first", "second"))
    state["step"] = state.get("step", 0) + 1
    first.lerp_(grad, 1 - BETAS[0])
    second.lerp_(grad.square(), 1 - BETAS[1])
    unbiased = (moment / (1 - beta ** state["step"]) for moment, beta in zip((first, second), BETAS, strict=True))
    mean, square = unbiased
    return mean / (square.sqrt() + EPS)
