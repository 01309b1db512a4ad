"""The noise of a photograph is judged by what can be seen of it, whatever made it, and what is clean stays as it is."""

import sys
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from models.pictures import corruptions, raw
from models.pictures.photographs import continued, to_pixels, to_tensor
from models.pipelines import Denoiser
from train.data.screens import screens

SIGMA = 25.0


@pytest.fixture(scope="module")
def denoise() -> Denoiser:
    """The published one."""
    return Denoiser()


def clean() -> np.ndarray:
    """A cat, 256 pixels on a side."""
    return data.chelsea()[20:276, 100:356]


def noisy() -> np.ndarray:
    return to_pixels(corruptions.gaussian(to_tensor(clean()), SIGMA, torch.Generator().manual_seed(0)))


def cut_out(
    hidden: np.ndarray, beneath: int | tuple[int, int, int] | np.ndarray, of: Callable[[], np.ndarray] = noisy
) -> Image.Image:
    """The noisy photograph, or the clean one, transparent where it is hidden, whatever lies there."""
    pixels = np.where(hidden[..., None], beneath, of()).astype(np.uint8)
    return Image.fromarray(np.dstack([pixels, np.uint8(255 * ~hidden)]))


def half() -> Image.Image:
    hidden = np.zeros((256, 256), bool)
    hidden[:, :110] = True
    return cut_out(hidden, 0)


def disc() -> Image.Image:
    y, x = np.mgrid[-128:128, -128:128]
    return cut_out(x**2 + y**2 > 110**2, 255)


def letterbox(tone: int) -> Callable[[], Image.Image]:
    """Bars above and below, and a narrow one at the left."""
    return lambda: Image.fromarray(np.pad(noisy(), ((70, 90), (12, 0), (0, 0)), constant_values=tone))


KINDS = {
    "opaque": lambda: Image.fromarray(noisy()),
    "half of it transparent": half,
    "a disc cut out": disc,
    "black bars": letterbox(0),
    "white bars": letterbox(255),
    "grey bars": letterbox(128),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_seen_is_no_evidence(denoise: Denoiser, kind: str) -> None:
    """Its deviation, to two."""
    assert denoise.estimate(KINDS[kind]()) == pytest.approx(SIGMA, abs=2)


@pytest.mark.parametrize("sigma", [10.0, SIGMA])
def test_what_cannot_be_seen_is_no_neighbour(denoise: Denoiser, sigma: float) -> None:
    """Whatever colour lies beneath, what is seen comes out the same, at its rim nearly as clean; beneath it stays."""
    y, x = np.mgrid[-128:128, -128:128]
    off = np.hypot(x, y)
    found = []
    for beneath in (0, (0, 255, 0), noisy()[::-1]):
        image = cut_out(off > 100, beneath)
        clean_ = np.asarray(denoise(image, sigma))
        assert (clean_[off > 100] == np.asarray(image)[off > 100]).all()
        found.append(clean_[off <= 100].astype(float))
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    errors = np.square(found[0][:, :3] - clean()[off <= 100]).mean(1)
    rim = off[off <= 100] > 97
    assert np.sqrt(errors[rim].mean()) < 1.5 * np.sqrt(errors[~rim].mean())


@pytest.mark.parametrize("beneath", [(255, 0, 255), 255])
def test_what_is_full_of_holes(denoise: Denoiser, beneath: int | tuple[int, int, int]) -> None:
    """Of leaves or a veil, where every pixel is near one that is transparent, what lies beneath is no noise either."""
    for hidden in (data.grass()[:256, :256] < 95, np.random.default_rng(0).random((256, 256)) < 0.02):
        assert denoise.estimate(cut_out(hidden, beneath)) == pytest.approx(SIGMA, abs=3)
        assert denoise.estimate(cut_out(hidden, beneath, clean)) < 5
    assert denoise.judge(cut_out(np.ones((256, 256), bool), 0)).kind == "none"  # nothing can be seen


@pytest.mark.parametrize("side", [16, 24, 32, 48, 64, 90])
def test_icons(denoise: Denoiser, side: int) -> None:
    """What was made small is no noise; strong noise in a small picture still is."""
    for one in (data.astronaut(), data.chelsea(), data.coffee(), data.rocket()):
        small = np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC))
        assert denoise.judge(Image.fromarray(small)).kind == "none"
        if side > 40:
            made = to_pixels(corruptions.gaussian(to_tensor(small.copy()), 30.0, torch.Generator().manual_seed(0)))
            assert denoise.estimate(Image.fromarray(made)) > 15


def hatched() -> Image.Image:
    sheet = Image.new("L", (256, 256), 255)
    for start in range(-256, 256, 4):
        ImageDraw.Draw(sheet).line((start, 0, start + 256, 256), fill=60)
    return sheet


