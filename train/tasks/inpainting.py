"""Inpainting: a part of a face is hidden, and asked back."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from torch import nn
from torch.nn.functional import adaptive_max_pool2d, max_pool2d, relu

import models
from models.base import Model
from models.networks.inpainters import SIZE, PatchCritic
from models.pictures import corruptions
from train.data.splits import Data, Split
from train.figures.inpainting import MARGIN, Fill, boxes, filled, quality, two_sample_accuracy
from train.recipe import Amount, Positive, Recipe, Share, whole
from train.tasks.task import Task

BOX = 28  # pixels on a side, of the document's
LARGE = 64
SMALLEST = 16  # pixels on a side of the holes to train with
FREE = 0.5  # of those masks that are no boxes, strokes; the rest are several boxes
TEXTBOOK = "face-ae"
START = "face-unet"  # whose weights the adversarial stage begins with
SHOWN = 8  # faces on a card
FILMED = 5  # faces of a snapshot


class Faces(Task):
    """What all that give faces back have in common."""

    pipeline_tag = "image-to-image"
    license = "cc-by-nc-4.0"
    takes = "It takes faces `(N, 3, 128, 128)` in [0, 1] and a mask `(N, 1, 128, 128)`, 1 where they are missing, and "
    limits = (
        "Trained on aligned crops of UTKFace alone, upright and frontal, 128x128. What it draws is plausible, not the "
        "truth: it is not for finding out who somebody is, nor what was hidden. As the faces, the weights are for "
        "non-commercial research only (CC BY-NC 4.0)."
    )

    def usage(self, net: Model) -> str:
        return (
            "image, mask = torch.rand(1, 3, 128, 128), torch.zeros(1, 1, 128, 128)\n"
            "mask[:, :, 48:76, 48:76] = 1  # is hidden\n"
            "filled = net(image, mask)"
        )

    def load(self, name, config, revision, image_column, label_column) -> Data:
        from train.data import faces

        return faces.load(name, config, revision, image_column)


@dataclass(frozen=True)
class FaceRecipe(Recipe):
    """L1 + 5 MSE inside of what is hidden of a face.

    Attributes:
        largest: pixels on a side of the box that is hidden, uniform from 16.
        free: share of the faces of which brush strokes or several boxes are hidden instead.
    """

    largest: Annotated[int, whole(SMALLEST, SIZE)] = 56
    free: Share = 0.0


@dataclass(frozen=True)
class FaceGANRecipe(FaceRecipe):
    """From the weights of `face-unet`: the same, and a critic of patches around the hole to fool and to agree with.

    Attributes:
        critic_lr: peak learning rate of the critic.
        adversarial: weight of the critic's score of what was filled, per patch (hinge loss).
        features: weight of the difference between what the critic finds in the filled and in the true picture.
    """

    critic_lr: Positive = 1e-3
    adversarial: Amount = 0.015
    features: Amount = 0.5


class FaceInpainting(Faces):
    """L1 + 5 MSE inside of what is hidden; chosen by the PSNR inside a box of 28x28."""

    recipes: ClassVar = {
        "face-unet": FaceRecipe(
            dataset="py97/UTKFace-Cropped",
            epochs=8,
            batch_size=32,
            lr=2e-3,
            optimizer="muon",
            warmup=0.01,
            schedule="cosine",
            ema=0.999,
            clip=1.0,
            free=0.2,
            mixed_precision="bf16",
            source="Ours: a U-Net that is told what is missing, with attention where each place sees the whole face.",
        ),
    }
    score = f"psnr_{BOX}"
    metrics: ClassVar = {
        **{
            f"{figure}_{size}": f"{words} the {size}x{size} hole{unit}"
            for size in (BOX, LARGE)
            for figure, words, unit in (("psnr", "PSNR inside", ", dB"), ("ssim", "SSIM inside", ""))
        },
        "told_apart": "Balanced accuracy of a classifier, filled against true",
        "sharpness_28": "Mean gradient inside the 28x28 hole over the truth's",
        "seam_28": "Mean step across its edge over the truth's",
    }
    interface = f"{Faces.takes}fills what is missing; all else passes through, and what lies there is not read."

    def check(self, data: Data) -> None:
        textbook()

    def loss(self, nets, turn, images, labels, recipe, done):
        images, masks = mirrored(images), hidden_parts(len(images), recipe).to(images.device)
        return hole_loss(nets[turn](images, masks).float(), images, masks)

    @torch.inference_mode()
    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        """Faces with a hole, and below each what the network fills it with."""
        from train.figures import film

        images, masks = validation.take(slice(FILMED)), boxes(validation, BOX)[:FILMED].to(validation.images.device)
        return film.beside(torch.cat([images * (1 - masks), net(images, masks)]), len(images))

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return quality(net, split, BOX)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        from models.pictures import classical

        others = {TEXTBOOK: textbook(), **classical.INPAINTERS}
        measured = self.all_figures(net, data)
        for name, fill in others.items():
            measured |= {f"{name}_{figure}": value for figure, value in self.all_figures(fill, data).items()}
        return measured

    @staticmethod
    def all_figures(fill: Fill, data: Data) -> dict[str, float]:
        """Of small and of large holes, and whether a classifier can tell."""
        small, large = (quality(fill, data.test, size) for size in (BOX, LARGE))
        return {**small, **large, **two_sample_accuracy(fill, data, BOX)}

    @torch.inference_mode()
    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """A table of all methods, and strips of faces by their index."""
        from models.pictures import classical
        from train.figures.plots import photographs, plt

        fills = {"autoencoder": textbook(), "biharmonic": classical.biharmonic, "this network": net}
        count = min(SHOWN, len(data.test))
        split = Split(data.test.images[:count], data.test.labels[:count])
        masks = boxes(data.test, BOX)[:count]
        columns = {"hidden": [], **{name: [] for name in fills}, "truth": []}
        for name, fill in fills.items():
            for made, true, some in filled(fill, split, masks):
                columns[name].extend(made)
                if name == "this network":
                    columns["truth"].extend(true)
                    columns["hidden"].extend(true * (1 - some))
        figure, axes = plt.subplots(
            count, len(columns), figsize=(1.6 * len(columns), 1.62 * count), layout="constrained", squeeze=False
        )
        for place, (name, pictures) in zip(axes.T, columns.items(), strict=True):
            for axis, picture in zip(place, pictures, strict=True):
                axis.imshow(picture.permute(1, 2, 0).cpu().numpy())
                axis.set(xticks=[], yticks=[])
            place[0].set_title(name, fontsize=9)
        photographs(figure, folder / "strips.jpg", dpi=100)
        names = {"": "**this network**", "face-ae_": "`face-ae`, the document's", "biharmonic_": "biharmonic"}
        keys = ("psnr_28", "ssim_28", "psnr_64", "ssim_64", "sharpness_28", "seam_28")
        rows = "\n".join(
            f"| {label} | "
            + " | ".join(f"{figures[prefix + key]:.{2 if key.startswith('psnr') else 3}f}" for key in keys)
            + f" | {figures[prefix + 'told_apart']:.1%} ± {figures[prefix + 'told_apart_within']:.1%} |"
            for prefix, label in names.items()
        )
        return f"""Inside one box an image, at a place by seed 0, the same for all. Sharpness is the mean gradient
