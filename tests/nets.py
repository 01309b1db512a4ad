"""Networks as tests need them: something to take, with weights that have seen something."""

import torch

import models
from models.networks.denoisers import PhotoDenoiser
from models.networks.gan import ConvGenerator, MLPGenerator
from models.networks.vae import GaussianVAE

DENSE = {"architecture": "Dense", "task": "classification", "format_version": 1, "kwargs": {"hidden": 8}}
RECURRENT = DENSE | {"architecture": "Recurrent", "kwargs": {"cell": "gru", "hidden": 8, "bidirectional": True}}
RESNET = DENSE | {"architecture": "ResNet", "kwargs": {"widths": [4, 8], "blocks": [1], "dropout": 0.3}}
AUTOENCODER = DENSE | {
    "architecture": "Autoencoder",
    "task": "autoencoding",
    "kwargs": {"latent": 8, "activation": "relu"},
}
CVAE = {"latent": 2, "conditional": True, "width": 1, "hidden": 4, "couplings": 2}
CVAE = DENSE | {"architecture": "ConvVAE", "task": "generation", "kwargs": CVAE}
DENOISER = {"architecture": "PhotoDenoiser", "task": "denoising", "kwargs": {"widths": [4, 8], "blocks": 1}}
DENOISER = DENSE | DENOISER
GAN = DENSE | {"architecture": "MLPGenerator", "task": "generation", "kwargs": {"latent": 8, "hidden": [8]}}


def batch(net: models.Model, count: int = 4) -> torch.Tensor:
    """What the network takes: a GAN's generator points of its latent, an inpainter faces, all others small pictures."""
    draw = torch.Generator().manual_seed(0)
    if net.task == "inpainting":
        return torch.rand(count, 3, 128, 128, generator=draw)
    if net.task == "point-classification":
        return torch.randn(count, 2, generator=draw)
    if isinstance(net, MLPGenerator | ConvGenerator):
        return torch.randn(count, net.latent, generator=draw)
    return torch.rand(count, 3 if isinstance(net, PhotoDenoiser) else 1, 28, 28, generator=draw)


def forward(net: models.Model, x: torch.Tensor) -> torch.Tensor:
    """All that the network makes of a batch: what its task is about, and of a generator what it draws, as one tensor.

    The n-th picture of a conditional one is told that it is an n.
    """
    if net.task == "inpainting":
        hole = torch.nn.functional.pad(torch.ones(len(x), 1, 28, 28), (40, 60, 50, 50))
        return net(x, hole)
    if net.task == "page-reading":
        return torch.cat([one.flatten(1) for one in net(x)], 1)
    if net.task != "generation":
        return net(x)
    digit = torch.arange(len(x)) % 10 if net.conditional else None
    if not isinstance(net, GaussianVAE):
        return net.decode(x, digit)
    mean, log_variance = net.posterior(x, digit)
    return torch.cat([mean, log_variance, net.decode(mean, digit).flatten(1)], 1)


def lived_in(name: str) -> models.Model:
    """A network whose buffers, too, are no longer what they start as, nor zeros; as precise as a file, in eval mode."""
    torch.manual_seed(0)
    net = awake(models.create(name))
    forward(net, batch(net))
    return net.to(net.stored).float().eval()


def awake(net: models.Model) -> models.Model:
    """Without kernels of zeros, behind which nothing can be seen."""
    for parameter in net.parameters():
        if parameter.ndim > 1 and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return net


def answer(net: models.Model) -> torch.Tensor:
    with torch.inference_mode():
        return forward(net, batch(net))


def bits(net: models.Model) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in net.state_dict().items()}
