"""From a picture to one without noise: any size and mode, tiles, what a file carries, and what is refused."""

import io
import math
import sys
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import models
from models.errors import InputError
from models.pictures import images, mnist, photographs
from models.pictures.corruptions import DIGITS, PHOTOS
from models.pipelines import Denoiser, compare, damaged, denoiser, quality

NAN = float("nan")
MODULE = sys.modules[Denoiser.__module__]  # the package has a function of the same name
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Denoiser:
    """A small network with random weights, whose output depends on all that it sees."""
    torch.manual_seed(0)
    net = models.create("photo-denoiser", widths=(4, 6, 8), blocks=1)
    for parameter in net.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    net.save_pretrained(folder := tmp_path_factory.mktemp("lively"))
    return Denoiser(str(folder))


def picture(width: int = 40, height: int = 30, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Random colours."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze(2) if bands == 1 else pixels, mode=None if mode != "CMYK" else mode)


@pytest.mark.parametrize("parts", [(1, 2), (2, 1), (3, 3)], ids=str)
def test_tiles_give_what_the_whole_gives(parts: tuple[int, int], lively: Denoiser, monkeypatch) -> None:
    """However it is cut, grey or colour, no pixel differs by more than one of 255."""
    monkeypatch.setattr(MODULE, "TILE", 64)
    width, height = (61 * count + 3 for count in parts)
    for mode in ("RGB", "L"):
        image = picture(width, height, mode)
        tiled = np.asarray(lively(image, 25)).astype(int)
        with monkeypatch.context() as whole:
            whole.setattr(MODULE, "TILE", 10_000)
            assert abs(tiled - np.asarray(lively(image, 25))).max() <= 1


def test_tiles_cover_every_pixel_once(monkeypatch) -> None:
    """What is kept of them makes up the picture; each tile has all around it that its pixels depend on."""
    monkeypatch.setattr(MODULE, "TILE", 64)
    for height, width in ((1, 1), (64, 64), (65, 200), (3, 5000), (130, 129)):
        seen = np.zeros((height, width), int)
        for inner, outer, within in MODULE._tiles(height, width, 20, 8):
            seen[inner] += 1
            assert np.array_equal(np.arange(height)[outer[0]][within[0]], np.arange(height)[inner[0]])
            assert np.array_equal(np.arange(width)[outer[1]][within[1]], np.arange(width)[inner[1]])
            for place, around, side in zip(inner, outer, (height, width), strict=True):
                assert place.stop - place.start <= 64
                assert around.start <= max(0, place.start - 20) and around.stop >= min(side, place.stop + 20)
                assert around.start % 8 == 0
        assert (seen == 1).all()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
)
def test_any_size_and_mode(lively: Denoiser, width: int, height: int, mode: str) -> None:
    """The size stays; grey stays grey, colour colour; transparency stays as it is."""
    image = picture(width, height, "L").convert(mode) if mode != "RGBA" else picture(width, height, mode)
    clean = lively(image)
    assert clean.size == (width, height)
    grey = mode in ("1", "L", "LA", "I;16", "F")
    assert clean.mode == ("L" if grey else "RGB") + "A" * (mode in ("LA", "RGBA"))
    if clean.mode.endswith("A"):
        assert clean.getchannel("A").tobytes() == image.getchannel("A").tobytes()


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3)], ids=str)
def test_extreme_sizes(lively: Denoiser, size: tuple[int, int]) -> None:
    assert lively(picture(*size), 20).size == size


