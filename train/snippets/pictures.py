"""For those that mend pictures."""

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
    "FaceAutoencoder": """
import json

import torch
from safetensors.torch import load_file
from torch import nn


class FaceAutoencoder(nn.Module):
    def __init__(self, latent, widths):
        super().__init__()
        pairs, side = list(zip((3, *widths), widths)), 128 // 2 ** len(widths)
        self.coarsest, flat = (widths[-1], side, side), widths[-1] * side * side
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, padding=1) for a, b in pairs)
        self.encoder, self.decoder = nn.Linear(flat, latent), nn.Linear(latent, flat)
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 4, 2, padding=1) for a, b in pairs)

    def forward(self, image, mask):  # (N, 3, 128, 128) in [0, 1]; (N, 1, 128, 128), 1 where it is missing
        x = torch.where(mask > 0, 0.0, image)
        for layer in self.down:
            x = layer(x).relu()
        x = self.decoder(self.encoder(x.flatten(1))).relu().view(-1, *self.coarsest)
        for layer in self.up[:0:-1]:
            x = layer(x).relu()
        return self.up[0](x).sigmoid()


net = FaceAutoencoder(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
    "FaceUNet": """
import json

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, scaled_dot_product_attention, silu


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, c), nn.GroupNorm(8, c)
        self.conv1, self.conv2 = nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(silu(self.norm2(self.conv1(silu(self.norm1(x))))))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.norm = max(1, c // 32), nn.GroupNorm(8, c)
        self.input, self.output = nn.Conv2d(c, 3 * c, 1), nn.Conv2d(c, c, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.input(self.norm(x)).view(n, 3, self.heads, c // self.heads, h * w).transpose(3, 4).unbind(1)
        found = scaled_dot_product_attention(q, k, v).transpose(2, 3)
        return x + self.output(found.reshape(n, c, h, w))


class FaceUNet(nn.Module):
    def __init__(self, widths, blocks):
        super().__init__()
        pairs, last = list(zip(widths, widths[1:])), widths[-1]
        stage = lambda c: nn.Sequential(*(Residual(c) for _ in range(blocks)))
        self.input = nn.Conv2d(16, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(stage(a) for a, _ in pairs)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, 2) for a, b in pairs)
        both = (nn.Sequential(Residual(last), Attention(last)) for _ in range(2))
        self.middle = nn.Sequential(*both, Residual(last))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairs)
        self.decoder = nn.ModuleList(stage(a) for a, _ in pairs)
        self.output = nn.Conv2d(widths[0], 12, 3, padding=1)

    def forward(self, image, mask):  # (N, 3, 128, 128) in [0, 1]; (N, 1, 128, 128), 1 where it is missing
        x = torch.cat([torch.where(mask > 0, 0.0, 2 * image - 1), mask], 1)
        kept, x = [], self.input(pixel_unshuffle(x, 2))
        for stage, down in zip(self.encoder, self.down):
            kept.append(stage(x))
            x = down(kept[-1])
        x = self.middle(x)
        for stage, up in zip(reversed(self.decoder), reversed(self.up)):
            x = stage(kept.pop() + up(x))
        return torch.where(mask > 0, pixel_shuffle(self.output(x), 2).sigmoid(), image)


net = FaceUNet(**json.load(open("config.json"))["kwargs"])
net.load_state_dict(load_file("model.safetensors"))
net.eval()
""",
}
