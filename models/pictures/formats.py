"""Files of pictures by what they begin with: those that are read, and by name those that are not."""

from collections.abc import Mapping
from typing import Any

from PIL import Image

from models.errors import InputError

# Those that are read; without those that hold pictures of another size than they say, such as icons.
READ = ("PNG", "JPEG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")  # JPEG's reader knows MPO too
TOLD = "PNG, JPEG, WebP, AVIF, HEIC, GIF, BMP, TIFF, JPEG 2000"
HEAD = 1024  # bytes that tell
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
BRANDS = {b"crx ": "RAW (CR3)", b"qt  ": "QuickTime"}  # of what begins as MP4 does
STARTS = {
    b"%PDF": "PDF",
    b"8BPS": "Photoshop",
    b"%!PS": "PostScript",
    b"FUJIFILMCCD-RAW": "RAW (RAF)",
    b"IIRO": "RAW (ORF)",
    b"IIRS": "RAW (ORF)",
    b"IIU\0": "RAW (RW2)",
    b"\0\0\1\0": "ICO",
    b"PK\3\4": "ZIP",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\x1aE\xdf\xa3": "WebM",
    b"gimp xcf": "GIMP",
    b"qoif": "QOI",
    b"DDS ": "DDS",
    b"icns": "ICNS",
    b"\x01\xda": "SGI",
    b"\n\5\1\x08": "PCX",
    b"\0\0\2" + bytes(9): "TGA",
    b"\0\0\n" + bytes(9): "TGA",
    b"P7\n": "PAM",
    b"\x76\x2f\x31\1": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"II\xbc\1": "JPEG XR",
    b"AT&TFORM": "DjVu",
    b"\xd7\xcd\xc6\x9a": "WMF",
    b"SIMPLE  =": "FITS",
    bytes(128) + b"DICM": "DICOM",
    b"\x93NUMPY": "NumPy",
    b"\x1f\x8b": "gzip",
}
JPEG, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two of more than 4 GB
# Of TIFF's first directory: a sensor's mosaic (TIFF/EP), Adobe's DNG; cameras put a thumbnail before the picture.
PHOTOMETRIC, MOSAIC, DNG, REDUCED, CHILDREN = 262, 32803, 50706, 254, 330
WHITE_IS_ZERO = 0  # of photometric interpretations
# How pixels are kept; what stands for one plane after the other, uncompressed, and whole numbers without a sign.
DEPTH, COMPRESSION, PLANES, FORMAT, SEPARATE, PLAIN, UNSIGNED = 258, 259, 284, 339, 2, 1, 1
DEEP = "deep"  # in a picture's `info`: of its 16 bits a colour Pillow reads 8


def is_deep(args: object) -> bool:
    """Whether what Pillow's decoder is told of a picture is of 16 bits a colour."""
    return ";16" in str(args[0] if isinstance(args, tuple) and args else args)


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is one that phones write, and a plug-in reads."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIC


def refused(head: bytes) -> InputError:
    """Why a file cannot be read that begins so: by its name, or as damaged."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"version https://git-lfs"):
        return InputError(
            "image_pointer",
            "This file only points to a picture (Git LFS): fetch it with git lfs pull, and try again.",
        )
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return InputError("image_page", "This is a web page under a picture's name: save the picture itself.")
    if kind := named(head, text):
        return foreign(kind)
    if head.startswith(TIFF):
        return strange_tiff()
    return InputError("image_unreadable", "This file is no picture, or it is damaged: choose another.")


def foreign(kind: str) -> InputError:
    """For a format that is known by its name, but not read."""
    return InputError("image_format", f"This is a file of {kind}, not one of {TOLD}: save it as one.",
                      kind=kind, read=TOLD)  # fmt: skip


def strange_tiff() -> InputError:
    """For one of the many kinds of TIFF that nothing here reads, or reads rightly."""
    return InputError("image_tiff", "This TIFF is damaged, or of a kind that is not read here: save it as PNG.")


def named(head: bytes, text: bytes) -> str | None:
    """What a file is called that begins so; None where nobody knows, or it is one of those that are read."""
    if b"<svg" in text and text.startswith(b"<"):
        return "SVG"
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WAVE"):
        return head[8:11].decode()
    if head[:4] in (b"II*\0", b"MM\0*") and head[8:10] == b"CR":
        return "RAW (CR2)"
    if head[4:8] == b"ftyp" and not is_heic(head):
        return BRANDS.get(head[8:12], None if head[8:12] in (b"avif", b"avis") else "MP4")
    return next((kind for start, kind in STARTS.items() if head.startswith(start)), None)


def is_garbled(tags: Mapping[int, Any]) -> bool:
    """Whether Pillow would take the two bytes of each value of a TIFF for two values."""
    plain = tags.get(COMPRESSION, PLAIN) == PLAIN and tags.get(PLANES) == SEPARATE
    return plain and max(tags.get(DEPTH, (8,))) > 8


def is_overflown(image: Image.Image, tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF's values without a sign are larger than Pillow can keep."""
    return image.mode == "I" and tags.get(FORMAT, (UNSIGNED,)) == (UNSIGNED,) and image.getextrema()[0] < 0


def is_raw(tags: object) -> bool:
    """Whether the first directory of a TIFF is that of a camera's own format, of which only a thumbnail can be read."""
    tags = tags or {}
    return DNG in tags or tags.get(PHOTOMETRIC) == MOSAIC or (bool(tags.get(REDUCED, 0) & 1) and CHILDREN in tags)
