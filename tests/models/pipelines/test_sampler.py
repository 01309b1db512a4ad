"""New digits, the latent map, and the way through an autoencoder, as the tabs and Python callers get them."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import norm

import models
from models.errors import InputError
from models.networks.generators import PART, steadily
from models.pictures import images, mnist
from models.pipelines import DigitAutoencoder, DigitSampler, LatentMap, autoencoder, sampler
from models.pipelines.autoencoder import names, slerp

GENERATORS = models.names(task="generation")
CONDITIONAL = [name for name in GENERATORS if getattr(models.create(name), "conditional", False)]
PICTURES, DIGITS = mnist.examples()
EXAMPLES = images.from_tensor(PICTURES)


def pixels(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in pictures])


def test_examples() -> None:
    """A hundred of each digit, as bright and as large as MNIST's digits are."""
    assert PICTURES.shape == (1000, 1, 28, 28)
    assert DIGITS.bincount().tolist() == [100] * 10
    assert (PICTURES.min(), PICTURES.max()) == (0, 1)
    answers = torch.cat([models.load("mnist-resnet")(some) for some in PICTURES.split(500)]).argmax(1)
    assert (answers == DIGITS).float().mean() > 0.98


@pytest.mark.parametrize("name", GENERATORS)
def test_one_seed_one_picture(name: str) -> None:
    """The same seed draws the same, of fewer the first, bit for bit; another seed draws others."""
    pipeline, before = sampler(name), None
    for seed in range(40):
        many = pixels(pipeline(64, seed=seed))
        assert many.shape == (64, 28, 28)
        for n in (1, 7, 20):
            assert np.array_equal(pixels(pipeline(n, seed=seed)), many[:n]), (seed, n)
        assert not np.array_equal(many, before)
        before = many
    assert np.array_equal(pixels(pipeline(64, seed=seed)), many)


def test_a_row_owes_nothing_to_its_company() -> None:
    """Of a function whose answer depends on how many it is asked at once, `steadily` makes one whose does not."""

    def crowd(numbers: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return numbers.sum(1, keepdim=True) + words + len(numbers) / 7

    numbers, words = torch.randn(70, 3), torch.randn(70, 1)
    whole = steadily(crowd, numbers, words)
    assert not torch.equal(crowd(numbers, words)[:5], crowd(numbers[:5], words[:5]))
    for count in (1, 5, PART, PART + 1, 64, 70):
        assert torch.equal(steadily(crowd, numbers[:count], words[:count]), whole[:count])
    assert torch.equal(whole, numbers.sum(1, keepdim=True) + words + PART / 7)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_digit(name: str) -> None:
    """Each digit that is asked for is drawn: another network reads it."""
    judge, pipeline = models.load("mnist-cnn"), sampler(name)
    for digit in range(10):
        drawn = torch.cat([images.to_tensor(picture) for picture in pipeline(64, digit=digit)])
        assert (judge(drawn).argmax(1) == digit).float().mean() > 0.8


@pytest.mark.parametrize("name", GENERATORS)
def test_temperature(name: str) -> None:
    """At 0 all pictures of a digit are one; the wilder, the more they differ."""
    pipeline, digit = sampler(name), 7 if name in CONDITIONAL else None
    spreads = [pixels(pipeline(32, digit=digit, temperature=temperature)).std(0).mean() for temperature in (0, 0.4, 1)]
    assert spreads[0] == 0
    assert spreads[0] < spreads[1] < spreads[2]


@pytest.mark.parametrize(
    ("code", "given"),
    [
        *(("count", {"n": n}) for n in (0, 65, -1, 2.5, 10**30, math.nan, math.inf, "many", None, True, [4])),
        *(("seed", {"seed": seed}) for seed in (-1, 2**32, 0.5, math.nan, "abc", None, 10**400)),
        *(("temperature", {"temperature": t}) for t in (-0.1, 2.1, math.nan, math.inf, "hot", None, True)),
        *(("digit", {"digit": digit}) for digit in (10, -1, 3.5, "ten", math.nan, True)),
    ],
)
def test_what_cannot_be_drawn(code: str, given: dict) -> None:
    """One sentence that names the limits, whatever is sent."""
    with pytest.raises(InputError, match=r"must be a (whole )?number from") as error:
        sampler("mnist-cvae")(**given)
    assert error.value.code == code


def test_whole_floats_are_whole() -> None:
    """A browser sends 7.0 for 7."""
    assert pixels(sampler("mnist-cvae")(4.0, digit=7.0, seed=1.0)).shape == (4, 28, 28)


def test_network_that_cannot_be_told() -> None:
    """It says so, rather than draw something else."""
    with pytest.raises(InputError, match="cannot be told") as error:
        sampler("mnist-vae")(digit=3)
    assert error.value.code == "digit_untold"


@pytest.mark.parametrize(("pipeline", "name"), [(DigitSampler, "mnist-ae"), (DigitAutoencoder, "mnist-gan")])
def test_network_of_another_task(pipeline: type, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} does something else: choose one of mnist-"):
        pipeline(name)


def test_map() -> None:
    """A place is the quantile of a normal latent: the sheet shows what `at` shows."""
    plane, net = LatentMap(), models.load("mnist-vae-2d")
    z = torch.tensor([[norm.ppf(0.225), norm.ppf(0.675)]], dtype=torch.float32)
    with torch.inference_mode():
        expected = (255 * net.decode(z)[0, 0]).round().byte().numpy()
    assert abs(np.asarray(plane.at(0.225, 0.675)).astype(int) - expected).max() <= 1
    sheet = np.asarray(plane.sheet(20))
    assert sheet.shape == (560, 560)
    column, row = 4, 19 - 13  # the square whose middle that is; rows are counted from above
    assert abs(sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28].astype(int) - expected).max() <= 1
    places = plane.places(PICTURES[::50])
    with torch.inference_mode():
        assert np.allclose(norm.ppf(places[0]), net.encode(PICTURES[:1])[0], atol=1e-3)
    assert ((places > 0) & (places < 1)).all()
    for place in ((-0.1, 0.5), (0.5, 1.5), (math.nan, 0.5)):
        with pytest.raises(InputError, match="number from 0 to 1"):
            plane.at(*place)
    with pytest.raises(ValueError, match="choose mnist-vae-2d"):
        LatentMap("mnist-vae")


