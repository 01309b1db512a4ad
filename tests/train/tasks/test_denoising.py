"""What a batch means to denoisers, and how they are measured: each against its formula."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tiny
import torch
from huggingface_hub import ModelCard
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio
from tiny import photograph, write_photographs
from torch import nn

import models
from models import hub
from models.pictures.corruptions import DIGITS
from models.pictures.photographs import luma
from models.pipelines import Denoiser
from train.data.photographs import HELD_OUT
from train.data.splits import Photographs
from train.figures.denoising import mean_psnr
from train.tasks import digit_denoising, photo_denoising
from train.tasks.digit_denoising import DigitDenoiserRecipe, DigitDenoising
from train.tasks.photo_denoising import SIGMAS, Denoised, PhotoDenoising, PhotoRecipe

COMMON = {"dataset": "d", "epochs": 1, "batch_size": 8, "lr": 0.1, "optimizer": "adam", "source": ""}


def recipe(**values: object) -> PhotoRecipe:
    return PhotoRecipe(**COMMON, **values)


def patches(count: int = 400, side: int = 24) -> torch.Tensor:
    """One colour each, in the middle of the range."""
    torch.manual_seed(0)
    return torch.empty(count, 3, 1, 1).uniform_(0.3, 0.7).expand(-1, -1, side, side).contiguous()


def test_luma() -> None:
    """As Pillow makes pictures grey, to half a level."""
    pixels = photograph(40, 30, 0)
    expected = np.asarray(Image.fromarray(pixels).convert("L"))
    found = luma(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)
    assert found.shape == (1, 1, 30, 40)
    assert abs(255 * found[0, 0].numpy() - expected).max() < 0.51


def test_crop() -> None:
    """Squares out of the batch at the same place, turned and mirrored alike; places and turns differ in time."""
    x = torch.arange(12 * 12.0).view(1, 1, 12, 12) * torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
    seen = set()
    for seed in range(600):
        torch.manual_seed(seed)
        found = photo_denoising.crop(x, 10)
        assert found.shape == (2, 1, 10, 10) and torch.equal(found[1], 2 * found[0])
        corners = tuple(int(found[0, 0, row, column]) for row in (0, -1) for column in (0, -1))
        top, left = divmod(min(corners), 12)
        assert 0 <= top <= 2 and 0 <= left <= 2
        assert sorted(found[0].flatten().int().tolist()) == sorted(
            12 * (top + row) + left + column for row in range(10) for column in range(10)
        )
        seen.add(corners)
    assert len(seen) == 9 * 8


def test_noise_of_photographs() -> None:
    """As strong as the network is told, uniform from 0 to the recipe's sigma, each channel its own."""
    clean = patches()
    noisy, sigma = PhotoDenoising().corrupt(clean.clone(), recipe(sigma=60.0))
    off = 255 * (noisy - clean)
    measured = off.flatten(1).std(1)
    assert torch.allclose(measured, sigma, rtol=0.12, atol=0.5)
    assert sigma.mean().item() == pytest.approx(30, abs=3) and 55 < sigma.max() < 60
    assert abs(np.corrcoef(off[:, 0].flatten(), off[:, 1].flatten())[0, 1]) < 0.02


def test_grey_photographs() -> None:
    """About the recipe's share of the clean patches is grey, and their noise is one for all channels."""
    before = patches()
    clean = before.clone()
    noisy, _ = PhotoDenoising().corrupt(clean, recipe(grey=0.25, camera=0.25))
    grey, same = ((pictures == pictures[:, :1]).flatten(1).all(1) for pictures in (clean, noisy))
    assert torch.equal(grey, same)
    assert grey.float().mean().item() == pytest.approx(0.25, abs=0.07)
    assert torch.equal(clean[~grey], before[~grey])
    assert torch.allclose(clean[grey], luma(before[grey]).expand(-1, 3, -1, -1))


def test_camera_noise() -> None:
    """About the recipe's share is told the deviation that it has, at most the largest; the rest is as before."""
    clean = patches()
    noisy, sigma = PhotoDenoising().corrupt(clean.clone(), recipe(camera=0.25, sigma=40.0))
    levels = 255 * noisy
    camera = ((levels - levels.round()).abs() < 1e-3).flatten(1).all(1)  # they came out of a file
    assert camera.float().mean().item() == pytest.approx(0.25, abs=0.07)
    off = 255 * (noisy - clean).square().mean((1, 2, 3)).sqrt()
    assert torch.allclose(off[camera].clamp(max=40), sigma[camera], rtol=1e-3)
    assert torch.allclose(off, sigma.where(~camera, off), rtol=0.12, atol=0.5)


def test_clipped() -> None:
    """About the recipe's share of the patches is within what a file can hold; the others are not."""
    clean = torch.ones(400, 3, 24, 24)
    noisy, sigma = PhotoDenoising().corrupt(clean, recipe(clipped=0.25))
    inside = noisy.flatten(1).amax(1) <= 1
    assert inside.float().mean().item() == pytest.approx(0.25, abs=0.07)
    assert (sigma[inside] > 0).all()


