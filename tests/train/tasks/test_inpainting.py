"""What a batch means to inpainters, and how what fills a hole is measured: each against its formula."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file
from shell import sentence
from skimage import data as pictures
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tiny import png, write_table
from torch import nn

import models
from models import hub
from models.pictures.corruptions import MASKS
from train.data import faces
from train.data.splits import Data, Split
from train.figures import inpainting as figures
from train.tasks import inpainting
from train.tasks.face_autoencoding import FaceAutoencoding, rebuilt
from train.tasks.inpainting import (
    BOX,
    LARGE,
    START,
    FaceAdversarial,
    FaceGANRecipe,
    FaceInpainting,
    FaceRecipe,
    around,
    hidden_parts,
    hole_loss,
)

SIZE = 128
RECIPE = FaceRecipe(dataset="d", epochs=1, batch_size=8, lr=0.1, optimizer="adam", source="")
INSIDE = {f"{kind}_{size}" for kind in ("psnr", "ssim", "sharpness", "seam") for size in (BOX, LARGE)}


def parts(count: int, seed: int = 0) -> np.ndarray:
    """Parts of a photograph, (N, 128, 128, 3) uint8."""
    photo, draw = pictures.astronaut(), np.random.default_rng(seed)
    corners = draw.integers(0, 512 - SIZE, (count, 2))
    return np.stack([photo[top : top + SIZE, left : left + SIZE] for top, left in corners])


def split(count: int, seed: int = 0) -> Split:
    images = torch.from_numpy(parts(count, seed)).permute(0, 3, 1, 2).contiguous()
    return Split(images, torch.zeros(count, dtype=torch.int64))


def offset(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """A tenth darker, hole or not."""
    return 0.9 * images


def places(masks: torch.Tensor) -> list[tuple[slice, slice]]:
    """Of each mask, the rows and the columns of its box."""
    found = []
    for mask in masks[:, 0]:
        rows, columns = mask.amax(1).nonzero()[:, 0].tolist(), mask.amax(0).nonzero()[:, 0].tolist()
        found.append((slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)))
    return found


def test_boxes() -> None:
    """One for each picture, of that size, the same every time, and away from the border where that is asked."""
    one = split(40)
    found = figures.boxes(one, 28)
    assert found.shape == (40, 1, SIZE, SIZE) and torch.equal(found, figures.boxes(one, 28))
    assert torch.equal(found[:7], figures.boxes(one, 28)[:7])
    for rows, columns in places(found):
        assert rows.stop - rows.start == columns.stop - columns.start == 28
    assert len({(rows.start, columns.start) for rows, columns in places(found)}) > 30
    for rows, columns in places(figures.boxes(one, 28, margin=8)):
        assert rows.start >= 8 and rows.stop <= 120 and columns.start >= 8 and columns.stop <= 120


def test_quality() -> None:
    """PSNR and SSIM inside the holes are scikit-image's; outside the truth stays, whatever is made of it."""
    some = split(6)
    found = figures.quality(offset, some, 28)
    noise, likeness = [], []
    for (rows, columns), true in zip(places(figures.boxes(some, 28)), parts(6) / 255, strict=True):
        made = true.copy()
        made[rows, columns] *= 0.9
        inside = (true[rows, columns], made[rows, columns])
        noise.append(peak_signal_noise_ratio(*inside, data_range=1))
        options = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1, "full": True}
        grey = [one @ [0.299, 0.587, 0.114] for one in (true, made)]
        likeness.append(structural_similarity(*grey, **options)[1][rows, columns].mean())
    assert found["psnr_28"] == pytest.approx(np.mean(noise), abs=1e-3)
    assert found["ssim_28"] == pytest.approx(np.mean(likeness), abs=1e-4)
    assert found["sharpness_28"] == pytest.approx(0.9, abs=1e-4)