@pytest.mark.parametrize(
    "drawn",
    [
        hatched,
        lambda: Image.fromarray(data.camera()[:256, :256]).convert("1"),
        lambda: Image.fromarray(np.uint8(255 * (np.indices((200, 200)).sum(0) % 2))).convert("RGB"),
        lambda: Image.fromarray(np.uint8(255 * (np.random.default_rng(0).random((40, 40)) < 0.5))).resize(
            (200, 200), 0
        ),
    ],
    ids=["hatching", "dithered", "checkerboard", "a code"],
)
def test_a_few_tones_are_no_photograph(denoise: Denoiser, drawn: Callable[[], Image.Image]) -> None:
    """However fine and regular it is: it comes back as it is."""
    assert denoise.judge(drawn()).kind == "none"
    assert (np.asarray(denoise(drawn())) == np.asarray(drawn().convert("RGB" if drawn().mode == "RGB" else "L"))).all()


def test_continued() -> None:
    """Mirrored at a straight rim as `np.pad` does it; the nearest pixel where the mirrored one is hidden too."""
    seen = noisy()[:40, :30]
    hidden = np.zeros((40, 50), bool)
    hidden[:, 30:] = True
    filled = continued(np.pad(seen, ((0, 0), (0, 20), (0, 0)), constant_values=77), hidden)
    assert (filled == np.pad(seen, ((0, 0), (0, 20), (0, 0)), mode="reflect")).all()
    hidden[:] = True
    hidden[:, 10:12] = False
    filled = continued(filled, hidden)
    assert (filled[:, 12] == seen[:, 10]).all() and (filled[:, 13:] == seen[:, 11:12]).all()


def psnr(found: np.ndarray, wanted: np.ndarray) -> float:
    return 10 * np.log10(255**2 / max(np.square(found.astype(float) - wanted).mean(), 1e-9))


def print_() -> np.ndarray:
    return np.uint8(255 * screens(1, 300, 11)[0].permute(1, 2, 0).numpy())


def as_jpeg() -> np.ndarray:
    return to_pixels(corruptions.jpeg(to_tensor(data.coffee()), 50))


CLEAN = {"cat": clean, "coffee": data.coffee, "rocket": data.rocket, "scanned page": data.page, "print": print_}
CLEAN |= {"a small file": as_jpeg}


@pytest.mark.parametrize("kind", CLEAN)
def test_what_is_clean_stays_as_it_is(denoise: Denoiser, kind: str) -> None:
    """Photographs, print and drawings, at 38 dB."""
    pixels = CLEAN[kind]()
    assert denoise.estimate(Image.fromarray(pixels)) < 4
    assert psnr(np.asarray(denoise(Image.fromarray(pixels))), pixels) > 38


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_white_noise_is_judged_as_closely_as_ever(denoise: Denoiser, sigma: int) -> None:
    """Within a fifth of a decibel of what the network makes of it when told, in grey and in colour."""
    for true in (clean(), clean()[..., 1:2]):
        made = to_pixels(corruptions.gaussian(to_tensor(true), float(sigma), torch.Generator().manual_seed(1)))
        picture = Image.fromarray(made.squeeze())
        told, blind = (
            psnr(np.asarray(one).reshape(true.shape), true) for one in (denoise(picture, sigma), denoise(picture))
        )
        assert blind > told - 0.2


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_mirror_changes_nothing(denoise: Denoiser, mode: str) -> None:
    """Faint noise is judged alike whichever way a photograph is turned over."""
    grainy = clean() + np.random.default_rng(0).normal(0, 4, clean().shape)
    photo = Image.fromarray(np.uint8(grainy.clip(0, 255).round())).convert(mode)
    found = denoise.estimate(photo)
    assert 1 < found < 5
    for way in Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180:
        assert denoise.estimate(photo.transpose(way)) == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("beneath", [0, 255])
def test_what_is_cut_off_is_no_evidence(denoise: Denoiser, beneath: int) -> None:
    """Half of the cat lies in the dark, or in glaring light, where a file cannot hold what noise there was."""
    true = clean().copy()
    true[:, :128] = beneath
    noisy = to_pixels(corruptions.gaussian(to_tensor(true), 40.0, torch.Generator().manual_seed(0)))
    assert denoise.estimate(Image.fromarray(noisy)) == pytest.approx(40, abs=2)


def taken() -> tuple[np.ndarray, np.ndarray]:
    """The cat out of focus as a camera takes it, demosaiced, smoothed and coloured, and the same without its noise."""
    torch.manual_seed(3)
    true = corruptions.blur(to_tensor(clean()), 2.0)
    camera = raw.cameras(1)
    camera = raw.Camera(camera.matrix, camera.gains, torch.tensor([5e-4]), torch.tensor([1e-5]))
    wanted = raw.photographed(true, camera.quiet())
    noisy = raw.reduced(raw.photographed(true, camera), wanted, torch.tensor([0.5]), torch.tensor([1.5]))
    return tuple(to_pixels(corruptions.jpeg(one.clamp(0, 1), 92)) for one in (noisy, wanted))


