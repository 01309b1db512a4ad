"""How good a generator's pictures are, in the features of `mnist-resnet`: the 128 numbers before its last layer.

The formulas are those of FID, of improved precision and recall and of the inception score; without Inception they are
only comparable with figures by the same classifier.
"""

import warnings
from functools import cache

import torch
from torch import nn

import models
from models.networks.classifiers import ResNet
from models.networks.generators import DIGITS, Generator
from train.data.splits import Data, Split

JUDGE = "mnist-resnet"
BATCH = 500
NEIGHBOURS = 3  # as Kynkäänniemi et al. have it
SHOWN = 20  # latent points of a snapshot


@cache
def judge() -> ResNet:
    """The classifier that judges. Raises ValueError if there are no weights for it."""
    return models.load(JUDGE).to(memory_format=torch.channels_last).requires_grad_(False)


def check(data: Data) -> None:
    """Raise ValueError if validation or test have too few images to be compared with, or there is no judge."""
    judge()
    fewest = min(len(data.validation), len(data.test))
    if fewest <= NEIGHBOURS:
        raise ValueError(
            f"Generators are measured against {NEIGHBOURS + 1} images or more for validation and as many for test; "
            f"there are {fewest}: add images."
        )


@torch.inference_mode()
def draw(net: Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (count, 1, 28, 28) by seed 0, and the digits (count,) that were asked for: each equally often."""
    generator, digits = torch.Generator().manual_seed(0), torch.arange(count) % DIGITS
    return torch.cat([net.sample(len(some), some, generator=generator) for some in digits.split(BATCH)]), digits


@torch.inference_mode()
def features(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 1, 28, 28) in [0, 1] -> the judge's features (N, 128) and logits (N, 10)."""
    net = judge().to(images.device)
    found = torch.cat([net.features(some) for some in images.split(BATCH)])
    return found, net.output(found)


def frechet_distance(left: torch.Tensor, right: torch.Tensor) -> float:
    """The distance of the normal distributions fitted to two sets of features (N, D): Heusel et al. 2017."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    identity = nn.Identity()
    identity.num_features = left.shape[1]
    metric = FrechetInceptionDistance(identity, sync_on_compute=False).set_dtype(torch.float64).to(left.device)
    metric.update(left.double(), real=True)
    metric.update(right.double(), real=False)
    return metric.compute().item()


def precision_recall(real: torch.Tensor, drawn: torch.Tensor) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al. 2019), of features (N, D) and (M, D).

    Precision: the share of drawn pictures that lie within the real ones' manifold, a ball around each that reaches to
    its third neighbour. Recall: the share of real ones within the drawn ones' manifold.
    """
    return _within(drawn, real), _within(real, drawn)


def _within(points: torch.Tensor, manifold: torch.Tensor) -> float:
    # In double precision: far from the origin, small distances drown in the rounding of large products.
    points, manifold = points.double(), manifold.double()
    # The nearest neighbour of each is itself.
    radii = torch.cat([torch.cdist(some, manifold).kthvalue(NEIGHBOURS + 1).values for some in manifold.split(BATCH)])
    inside = torch.cat([(torch.cdist(some, manifold) <= radii).any(1) for some in points.split(BATCH)])
    return inside.float().mean().item()


def spread(images: torch.Tensor, digits: torch.Tensor) -> float:
    """The deviation of a pixel among pictures of one digit, mean over pixels and digits."""
    each = [images[digits == digit].std(0, correction=0).mean() for digit in digits.unique()]
    return torch.stack(each).mean().item()


@cache
def _real(split: Split) -> torch.Tensor:
    """The features of a split, found once: it is asked for after every epoch."""
    return features(split.images / 255)[0]


def frechet(net: Generator, split: Split) -> float:
    """Fréchet distance between a split and as many drawn pictures."""
    real = _real(split)
    return frechet_distance(real, features(draw(net, len(split))[0].to(real.device))[0])


def measure(net: Generator, split: Split) -> dict[str, float]:
    """All figures, of as many drawn pictures as the split has images.

    `frechet`, `precision`, `recall`, `inception_score` (of the judge's answers); of a conditional network `asked`, the
    share that the judge reads as the digit asked for, and `spread`, relative to the split's.
    """
    from torchmetrics.image.inception import InceptionScore

    images = split.images / 255
    drawn, digits = draw(net, len(split))
    real, (fake, logits) = _real(split), features(drawn.to(images.device))
    precision, recall = precision_recall(real, fake)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that all answers are kept, and that a single part has no deviation
        score = InceptionScore(nn.Identity(), splits=1, sync_on_compute=False)
        score.update(logits)
        inception_score, _ = score.compute()
    figures = {
        "frechet": frechet_distance(real, fake),
        "precision": precision,
        "recall": recall,
        "inception_score": inception_score.item(),
    }
    if net.conditional:
        figures["asked"] = (logits.argmax(1).cpu() == digits).float().mean().item()
        figures["spread"] = spread(drawn, digits) / spread(images, split.labels)
    return figures


@torch.inference_mode()
def snapshot(net: Generator) -> torch.Tensor:
    """What the same latent points become: a row of `SHOWN` pictures, (28, 28 * SHOWN) uint8."""
    pictures, _ = draw(net, SHOWN)
    return (255 * torch.cat(list(pictures[:, 0]), 1)).round().byte().cpu()
