"""For those with a code: autoencoders, and those that draw."""

SNIPPETS = {
    "Autoencoder": """
import json

from safetensors.torch import load_file
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self, latent, activation):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(784, latent), nn.Linear(latent, 784)
        self.activation = {"relu": nn.ReLU(), "sigmoid": nn.Sigmoid()}[activation]

    def encode(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.activation(self.encoder(x.flatten(1)))

    def decode(self, code):
        return self.decoder(code).sigmoid().view(-1, 1, 28, 28)

    def forward(self, x):
        return self.decode(self.encode(x))


net = Autoencoder(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "VAE": """
import torch
from safetensors.torch import load_file
from torch import nn


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(784, 256)
        self.mean, self.log_variance = nn.Linear(256, 64), nn.Linear(256, 64)
        self.decoder = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784))

    def encode(self, x):  # (N, 1, 28, 28) in [0, 1], white on black -> mean of the code
        return self.mean(self.encoder(x.flatten(1)).relu())

    def decode(self, z):  # (N, 64) -> each pixel's probability of being white
        return self.decoder(z).sigmoid().view(-1, 1, 28, 28)


net = VAE()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
pictures = net.decode(torch.randn(16, 64))
""",
    "ConvVAE": """
import json

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import one_hot, silu


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(silu(self.conv1(silu(x))))


class Coupling(nn.Module):
    def __init__(self, size, hidden, flip):
        super().__init__()
        self.flip, self.half = flip, size // 2
        given, changed = (size - self.half, self.half) if flip else (self.half, size - self.half)
        self.input, self.hidden = nn.Linear(given + 10, hidden), nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 2 * changed)

    def forward(self, u, digit, inverse):
        parts = u[:, : self.half], u[:, self.half :]
        given, changed = parts[::-1] if self.flip else parts
        told = torch.cat([given, one_hot(digit, 10).float()], 1)
        scale, shift = self.output(silu(self.hidden(silu(self.input(told))))).chunk(2, 1)
        scale = 2 * (scale / 2).tanh()
        changed = (changed - shift) / scale.exp() if inverse else changed * scale.exp() + shift
        return torch.cat([changed, given] if self.flip else [given, changed], 1)


class Flow(nn.Module):
    def __init__(self, size, layers, hidden):
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(size, hidden, bool(n % 2)) for n in range(layers))


class ConvVAE(nn.Module):
    def __init__(self, latent, conditional, width, hidden, couplings):
        super().__init__()
        self.flow = Flow(latent, couplings, hidden) if couplings else None
        w, told, self.conditional = width, 10 * conditional, conditional
        self.features = nn.Sequential(
            nn.Conv2d(1, 2 * w, 5, 2, padding=2), Residual(2 * w),
            nn.Conv2d(2 * w, 4 * w, 3, 2, padding=1), Residual(4 * w), nn.SiLU(),
        )
        self.encoder = nn.Linear(4 * w * 49 + told, hidden)
        self.posterior_head = nn.Linear(hidden + told, 2 * latent)
        self.decoder = nn.Sequential(nn.Linear(latent + told, hidden), nn.SiLU(), nn.Linear(hidden, 4 * w * 49))
        self.pixels = nn.Sequential(
            Residual(4 * w), nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, padding=1),
            Residual(2 * w), nn.ConvTranspose2d(2 * w, w, 4, 2, padding=1), nn.SiLU(), nn.Conv2d(w, 1, 3, padding=1),
        )

    def told(self, x, digit):
        return torch.cat([x, one_hot(digit, 10).float()], 1) if self.conditional else x

    def encode(self, x, digit=None):  # (N, 1, 28, 28) in [0, 1], white on black -> code
        hidden = silu(self.encoder(self.told(self.features(x).flatten(1), digit)))
        mean, log_variance = self.posterior_head(self.told(hidden, digit)).chunk(2, 1)
        for coupling in self.flow.couplings if self.flow else ():
            mean = coupling(mean, digit, inverse=False)
        return mean

    def decode(self, z, digit=None):  # (N, latent), digits (N,) -> each pixel's probability of being white
        for coupling in reversed(self.flow.couplings if self.flow else ()):
            z = coupling(z, digit, inverse=True)
        features = self.decoder(self.told(z, digit)).unflatten(1, (7, 7, -1)).permute(0, 3, 1, 2)
        return self.pixels(features).sigmoid()


kwargs = json.load(open("config.json"))["kwargs"]
net = ConvVAE(**kwargs)
net.load_state_dict(load_file("model.safetensors"))
net.eval()
pictures = net.decode(torch.randn(10, kwargs["latent"]), torch.arange(10))
""",
    "MLPGenerator": """
import torch
from safetensors.torch import load_file
from torch import nn


class MLPGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(100, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU())
        self.output = nn.Linear(512, 784)

    def decode(self, z):  # (N, 100) -> (N, 1, 28, 28) in [0, 1], white on black
        return (self.output(self.layers(z)).tanh().view(-1, 1, 28, 28) + 1) / 2


net = MLPGenerator()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
pictures = net.decode(torch.randn(16, 100))
""",
    "ConvGenerator": """
import json

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import one_hot


class ConvGenerator(nn.Module):
    def __init__(self, latent, width):
        super().__init__()
        self.input = nn.Linear(latent + 10, 2 * width * 49)
        self.norm1, self.norm2 = nn.BatchNorm2d(2 * width), nn.BatchNorm2d(width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 4, 2, padding=1, bias=False)
        self.up2 = nn.ConvTranspose2d(width, 1, 4, 2, padding=1)

    def decode(self, z, digit):  # (N, latent), digits (N,) -> (N, 1, 28, 28) in [0, 1], white on black
        x = self.input(torch.cat([z, one_hot(digit, 10).float()], 1)).unflatten(1, (-1, 7, 7))
        x = self.up1(self.norm1(x).relu())
        return self.up2(self.norm2(x).relu()).sigmoid()


kwargs = json.load(open("config.json"))["kwargs"]
net = ConvGenerator(**kwargs)
net.load_state_dict(load_file("model.safetensors"))
net.eval()
pictures = net.decode(torch.randn(10, kwargs["latent"]), torch.arange(10))
""",
}
