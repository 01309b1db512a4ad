"""What a batch means, by kind of recipe: the loss, the score, the figures. The loop knows none of this."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss, softplus

from models.base import Model
from models.networks.gan import ConvCritic, MLPDiscriminator
from train import losses
from train.data import strokes
from train.data.digits import Data, Split
from train.denoising import DigitDenoising, PhotoDenoising
from train.figures import fidelity, metrics, reliability
from train.inpainting import FaceAdversarial, FaceAutoencoding, FaceInpainting
from train.recipes import (
    AutoencoderRecipe,
    ClassifierRecipe,
    DigitDenoiserRecipe,
    FaceAutoencoderRecipe,
    FaceGANRecipe,
    FaceRecipe,
    GANRecipe,
    PhotoRecipe,
    Recipe,
    VAERecipe,
    WGANRecipe,
)
from train.task import Task

EVALUATION_BATCH = 500
OUTLIER_WEIGHT = 0.5


class Classification(Task):
    """Cross-entropy over ten digits; chosen by accuracy, and calibrated."""

    score = "accuracy"

    def loss(self, nets, turn, images, labels, recipe, done):
        count, known = len(images), len(images)
        if drawn := round(count * recipe.drawn):
            segments, more = strokes.digits(drawn)
            images = torch.cat([images, _pictures(segments, images, recipe)])
            labels = torch.cat([labels, more.to(labels.device)])
            known = len(images)
        if outliers := round(count * recipe.outliers):
            segments = strokes.nonsense(outliers)
            images = torch.cat([images, _pictures(segments, images, recipe)])
        logits = nets[turn](images.contiguous(memory_format=torch.channels_last)).float()
        loss = cross_entropy(logits[:known], labels, label_smoothing=recipe.label_smoothing)
        if outliers:
            # The cross-entropy to ten equal probabilities, with half the weight, as Hendrycks et al. have it.
            loss = loss - OUTLIER_WEIGHT * logits[known:].log_softmax(1).mean()
        return loss

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        logits = self.predict(net, split)
        return {"loss": cross_entropy(logits, split.labels).item(), **metrics.classification(logits, split.labels)}

    def finish(self, net: Model, validation: Split) -> dict[str, float]:
        """Calibrate it: `temperature` is what its logits are divided by from now on."""
        logits = self.predict(net, validation)
        temperature = reliability.temperature(logits, validation.labels)
        reliability.scale(net, temperature)
        return {"temperature": temperature}

    @torch.inference_mode()
    def predict(self, net: nn.Module, split: Split) -> torch.Tensor:
        """Logits (N, 10) in float32."""
        return torch.cat([net(images).float() for images, _ in split.batches(EVALUATION_BATCH)])


def _pictures(segments: torch.Tensor, images: torch.Tensor, recipe: Recipe) -> torch.Tensor:
    """Drawings as further pictures of a batch, augmented as the others are."""
    drawn = strokes.pictures(segments).to(images.device)
    return recipe.augment(drawn) if recipe.augment else drawn


class Autoencoding(Task):
    """Mean squared error of the reconstruction, by which it is chosen too."""

    score = "mse"
    lower_is_better = True

    def check(self, data: Data) -> None:
        if len(data.train.labels.unique()) < 2:
            raise ValueError("Autoencoders are measured by telling digits apart: add images of a second digit.")

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": losses.Reconstruction(net)}

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

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return metrics.reconstruction(net, split)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return {
            **metrics.reconstruction(net, data.test),
            "pca_mse": metrics.pca_mse(data, net.latent),
            "probe_accuracy": metrics.probe_accuracy(net, data),
        }


class Likelihood(Task):
    """The evidence lower bound of a VAE, on images that are binarised afresh, by which it is chosen too."""

    score = "elbo"

    def check(self, data: Data) -> None:
        fidelity.check(data)

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"net": losses.Bound(net)}

    def loss(self, nets, turn, images, labels, recipe, done):
        likelihood, divergence, _ = nets[turn](torch.bernoulli(images), labels)
        weight = recipe.kl_weight * min(1.0, done / recipe.kl_warmup if recipe.kl_warmup else 1.0)
        return (weight * divergence - likelihood).mean()

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return metrics.bound(net, split)

    def snapshot(self, net: Model) -> torch.Tensor:
        return fidelity.snapshot(net)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return {
            **metrics.bound(net, data.test),
            "nll": metrics.negative_log_likelihood(net, data.test),
            **fidelity.measure(net, data.test),
        }


class Adversarial(Task):
    """A generator against a discriminator (Goodfellow et al. 2014), with the non-saturating cross-entropy.

    Chosen, where the recipe chooses, by the Fréchet distance on the validation split.
    """

    score = "frechet"
    lower_is_better = True

    def check(self, data: Data) -> None:
        fidelity.check(data)

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"critic": MLPDiscriminator(), "net": losses.Drawing(net)}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        return ("critic", "net")

    def loss(self, nets, turn, images, labels, recipe, done):
        critic = nets["critic"]
        if turn == "net":
            return softplus(-critic(nets["net"](labels).float()).float()).mean()
        with torch.no_grad():
            drawn = nets["net"](labels).float()
        real, fake = critic(torch.cat([images, drawn])).float().chunk(2)
        return (softplus(-real) + softplus(fake)).mean()

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return {"frechet": fidelity.frechet(net, split)}

    def snapshot(self, net: Model) -> torch.Tensor:
        return fidelity.snapshot(net)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return fidelity.measure(net, data.test)


class Wasserstein(Adversarial):
    """The same against a critic with a gradient penalty (Gulrajani et al. 2017) that knows and reads the digit."""

    def networks(self, net: Model) -> dict[str, nn.Module]:
        return {"critic": ConvCritic(net.kwargs["width"]), "net": losses.Drawing(net)}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        return ("critic", "net") if (step + 1) % recipe.critic_steps == 0 else ("critic",)

    def loss(self, nets, turn, images, labels, recipe, done):
        critic = nets["critic"]
        if turn == "net":
            scores, logits = (part.float() for part in critic(nets["net"](labels).float(), labels))
            return recipe.reading * cross_entropy(logits, labels) - scores.mean()
        with torch.no_grad():
            drawn = nets["net"](labels).float()
        share = torch.rand(len(images), 1, 1, 1, device=images.device)
        mixed = (share * images + (1 - share) * drawn).requires_grad_()
        scores, logits = (part.float() for part in critic(torch.cat([images, drawn, mixed]), labels.repeat(3)))
        real, fake, between = scores.chunk(3)
        distance = fake - real + recipe.gradient_penalty * losses.gradient_penalty(between, mixed)
        return distance.mean() + recipe.reading * cross_entropy(logits[: len(images)], labels)


TASKS: dict[type[Recipe], Task] = {
    ClassifierRecipe: Classification(),
    AutoencoderRecipe: Autoencoding(),
    VAERecipe: Likelihood(),
    GANRecipe: Adversarial(),
    WGANRecipe: Wasserstein(),
    DigitDenoiserRecipe: DigitDenoising(),
    PhotoRecipe: PhotoDenoising(),
    FaceAutoencoderRecipe: FaceAutoencoding(),
    FaceRecipe: FaceInpainting(),
    FaceGANRecipe: FaceAdversarial(),
}
