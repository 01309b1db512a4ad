"""Autoencoders: (N, 1, 28, 28) in [0, 1] -> a short code -> the picture again."""

from typing import ClassVar

import torch
from torch import nn

from models.base import Model, register

PIXELS = 28 * 28


# One network, four trainings: on the picture itself; with a code of few active neurons (sparse) or one that small
# changes do not move (contractive); on a noisy picture, of which the clean one is asked back (denoising).
@register("mnist-dae", task="autoencoding")
@register("mnist-contractive-ae", task="autoencoding", activation="sigmoid")
@register("mnist-sparse-ae", task="autoencoding")
@register("mnist-ae", task="autoencoding")
class Autoencoder(Model):
    """784 - `latent` - 784 sigmoid: one layer that writes the code and one that reads it.

    Args:
        latent: neurons of the code.
        activation: of the code, "relu" or "sigmoid".
    """

    limits: ClassVar = {"latent": (1, 4096), "activation": {"relu", "sigmoid"}}

    def __init__(self, latent: int = 64, activation: str = "relu"):
        super().__init__(latent=latent, activation=activation)
        self.latent = latent
        self.encoder = nn.Linear(PIXELS, latent)
        self.decoder = nn.Linear(latent, PIXELS)
        self.activation = {"relu": torch.relu, "sigmoid": torch.sigmoid}[activation]

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, 28, 28) -> codes (N, latent)."""
        return self.activation(self.encoder(x.flatten(1)))

    def decode(self, code: torch.Tensor) -> torch.Tensor:
        """Codes (N, latent) -> pictures (N, 1, 28, 28)."""
        return self.decoder(code).sigmoid().unflatten(1, (1, 28, 28))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))
