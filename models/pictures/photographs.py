"""Photographs as arrays and back, with what a file carries besides its pixels."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from models.pictures.formats import DEEP

KEPT = ("icc_profile", "exif", "dpi")  # of what Pillow reads beside the pixels
BORDER = 3  # of 255: a row whose pixels differ by no more is a part of a border, such as a film's black bars
AROUND, CLIPPED = 17, 0.3  # pixels on a side, and the share of them that may be black or white
DEPTHS = (1023, 4095, 16383, 65535)  # what is white in a picture of 10, 12, 14, 16 bits: a sensor's are kept in 16
SIGNED = 32767  # what is white in 16 bits of which one is a sign
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue
GREY = ("1", "L", "LA", "I", "F")


def unpacked(image: Image.Image, hidden: np.ndarray | None = None) -> tuple[np.ndarray, Image.Image | None]:
    """(H, W, 1) or (H, W, 3) uint8, and the transparency, 'L', if there is one. 16 bits become 8.

    What is white in a picture of 32 bits is found in its pixels; those that are `hidden`, (H, W) bool, do not count.
    """
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(image, hidden))
    image = as_mode(image, {"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))  # their pixels would be too dark
    alpha = as_mode(image, "RGBA").getchannel("A") if image.has_transparency_data else None
    pixels = np.array(as_mode(image, "L" if image.mode in GREY else "RGB"))
    return (pixels if pixels.ndim == 3 else pixels[:, :, None]), alpha


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    """The picture in a mode; itself where it is in that, which Pillow would copy."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image, hidden: np.ndarray | None) -> np.ndarray:
    values = np.asarray(image, np.float32)
    seen = values if hidden is None or hidden.all() else values[~hidden]
    if image.mode == "F" and not (known := np.isfinite(seen)).all():
        seen = seen[known]
    black, white = _black_and_white(seen, image.mode) if seen.size else (0, 1)
    scale = 255 / ((white - black) or 1)
    return np.uint8((np.clip(np.nan_to_num(values), black, white) * scale - black * scale).clip(0, 255).round())


def _black_and_white(seen: np.ndarray, mode: str) -> tuple[float, float]:
    """Which values of a picture of 16 or 32 bits are black and white: usual ones, or else the range that it uses."""
    if mode.startswith("I;16"):
        return 0, next(top for top in DEPTHS if seen.max(initial=0) <= top)
    low, most = np.quantile(seen, (0.01, 0.99))  # a few may be brighter than white, or darker than black
    if low < -0.1 * abs(most):  # such as a scan in Hounsfield units
        return float(seen.min()), float(seen.max())
    if mode == "F" and 1 < most < 16:  # with lights that are brighter than white
        return 0, float(most)
    return 0, next((top for top in (1, 255, *DEPTHS[:-1], SIGNED, DEPTHS[-1]) if most <= top), float(seen.max()))


def scaled(image: Image.Image) -> np.ndarray:
    """(H, W) uint8 of a picture of 16 or 32 bits: its largest value is white."""
    values = np.nan_to_num(np.asarray(image, np.float32)).clip(0)
    return np.uint8((values * (255 / max(float(values.max()), 1e-6))).round())


def packed(pixels: np.ndarray, alpha: Image.Image | None, like: Image.Image) -> Image.Image:
    """The reverse of `unpacked`, with what `like` carries in `info`."""
    image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    if alpha is not None:
        image.putalpha(alpha)
    dropped = lost(like)
    image.info.update({key: like.info[key] for key in KEPT if key in like.info and key not in dropped})
    # A file may say 0/0, or more than another file can hold: 0 to 32 bits of dots a metre. Of a TIFF that says nothing
    # Pillow says 1.
    if not all(1 < one < 2**26 for one in image.info.get("dpi", ())):
        del image.info["dpi"]
    return image


def lost(image: Image.Image) -> list[str]:
    """What of a file does not outlive `unpacked` and `packed`.

    "depth": all but 8 bits; "frames": all but the first picture of an animation, or of pages; "icc_profile": one for
    other than grey or red, green and blue, which the pixels have become.
    """
    found = {
        "depth": image.mode.startswith("I") or image.mode == "F" or DEEP in image.info,
        "frames": _frames(image) > 1 and image.format != "MPO",  # of those the others are depth maps
        "icc_profile": image.mode in ("CMYK", "LAB", "YCbCr", "HSV") and "icc_profile" in image.info,
    }
    return [name for name, is_lost in found.items() if is_lost]


