"""Autoencoding: a digit through a short code and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import mse_loss

from models.base import Model
from models.networks.autoencoders import Autoencoder
from train.data.splits import Data, Split
from train.recipe import Amount, Recipe
from train.tasks.task import MNIST, Task

BATCH = 500
SHOWN = 16  # digits of a snapshot


@dataclass(frozen=True)
class AutoencoderRecipe(Recipe):
    """Squared error of the reconstruction, mean over the pixels.

    Attributes:
        noise: deviation of the Gaussian noise on the input, in units of the pixels' range; the target stays clean.
        sparsity: weight of the code's L1 norm.
        contraction: weight of the squared Frobenius norm of the code's Jacobian (Rifai et al. 2011).
    """

    noise: Amount = 0.0
    sparsity: Amount = 0.0
    contraction: Amount = 0.0


RECIPES = {
    "mnist-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        source=(
            "A tutorial's autoencoder, which leaves its training open: squared error, Adam, 20 epochs, batch 128 "
            "are ours."
        ),
    ),
    "mnist-sparse-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        sparsity=2e-4,
        weight_decay=1e-5,
        source=(
            "The next step that an autoencoder tutorial names: few active neurons. By the L1 norm of the code, which "
            "makes ReLU neurons exactly zero and asks nothing about the rest of the batch, as KL would."
        ),
    ),
    "mnist-contractive-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=3e-3,
        optimizer="adam",
        contraction=3e-4,
        source=(
            "The next step that an autoencoder tutorial names: a code that small changes of the picture do not move "
            "(Rifai et al. 2011), with the paper's sigmoid code; its decoder has weights of its own."
        ),
    ),
    "mnist-dae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        noise=0.1,
        source=(
            "A tutorial's denoising autoencoder: Gaussian noise of deviation 0.1 on the input in training, the clean "
            "picture asked back. Squared error, Adam, 20 epochs, batch 128 are ours."
        ),
    ),
}


class Autoencoding(Task):
    """Mean squared error of the reconstruction, by which it is chosen too."""

    recipes = RECIPES
    score = "mse"
    lower_is_better = True
    pipeline_tag = "image-feature-extraction"
    metrics: ClassVar = {
        "mse": "Mean squared error of the reconstruction",
        "pca_mse": "The same of as many principal components",
        "probe_accuracy": "Accuracy of a linear probe on the code",
        "active": "Share of the code's neurons that are active",
        "jacobian": "Squared norm of the code's Jacobian",
    }
    interface = (
        "It takes images `(N, 1, 28, 28)` in [0, 1], white on black, and gives them back; `encode` gives the code, "
        "`decode` reads it."
    )
    limits = f"{MNIST} What is no such digit comes back as one. It is no generator: most codes mean nothing."

    def check(self, data: Data) -> None:
        if len(data.train.labels.unique()) < 2:
            raise ValueError("Autoencoders are measured by telling digits apart: add images of a second digit.")

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": Reconstruction(net)}

    def loss(self, nets, turn, images, labels, recipe, done):
        noise = recipe.noise * torch.randn_like(images) if recipe.noise else 0.0
        rebuilt, size, contraction = nets[turn](images + noise)
        loss = mse_loss(rebuilt.float(), images)
        # Written so that a network without a penalty does not pay for it in the backward pass.
        if recipe.sparsity:
            loss = loss + recipe.sparsity * size.mean()
        if recipe.contraction:
            loss = loss + recipe.contraction * contraction.mean()
        return loss

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """Digits, and below each what the network makes of it."""
        from train.figures import film

        images = validation.take(slice(SHOWN))
        return film.beside(torch.cat([images, net(images)]), len(images))

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return reconstruction(net, split)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return {
            **reconstruction(net, data.test),
            "pca_mse": pca_mse(data, net.latent),
            "probe_accuracy": probe_accuracy(net, data),
        }

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """Digits and what it makes of them."""
        from train.figures.plots import grid

        images = data.test.take(slice(20))
        rebuilt = net(images)
        columns = min(10, len(images))
        rows = zip(images.split(columns), rebuilt.split(columns), strict=True)
        grid(torch.cat([one for row in rows for one in row]), folder / "rebuilt.png", columns)
        return f"""Principal components are the best that a linear code of {net.latent} numbers can do. The probe
is a logistic regression on the codes of the {len(data.train):,} training images.

![Test images and, below each, what the network makes of it](rebuilt.png)
"""

    def usage(self, net: Model) -> str:
        return "picture = torch.rand(1, 1, 28, 28)  # white on black, 0 to 1\nrebuilt = net(picture)"

    def summary(self, figures: dict[str, float], section: str) -> str:
        linear, active = f"{figures['pca_mse']:.4f}", f"{100 * figures['active']:.0f} %"
        return f"MSE {figures['mse']:.4f} (principal components: {linear}), {active} of the code active"


class Reconstruction(nn.Module):
    """Pictures (N, 1, 28, 28) -> what an autoencoder makes of them, its code's L1 norm, and `contraction`, (N,)."""

    def __init__(self, net: Autoencoder):
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        code = self.net.encode(x)
        return self.net.decode(code), code.abs().sum(1), contraction(self.net, code)


def contraction(net: Autoencoder, code: torch.Tensor) -> torch.Tensor:
    """The squared Frobenius norm of the code's Jacobian by the picture (N,), in closed form (Rifai et al. 2011, eq. 7).

    For one layer it is the sum over neurons of the activation's slope squared times the norm of its weights squared.
    """
    slope = code * (1 - code) if net.kwargs["activation"] == "sigmoid" else (code > 0).to(code)
    return slope**2 @ net.encoder.weight.square().sum(1)


@torch.inference_mode()
def reconstruction(net: Autoencoder, split: Split) -> dict[str, float]:
    """Mean over the images of: the squared error a pixel in [0, 1], the share of the code's neurons above 0.01, and the
    squared norm of the code's Jacobian, which is how much small changes of the picture move the code.
    """
    from torchmetrics.functional import mean_squared_error

    error, active, jacobian = 0.0, 0.0, 0.0
    for images, _ in split.batches(BATCH):
        code = net.encode(images)
        error += mean_squared_error(net.decode(code), images).item() * len(images)
        active += (code > 0.01).float().mean().item() * len(images)
        jacobian += contraction(net, code).sum().item()
    return {"mse": error / len(split), "active": active / len(split), "jacobian": jacobian / len(split)}


def pca_mse(data: Data, components: int) -> float:
    """The same error of as many principal components, found on the training images: what a linear code can do."""
    from sklearn.decomposition import PCA

    train, test = (split.images.flatten(1).cpu().numpy() / 255 for split in (data.train, data.test))
    pca = PCA(min(components, *train.shape), svd_solver="covariance_eigh").fit(train)
    return float(((pca.inverse_transform(pca.transform(test)) - test) ** 2).mean())


@torch.inference_mode()
def probe_accuracy(net: Autoencoder, data: Data) -> float:
    """Test accuracy of a logistic regression on the codes of the training images, each neuron standardised."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    codes = [
        torch.cat([net.encode(images) for images, _ in split.batches(BATCH)]).cpu().numpy()
        for split in (data.train, data.test)
    ]
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(probe.fit(codes[0], data.train.labels.cpu().numpy()).score(codes[1], data.test.labels.cpu().numpy()))
