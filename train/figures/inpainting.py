"""How good is what fills a hole: how near the truth, how sharp, how well joined, and whether a network can tell."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from models.pictures import corruptions
from models.pictures.photographs import luma
from train.data.splits import Data, Split

BATCH = 50
MARGIN = 8  # pixels around a hole that the classifier sees as well
EPOCHS, LR = 20, 1e-3  # of the classifier

Fill = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # pictures and masks -> pictures


def boxes(split: Split, size: int, margin: int = 0) -> torch.Tensor:
    """One square of `size` pixels for each picture, by seed 0: the same list for all, `margin` away from the border."""
    generator = torch.Generator().manual_seed(0)
    height, width = (side - 2 * margin for side in split.images.shape[2:])
    return pad(corruptions.box(len(split), height, width, size, generator), (margin,) * 4)


def filled(fill: Fill, split: Split, masks: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Some at a time: pictures with the hole filled, the true ones, and the masks. Outside they are the same."""
    for (images, _), some in zip(split.batches(BATCH), masks.to(split.images.device).split(BATCH), strict=True):
        yield torch.where(some > 0, fill(images, some).clamp(0, 1), images), images, some


@torch.inference_mode()
def quality(fill: Fill, split: Split, size: int) -> dict[str, float]:
    """Figures of square holes of `size` pixels, each named with the size.

    psnr and ssim are means over pictures of each one's figure inside the hole; ssim is that of Wang et al. 2004 on the
    luma. sharpness is the mean gradient inside the hole, and seam the mean step across its edge, both relative to the
    true pictures'.
    """
    errors, likeness, slopes, steps = [], [], [], []
    for made, true, masks in filled(fill, split, boxes(split, size)):
        area = masks.sum((1, 2, 3))
        errors.append(((made - true).square().mean(1, keepdim=True) * masks).sum((1, 2, 3)) / area)
        made, true = luma(made), luma(true)
        likeness.append((_ssim(made, true) * masks).sum((1, 2, 3)) / area)
        slopes.append([_differences(one, masks, inside=True) for one in (made, true)])
        steps.append([_differences(one, masks, inside=False) for one in (made, true)])
    error = torch.cat(errors).clamp_min(1e-10)
    return {
        f"psnr_{size}": -10 * error.log10().mean().item(),
        f"ssim_{size}": torch.cat(likeness).mean().item(),
        f"sharpness_{size}": _ratio(slopes),
        f"seam_{size}": _ratio(steps),
    }


def _ssim(made: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Its map (N, 1, H, W) for pictures (N, 1, H, W)."""
    from skimage.metrics import structural_similarity

    options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0, "full": True}
    pairs = zip(made[:, 0].cpu().numpy(), true[:, 0].cpu().numpy(), strict=True)
    return torch.from_numpy(np.stack([structural_similarity(*pair, **options)[1] for pair in pairs])[:, None]).to(made)


def _differences(x: torch.Tensor, masks: torch.Tensor, inside: bool) -> float:
    """The sum of the steps between neighbours that are both inside, or of which one is."""
    total = 0.0
    for dim in (2, 3):
        count = masks.narrow(dim, 1, masks.shape[dim] - 1) + masks.narrow(dim, 0, masks.shape[dim] - 1)
        total += (x.diff(dim=dim).abs() * (count == (2 if inside else 1))).sum().item()
    return total


def _ratio(pairs: list[list[float]]) -> float:
    made, true = (sum(column) for column in zip(*pairs, strict=True))
    return made / true


class TwoSampleClassifier(nn.Module):
    """A small network that looks at patches (N, 3, 44, 44) in [0, 1]: the logit of a filled hole in the middle."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential()
        for before, width in ((3, 32), (32, 64), (64, 128)):
            self.layers.extend([nn.Conv2d(before, width, 3, 2, 1), nn.BatchNorm2d(width), nn.ReLU()])
            self.layers.extend([nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()])
        self.layers.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(width, 1)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(2 * x - 1)[:, 0]


def two_sample_accuracy(fill: Fill, data: Data, size: int) -> dict[str, float]:
    """How often a classifier tells filled holes from true pictures of faces that neither network has seen
    (Lopez-Paz & Oquab 2017).

    It learns on the validation split and is asked on the test split, of both kinds equally many; 0.5 is a guess. With
    it half the width of its 95 % interval (normal approximation).
    """
    torch.manual_seed(0)
    known, unseen = (_patches(fill, split, size) for split in (data.validation, data.test))
    net = TwoSampleClassifier().to(known.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=EPOCHS * math.ceil(len(known) / BATCH))
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(known)).split(BATCH):
            # A face's filled and true patch stay together: nothing but the filling tells them apart.
            x = known[chosen].flatten(0, 1)
            x = x.flip(3) if torch.rand(()) < 0.5 else x
            truth = x.new_tensor([1.0, 0.0]).repeat(len(chosen))
            loss = binary_cross_entropy_with_logits(net(x), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    with torch.inference_mode():
        right = torch.stack([net(unseen[:, 0]) > 0, net(unseen[:, 1]) <= 0]).float().mean().item()
    return {"told_apart": right, "told_apart_within": 1.96 * math.sqrt(right * (1 - right) / (2 * len(unseen)))}


@torch.inference_mode()
def _patches(fill: Fill, split: Split, size: int) -> torch.Tensor:
    """(N, 2, 3, size + 2 margins, the same): the surroundings of each hole, filled and true, in 8 bits as files are."""
    masks, found = boxes(split, size, MARGIN), []
    for made, true, some in filled(fill, split, masks):
        made = (255 * made).round() / 255
        for pair, mask in zip(torch.stack([made, true], 1), some[:, 0], strict=True):
            top, left = mask.nonzero()[0].tolist()
            sides = [slice(start - MARGIN, start + size + MARGIN) for start in (top, left)]
            found.append(pair[:, :, sides[0], sides[1]])
    return torch.stack(found)