def _frames(image: Image.Image) -> int:
    """How many pictures a file holds, or promises where it is cut off behind the first.

    Pillow looks for them only now, and where it fails it leaves a picture in pieces: a twin of it is asked.
    """
    twin = object.__new__(type(image))
    vars(twin).update(vars(image))
    try:
        return getattr(twin, "n_frames", 1)
    except Exception:  # its readers raise anything on broken files
        return 2


def evidence(pixels: np.ndarray, alpha: Image.Image | None) -> np.ndarray:
    """Which pixels (H, W) tell of a photograph's noise: what can be seen of it, without borders of one colour."""
    seen = np.ones(pixels.shape[:2], bool) if alpha is None else np.asarray(alpha) == 255
    for axis in (0, 1):
        rows, told = (np.moveaxis(one, axis, 0) for one in (pixels, seen))
        border, other = _plain(rows), _plain(rows[::-1])
        if border < len(rows):
            told[:border] = told[len(rows) - other :] = False
    return seen


def _plain(rows: np.ndarray) -> int:
    """How many of the rows (n, m, C) are of one colour, from the first on."""
    return next((n for n, row in enumerate(rows) if (np.ptp(row, 0) > BORDER).any()), len(rows))


def looked_at(given: np.ndarray, alpha: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """What a network sees of a picture, (H, W, 3) uint8, or (H, W, 1) where it is grey, and what of it is transparent,
    (H, W) bool: of that it sees nothing."""
    hidden = np.zeros(given.shape[:2], bool) if alpha is None else alpha == 0
    pixels = continued(given, hidden) if hidden.any() and not hidden.all() else given
    is_grey = (pixels == pixels[:, :, :1]).all()  # three channels of the same would come back tinted
    return (np.ascontiguousarray(pixels[:, :, :1]) if is_grey else pixels), hidden


def continued(pixels: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """(H, W, C) with what is seen mirrored into what is `hidden`, (H, W) bool: whatever colour a file keeps there, what
    looks at it sees no edge."""
    from scipy.ndimage import distance_transform_edt

    rim = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    filled, last = pixels.copy(), np.array(hidden.shape)[:, None] - 1
    for row in np.flatnonzero(hidden.any(1)):  # one at a time, since photographs are large
        columns = np.flatnonzero(hidden[row])
        near = rim[:, row, columns]
        mirror = (2 * near - np.stack([np.full_like(columns, row), columns])).clip(0, last)
        places = np.where(hidden[tuple(mirror)], near, mirror)
        filled[row, columns] = pixels[tuple(places)]
    return filled


def unclipped(pixels: np.ndarray) -> np.ndarray:
    """Where in (H, W, C) uint8 strong noise can be seen whole, (H, W) bool: black and white have cut little off it."""
    from scipy.ndimage import uniform_filter  # every command of the training imports this module

    clipped = ((pixels == 0) | (pixels == 255)).any(2)
    return uniform_filter(clipped.astype(np.float32), AROUND) < CLIPPED


def middle(image: Image.Image, side: int) -> Image.Image:
    """The middle of a picture, at most `side` pixels wide and high."""
    left, top = (max(0, (length - side) // 2) for length in image.size)
    return image.crop((left, top, min(image.width, left + side), min(image.height, top + side)))


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """(H, W, C) uint8 -> (1, C, H, W) in [0, 1]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().div_(255)


def luma(x: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) -> (N, 1, H, W): brightness, as JPEG and Pillow's mode L have it (ITU-R BT.601)."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def to_pixels(picture: torch.Tensor) -> np.ndarray:
    """(1, C, H, W) around [0, 1] -> (H, W, C) uint8."""
    return picture[0].clamp(0, 1).mul_(255).round_().byte().permute(1, 2, 0).cpu().numpy()


def examples() -> list[Path]:
    """Photographs to try, free of rights, that come with scikit-image: a coffee, an astronaut and a cat."""
    import skimage.data  # which every command of the training would wait for

    return [Path(skimage.data.__file__).with_name(name) for name in ("coffee.png", "astronaut.png", "chelsea.png")]


def faces() -> list[Path]:
    """Those of them with a face."""
    return [path for path in examples() if path.stem == "astronaut"]