inside the hole, seam the mean step across its edge, both over the truth's. The last column is how often a small
classifier that has learned from {len(data.validation):,} held-out faces tells the hole and {MARGIN} pixels around it
from a true one, in {len(data.test):,} others, with its 95 % interval: 50 % is a guess.

| | PSNR, 28×28 | SSIM | PSNR, 64×64 | SSIM | sharpness | seam | told apart |
|---|---|---|---|---|---|---|---|
{rows}

The first {count} test faces, in the dataset's order:

![Hidden, each method, truth](strips.jpg)
"""

    def summary(self, figures: dict[str, float], section: str) -> str:
        told = [f"{figures[f'{who}psnr_{size}']:.2f}" for size in (BOX, LARGE) for who in ("", "biharmonic_")]
        return (
            f"inside a hole of 28×28 {told[0]} dB (biharmonic: {told[1]}), of 64×64 {told[2]} dB ({told[3]}); "
            f"told from the truth {100 * figures['told_apart']:.0f} % of the time"
        )


class FaceAdversarial(FaceInpainting):
    """The same, fine-tuned against a critic of patches around the hole: hinge loss, and feature matching."""

    start = START

    recipes: ClassVar = {
        "face-gan": FaceGANRecipe(
            dataset="py97/UTKFace-Cropped",
            epochs=2,
            batch_size=16,
            lr=3e-4,
            optimizer="adam-wgan",
            warmup=0.01,
            schedule="cosine",
            ema=0.99,
            largest=64,
            free=0.3,
            mixed_precision="bf16",
            source="Ours: `face-unet`, sharpened against a critic of patches (hinge PatchGAN) with feature matching.",
        ),
    }

    def check(self, data: Data) -> None:
        super().check(data)
        models.load(START)

    def networks(self, net: Model) -> dict[str, nn.Module]:
        start = models.load(START)
        if start.config != net.config:
            raise ValueError(f"It goes on from the weights of {START}, so leave the network as it is there.")
        net.load_state_dict(start.state_dict())
        return {"critic": PatchCritic(), "net": net}

    def turns(self, step: int, recipe: Recipe) -> tuple[str, ...]:
        return ("critic", "net")

    def lr(self, turn: str, recipe: Recipe) -> float:
        return recipe.critic_lr if turn == "critic" else recipe.lr

    def loss(self, nets, turn, images, labels, recipe, done):
        images, masks = mirrored(images), hidden_parts(len(images), recipe).to(images.device)
        critic = nets["critic"]
        with torch.set_grad_enabled(turn == "net"):
            filled = nets["net"](images, masks).float()
        if turn == "critic":
            real, fake = critic(torch.cat([images, filled]), masks.repeat(2, 1, 1, 1))[-1].float().chunk(2)
            return around(relu(1 - real) + relu(1 + fake), masks)
        *made, scores = critic(filled, masks)
        with torch.no_grad():
            *true, _ = critic(images, masks)
        features = [around((one - other).float().abs(), masks) for one, other in zip(made, true, strict=True)]
        loss = hole_loss(filled, images, masks) + recipe.features * sum(features) / len(features)
        return loss - recipe.adversarial * around(scores.float(), masks)


def mirrored(images: torch.Tensor) -> torch.Tensor:
    """Each second picture, by chance, left to right."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(3), images).contiguous(memory_format=torch.channels_last)