def test_sixteen_bits_become_eight(lively: Denoiser) -> None:
    """Shades keep their place between black and white: a sensor's 10 to 16 bits, and floats of any usual range."""
    shades = np.linspace(0, 1, 256)[None].repeat(20, 0)
    expected = photographs.unpacked(Image.fromarray(np.uint8(np.round(255 * shades))))[0].astype(int)
    for image in (
        *(Image.fromarray(np.uint16(np.round(white * shades))) for white in (1023, 4095, 16383, 65535)),
        Image.fromarray(np.int32(np.round(65535 * shades))),
        *(Image.fromarray(np.int32(np.round(white * shades))) for white in (1023, 4095, 32767, 2**30)),
        Image.fromarray(np.int32(np.round(4000 * shades)) - 1000),
        *(Image.fromarray(np.float32(white * shades)) for white in (1, 255, 4095, 65535)),
        Image.fromarray(np.float32(2 * shades - 1)),
        Image.fromarray(np.float32(6e37 * shades - 3e37)),
    ):
        assert abs(photographs.unpacked(image)[0] - expected).max() <= 1
        assert photographs.lost(image) == ["depth"]
    dark = Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40))  # of 12 bits
    assert photographs.unpacked(dark)[0].max() == 75 and len(np.unique(photographs.unpacked(dark)[0])) == 76
    for flat in (NAN, -7, -1e30):
        assert not np.ptp(photographs.unpacked(Image.fromarray(np.full((4, 4), flat, np.float32)))[0])


def test_floats_beyond_white() -> None:
    """Lights that are brighter than white, and a sky at no distance, leave the rest to be seen."""
    shades = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(20, 0)
    plain = photographs.unpacked(Image.fromarray(shades))[0][:, :, 0]
    for white in (1.5, 5, 15):
        found = photographs.unpacked(Image.fromarray(white * shades))[0][:, :, 0]
        assert (np.diff(found.astype(int)) >= 0).all() and abs(found.astype(int) - plain).max() <= 4
    shades[:5] = np.inf
    found = photographs.unpacked(Image.fromarray(shades))[0][:, :, 0]
    assert (found[:5] == 255).all() and np.array_equal(found[5:], plain[5:])


def test_what_a_file_carries(lively: Denoiser) -> None:
    """Profile, Exif data and resolution come back; a profile of CMYK does not fit what became RGB, and is told."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "a description"
    picture().save(file, "JPEG", icc_profile=PROFILE, exif=exif, dpi=(300, 300))
    image = images.open_image(file.getvalue())
    clean = lively(image, 10)
    assert clean.info["icc_profile"] == PROFILE and clean.getexif()[0x010E] == "a description"
    assert tuple(map(round, clean.info["dpi"])) == (300, 300)
    assert photographs.lost(image) == []
    file = io.BytesIO()
    picture(mode="CMYK").save(file, "JPEG", icc_profile=PROFILE)
    image = images.open_image(file.getvalue())
    assert photographs.lost(image) == ["icc_profile"] and "icc_profile" not in lively(image, 10).info
    file = io.BytesIO()
    picture().save(file, "GIF", save_all=True, append_images=[picture(seed=1)])
    assert photographs.lost(images.open_image(file.getvalue())) == ["frames"]


@pytest.mark.parametrize("sigma", [-1, 75.1, 10_000, NAN, math.inf, "25", None, [25], True])
def test_sigma(lively: Denoiser, sigma: object) -> None:
    """From 0 to 75; None is estimated; all else is refused in a sentence."""
    if sigma is None:
        image = picture()
        assert lively(image).tobytes() == lively(image, lively.estimate(image)).tobytes()
        return
    with pytest.raises(InputError, match=r"sigma must be a number from 0 to 75\.$"):
        lively(picture(), sigma)


def test_too_large(lively: Denoiser) -> None:
    """A hundred megapixels are refused by the limit's name, for every way in."""
    huge = Image.new("1", (10_000, 10_000))
    for call in (lively, lively.estimate, compare, lambda image: damaged(image, PHOTOS, "gaussian", 25)):
        with pytest.raises(InputError, match="at most 50 megapixels"):
            call(huge)
        with pytest.raises(InputError):
            call(Image.new("L", (0, 5)))


def test_steps(lively: Denoiser, monkeypatch) -> None:
    """The share that is done grows to 1; only the last comes with the picture, which the call gives too.

    Tiles of 32 pixels, for coloured noise of a camera some of half the size besides.
    """
    monkeypatch.setattr(MODULE, "TILE", 32)
    for mode, count in (("L", 4 * 3), ("RGB", 4 * 3 + 2 * 2)):
        image = picture(128, 96, mode)
        assert mode == "L" or lively.judge(image).kind == "camera"
        shares, pictures = zip(*lively.steps(image, 20), strict=True)
        assert len(shares) == count and shares[-1] == 1
        assert all(before < after for before, after in pairwise(shares))
        assert pictures[:-1] == (None,) * (count - 1)
        assert pictures[-1].tobytes() == lively(image, 20).tobytes()


