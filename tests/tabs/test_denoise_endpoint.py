"""The public endpoint `denoise`, over raw HTTP, with pictures of all kinds and with bad input."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from app_process import NAN, App, data_url, drawn, fetched, file, is_one_sentence, png, resident
from gradio_client import Client, handle_file
from PIL import Image, ImageCms

PHOTO = "photo-denoiser"
ORIENTATION, MAKE = 0x0112, 0x010F  # Exif tags


def clean(width: int = 160, height: int = 120, turn: int = 0) -> np.ndarray:
    """A smooth coloured gradient, (H, W, 3) in 30 to 220; `turn` exchanges its colours."""
    across, down = np.meshgrid(np.linspace(30, 220, width), np.linspace(30, 220, height))
    return np.roll(np.stack([across, down, 250 - (across + down) / 2], 2), turn, 2)


def noisy(pixels: np.ndarray, seed: int = 0, sigma: float = 25) -> Image.Image:
    """The same with Gaussian noise, in 8 bits."""
    grain = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return Image.fromarray(np.uint8(np.clip(pixels + grain, 0, 255).round()))


def denoised(app: App, source: bytes, network: str = PHOTO, sigma: float | None = None) -> tuple[Image.Image, float]:
    """The picture and the noise level that the endpoint answers; nothing may go wrong on the way."""
    before = len(app.log)
    status, answer = app.call("denoise", {"data": [data_url(source), network, sigma]})
    assert status == 200, answer
    assert "Traceback" not in app.log[before:]
    picture, level = answer["data"]
    found = fetched(app, picture)
    assert found.format == "PNG"
    return found, level


def error(image: Image.Image, pixels: np.ndarray) -> float:
    """The mean squared difference to the clean picture."""
    return float(np.mean((np.asarray(image.convert("RGB"), np.float64) - pixels) ** 2))


def test_noise_is_taken_away(app: App) -> None:
    """The same size, in colour, far nearer to the clean picture; the noise that nobody told is estimated."""
    given = noisy(clean())
    found, level = denoised(app, png(given))
    assert (found.mode, found.size) == ("RGB", given.size)
    assert error(found, clean()) < error(given, clean()) / 4
    assert 15 < level < 35


@pytest.mark.parametrize("sigma", [0, 12.5, 25, 75])
def test_the_noise_may_be_told(app: App, sigma: float) -> None:
    """It is echoed."""
    assert denoised(app, png(noisy(clean())), sigma=sigma)[1] == sigma


def test_more_noise_told_smooths_more(app: App) -> None:
    """What is taken away grows with the noise level."""
    given = noisy(clean())
    pixels = np.asarray(given, np.float64)
    taken = [error(denoised(app, png(given), sigma=sigma)[0], pixels) for sigma in (5, 20, 40)]
    assert taken[0] < taken[1] < taken[2]


def test_all_but_the_picture_may_be_left_out(app: App, tmp_path: Path) -> None:
    """A Python caller sends a file; the noise is estimated."""
    (tmp_path / "noisy.png").write_bytes(png(noisy(clean())))
    client = Client(app.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    path, level = client.predict(handle_file(tmp_path / "noisy.png"), api_name="/denoise")
    assert error(Image.open(path), clean()) < 25**2 / 4
    assert 0 < level < 75


GREY = clean()[:, :, :1].repeat(3, 2)
DEEP = Image.fromarray(np.uint16(np.asarray(noisy(GREY).convert("L"), np.uint16) * 257))
TALL = clean(1, 5000).repeat(3, 1)
KINDS: dict[str, tuple[bytes, np.ndarray]] = {
    "grey": (png(noisy(GREY).convert("L")), GREY),
    "palette": (png(noisy(clean()).quantize(256)), clean()),
    "16 bits": (png(DEEP), GREY),
    "16 bits, TIFF": (file(DEEP, "TIFF"), GREY),
    "numbers from 0 to 1, TIFF": (file(Image.fromarray(np.float32(GREY[:, :, 0] / 255)), "TIFF"), GREY),
    "CMYK": (file(noisy(clean()).convert("CMYK"), "JPEG", quality=95), clean()),
    "RGBA": (png(noisy(clean()).convert("RGBA")), clean()),
    "LA": (png(noisy(GREY).convert("LA")), GREY),
    "black and white": (png(Image.fromarray(GREY[:, :, 0] > 120)), 255.0 * (GREY > 120)),
    "animation": (
        file(noisy(clean()), "GIF", save_all=True, append_images=[Image.new("RGB", (160, 120), "red")]),
        clean(),
    ),
    "1x1": (png(Image.new("RGB", (1, 1), (90, 120, 150))), np.full((1, 1, 3), [90, 120, 150])),
    "3x5000": (png(noisy(TALL)), TALL),
    "5000x3": (png(noisy(TALL.swapaxes(0, 1))), TALL.swapaxes(0, 1)),
}


@pytest.mark.parametrize(("source", "pixels"), KINDS.values(), ids=KINDS)
def test_any_picture(app: App, source: bytes, pixels: np.ndarray) -> None:
    """The same size, and what was to be seen is still to be seen."""
    found, level = denoised(app, source)
    assert found.size == pixels.shape[1::-1]
    assert np.abs(np.asarray(found.convert("RGB"), np.float64) - pixels).mean() < 14
    assert 0 <= level <= 75


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_stays(app: App, mode: str) -> None:
    """Every byte of it, and grey stays grey."""
    alpha = Image.fromarray(np.random.default_rng(1).integers(0, 256, (120, 160), np.uint8))
    given = noisy(clean()).convert(mode)
    given.putalpha(alpha)
    found, _ = denoised(app, png(given))
    assert found.mode == mode
    assert found.getchannel("A").tobytes() == alpha.tobytes()


def test_what_the_file_carries_stays(app: App) -> None:
    """The colour profile and the Exif data; a photograph that lies on its side is turned upright, once."""
    pixels = np.full((40, 60, 3), 40, np.uint8)
    pixels[:20] = 210  # the upper half as it is stored is the right one as it is meant
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Camera"
    found, _ = denoised(app, file(Image.fromarray(pixels), "JPEG", quality=95, exif=exif, icc_profile=profile))
    assert found.size == (40, 60)
    upright = np.asarray(found.convert("L"))
    assert upright[:, :18].max() < 100 < 150 < upright[:, 22:].min()
    assert found.info["icc_profile"] == profile
    assert found.getexif()[MAKE] == "Camera"
    assert found.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("network", ["mnist-denoiser", "mnist-dae"])
@pytest.mark.parametrize("sigma", [None, 25])
def test_digits(app: App, network: str, sigma: float | None) -> None:
    """28x28 comes back nearer to the digit than it was; their networks know no noise level."""
    ink = 255.0 - np.asarray(drawn().resize((28, 28), Image.Resampling.BOX))
    pixels = ink[:, :, None].repeat(3, 2)
    given = noisy(ink, sigma=64)
    found, level = denoised(app, png(given), network, sigma)
    assert (found.size, level) == ((28, 28), 0)
    assert error(found, pixels) < error(given, pixels)


PICTURE = data_url(png(noisy(clean(40, 30))))
BAD: dict[str, tuple[list, str]] = {
    **{f"sigma {sigma!r}": ([PICTURE, PHOTO, sigma], "75") for sigma in (-1, NAN, 10_000, "loud", "25", True, [25])},
    **{f"network {one!r}": ([PICTURE, one, 25], PHOTO) for one in ("photo", "mnist-resnet", "", None, 7, [PHOTO])},
    "no picture": ([None, PHOTO, 25], "There is no picture"),
    "poem": ([data_url(b"I am a poem.\n" * 40), PHOTO, 25], "is no picture"),
    "cut short": ([data_url(png(noisy(clean()))[:900]), PHOTO, None], "is no picture"),
    "no digit": ([data_url(png(Image.new("L", (30, 30)))), "mnist-denoiser", None], "28 × 28"),
    "no digit either": ([data_url(png(Image.new("L", (30, 30)))), "mnist-dae", 25], "28 × 28"),
}


@pytest.mark.parametrize(("data", "told"), BAD.values(), ids=BAD)
def test_what_cannot_be_denoised(app: App, data: list, told: str) -> None:
    """What is wrong, in one sentence, without a traceback; and the server goes on."""
    expect_one_sentence(app, data, told)
    assert app.call("denoise", {"data": [PICTURE, PHOTO, 25]})[0] == 200


def test_a_hundred_megapixels(app: App) -> None:
    """They are refused with the limit, and cost no memory."""
    huge = data_url(png(Image.new("1", (10_000, 10_000))))
    assert app.call("denoise", {"data": [PICTURE, PHOTO, None]})[0] == 200
    held = resident(app)
    expect_one_sentence(app, [huge, PHOTO, None], "50 megapixels")
    assert resident(app) < held + 50


def expect_one_sentence(app: App, data: list, told: str) -> None:
    """The endpoint refuses, says `told` in one sentence, and prints no traceback."""
    before = len(app.log)
    status, answer = app.call("denoise", {"data": data})
    assert status == 500, answer
    assert is_one_sentence(answer["error"]), answer
    assert told in answer["error"]
    assert "Traceback" not in app.log[before:]


def test_ten_at_once(app: App) -> None:
    """Each caller gets the own picture back, cleaned."""
    wanted = [clean(600, 600, number) * (1 - 0.05 * number) for number in range(10)]
    given = [noisy(pixels, seed) for seed, pixels in enumerate(wanted)]
    found: dict[int, Image.Image] = {}

    def caller(number: int) -> Callable[[], None]:
        return lambda: found.__setitem__(number, denoised(app, png(given[number]))[0])

    threads = [threading.Thread(target=caller(number)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(10))
    for number, picture in found.items():
        assert picture.size == (600, 600)
        assert error(picture, wanted[number]) < error(given[number], wanted[number]) / 4


def test_described(app: App) -> None:
    """The parameters have the names, types and defaults of the Python function."""
    told = json.loads(app.get("/gradio_api/info")[1])["named_endpoints"]["/denoise"]
    parameters = {one["parameter_name"]: one for one in told["parameters"]}
    assert list(parameters) == ["image", "network", "sigma"]
    assert not parameters["image"]["parameter_has_default"]
    assert parameters["network"]["parameter_default"] == PHOTO
    assert parameters["sigma"]["parameter_has_default"]
    assert parameters["sigma"]["parameter_default"] is None
    assert [one["component"] for one in told["returns"]] == ["Image", "Number"]
