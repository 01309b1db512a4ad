"""Whatever is thrown at the pipelines and at the endpoint: an answer, or one clear sentence.

Pictures of every mode and size and files, whole and damaged, go to the pipelines; files, and values that are no picture
at all, to a running app, whose log then holds no traceback. What they cost in memory is bounded. 300 cases a run,
1,200 with `--hypothesis-profile=thorough`.
"""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from app_process import App, data_url, drawn, png
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st
from PIL import Image

import models
from models.errors import InputError
from models.pictures import images
from models.pipelines import DigitClassifier

DIGITS = [str(digit) for digit in range(10)]
NETWORK = "mnist-mlp"  # the fastest
CODES = {f"image_{kind}" for kind in ("blank", "too_large", "unreadable", "format", "page", "pointer", "tiff")}
MODES = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"]
MODES += ["LA", "La", "PA", "RGBX", "RGBa", "I;16", "I;16B", "I;16L", "I;16N"]
SIZES = [(1, 1), (1, 2), (28, 28), (29, 28), (112, 113), (320, 321), (641, 640), (1300, 900)]
SIZES += [(20_000, 1), (1, 20_000), (20_000, 2), (3, 20_000)]
FORMATS = {  # what Pillow writes, and the modes of each
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK"],
    "GIF": ["L", "P", "RGB", "RGBA"],
    "WEBP": ["L", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "MPO": ["RGB"],
    "PPM": ["1", "L", "RGB", "I"],
    "TGA": ["L", "LA", "P", "RGB", "RGBA"],
    "ICO": ["RGBA"],
    "ICNS": ["RGBA"],
    "JPEG2000": ["L", "LA", "RGB", "RGBA", "I;16"],
    "AVIF": ["RGB", "RGBA"],
    "PCX": ["L", "RGB"],
    "SGI": ["L", "RGB", "RGBA"],
    "DDS": ["RGB", "RGBA"],
}
MAGIC = [
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", b"GIF89a", b"GIF87a", b"RIFF\xff\x00\x00\x00WEBPVP8 "),
    *(
        b"RIFF\xff\x00\x00\x00WEBPVP8L",
        b"II*\x00\x08\x00\x00\x00",
        b"MM\x00*\x00\x00\x00\x08",
        b"II+\x00\x08\x00\x00\x00",
    ),
    *(
        b"BM",
        b"P5 9 9 255\n",
        b"P6 20000 20000 65535\n",
        b"Pf\n9 9\n-1.0\n",
        b"P7\n",
        b"\x00\x00\x01\x00\x01\x00",
        b"icns",
    ),
    *(
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"\xff\x4f\xff\x51",
        b"\x00\x00\x00\x1cftypavif",
        b"8BPS\x00\x01",
        b"DDS \x7c",
    ),
    *(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", b"\xd7\xcd\xc6\x9a", b"SIMPLE  =", b"\x01\xda\x01\x01"),
    *(
        b"qoif",
        b"BLP2",
        b"FTEX",
        b"\x0a\x05\x01\x08",
        b"/* XPM */",
        b"#define a_width 9\n",
        b"\x00\x00\x01\xb3",
        b"GRIB",
    ),
]
Sizes = st.sampled_from(SIZES) | st.tuples(st.integers(1, 700), st.integers(1, 700))


def fuzz(cases: int) -> Callable:
    """So many cases, or the share of them that the profile takes."""
    cases = cases * settings.default.max_examples // 100
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=cases, deadline=None, suppress_health_check=slow)


@st.composite
def pictures(draw: st.DrawFn, modes: list[str] = MODES) -> Image.Image:
    """A picture of any mode, size and content, with what Pillow's readers say of transparency."""
    mode, size = draw(st.sampled_from(modes)), draw(Sizes)
    content = draw(st.sampled_from(["seven", "noise", "tile", "flat"]))
    count = len(Image.new(mode, size).tobytes())
    if content == "seven" and min(size) > 9:
        image = seven(mode, size)
    elif content == "noise":
        noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).bytes(count)
        image = Image.frombytes(mode, size, noise)
    else:
        tile = draw(st.binary(min_size=1, max_size=1 if content == "flat" else 64))
        image = Image.frombytes(mode, size, (tile * (count // len(tile) + 1))[:count])
    if mode == "F":
        values = np.asarray(image).copy()
        odd = st.sampled_from([math.nan, math.inf, -math.inf, 3e38, -3e38, 1e-40, 0.0])
        values[draw(st.sampled_from([np.s_[:1], np.s_[:, -1:], np.s_[::2], np.s_[2:9, 2:9]]))] = draw(odd)
        image = Image.fromarray(values)
    level, levels = st.integers(0, 255), st.binary(max_size=256)
    seen_through = {
        **{"1": level, "L": level, "I;16": st.integers(0, 65535), "P": level | levels},
        "RGB": st.tuples(level, level, level),
    }
    if mode in seen_through and draw(st.booleans()):
        image.info["transparency"] = draw(seen_through[mode])
    return image


def seven(mode: str, size: tuple[int, int]) -> Image.Image:
    """The drawn seven, stretched to `size`, in any mode."""
    grey = drawn().resize(size)
    if mode.startswith("I;16"):
        return Image.frombytes(mode, size, (np.asarray(grey).astype(np.uint16) * 200).tobytes())
    if mode in ("LA", "La", "RGBA", "RGBa"):  # dark ink on glass
        glass = Image.merge("LA", [Image.new("L", size), grey.point(lambda value: 255 - value)])
        return glass.convert({"La": "LA", "RGBa": "RGBA"}.get(mode, mode)).convert(mode)
    if mode == "LAB":
        return Image.merge("LAB", [grey] * 3)
    if mode == "PA":
        return grey.convert("P").convert("PA")
    return grey.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr", "HSV", "RGBX") else grey.convert(mode)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """An image file: whole, turned by its EXIF mark, animated, damaged, cut short, or a header with nonsense after."""
    if draw(st.integers(0, 7)) == 0:
        return draw(st.sampled_from(MAGIC)) + draw(st.binary(max_size=300))
    form = draw(st.sampled_from(list(FORMATS)))
    data = draw(saved(form))
    damage = draw(st.sampled_from(["none", "none", "bytes", "cut", "header"]))
    event(f"{form}, damage: {damage}")
    if damage == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if damage == "header":
        return data[: draw(st.integers(4, 80))] + draw(st.binary(max_size=300))
    if damage == "bytes":
        spoilt = bytearray(data)
        places = st.integers(0, min(len(data), 120) - 1) | st.integers(0, len(data) - 1)  # most damage is in the head
        for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)):
            spoilt[place] = value
        return bytes(spoilt)
    return data


@st.composite
def saved(draw: st.DrawFn, form: str) -> bytes:
    """A whole file of a format; one that Pillow will not write is a PNG."""
    image = draw(pictures(FORMATS[form]))
    if form == "AVIF":  # whose encoder is slow
        image = image.resize((min(image.width, 120), min(image.height, 120)))
    more: dict[str, Any] = {}
    if form in ("PNG", "JPEG", "WEBP", "TIFF", "MPO", "AVIF") and draw(st.booleans()):
        mark = Image.Exif()
        mark[0x0112] = draw(st.integers(0, 9) | st.just(65535))
        more["exif"] = mark.tobytes() + draw(st.just(b"") | st.binary(max_size=20))
    if form in ("PNG", "GIF", "WEBP", "TIFF", "MPO") and draw(st.integers(0, 3)) == 0:
        others = [image.transpose(Image.Transpose.ROTATE_180), image.crop((0, 0, 5, 9)), image]
        more |= {"save_all": True, "append_images": others[draw(st.integers(0, 2)) :], "duration": 50}
    file = io.BytesIO()
    try:
        image.save(file, form, **more)
    except Exception:  # anything, from what a writer does not support
        return png(drawn())
    return file.getvalue()


def is_answer(shares: dict[str, float]) -> bool:
    """Ten probabilities that make one together."""
    finite = all(math.isfinite(share) and 0 <= share <= 1 for share in shares.values())
    return sorted(shares) == DIGITS and finite and abs(sum(shares.values()) - 1) < 1e-4


def is_sentence(text: str) -> bool:
    """One line, one sentence, short, without Python in it."""
    in_one = "\n" not in text and text.endswith(".") and ". " not in text
    return in_one and 10 < len(text) < 200 and "Traceback" not in text and "Error" not in text


@pytest.fixture(scope="module")
def net() -> DigitClassifier:
    return DigitClassifier(NETWORK)


def answered(act: Callable[[], Any]) -> Any:
    """What `act` gives, or None where it refuses with a sentence of ours."""
    try:
        return act()
    except InputError as error:
        assert error.code in CODES and is_sentence(str(error)), str(error)
        event("refused: " + error.code)
        return None


def try_all(net: DigitClassifier, image: Image.Image, *, rest: bool) -> None:
    """Each way of asking answers or refuses, and leaves the picture as it is. `rest`: the slow ways as well."""
    size, pixels = image.size, image.tobytes()
    shares, seen = answered(lambda: net(image)), answered(lambda: net.prepare(image))
    assert (shares is None) == (seen is None)
    if seen is not None:
        assert (seen.mode, seen.size) == ("L", (28, 28)) and seen.getextrema()[1] == 255
        assert is_answer(shares)
        event("answered")
    readings = answered(lambda: net.read(image))
    if readings is not None:
        assert all(is_answer(reading.shares) for reading in readings)
    if rest:
        opinions = answered(lambda: net.compare(image))
        assert (opinions is None) == (seen is None)
        if opinions is not None:
            assert [opinion.name for opinion in opinions] == models.names(task="classification")
        for reading in readings or []:
            assert net.explain(reading).size == (28, 28)
    assert (image.size, image.tobytes()) == (size, pixels)


@fuzz(600)
@given(image=pictures(), rest=st.integers(0, 15).map(lambda number: number == 0))
def test_any_picture(net: DigitClassifier, image: Image.Image, rest: bool) -> None:
    """Every mode, 1x1 to 20,000x1, floats that are no numbers: ten probabilities, or one of our sentences."""
    try_all(net, image, rest=rest)


@fuzz(300)
@given(data=files())
def test_any_file(net: DigitClassifier, data: bytes) -> None:
    """Whole, animated, turned, damaged: it opens and gets an answer, or ends in one of our sentences."""
    image = answered(lambda: images.open_image(data))
    if image is not None:
        try_all(net, image, rest=False)


def ask(app: App, *data: Any) -> None:
    """Call `classify`; it answers, or says one sentence, and prints nothing like a crash."""
    before = app.log_file.stat().st_size
    status, answer = app.classify(*data)
    if status == 200:
        (label,) = answer["data"]
        assert is_answer({entry["label"]: entry["confidence"] for entry in label["confidences"]})
        event("answered")
    else:
        assert status == 500 and is_sentence(answer["error"]), answer
        event(answer["error"])
    with open(app.log_file, "rb") as log:
        log.seek(before)
        assert b"Traceback" not in log.read()


@fuzz(200)
@given(data=files())
def test_any_file_at_the_endpoint(app: App, data: bytes) -> None:
    """The same files over raw HTTP."""
    ask(app, data_url(data), NETWORK)


GOOD = data_url(png(drawn()))
texts = st.text(max_size=30) | st.sampled_from(
    ["data:", "data:image/png;base64,", GOOD["url"], "\0", "/etc/passwd", ".."]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
fields = {"url": values, "path": texts, "size": values, "orig_name": values, "mime_type": values, "is_stream": values}
payloads = values | st.fixed_dictionaries({}, optional=fields)


@fuzz(100)
@given(image=payloads | st.just(GOOD), network=values | st.just(NETWORK))
@example(image=GOOD["url"], network=NETWORK)
@example(image=[GOOD], network=NETWORK)
@example(image={"path": "\0"}, network=NETWORK)
@example(image={"url": 5}, network=NETWORK)
@example(image=GOOD, network=math.nan)
def test_any_value_at_the_endpoint(app: App, image: Any, network: Any) -> None:
    """JSON of any form in the place of the picture or of the network's name."""
    ask(app, image, network)