class Fixed(nn.Module):
    """Gives a picture and an estimate, whatever it is given."""

    def __init__(self, picture: torch.Tensor, sigma: torch.Tensor):
        super().__init__()
        self.picture, self.sigma = picture, sigma

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return self.picture

    def estimate(self, noisy: torch.Tensor) -> torch.Tensor:
        return self.sigma


def test_loss_of_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minus the mean PSNR, with a floor, and the error of the estimate relative to what it is about."""
    clean = torch.full((2, 3, 16, 16), 0.5)
    monkeypatch.setattr(PhotoDenoising, "corrupt", lambda self, clean, recipe: (clean, torch.tensor([45.0, 5.0])))
    picture = clean.clone()
    picture[0] += 0.1  # 20 dB; the other is perfect
    loss = PhotoDenoising().loss(
        {"net": Denoised(Fixed(picture, torch.tensor([50.0, 6.0])))},
        "net",
        clean,
        torch.zeros(2),
        recipe(patch=16),
        0.0,
    )
    expected = (10 * math.log10(0.01 + 1e-4) - 40) / 2 + (5 / 50 + 1 / 10) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-3)


def test_digits_suffer_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the batch each, with strengths from nothing to the worst; the loss is minus the mean PSNR."""
    given = {}
    for name, kind in DIGITS.items():

        def apply(x: torch.Tensor, strength: torch.Tensor, name: str = name) -> torch.Tensor:
            given.setdefault(name, []).append(strength)
            return x + 0.2

        monkeypatch.setitem(DIGITS, name, type(kind)(apply, kind.low, kind.high, kind.usual, kind.step))
    task, images = DigitDenoising(), torch.full((402, 1, 28, 28), 0.9)
    torch.manual_seed(0)
    net = nn.Identity()
    loss = task.loss({"net": net}, "net", images, torch.zeros(402), DigitDenoiserRecipe(**COMMON), 0.0)
    assert loss.item() == pytest.approx(10 * math.log10(0.2**2), abs=0.01)
    loss = task.loss({"net": net}, "net", images, torch.zeros(402), DigitDenoiserRecipe(**COMMON, clipped=1.0), 0.0)
    assert loss.item() == pytest.approx(10 * math.log10(0.1**2), abs=0.01)
    for name, (strengths, _) in given.items():
        assert len(strengths) in (100, 101)
        low, high = DIGITS[name].low, DIGITS[name].high
        assert low <= strengths.min() < low + 0.1 * (high - low) and high - 0.1 * (high - low) < strengths.max() <= high


def test_mean_psnr() -> None:
    """scikit-image's of each picture, averaged: the same noise for all methods, not clipped; the output clipped."""
    clean = [torch.rand(1, 3, 20, 30), torch.rand(1, 3, 9, 7)]
    for sigma in (15, 50):
        generator = torch.Generator().manual_seed(0)
        expected = []
        for one in clean:
            noisy = one + sigma / 255 * torch.randn(one.shape, generator=generator)
            restored = (0.9 * noisy).clamp(0, 1)
            expected.append(peak_signal_noise_ratio(one.numpy(), restored.numpy(), data_range=1))
        told = []
        found = mean_psnr(lambda noisy, sigma, told=told: told.append(sigma.item()) or 0.9 * noisy, clean, sigma)
        assert found == pytest.approx(np.mean(expected), abs=1e-3)
        assert told == [sigma, sigma]
    assert mean_psnr(lambda noisy, sigma: noisy if sigma is None else None, clean, 25, told=False) > 15


@pytest.fixture
def tiny_photos(tmp_path: Path) -> Path:
    """Two photographs to train on, the least number to hold out, three to test with."""
    train = [photograph(110, 100, n) for n in range(2)] + [photograph(20, 24, n) for n in range(HELD_OUT)]
    write_photographs(tmp_path / "photos", "train", train)
    write_photographs(tmp_path / "photos", "test", [photograph(40 + n, 33, n) for n in range(3)])
    return tmp_path / "photos"