def around(values: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The mean of values (N, C, h, w) at the places that see a hidden pixel or are beside such a place."""
    near = max_pool2d(adaptive_max_pool2d(masks, values.shape[2:]), 3, 1, padding=1)
    return (values.mean(1, keepdim=True) * near).sum() / near.sum()


@cache
def textbook() -> Model:
    """The autoencoder to compare with. Raises ValueError if there are no weights for it."""
    return models.load(TEXTBOOK).requires_grad_(False)


def hidden_parts(count: int, recipe: FaceRecipe) -> torch.Tensor:
    """Masks (count, 1, 128, 128): boxes of many sizes; the recipe's share of them brush strokes or several boxes."""
    sizes = torch.randint(SMALLEST, recipe.largest + 1, (count,))
    masks = corruptions.box(count, SIZE, SIZE, sizes)
    free = torch.rand(count) < recipe.free
    if some := int(free.sum()):
        strokes, boxes = corruptions.strokes(some, SIZE, SIZE), corruptions.boxes(some, SIZE, SIZE)
        masks[free] = torch.where(torch.rand(some, 1, 1, 1) < FREE, strokes, boxes)
    return masks


def hole_loss(filled: torch.Tensor, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Mean over the hidden values of each picture of |error| + 5 error², mean over the pictures."""
    error = (filled - images) * masks
    values = images.shape[1] * masks.sum((1, 2, 3))
    return ((error.abs() + 5 * error.square()).sum((1, 2, 3)) / values).mean()