@pytest.mark.parametrize("size", [(64, 96), (31, 45), (1, 7), (33, 2)])
def test_half_as_large_and_back(size: tuple[int, int], monkeypatch) -> None:
    """Against PyTorch's own means and enlargement of the whole, where it is done a band at a time."""
    pixels = np.random.default_rng(0).integers(60, 190, (*size, 3), dtype=np.uint8)
    even = torch.nn.functional.pad(photographs.to_tensor(pixels), (0, size[1] % 2, 0, size[0] % 2), mode="replicate")
    small = MODULE._halved(pixels)
    assert torch.allclose(small.float(), torch.nn.functional.avg_pool2d(even, 2), atol=5e-4)
    off = 0.2 * torch.rand(small.shape) - 0.1
    larger = torch.nn.functional.interpolate(off, scale_factor=2, mode="bilinear")[..., : size[0], : size[1]]
    wanted = pixels + 255 * larger[0].permute(1, 2, 0).numpy()
    monkeypatch.setattr(MODULE, "TILE", 8)
    MODULE._add_twice_as_large(pixels, off)
    assert abs(pixels - wanted).max() <= 0.501


def test_closed_steps_end_the_work(lively: Denoiser, monkeypatch) -> None:
    """What was stopped works on no further tile than those that were begun."""
    monkeypatch.setattr(MODULE, "TILE", 16)
    worked = []
    denoised = Denoiser._denoised
    monkeypatch.setattr(Denoiser, "_denoised", lambda self, *given: worked.append(1) or denoised(self, *given))
    steps: Iterator = lively.steps(picture(320, 320), 20)
    next(steps)
    steps.close()
    assert len(worked) < 40  # of 400


def test_digits() -> None:
    """The textbook's network and ours take digits of 28x28 alone, and whatever sigma is said."""
    digit = images.from_tensor(mnist.examples()[0][:1])[0]
    for name in ("mnist-dae", "mnist-denoiser"):
        pipeline = denoiser(name)
        assert pipeline.digits and pipeline.estimate(digit) == 0
        assert pipeline(digit).tobytes() == pipeline(digit, 70).tobytes()
        assert (
            pipeline(digit).size == (28, 28) and pipeline(digit.convert("RGB")).tobytes() == pipeline(digit).tobytes()
        )
        with pytest.raises(InputError, match="28 × 28"):
            pipeline(picture())
    with pytest.raises(ValueError, match="does something else"):
        Denoiser("mnist-resnet")


def test_numbers_of_numpy(lively: Denoiser) -> None:
    """They are numbers as well."""
    image = picture()
    for sigma in (np.int64(25), np.float32(25), np.uint8(25)):
        assert lively(image, sigma).tobytes() == lively(image, 25).tobytes()
    assert (
        damaged(image, PHOTOS, "gaussian", 25, np.int64(3)).tobytes()
        == damaged(image, PHOTOS, "gaussian", 25, 3).tobytes()
    )


@pytest.mark.parametrize("dpi", [(NAN, NAN), (2.0**32, 1.0), (0, 0), (1, 1)], ids=str)
def test_odd_resolutions(lively: Denoiser, dpi: tuple[float, float]) -> None:
    """What no file can hold is dropped."""
    image = picture()
    image.info["dpi"] = dpi
    assert "dpi" not in lively(image, 10).info


def test_quality_of_any_mode() -> None:
    """Of the same shades in other modes the same; grey beside colour is three equal channels; LAB has figures too."""
    clean, other = picture(60, 40, "L"), picture(60, 40, "L", seed=1)
    expected = quality(clean, other)
    sixteen = [Image.fromarray(np.asarray(one).astype(np.uint16) * 257) for one in (clean, other)]
    for pair in (sixteen, (clean, other.convert("RGB")), (clean.convert("RGB"), other)):
        assert quality(*pair).psnr == pytest.approx(expected.psnr)
        assert quality(*pair).ssim == pytest.approx(expected.ssim, abs=0.01)
    lab = Image.merge("LAB", [clean, other, clean])
    assert quality(lab, lab).psnr == math.inf
    for other in (picture(60, 41), picture(1, 1)):
        for call in (quality, lambda clean, other: compare(other, clean)):
            with pytest.raises(InputError, match=r"60 × 40 pixels, the other .*: give two of the same size\.$"):
                call(clean, other)


