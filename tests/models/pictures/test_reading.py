"""Files are opened: whole, upright, and refused in one sentence."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from app_process import bomb, chunks, drawn, png
from ink import placed, refused
from PIL import Image, ImageOps, TiffImagePlugin

from models.errors import InputError
from models.pictures import images, photographs


def test_open_image() -> None:
    """What was saved is what is opened, from bytes."""
    assert images.open_image(png(drawn())).tobytes() == drawn().tobytes()


def test_a_photograph_is_turned_upright() -> None:
    """A camera's orientation mark is obeyed."""
    image = placed(250, 20, 20)
    mark = Image.Exif()
    mark[0x0112] = 6  # the top of the scene is at the right side of the file: turn it clockwise
    file = io.BytesIO()
    image.save(file, "PNG", exif=mark)
    assert images.open_image(file.getvalue()).tobytes() == image.rotate(-90, expand=True).tobytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image_unreadable"),
        (b"I am a poem.", "image_unreadable"),
        (png(drawn())[:-200], "image_unreadable"),
        (bomb(), "image_too_large"),
        (bomb(7_500), "image_too_large"),
        (bomb(10)[:40], "image_unreadable"),
        ("/nowhere/at/all.png", "image_unreadable"),
    ],
    ids=["empty", "text", "cut short", "bomb", "too large for us", "header alone", "no file"],
)
def test_bad_files(data: bytes | str, code: str) -> None:
    """One sentence, and nothing is decoded that is too large."""
    refused(code, lambda: images.open_image(data))


def written(form: str, **options: object) -> bytes:
    """A small picture in colour as a file of that format."""
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.effect_mandelbrot((96, 64), (-2, -1, 1, 1), 50).convert("RGB").save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000"])
def test_formats_that_are_read(form: str, tmp_path: Path) -> None:
    """From bytes and from a file, whatever that is called."""
    path = tmp_path / "picture.jpg"
    path.write_bytes(written(form))
    for source in (written(form), path):
        assert images.open_image(source).size == (96, 64)


