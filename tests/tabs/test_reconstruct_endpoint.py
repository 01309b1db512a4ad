"""The public endpoint `reconstruct`, over raw HTTP, with pictures and masks of all kinds and with bad input."""

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from app_process import NAN, App, data_url, fetched, file, is_one_sentence, png, resident
from gradio_client import Client, handle_file
from PIL import Image
from skimage import data

GAN, UNET, AE = "face-gan", "face-unet", "face-ae"
ASTRONAUT = Image.fromarray(data.astronaut())
PORTRAIT = ASTRONAUT.crop((100, 0, 400, 300))  # faces are found in it in half the time
FACE = (74, 74, 174, 174)  # in the portrait


def holed(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


EYE = holed(ASTRONAUT.size, (225, 95, 265, 125))


def reconstructed(app: App, image: bytes, mask: bytes | None = None, *rest: object) -> Image.Image:
    """The picture that the endpoint answers; nothing may go wrong on the way."""
    before = len(app.log)
    given = [data_url(image), None if mask is None else data_url(mask), *(rest or ("box", 0, UNET))]
    status, answer = app.call("reconstruct", {"data": given})
    assert status == 200, answer
    assert "Traceback" not in app.log[before:]
    found = fetched(app, answer["data"][0])
    assert found.format == "PNG"
    return found


def changed(found: Image.Image, given: Image.Image) -> np.ndarray:
    """Where two pictures differ, (H, W) bool."""
    return (np.asarray(found) != np.asarray(given)).reshape(given.height, given.width, -1).any(2)


@pytest.mark.parametrize("network", [GAN, UNET, AE])
def test_a_hidden_eye(app: App, network: str) -> None:
    """All else stays bit for bit, and what is hidden is not read."""
    other = ASTRONAUT.copy()
    other.paste((0, 255, 0), (225, 95, 265, 125))
    found = reconstructed(app, png(ASTRONAUT), png(EYE), "box", 0, network)
    where = changed(found, ASTRONAUT)
    assert where.any() and not where[np.asarray(EYE) == 0].any()
    assert np.array_equal(found, reconstructed(app, png(other), png(EYE), "box", 0, network))


@pytest.mark.parametrize(("colour", "said"), [("white", None), ("red", "red"), ((2, 2, 2), "value")])
def test_what_is_taken_as_hidden_is_said(app: App, colour: str | tuple, said: str | None) -> None:
    """In the file that comes back, which is all that a plain HTTP caller gets, unless it is what is usual."""
    mask = Image.new("RGB", ASTRONAUT.size)
    mask.paste(colour, mask=EYE)
    found = reconstructed(app, png(ASTRONAUT), png(mask))
    assert found.info.get("hidden") == said
    assert not changed(found, ASTRONAUT)[np.asarray(EYE) == 0].any()


@pytest.mark.parametrize("kind", ["box", "boxes", "strokes", "half"])
def test_a_part_is_chosen(app: App, kind: str) -> None:
    """Within the face that is found; the same seed hides the same, another one something else."""
    found = [changed(reconstructed(app, png(PORTRAIT), None, kind, seed, UNET), PORTRAIT) for seed in (1, 1, 2)]
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])
    rows, columns = np.nonzero(found[0])
    assert FACE[0] - 15 < columns.min() and columns.max() < FACE[2] + 15
    assert FACE[1] - 15 < rows.min() and rows.max() < FACE[3] + 15


def test_all_but_the_picture_may_be_left_out(app: App, tmp_path: Path) -> None:
    """A Python caller sends a file."""
    PORTRAIT.save(tmp_path / "photo.png")
    client = Client(app.url, verbose=False, analytics_enabled=False, download_files=tmp_path)
    found = Image.open(client.predict(handle_file(tmp_path / "photo.png"), api_name="/reconstruct"))
    assert 300 < changed(found, PORTRAIT).sum() < 1000  # 28 of 128 pixels of a face of about 100


