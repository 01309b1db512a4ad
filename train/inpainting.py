"""What a batch means to inpainters: a part of a face is hidden, and asked back."""

from functools import cache

import torch
from torch import nn
from torch.nn.functional import adaptive_max_pool2d, max_pool2d, mse_loss, relu

import models
from models.base import Model
from models.networks.inpainters import SIZE, PatchCritic
from models.pictures import classical, corruptions
from train.data import faces
from train.data.digits import Data, Split
from train.figures import inpainting_quality
from train.figures.inpainting_quality import Fill
from train.recipes import SMALLEST, FaceRecipe, Recipe
from train.task import Task

BOX = 28  # pixels on a side, of the document's
LARGE = 64
BATCH = 50
FREE = 0.5  # of those masks that are no boxes, strokes; the rest are several boxes
TEXTBOOK = "face-ae"
START = "face-unet"  # whose weights the adversarial stage begins with


class Inpainting(Task):
    """What those with and without a mask have in common."""

    def load(self, name, config, revision, image_column, label_column) -> Data:
        return faces.load(name, config, revision, image_column)


class FaceAutoencoding(Inpainting):
    """Squared error of the whole face, of which a box of 28x28 is black; chosen by it too."""

    score = "mse"
    lower_is_better = True

    def loss(self, nets, turn, images, labels, recipe, done):
        masks = corruptions.box(len(images), SIZE, SIZE, BOX).to(images.device)
        return mse_loss(nets[turn](images, masks).float(), images)

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return rebuilt(net, split)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        return {**rebuilt(net, data.test), **inpainting_quality.quality(net, data.test, BOX)}


class FaceInpainting(Inpainting):
    """L1 + 5 MSE inside of what is hidden; chosen by the PSNR inside a box of 28x28."""

    score = f"psnr_{BOX}"

    def check(self, data: Data) -> None:
        textbook()

    def loss(self, nets, turn, images, labels, recipe, done):
        images, masks = mirrored(images), hidden_parts(len(images), recipe).to(images.device)
        return hole_loss(nets[turn](images, masks).float(), images, masks)

    def evaluate(self, net: Model, split: Split) -> dict[str, float]:
        return inpainting_quality.quality(net, split, BOX)

    def measure(self, net: Model, data: Data) -> dict[str, float]:
        others = {TEXTBOOK: textbook(), **classical.INPAINTERS}
        measured = self.all_figures(net, data)
        for name, fill in others.items():
            measured |= {f"{name}_{figure}": value for figure, value in self.all_figures(fill, data).items()}
        return measured

    @staticmethod
    def all_figures(fill: Fill, data: Data) -> dict[str, float]:
        """Of small and of large holes, and whether a classifier can tell."""
        both = {
            **inpainting_quality.quality(fill, data.test, BOX),
            **inpainting_quality.quality(fill, data.test, LARGE),
        }
        return {**both, **inpainting_quality.told_apart(fill, data, BOX)}


class FaceAdversarial(FaceInpainting):
    """The same, fine-tuned against a critic of patches around the hole: hinge loss, and feature matching."""

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


@torch.inference_mode()
def rebuilt(net: Model, split: Split) -> dict[str, float]:
    """Squared error and the document's accuracy of whole faces with a hidden box, the same as for all others.

    What Keras calls accuracy there is the share of pixels whose strongest channel, of red, green and blue, is the same.
    """
    error, same = 0.0, 0
    for (images, _), masks in zip(split.batches(BATCH), inpainting_quality.boxes(split, BOX).split(BATCH), strict=True):
        faces = net(images, masks.to(images.device))
        error += (faces - images).square().mean((1, 2, 3)).sum().item()
        same += (faces.argmax(1) == images.argmax(1)).float().mean((1, 2)).sum().item()
    return {"mse": error / len(split), "accuracy": same / len(split)}