def test_quality() -> None:
    """PSNR and SSIM are scikit-image's, whatever the mode and the height; the same picture is infinitely near."""
    for mode, size in (("L", (50, 700)), ("RGB", (40, 300)), ("L", (11, 11)), ("RGB", (90, 256))):
        clean = picture(*size, mode)
        other = damaged(clean, PHOTOS, "gaussian", 20, 1)
        found = quality(clean, other)
        pixels = [np.asarray(one) for one in (clean, other)]
        assert found.psnr == pytest.approx(peak_signal_noise_ratio(*pixels), abs=1e-4)
        luma = [np.asarray(one.convert("L"), np.float64) for one in (clean, other)]
        options = {"data_range": 255, "gaussian_weights": True, "use_sample_covariance": False}
        assert found.ssim == pytest.approx(structural_similarity(*luma, **options), abs=1e-4)
        assert quality(clean, clean).psnr == math.inf and quality(clean, clean).ssim == pytest.approx(1)
    assert quality(picture(10, 40), picture(10, 40, seed=1)).ssim is None


@pytest.mark.parametrize("kind", PHOTOS)
def test_damaged(kind: str) -> None:
    """By its seed alone, of the same size, with the transparency it had."""
    image, usual = picture(mode="RGBA"), PHOTOS[kind].usual
    found = damaged(image, PHOTOS, kind, usual, 3)
    assert (found.size, found.mode) == (image.size, "RGBA")
    assert found.tobytes() == damaged(image, PHOTOS, kind, usual, 3).tobytes() != image.tobytes()
    assert found.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    low, high = sorted((PHOTOS[kind].low, PHOTOS[kind].high))
    for strength in (low - 1, high + 1, NAN, "much", None):
        with pytest.raises(InputError, match="strength must be a number from"):
            damaged(image, PHOTOS, kind, strength, 3)


def test_no_such_damage() -> None:
    """The sentence names what there is; the seed is held to its limits."""
    with pytest.raises(InputError, match="choose one of gaussian, salt-and-pepper, masking, blur"):
        damaged(picture(), DIGITS, "jpeg", 20)
    for seed in (-1, 2**32, 0.5, "7"):
        with pytest.raises(InputError, match="seed must be a whole number"):
            damaged(picture(), PHOTOS, "gaussian", 20, seed)


def test_compare() -> None:
    """Every method on the middle of a large picture, with figures where the clean one is known, and times."""
    clean = Image.open(photographs.examples()[0])
    noisy = damaged(clean, PHOTOS, "gaussian", 25)
    found = compare(noisy, clean, 25)
    assert [one.name for one in found] == ["photo-denoiser", "non-local-means", "total-variation", "wavelet", "median"]
    expected = photographs.middle(clean, 512)
    assert expected.size == (512, 400)
    for one in found:
        assert one.picture.size == expected.size and one.milliseconds > 0
        assert one.quality.psnr == pytest.approx(
            peak_signal_noise_ratio(*map(np.asarray, (expected, one.picture))), abs=1e-4
        )
        assert one.quality.psnr > quality(clean, noisy).psnr + 3
    assert {one.quality for one in compare(noisy)} == {None}
    digit = images.from_tensor(mnist.examples()[0][:1])[0]
    both = [one.name for one in compare(damaged(digit, DIGITS, "gaussian", 128), digit, digits=True)]
    assert both[:2] == ["mnist-dae", "mnist-denoiser"] and len(both) == 6
    noisy = damaged(digit, DIGITS, "gaussian", 64)
    assert compare(noisy, digits=True)[-1].picture.tobytes() != noisy.tobytes()
    for sigma, digits in ((-1, False), (76, False), (256, True), (NAN, True), ("25", True)):
        with pytest.raises(InputError, match="sigma must be a number from 0 to"):
            compare(digit, None, sigma, digits)