def test_no_map_of_a_network_that_is_told(tmp_path: Path) -> None:
    """Two numbers and a digit are more than a plane."""
    net = models.create("mnist-cvae", latent=2, width=2, hidden=8, couplings=0)
    net.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="choose mnist-vae-2d"):
        LatentMap(str(tmp_path))


@pytest.mark.parametrize("name", names())
def test_rebuild(name: str) -> None:
    """The error is the mean squared difference, and noise on the code makes it larger."""
    pipeline = autoencoder(name)
    assert [pipeline(EXAMPLES[1]).picture.size, pipeline(EXAMPLES[1]).picture.mode] == [(28, 28), "L"]
    rebuilt = pipeline(EXAMPLES[205])
    difference = np.asarray(rebuilt.picture, np.float64) / 255 - PICTURES[205, 0].numpy()
    assert rebuilt.error == pytest.approx((difference**2).mean(), rel=0.02)
    clean, noisy = (
        np.mean([pipeline(EXAMPLES[place], noise).error for place in range(5, 1000, 100)]) for noise in (0, 2)
    )
    assert clean < noisy
    assert pipeline(EXAMPLES[5], 1.0, seed=1).error == pipeline(EXAMPLES[5], 1.0, seed=1).error
    assert pipeline(EXAMPLES[5], 1.0, seed=1).error != pipeline(EXAMPLES[5], 1.0, seed=2).error


def test_what_the_tab_shows() -> None:
    """With as much noise as the codes vary, a VAE's digits are still read; those of a plain autoencoder are not."""
    judge, share = models.load("mnist-resnet"), {}
    for name in ("mnist-ae", "mnist-vae"):
        shaken = [images.to_tensor(autoencoder(name)(EXAMPLES[place], 1.0).picture) for place in range(0, 1000, 10)]
        share[name] = (judge(torch.cat(shaken)).argmax(1) == DIGITS[::10]).float().mean().item()
    assert share["mnist-vae"] > share["mnist-ae"] + 0.2


@pytest.mark.parametrize("name", names())
def test_morph(name: str) -> None:
    """It begins and ends with the two digits rebuilt, and no step is a jump."""
    pipeline = autoencoder(name)
    walk = pixels(pipeline.morph(EXAMPLES[305], EXAMPLES[805], 12)).astype(float)
    assert walk.shape == (12, 28, 28)
    for end, place in ((0, 305), (-1, 805)):
        assert abs(walk[end] - np.asarray(pipeline(EXAMPLES[place]).picture, float)).max() <= 2
    whole = abs(walk[-1] - walk[0]).mean()
    assert all(abs(after - before).mean() < 0.5 * whole for before, after in pairwise(walk))
    for steps in (1, 33, 2.5, math.nan, "x"):
        with pytest.raises(InputError, match="steps must be a whole number from 2 to 32"):
            pipeline.morph(EXAMPLES[0], EXAMPLES[1], steps)
    with pytest.raises(InputError, match="empty"):
        pipeline.morph(EXAMPLES[0], Image.new("L", (28, 28)), 4)


def test_slerp() -> None:
    """On a sphere it stays there and turns evenly; the ends are the ends; opposite and equal codes do no harm."""
    a, b = torch.tensor([[3.0, 0.0, 0.0]]), torch.tensor([[0.0, 3.0, 0.0]])
    share = torch.linspace(0, 1, 7)[:, None]
    walk = slerp(a, b, share)
    assert torch.allclose(walk.norm(dim=1), torch.full((7,), 3.0))
    angles = torch.atan2(walk[:, 1], walk[:, 0])
    assert torch.allclose(angles, share[:, 0] * math.pi / 2, atol=1e-5)
    assert torch.allclose(slerp(a, 2 * b, share)[[0, -1]], torch.cat([a, 2 * b]), atol=1e-5)
    assert torch.allclose(slerp(a, a, share), a.expand(7, 3))
    assert slerp(a, -a, share).isfinite().all()
    assert slerp(torch.zeros(1, 3), a, share).isfinite().all()


def test_sheet() -> None:
    """From left to right, row by row; the rest is black."""
    tiles = [Image.new("L", (2, 3), shade) for shade in (10, 20, 30)]
    assert np.array_equal(np.asarray(images.grid(tiles, 2))[::3, ::2], [[10, 20], [30, 0]])
    assert images.grid(tiles[:1], 8).size == (2, 3)
