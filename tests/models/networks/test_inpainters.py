"""The networks that fill faces: what they can be built with, and the critic's form."""

import pytest
import torch

import models
from models.networks.inpainters import PatchCritic


@pytest.mark.parametrize("width", [16, 48, 72, 96, 192])
def test_every_network_that_is_built_can_be_used(width: int) -> None:
    """Whatever the last width, there are whole heads of attention."""
    filled = models.create("face-unet", widths=[8, width])(torch.rand(1, 3, 16, 16), torch.ones(1, 1, 16, 16))
    assert filled.isfinite().all()


@pytest.mark.parametrize(
    ("name", "widths", "told"),
    [
        ("face-unet", [8, 104], "multiple of 32"),
        ("face-unet", [12, 16], "multiples of 8"),
        ("face-unet", [8] * 8, "at most 7"),
        ("face-ae", [8] * 8, "at most 7"),
    ],
)
def test_others_are_refused(name: str, widths: list[int], told: str) -> None:
    """At once, and in a sentence."""
    with pytest.raises(ValueError, match=told):
        models.create(name, widths=widths)


def test_critic() -> None:
    """A score for each square of four pixels; what is hidden is something that it knows."""
    critic, draw = PatchCritic(width=8), torch.Generator().manual_seed(0)
    pictures, masks = torch.rand(2, 3, 32, 48, generator=draw), torch.zeros(2, 1, 32, 48)
    *found, scores = critic(pictures, masks)
    assert scores.shape == (2, 1, 8, 12) and [one.shape[1] for one in found] == [8, 16, 32]
    masks[:, :, 8:16] = 1
    assert not torch.allclose(critic(pictures, masks)[-1], scores)