DEEP = Image.fromarray(np.uint16(np.asarray(ASTRONAUT.convert("L"), np.uint16) * 257))
KINDS: dict[str, bytes] = {
    "grey": png(ASTRONAUT.convert("L")),
    "palette": png(ASTRONAUT.quantize(256)),
    "16 bits": png(DEEP),
    "CMYK": file(ASTRONAUT.convert("CMYK"), "JPEG", quality=95),
    "RGBA": png(ASTRONAUT.convert("RGBA")),
    "animation": file(ASTRONAUT, "GIF", save_all=True, append_images=[Image.new("RGB", (512, 512), "red")]),
    "2x2": png(Image.new("RGB", (2, 2), (90, 120, 150))),
    "3x3000": png(Image.new("RGB", (3, 3000), (90, 120, 150))),
    "a drawing": png(Image.new("RGB", (300, 200), "white")),
    "3000x2000": file(ASTRONAUT.resize((3000, 2000)), "JPEG"),
}


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
def test_any_picture(app: App, source: bytes) -> None:
    """The same size; and where no face is found, the middle is taken for one."""
    given = Image.open(io.BytesIO(source))
    mask = Image.new("L", given.size)
    mask.paste(255, (0, 0, max(1, given.width // 4), max(1, given.height // 4)))
    assert reconstructed(app, source, png(mask)).size == given.size


def test_a_photograph_on_its_side(app: App) -> None:
    """Its mask is as it is seen, upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = PORTRAIT.transpose(Image.Transpose.ROTATE_90)
    found = reconstructed(app, file(lying, "PNG", exif=exif), png(holed((300, 300), (120, 90, 160, 120))))
    where = changed(found, PORTRAIT)
    rows, columns = np.nonzero(where)
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (120, 90, 159, 119)


SMALL = ASTRONAUT.crop((150, 50, 300, 200)).resize((64, 64))
PICTURE, MASK = data_url(png(SMALL)), data_url(png(holed((64, 64), (20, 20, 40, 40))))
BAD: dict[str, tuple[list, str]] = {
    **{
        f"seed {seed!r}": ([PICTURE, None, "box", seed, UNET], "4294967295")
        for seed in (-1, 2**32, 0.5, NAN, "loud", None, True, [3])
    },
    **{f"kind {one!r}": ([PICTURE, None, one, 0, UNET], "no such mask") for one in ("brush", "", None, 7, ["box"])},
    **{f"network {one!r}": ([PICTURE, MASK, "box", 0, one], UNET) for one in ("face", "mnist-ae", "", None, 7, [UNET])},
    "no picture": ([None, MASK, "box", 0, UNET], "There is no picture"),
    "poem": ([data_url(b"I am a poem.\n" * 40), None, "box", 0, UNET], "is no picture"),
    "poem for a mask": ([PICTURE, data_url(b"I am a poem.\n" * 40), "box", 0, UNET], "is no picture"),
    "another size": ([PICTURE, data_url(png(Image.new("L", (64, 65), 255))), "box", 0, UNET], "64 × 65"),
    "nothing": ([PICTURE, data_url(png(Image.new("L", (64, 64)))), "box", 0, UNET], "Nothing is hidden"),
    "everything": ([PICTURE, data_url(png(Image.new("L", (64, 64), 255))), "box", 0, UNET], "All of the face"),
}


def expect_one_sentence(app: App, given: list, told: str) -> None:
    """The endpoint refuses, says `told` in one sentence, and prints no traceback."""
    before = len(app.log)
    status, answer = app.call("reconstruct", {"data": given})
    assert status == 500, answer
    assert is_one_sentence(answer["error"]) and told in answer["error"], answer
    assert "Traceback" not in app.log[before:]


@pytest.mark.parametrize(("given", "told"), BAD.values(), ids=BAD)
def test_what_cannot_be_reconstructed(app: App, given: list, told: str) -> None:
    """What is wrong, in one sentence, without a traceback; and the server goes on."""
    expect_one_sentence(app, given, told)
    assert app.call("reconstruct", {"data": [PICTURE, MASK, "box", 0, UNET]})[0] == 200


def test_a_hundred_megapixels(app: App) -> None:
    """They are refused with the limit, as a picture and as a mask, and cost no memory."""
    huge = data_url(png(Image.new("1", (10_000, 10_000))))
    assert app.call("reconstruct", {"data": [PICTURE, MASK, "box", 0, UNET]})[0] == 200
    held = resident(app)
    expect_one_sentence(app, [huge, None, "box", 0, UNET], "50 megapixels")
    expect_one_sentence(app, [PICTURE, huge, "box", 0, UNET], "50 megapixels")
    assert resident(app) < held + 50


def test_six_at_once(app: App) -> None:
    """Each caller gets the own picture back."""
    given = [SMALL.resize((60 + number, 80)) for number in range(6)]
    masks = [holed(one.size, (20, 20, 40, 40)) for one in given]
    found: dict[int, Image.Image] = {}

    def caller(number: int) -> Callable[[], None]:
        return lambda: found.__setitem__(number, reconstructed(app, png(given[number]), png(masks[number])))

    threads = [threading.Thread(target=caller(number)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, one in enumerate(given):
        assert not changed(found[number], one)[np.asarray(masks[number]) == 0].any()


def test_described(app: App) -> None:
    """The parameters have the names, types and defaults of the Python function."""
    told = json.loads(app.get("/gradio_api/info")[1])["named_endpoints"]["/reconstruct"]
    parameters = {one["parameter_name"]: one for one in told["parameters"]}
    assert list(parameters) == ["image", "mask", "kind", "seed", "network"]
    defaults = {name: one["parameter_default"] for name, one in parameters.items() if one["parameter_has_default"]}
    assert defaults == {"mask": None, "kind": "box", "seed": 0, "network": GAN}
    assert [one["component"] for one in told["returns"]] == ["Image"]