LAYOUTS = {"plain": {}, "progressive": {"progressive": True}, "with restarts": {"restart_marker_rows": 1}}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_jpeg_without_its_end(layout: str, tmp_path: Path) -> None:
    """It is opened, to the pixel, where nothing but the mark of the end is lacking, or half of that; else refused."""
    data, path = written("JPEG", **LAYOUTS[layout]), tmp_path / "cut.jpg"
    assert data.endswith(b"\xff\xd9")
    for lacking in (1, 2):
        path.write_bytes(data[:-lacking])
        for source in (data[:-lacking], path):
            assert np.array_equal(images.open_image(source), images.open_image(data))
    marks = [at for at in range(len(data) // 2, len(data) - 2) if data[at] == 255 and 0xD0 <= data[at + 1] < 0xD8]
    assert len(marks) > 2 or layout != "with restarts"
    for end in (*marks, len(data) // 2, *range(len(data) - 40, len(data) - 4, 7)):
        refused("image_unreadable", lambda cut=data[:end]: images.open_image(cut))


DEEP = np.random.default_rng(0).integers(0, 65536, (60, 80), np.uint16)


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    """These pixels as a TIFF that Pillow would not write."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def test_white_is_zero() -> None:
    """Such a TIFF holds a negative; of 16 bits as of 8."""
    for white, pixels in ((255, np.uint8(DEEP >> 8)), (65535, DEEP)):
        image = images.open_image(tiff(white - pixels, photometric="miniswhite"))
        assert np.array_equal(image, pixels)
        assert image.format == "TIFF"


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colours_of_sixteen_bits(planes: str, compression: str | None) -> None:
    """Their first eight, pixel by pixel or plane by plane; or a sentence, and never anything else."""
    pixels = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], 0 if planes == "separate" else 2)
    data = tiff(pixels, photometric="rgb", planarconfig=planes, compression=compression)
    if (planes, compression) == ("separate", None):
        return refused("image_tiff", lambda: images.open_image(data))
    assert np.array_equal(images.open_image(data), (pixels.transpose(1, 2, 0) if planes == "separate" else pixels) >> 8)


def raw(tag: int, value: int) -> bytes:
    """A TIFF as cameras write their own formats: a thumbnail, and a tag that says so."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[tag] = value
    tags[330] = 8
    return written("TIFF", tiffinfo=tags)


@pytest.mark.parametrize(
    ("data", "code", "kind"),
    [
        (b"%PDF-1.7\n%abc", "image_format", "PDF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "image_format", "SVG"),
        (b"8BPS\0\1" + bytes(30), "image_format", "Photoshop"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "image_format", "RAW"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(40), "image_format", "RAW"),
        (b"\0\0\0\x18ftypcrx " + bytes(40), "image_format", "RAW"),
        (raw(50706, 1), "image_format", "RAW"),
        (raw(254, 1), "image_format", "RAW"),
        (b"\0\0\0\x20ftypisom" + bytes(40), "image_format", "MP4"),
        (b"\xff\x0a" + bytes(40), "image_format", "JPEG XL"),
        (b"PK\3\4" + bytes(40), "image_format", "ZIP"),
        (b"\n<!DOCTYPE html>\n<html><body>404</body></html>", "image_page", "web page"),
        (b"<html><head></head></html>", "image_page", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "image_pointer", "git lfs pull"),
        *(
            (head + bytes(300), "image_format", kind)
            for head, kind in (
                (b"qoif", "QOI"),
                (b"DDS |", "DDS"),
                (b"icns", "ICNS"),
                (b"\x01\xda\1\1", "SGI"),
                (b"\n\5\1\x08", "PCX"),
                (b"\0\0\2" + bytes(9) + b"\1\0\1\0\x18", "TGA"),
                (b"P7\nWIDTH 3\n", "PAM"),
                (b"#?RADIANCE\n", "HDR"),
                (b"\x76\x2f\x31\1\2", "OpenEXR"),
                (bytes(128) + b"DICM", "DICOM"),
                (b"SIMPLE  =      T", "FITS"),
                (b"\x93NUMPY\1\0", "NumPy"),
                (b"\x1f\x8b\x08", "gzip"),
            )
        ),
        (tiff(np.float64(DEEP)), "image_tiff", "of a kind that is not read"),
        (
            tiff(np.float32([DEEP] * 3).transpose(1, 2, 0), photometric="rgb"),
            "image_tiff",
            "of a kind that is not read",
        ),
        (tiff(np.stack([DEEP] * 3), photometric="rgb", planarconfig="separate"), "image_tiff", "of a kind"),
        (tiff(DEEP * np.uint32(65537)), "image_tiff", "of a kind that is not read"),
        (tiff(DEEP)[:20], "image_tiff", "damaged"),
        (written("HEIF")[:300], "image_unreadable", "damaged"),
        (written("AVIF")[:300], "image_unreadable", "damaged"),
    ],
)
def test_others_are_called_by_their_names(data: bytes, code: str, kind: str) -> None:
    """What it is, and what to do."""
    with pytest.raises(InputError, match=kind) as caught:
        images.open_image(data)
    assert caught.value.code == code


def sheet(ink: int = 20, paper: int = 230) -> np.ndarray:
    """The drawn seven on a sheet of 480x640, evenly lit."""
    cover = Image.new("L", (480, 640))
    cover.paste(ImageOps.invert(drawn()), (100, 200))
    return np.where(np.asarray(cover) > 127, ink, paper).astype(np.float64)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_of_colour(form: str, channels: int) -> None:
    """Pillow reads eight of them, and does not say so."""
    values = np.random.default_rng(0).integers(0, 2**16, (12, 16, channels), np.uint16)
    if form == "PNG":
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
        data = chunks((16, 12, 16, {3: 2, 4: 6}[channels]), rows)
    else:
        file = io.BytesIO()
        extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
        tifffile.imwrite(file, values, photometric="rgb", **extra)
        data = file.getvalue()
    image = images.open_image(data)
    assert abs(np.asarray(image, int) - values / 257).max() <= 1
    assert photographs.lost(image) == ["depth"]
    assert photographs.lost(images.open_image(png(image))) == []


def directory(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Exif data: entries of tag, type, count and four bytes."""
    packed = b"".join(struct.pack("<HHI4s", *one) for one in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4)


TURNED = (0x0112, 3, 1, b"\6\0\0\0")


@pytest.mark.parametrize(
    ("exif", "turns"),
    [
        (b"Exif\0\0rubbish that is no TIFF", False),
        (b"Exif\0\0" + bytes(40), False),
        (directory((0x0112, 2, 2, b"6\0\0\0")), False),  # as text
        (directory((0x0100, 2, 4, b"wid\0"), TURNED), True),  # a width as text, which cannot be written again
    ],
    ids=["rubbish", "zeros", "turned by text", "a wrong type"],
)
@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
def test_damaged_exif_data(form: str, exif: bytes, turns: bool) -> None:
    """They are a hint: the pixels are read, by us and as somebody else's Pillow has opened them."""
    file, options = io.BytesIO(), {"lossless": True} if form == "WEBP" else {}
    drawn().convert("RGB").resize((60, 40)).save(file, form, exif=exif, **options)
    assert images.open_image(file.getvalue()).size == ((40, 60) if turns else (60, 40))
    assert set(images.picture(Image.open(file)).size) == {40, 60}
    again = io.BytesIO()
    photographs.packed(*photographs.unpacked(one := images.open_image(file.getvalue())), one).save(again, "PNG")
    assert Image.open(again).size == one.size


@pytest.mark.parametrize("share", [0.4, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("form", ["GIF", "TIFF"])
def test_cut_off_behind_the_first_picture(form: str, share: float) -> None:
    """What was read whole is worked with; that there was more is told, as of a whole file."""
    noise = np.random.default_rng(0).integers(0, 255, (3, 40, 60), np.uint8)
    pages = [Image.fromarray(one) for one in noise]
    file = io.BytesIO()
    pages[0].save(file, form, save_all=True, append_images=pages[1:])
    data = file.getvalue()
    image = images.open_image(data[: round(share * len(data))])
    assert image.size == (60, 40) and photographs.lost(image) == ["frames"]
    assert photographs.packed(*photographs.unpacked(image), image).size == (60, 40)