@pytest.mark.parametrize("kind", ["white", "camera"])
def test_black_and_white_stays_so(denoise: Denoiser, kind: str) -> None:
    """A file that keeps a grey picture in three channels gets no tint, and what a file of one channel gets."""
    image = Image.fromarray(noisy()).convert("L")
    *_, (_, expected) = denoise.steps(image, SIGMA, kind=kind)
    hidden = Image.fromarray(np.uint8(255 * (np.mgrid[:256, :256][1] > 50)))
    for made in (
        image.convert("RGB"),
        Image.merge("RGBA", (*image.convert("RGB").split(), Image.new("L", (256, 256), 255))),
    ):
        *_, (_, found) = denoise.steps(made, SIGMA, kind=kind)
        assert found.mode == made.mode and (np.asarray(found)[..., :3] == np.asarray(expected)[..., None]).all()
    cut = image.convert("RGB")
    cut.paste((0, 200, 0), mask=hidden.point(lambda value: 255 - value))
    cut.putalpha(hidden)
    *_, (_, found) = denoise.steps(cut, SIGMA, kind=kind)
    assert np.ptp(np.asarray(found)[:, 51:, :3], axis=2).max() == 0 and found.getpixel((5, 5)) == (0, 200, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_camera_s_noise_is_seen(denoise: Denoiser, mode: str) -> None:
    """It is taken for more than nothing, and most of it is taken away; of a picture that was made grey, too."""
    noisy, wanted = (np.asarray(Image.fromarray(one).convert(mode)) for one in taken())
    assert denoise.estimate(Image.fromarray(noisy)) > 3
    assert psnr(np.asarray(denoise(Image.fromarray(noisy))), wanted) > psnr(noisy, wanted) + 1


@pytest.mark.parametrize(("mode", "share"), [("RGB", 0.8), ("L", 0.4)])
@pytest.mark.parametrize("radius", [0.5, 0.7])
def test_grain_is_seen(denoise: Denoiser, radius: float, mode: str, share: float) -> None:
    """Noise that is coarser than a pixel, as of film: most of what telling its deviation takes away goes, of grey less,
    since it looks more like texture."""
    true = np.asarray(Image.fromarray(clean()).convert(mode))
    grain = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=true.shape), (radius, radius, 0)[: true.ndim])
    noisy = np.uint8((true + 10 * grain / grain.std()).clip(0, 255).round())
    before, blind, told = (
        psnr(np.asarray(one), true)
        for one in (noisy, denoise(Image.fromarray(noisy)), denoise(Image.fromarray(noisy), 10))
    )
    assert told > before + 1 and blind - before > share * (told - before)


def test_coarse_noise_is_taken_out_of_a_camera_s_colours(denoise: Denoiser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told the same, more of its colours' noise goes than where it is held for white; brightness stays as it was."""
    noisy, wanted = taken()
    image, found = Image.fromarray(noisy), denoise.judge(Image.fromarray(noisy))
    assert found.kind == "camera"
    made = np.asarray(denoise(image, found.sigma), np.float64)
    monkeypatch.delattr(Denoiser, "judge")  # who says the kind has judged already
    *_, (_, fine) = denoise.steps(image, found.sigma, kind="white")
    fine = np.asarray(fine, np.float64)
    weights = np.array([0.299, 0.587, 0.114])
    bright, before, true = (one @ weights for one in (made, fine, wanted.astype(np.float64)))
    assert abs(bright - before).mean() < 0.5  # three channels are rounded
    left, was = (
        (one - light[..., None] - (wanted - true[..., None])) for one, light in ((made, bright), (fine, before))
    )
    assert np.square(left).mean() < 0.95 * np.square(was).mean()


def stamped(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """With thin lines and a date in that colour."""
    image = image.copy()
    pen = ImageDraw.Draw(image)
    pen.text((20, 30), "27.08.2004 14:33", fill=colour, font=ImageFont.load_default(size=14))
    for width, x in ((1, 30), (2, 80), (3, 130)):
        pen.line([(x, 80), (x + 60, 200)], fill=colour, width=width)
    return image


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 0, 255), (255, 220, 0)])
def test_what_is_no_noise_stays(denoise: Denoiser, colour: tuple[int, int, int]) -> None:
    """No noise of that deviation is larger than four times it: thin coloured print and lines are the picture's own."""
    paper = Image.fromarray(np.uint8(denoise(Image.fromarray(clean()), 5.0)))
    for sigma, under in product((1.5, 5.0), (Image.new("RGB", (256, 256), (170, 165, 160)), paper)):
        image = stamped(under, colour)
        assert abs(np.asarray(denoise(image, sigma), float) - np.asarray(image)).max() <= 4 * sigma + 1


@pytest.mark.parametrize("sigma", [5.0, 25.0])
def test_what_is_noise_goes(denoise: Denoiser, sigma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """As much of it as without that limit."""
    noisy = to_pixels(corruptions.gaussian(to_tensor(clean()), sigma, torch.Generator().manual_seed(1)))
    found = []
    for limit in (None, 1000.0):
        if limit:
            monkeypatch.setattr(sys.modules[Denoiser.__module__], "FARTHEST", limit)
        found.append(peak_signal_noise_ratio(clean(), np.asarray(denoise(Image.fromarray(noisy), sigma))))
    assert found[0] == pytest.approx(found[1], abs=0.005)
