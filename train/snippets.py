"""What a card shows for loading the weights without this library: code that a test runs against the checkpoint."""

# What both denoisers are made of.
UNET = """

class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(silu(self.conv1(silu(x))))


class UNet(nn.Module):
    def __init__(self, channels, maps, widths, blocks):
        super().__init__()
        pairs = list(zip(widths, widths[1:]))
        stage = lambda c: nn.Sequential(*(Residual(c) for _ in range(blocks)))
        self.input = nn.Conv2d(4 * channels + maps, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(stage(a) for a, _ in pairs)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairs)
        self.middle = stage(widths[-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairs)
        self.decoder = nn.ModuleList(stage(a) for a, _ in pairs)
        self.output = nn.Conv2d(widths[0], 4 * channels, 3, padding=1)

    def forward(self, x):  # unshuffled; sides of the picture must divide by 2 ** len(widths)
        kept, x = [], self.input(x)
        for stage, down in zip(self.encoder, self.down):
            kept.append(stage(x))
            x = down(kept[-1])
        x = self.middle(x)
        for stage, up in zip(reversed(self.decoder), reversed(self.up)):
            x = stage(kept.pop() + up(x))
        return pixel_shuffle(self.output(x), 2)
"""

SNIPPETS = {
    "Dense": """
from safetensors.torch import load_file
from torch import nn


class Dense(nn.Module):
    def __init__(self, hidden=512):
        super().__init__()
        self.hidden, self.output = nn.Linear(784, hidden), nn.Linear(hidden, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(x.flatten(1)).relu())


net = Dense()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "MLP": """
from safetensors.torch import load_file
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.output = nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(x.flatten(1)))


net = MLP()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "CNN": """
from safetensors.torch import load_file
from torch import nn


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.hidden, self.output = nn.Linear(3136, 128), nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(self.features(x).flatten(1)).relu())  # in training: dropout 0.5 before output


net = CNN()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "WideCNN": """
from safetensors.torch import load_file
from torch import nn


class WideCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.hidden, self.output = nn.Linear(9216, 128), nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.hidden(self.features(2 * x - 1).flatten(1)).relu())


net = WideCNN()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "Recurrent": """
import json

from safetensors.torch import load_file
from torch import nn


class Recurrent(nn.Module):
    def __init__(self, cell, hidden, bidirectional):
        super().__init__()
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.cell = layer(28, hidden, batch_first=True, bidirectional=bidirectional)
        self.output = nn.Linear(hidden * (1 + bidirectional), 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black; read row by row
        last = self.cell(x[:, 0])[1]
        last = last[0] if isinstance(last, tuple) else last
        return self.output(last.transpose(0, 1).flatten(1))


net = Recurrent(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "ResNet": """
from safetensors.torch import load_file
from torch import nn


class Block(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.norm2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        new = [nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)] if stride > 1 else []
        self.shortcut = nn.Sequential(*new)

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return (y + self.shortcut(x)).relu()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.stages = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 128, 2), Block(128, 128, 1))
        self.output = nn.Linear(128, 10)

    def forward(self, x):  # (N, 1, 28, 28) in [0, 1], white on black
        return self.output(self.stages(self.stem((x - 0.1307) / 0.3081)).mean((2, 3)))


net = ResNet()
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
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
    "PhotoDenoiser": """
import json

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, silu, softplus
"""
    + UNET
    + """

class NoiseLevel(nn.Module):
    def __init__(self):
        super().__init__()
        layers = nn.Conv2d(12, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()
        self.features = nn.Sequential(*layers, nn.Conv2d(32, 2, 1))

    def forward(self, x):
        level, weight = self.features(x).flatten(2).unbind(1)
        return 75 * (softplus(level) * weight.softmax(1)).sum(1)


class PhotoDenoiser(nn.Module):
    def __init__(self, widths, blocks):
        super().__init__()
        self.unet, self.noise_level = UNet(3, 1, widths, blocks), NoiseLevel()

    def forward(self, noisy, sigma=None):  # (N, 3, H, W) in [0, 1], sigma (N,) from 0 to 75
        x = pixel_unshuffle(noisy, 2)
        sigma = self.noise_level(x) if sigma is None else sigma
        plane = (sigma / 255).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return noisy - self.unet(torch.cat([x, plane], 1))


net = PhotoDenoiser(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "DigitDenoiser": """
import json

from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, silu
"""
    + UNET
    + """

class DigitDenoiser(nn.Module):
    def __init__(self, widths, blocks):
        super().__init__()
        self.unet = UNet(1, 0, widths, blocks)

    def forward(self, noisy):  # (N, 1, 28, 28) around [0, 1], white on black
        return noisy - self.unet(pixel_unshuffle(noisy, 2))


net = DigitDenoiser(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
}