def test_seam() -> None:
    """Steps across the edge of the hole, by hand, over the truth's; the truth has neither seam nor softness."""
    some = split(3)

    def darker(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return images - 0.2

    found, (made_steps, true_steps) = figures.quality(darker, some, 28), (0.0, 0.0)
    for (rows, columns), true in zip(places(figures.boxes(some, 28)), parts(3) / 255, strict=True):
        made = true.copy()
        made[rows, columns] = (made[rows, columns] - 0.2).clip(0, 1)
        for kind, one in (("made", made @ [0.299, 0.587, 0.114]), ("true", true @ [0.299, 0.587, 0.114])):
            steps = 0.0
            for line, inner, outer in (
                (one[:, columns], rows.start, rows.start - 1),
                (one[:, columns], rows.stop - 1, rows.stop),
                (one[rows].T, columns.start, columns.start - 1),
                (one[rows].T, columns.stop - 1, columns.stop),
            ):
                steps += abs(line[inner] - line[outer]).sum() if 0 <= outer < SIZE else 0
            made_steps, true_steps = (made_steps + steps * (kind == "made"), true_steps + steps * (kind == "true"))
    assert found["seam_28"] == pytest.approx(made_steps / true_steps, rel=1e-4)
    truth = figures.quality(lambda images, masks: images, some, 28)
    assert truth["seam_28"] == pytest.approx(1) and truth["sharpness_28"] == pytest.approx(1)
    assert truth["psnr_28"] == 100 and truth["ssim_28"] == pytest.approx(1)


def faces_of(train: int, validation: int, test: int) -> Data:
    return Data(split(train, 0), split(validation, 1), split(test, 2), name="tiny", fingerprint="")


@pytest.mark.parametrize(("fill", "low", "high"), [("truth", 0.5, 0.5), ("grey", 0.8, 1.0)])
def test_told_apart(fill: str, low: float, high: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth cannot be told from the truth, a grey box can; the interval is the binomial's."""
    monkeypatch.setattr(figures, "EPOCHS", 8)
    fills = {"truth": lambda images, masks: images, "grey": lambda images, masks: torch.full_like(images, 0.5)}
    found = figures.two_sample_accuracy(fills[fill], faces_of(1, 100, 60), 28)
    right = found["told_apart"]
    assert low <= right <= high
    assert found["told_apart_within"] == pytest.approx(1.96 * math.sqrt(right * (1 - right) / 120))


def test_hole_loss() -> None:
    """|error| + 5 error^2 averaged over what is hidden, however large; what is seen does not count."""
    images, masks = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    masks[0, :, :2], masks[1, :, 0, 0] = 1, 1
    filled = torch.full((2, 3, 4, 4), 0.1)
    filled[1] = 0.4
    filled[:, :, 3] = 9.0  # seen
    assert hole_loss(filled, images, masks).item() == pytest.approx((0.1 + 5 * 0.01 + 0.4 + 5 * 0.16) / 2)


def test_hidden_parts() -> None:
    """Boxes of all sizes of the recipe; its share of the masks is none."""
    torch.manual_seed(0)
    found = hidden_parts(300, RECIPE)
    areas = found.sum((1, 2, 3)).tolist()
    assert set(areas) <= {side**2 for side in range(16, 57)} and len(set(areas)) > 30
    found = hidden_parts(300, FaceRecipe(**(vars(RECIPE) | {"free": 0.5})))
    full = [bool(mask[0][place].all()) for mask, place in zip(found, places(found), strict=True)]
    assert 100 < sum(full) < 200
    assert set(found.unique().tolist()) == {0, 1}


class Fixed(nn.Module):
    """Three tenths of red more, whatever is hidden."""

    def forward(self, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return images + torch.tensor([0.3, 0.0, 0.0]).view(1, 3, 1, 1)


def test_rebuilt() -> None:
    """Squared error of the whole face; and how often the strongest channel is the right one, as numpy has it."""
    found = rebuilt(Fixed(), split(5))
    assert found["mse"] == pytest.approx(0.09 / 3, rel=1e-4)
    true = parts(5) / np.float32(255)
    redder = true + np.float32([0.3, 0, 0])
    assert found["accuracy"] == pytest.approx((true.argmax(3) == redder.argmax(3)).mean(), abs=1e-3)


def test_losses() -> None:
    """The autoencoder's is of the whole face with a box of 28 pixels black; the other's of what is hidden."""
    images, seen = split(4).images / 255, []

    class Watched(Fixed):
        def forward(self, images, masks):
            seen.append((images, masks))
            return super().forward(images, masks)

    nets = {"net": Watched()}
    assert FaceAutoencoding().loss(nets, "net", images, None, RECIPE, 0.0).item() == pytest.approx(0.03, rel=1e-4)
    assert (seen[0][1].sum((1, 2, 3)) == 28**2).all() and torch.equal(seen[0][0], images)
    expected = (0.3 + 5 * 0.09) / 3
    assert FaceInpainting().loss(nets, "net", images, None, RECIPE, 0.0).item() == pytest.approx(expected, rel=1e-4)
    for found, true in zip(seen[1][0], images, strict=True):
        assert found.equal(true) or found.equal(true.flip(2))


def test_around() -> None:
    """The mean over the places that see what is hidden and those beside them, of all pictures together."""
    masks, values = torch.zeros(2, 1, 8, 8), torch.arange(32.0).view(2, 1, 4, 4)
    masks[0, 0, 0, 0], masks[1, 0, 4:6, 4:6] = 1, 1
    seen = [0, 1, 4, 5, *(16 + 4 * row + column for row in (1, 2, 3) for column in (1, 2, 3))]
    assert around(values, masks).item() == pytest.approx(np.mean(seen))
    both = torch.cat([values, values + 2], 1)
    assert around(both, masks).item() == pytest.approx(np.mean(seen) + 1)


class Scored(nn.Module):
    """A critic that finds the mean of the channels, and scores by a straight line of it."""

    def forward(self, pictures: torch.Tensor, masks: torch.Tensor) -> list[torch.Tensor]:
        found = pictures.mean(1, keepdim=True)
        return [found, 4 * found - 1.5]


def test_adversarial_losses() -> None:
    """The critic's hinge loss (Lim & Ye 2017) over both; and what the network is told of its score and features."""
    images = torch.full((2, 3, SIZE, SIZE), 0.5)
    recipe = FaceGANRecipe(**vars(RECIPE), adversarial=0.2, features=0.7)
    nets, task = {"net": Fixed(), "critic": Scored()}, FaceAdversarial()
    real, fake = 4 * 0.5 - 1.5, 4 * 0.6 - 1.5
    found = {turn: task.loss(nets, turn, images, None, recipe, 0.0).item() for turn in task.turns(0, recipe)}
    assert list(found) == ["critic", "net"]
    assert found["critic"] == pytest.approx((1 - real) + (1 + fake), rel=1e-4)
    assert found["net"] == pytest.approx((0.3 + 5 * 0.09) / 3 + 0.7 * 0.1 - 0.2 * fake, rel=1e-4)


def test_adversarial_start() -> None:
    """It goes on from the published weights of the other, and has no other form than that."""
    net, task = models.create("face-gan"), FaceAdversarial()
    found = task.networks(net)
    assert found.keys() == {"critic", "net"} and found["net"] is net
    start = models.load(START).state_dict()
    assert all(torch.equal(one, start[name]) for name, one in net.state_dict().items())
    with pytest.raises(ValueError, match=START):
        task.networks(models.create("face-gan", widths=[8, 16]))
    recipe = FaceGANRecipe(**vars(RECIPE) | {"critic_lr": 0.5})
    assert [task.lr(turn, recipe) for turn in task.turns(0, recipe)] == [0.5, 0.1]


IMAGES = {"image": datasets.Image()}


def write(folder: Path, split: str, found: list[np.ndarray | bytes]) -> None:
    encoded = [{"bytes": one if isinstance(one, bytes) else png(one), "path": None} for one in found]
    write_table(folder, split, {"image": encoded}, IMAGES)


@pytest.fixture
def tiny_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Parts of a photograph for faces: 8 to train on, 4 held out, 4 to test with; and a quick classifier."""
    monkeypatch.setattr(figures, "EPOCHS", 1)
    for number, (name, count) in enumerate({"train": 8, "validation": 4, "test": 4}.items()):
        write(tmp_path / "faces", name, list(parts(count, number)))
    return tmp_path / "faces"


def test_load(tmp_path: Path) -> None:
    """Cut square around the middle and scaled as Pillow does; grey becomes colour; what is broken is left out."""
    wide, grey = pictures.astronaut()[:200, :300], pictures.camera()[:SIZE, :SIZE]
    write(tmp_path / "set", "train", [wide, grey, b"broken", *parts(20)])
    found = faces.load(str(tmp_path / "set"))
    every = torch.cat([found.train.images, found.validation.images, found.test.images])
    assert len(every) == 22 and every.shape[1:] == (3, SIZE, SIZE)
    square = Image.fromarray(wide[:, 50:250]).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    assert np.array_equal(every[0].permute(1, 2, 0)[4:-4, 4:-4], np.asarray(square)[4:-4, 4:-4])
    assert np.array_equal(every[1].permute(1, 2, 0), np.repeat(grey[..., None], 3, 2))
    assert not any(one.labels.any() for one in (found.train, found.validation, found.test))


@pytest.mark.parametrize("name", ["face-ae", "face-unet", "face-gan"])
def test_fit(name: str, cli: Callable, tmp_path: Path, tiny_faces: Path) -> None:
    """From the data to a folder: a card with its pictures and its licence, figures that `evaluate` finds again."""
    status, _, stderr = cli("fit", name, "--dataset", tiny_faces, "--epochs", 1, "--batch-size", 4)
    assert status == 0, stderr
    folder = tmp_path / "runs" / name / "checkpoint"
    Image.open(folder / ("rebuilt.jpg" if name == "face-ae" else "strips.jpg")).verify()
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "cc-by-nc-4.0" and "CC BY-NC 4.0" in card.text
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    status, told, stderr = cli("evaluate", folder, "--dataset", tiny_faces)
    assert status == 0, stderr
    measured = dict(line.split() for line in told.splitlines()[1:])
    assert figures.keys() <= measured.keys()
    for key, value in figures.items():
        assert float(measured[key]) == pytest.approx(value, abs=1e-3)
    if name != "face-ae":
        inside = INSIDE | {"told_apart", "told_apart_within"}
        methods = ("", "face-ae_", "biharmonic_")
        assert measured.keys() == {f"{method}{key}" for method in methods for key in inside}
    stored = {one.dtype for one in load_file(folder / "model.safetensors").values()}
    assert stored == {torch.float16} and {one.dtype for one in models.load(folder).parameters()} == {torch.float32}


@pytest.mark.parametrize(("name", "there", "lacking"), [("face-unet", [], "face-ae"), ("face-gan", ["face-ae"], START)])
def test_without_others(
    name: str, there: list[str], lacking: str, cli: Callable, cache: Path, tmp_path: Path, tiny_faces: Path, monkeypatch
) -> None:
    """No weights of the network to compare with, or to begin with: said before anything is trained."""
    for other in there:
        shutil.copytree(hub.CHECKPOINTS / other, tmp_path / "some" / other)
    monkeypatch.setattr(hub, "CHECKPOINTS", tmp_path / "some")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    inpainting.textbook.cache_clear()
    result = cli("fit", name, "--dataset", tiny_faces, "--epochs", 1)
    assert lacking in sentence(result) and "train on" not in result[1]


def test_no_images(cli: Callable, tmp_path: Path) -> None:
    """A dataset without a column of images: which columns there are, and how to name one."""
    write_table(tmp_path / "set", "train", {"text": ["a", "b"]}, {"text": datasets.Value("string")})
    assert "--image-column" in sentence(cli("fit", "face-ae", "--dataset", tmp_path / "set", "--epochs", 1))


def test_every_mask_fits() -> None:
    """What the page hides is of the size that the networks take."""
    for mask in MASKS.values():
        assert mask(2, SIZE, SIZE).shape == (2, 1, SIZE, SIZE)
