"""What pictures cost in memory: bombs nothing, large ones what they must."""

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from app_process import App, bomb, drawn, png

from models.errors import InputError
from models.pictures import images

NETWORK = "mnist-mlp"  # the fastest


CODES = {f"image_{kind}" for kind in ("blank", "too_large", "unreadable", "format", "page", "pointer", "tiff")}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def large_png(side: int, bits: int = 8, colour: int = 6) -> bytes:
    """A whole PNG of `side` x `side` zeros."""
    row = bytes(1 + side * bits * {0: 1, 6: 4}[colour] // 8)
    packer = zlib.compressobj(9)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def in_icon(data: bytes) -> bytes:
    """An icon that says 16x16 and holds a picture of another size."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(data), 22) + data


def in_mac_icon(data: bytes) -> bytes:
    return b"icns" + struct.pack(">I", 16 + len(data)) + b"ic07" + struct.pack(">I", 8 + len(data)) + data


def tiff(size: int, tags: dict[int, int]) -> bytes:
    """A TIFF of `size` x `size` greys whose one part is said to be as large as `tags` have it."""
    data = zlib.compress(bytes(1000))
    offset, count = (324, 325) if 322 in tags else (273, 279)
    tags = {256: size, 257: size, 258: 8, 259: 8, 262: 1, 277: 1, **tags, offset: 8, count: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def peak(act: Callable[[], object]) -> float:
    """By how many MB the process grows, at most, while `act` runs."""

    def read(field: str) -> float:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024

    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = read("VmRSS")
    act()
    return read("VmHWM") - before


BOMBS = {
    "PNG": lambda: bomb(20_000),
    "PNG beyond Pillow's own limit": bomb,
    "GIF": lambda: b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(4) + b"\xff" * 4 + bytes(99),
    "PPM": lambda: b"P6 20000 20000 255\n" + bytes(9),
    "icon": lambda: in_icon(large_png(13_000, colour=0)),
    "Mac icon": lambda: in_mac_icon(large_png(13_000, colour=0)),
    "TIFF of one enormous tile": lambda: tiff(10, {322: 32_000, 323: 32_000}),
    "TIFF of one enormous strip": lambda: tiff(10, {278: 2**31 - 1}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_nothing(name: str) -> None:
    """A small file that asks for a lot of memory gets a sentence, and not the memory."""
    data = BOMBS[name]()
    assert len(data) < 1_000_000

    def act() -> None:
        with pytest.raises(InputError) as error:
            images.to_digit(images.open_image(data))
        assert error.value.code in CODES

    assert peak(act) < 60


@pytest.mark.parametrize(("bits", "colour"), [(8, 6), (16, 0), (1, 0)], ids=["RGBA", "16 bits", "1 bit"])
def test_the_largest_picture_costs_what_it_must(bits: int, colour: int) -> None:
    """49 megapixels take at most three times the memory of their RGBA: no more than 600 MB."""
    data = large_png(7_000, bits, colour)

    def act() -> None:
        image = images.open_image(data)
        image.paste(image.getextrema()[0] if len(image.getbands()) == 1 else (255, 255, 255, 255), (0, 0, 7_000, 7_000))
        image.paste(
            1 if image.mode == "1" else 0 if len(image.getbands()) > 1 else 30_000, (3_000, 1_000, 3_400, 6_000)
        )
        assert images.to_digit(image).size == (28, 28)

    assert peak(act) < 600


def test_a_data_url_may_be_of_any_kind(app: App) -> None:
    """What the address calls itself does not matter; what it holds does."""
    data = base64.b64encode(png(drawn())).decode()
    for kind in ("image/png", "image/jpeg", "text/html", ""):
        status, answer = app.classify({"url": f"data:{kind};base64,{data}"}, NETWORK)
        assert (status, answer["data"][0]["label"]) == (200, "7")