def test_measure(tiny_photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table: colour, grey by Pillow, sigma told and not, and photographs from elsewhere."""
    monkeypatch.setattr(photo_denoising, "ELSEWHERE", ("coffee",))
    task, net = PhotoDenoising(), models.create("photo-denoiser", widths=(4,), blocks=1)
    data = task.load(str(tiny_photos), None, None, None, None)
    assert isinstance(data.test, Photographs)
    found = task.measure(net.eval(), data)
    blind = {f"{kind}_25" for kind in ("blind", "grey_blind", "elsewhere")}
    assert found.keys() == {f"{kind}_{sigma}" for kind in ("psnr", "grey") for sigma in SIGMAS} | blind
    # A fresh network changes nothing: what is measured is the noise, by hand, clipped.
    for kind, mode in (("psnr", "RGB"), ("grey", "L")):
        generator, expected = torch.Generator().manual_seed(0), []
        for number in range(3):
            pixels = np.asarray(Image.fromarray(photograph(40 + number, 33, number)).convert(mode))
            shape = (3, 33, 40 + number) if mode == "RGB" else (1, 33, 40 + number)
            noise = torch.randn((1, *shape), generator=generator)[0].permute(1, 2, 0).numpy().reshape(pixels.shape)
            noisy = np.clip(pixels + 25 * noise, 0, 255)
            expected.append(peak_signal_noise_ratio(pixels.astype(np.float64), noisy, data_range=255))
        assert found[f"{kind}_25"] == pytest.approx(np.mean(expected), abs=0.02)
    assert found["psnr_15"] > found["psnr_25"] > found["psnr_50"]


def test_real_noise(cli: Callable, tmp_path: Path, tiny_photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--real`: the noise by hand, what the app makes of it, and the card tells both."""
    monkeypatch.setattr(photo_denoising, "ELSEWHERE", ("coffee",))
    folder = tmp_path / "real"
    folder.mkdir()
    true = np.ascontiguousarray(skimage.data.astronaut()[:128, 160:320])
    noisy = np.uint8((true + np.random.default_rng(0).normal(0, 20, true.shape)).clip(0, 255).round())
    for scene in ("A", "B"):
        Image.fromarray(true).save(folder / f"{scene}_1_mean.png")
        Image.fromarray(noisy if scene == "B" else true).save(folder / f"{scene}_1_real.png")
    copy = tmp_path / "photo-denoiser"
    shutil.copytree(hub.CHECKPOINTS / "photo-denoiser", copy)
    given = ("evaluate", copy, "--dataset", tiny_photos, "--real", folder, "--write", "--json")
    status, stdout, stderr = cli(*given)
    assert status == 0, stderr
    figures = json.loads(stdout)["figures"]
    assert figures["real_noisy"] == pytest.approx(peak_signal_noise_ratio(true, noisy), abs=1e-3)
    cleaned = np.asarray(Denoiser()(Image.fromarray(noisy)))
    assert figures["real_blind"] == pytest.approx(peak_signal_noise_ratio(true, cleaned), abs=1e-3)
    assert figures["real_blind"] > figures["real_noisy"] + 1
    told = f"{figures['real_noisy']:.2f} -> {figures['real_blind']:.2f} dB"
    assert told in ModelCard.load(copy / "README.md").text
    status, _, stderr = cli("evaluate", "mnist-denoiser", "--real", folder)
    assert status == 1 and "--real is for photo-denoiser" in stderr


@pytest.mark.parametrize("name", ["photo-denoiser", "mnist-denoiser"])
def test_fit(name: str, cli: Callable, tmp_path: Path, tiny_photos: Path, tiny_mnist: Path, monkeypatch) -> None:
    """From the data to a folder: a card with its table and strips, figures that `evaluate` finds again."""
    monkeypatch.setattr(photo_denoising, "ELSEWHERE", ("coffee",))
    dataset = tiny_photos if name == "photo-denoiser" else tiny_mnist
    status, _, stderr = cli("fit", name, "--dataset", dataset, "--epochs", 1)
    assert status == 0, stderr
    folder = tmp_path / "runs" / name / "checkpoint"
    strips = "strips.jpg" if name == "photo-denoiser" else "strips.png"
    Image.open(folder / strips).verify()
    card = ModelCard.load(folder / "README.md")
    assert card.data.pipeline_tag == "image-to-image" and f"({strips})" in card.text
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    status, told, stderr = cli("evaluate", folder, "--dataset", dataset)
    assert status == 0, stderr
    measured = dict(line.split() for line in told.splitlines()[1:])
    assert figures.keys() <= measured.keys()
    for key, value in figures.items():
        assert float(measured[key]) == pytest.approx(value, abs=1e-3)
    if name == "mnist-denoiser":
        methods = ("mnist-dae", "non-local-means", "total-variation", "wavelet", "median", "psnr")
        assert measured.keys() == {f"{method}_{sigma}" for method in methods for sigma in digit_denoising.SIGMAS} | {
            "psnr"
        }


def test_without_the_textbook(cli: Callable, cache: Path, tmp_path: Path, tiny_mnist: Path, monkeypatch) -> None:
    """No weights of the network that it is compared with: said before anything is trained."""
    monkeypatch.setattr(hub, "CHECKPOINTS", tmp_path / "none")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    digit_denoising.textbook.cache_clear()
    status, stdout, stderr = cli("fit", "mnist-denoiser", "--dataset", tiny_mnist, "--epochs", 1)
    assert status != 0 and "mnist-dae" in stderr and stderr.count("\n") == 1
    assert "train on" not in stdout


def test_small_digits() -> None:
    """Figures by epoch: each sigma's, and their mean, which it is chosen by."""
    task = DigitDenoising()
    found = task.evaluate(models.create("mnist-denoiser").eval(), tiny.data().validation)
    assert found.keys() == {"psnr", *(f"psnr_{sigma}" for sigma in digit_denoising.SIGMAS)}
    assert found["psnr"] == pytest.approx(sum(found[f"psnr_{sigma}"] for sigma in digit_denoising.SIGMAS) / 3)
    assert found["psnr_25"] > found["psnr_64"] > found["psnr_128"]
