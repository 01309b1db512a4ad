"""What a mask hides, in whichever way it was made: white on black, a colour, a class, a layer, an erased part."""

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.errors import InputError
from models.pictures.photographs import scaled, unpacked

SANE = 0.001, 0.75  # of a picture: as much as a mask may hide where that is not how masks are usually made
MOST_OF_IT = 0.5  # of a picture: what is hidden is said
END, BETWEEN = 0.25, 0.1  # of the range, that is black or white; of the pixels, that may be neither
PIECE = 2**22  # pixels that are counted at once
FEW = 32  # colours at most that a mask with classes has; a photograph has more
EDGES = 0.05  # of the pixels of a mask with classes, at most, differ from their neighbour
ROUNDS = 8  # in which two colours are found
# A soft brush, in a picture of so many pixels on the longer side: hardly a pixel differs by more than so much from the
# mean about it, a quarter is all but black or white, and each brightness has few outlines.
SEEN, ROUGH, ROUGHLY, NEARLY, PLAIN, OUTLINES = 256, 5, 0.03, 16, 0.25, 12
GREYISH, APART = 64, 32  # of 255: what channels of a grey differ by at most, and two colours of a mask at least
GREYS = {"black", "white", "grey"}
HUES = ("red", "yellow", "green", "cyan", "blue", "magenta")


@dataclass(frozen=True)
class Mask:
    """What is hidden, (H, W) bool, and by which colour it was known, where that is not white on black.

    `said` is "black", "white", "grey", one of `HUES`, "coloured" where there are several, "transparent", or "value"
    where white is told by a small number.
    """

    hidden: np.ndarray
    said: str | None = None


def read(mask: Image.Image) -> Mask:
    """What a mask of any mode hides.

    Usually that is white on black. Where that would be more than three quarters of it, it is the other way about.

    Raises:
        InputError: it hides nothing, or all; or it is a photograph.
    """
    pixels, opaque, small = _pixels(mask)
    found = _colours(pixels) if opaque.all() else _layer(pixels, opaque)
    if not found.hidden.any():
        raise InputError("nothing_hidden", "Nothing is hidden: cover a part of the face first.")
    if found.hidden.mean() > SANE[1]:
        raise all_hidden()
    return Mask(found.hidden, "value") if small and found.said is None else found


def all_hidden() -> InputError:
    """For a mask that leaves nothing to go by."""
    return InputError("all_hidden", "All of the face is hidden: leave a part of it to go by.")


def _pixels(mask: Image.Image) -> tuple[np.ndarray, np.ndarray, bool]:
    """(H, W, 3) uint8, what is opaque (H, W) bool, and whether the largest of its values is a small number for it."""
    small = False
    if mask.mode == "P" and "transparency" not in mask.info and mask.convert("RGB").getcolors(1):
        mask = Image.fromarray(np.asarray(mask))  # a palette that nobody filled: its numbers are meant
    if mask.mode.startswith("I") or mask.mode == "F":
        values = np.asarray(mask)
        small = values.max() < 255
        whole = values.max() < FEW and (values == np.rint(values)).all()
        mask = Image.fromarray(np.uint8(values.clip(0)) if whole else scaled(mask))
    pixels, alpha = unpacked(mask)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    alpha = np.full(pixels.shape[:2], 255, np.uint8) if alpha is None else np.asarray(alpha)
    opaque = alpha > int(alpha.max(initial=0)) // 2  # a brush may be translucent itself
    bright = _brightest(pixels)
    top = int((bright * opaque).max(initial=0))
    if 0 < top < FEW:  # classes, of which all but 0 are hidden; or a picture that is as dark
        pixels = np.uint8(255) * (pixels > 0) if _is_flat(bright) else pixels * np.uint8(255 // top)
    return pixels, opaque, small or 0 < top < FEW


def _layer(pixels: np.ndarray, opaque: np.ndarray) -> Mask:
    """Strokes on a transparent layer; or a picture, a part of which was erased."""
    drawn = pixels[opaque]
    if not len(drawn):
        return Mask(opaque)
    bright, count = drawn.max(1), _count(drawn)
    if count > FEW or (count > FEW // 4 and _between(bright) > BETWEEN):  # a grey photograph has no more than that
        return Mask(~opaque, "transparent")
    light = bright > 127
    if light.any() and not light.all():
        hidden = np.zeros_like(opaque)
        hidden[opaque] = light
        return Mask(hidden)
    return _sane(opaque, ~opaque, None, "transparent")


def _colours(pixels: np.ndarray) -> Mask:
    """White, or a colour, on black; or classes; or the other way about."""
    flat = pixels.reshape(-1, 3)
    bright = _brightest(pixels)
    coloured = (bright - _channels(np.minimum, pixels) > GREYISH).mean() > SANE[0] / 2
    counts = _counts(flat, 5)
    count = np.count_nonzero(counts)
    if count == 1:
        light, dark = bright > 127, bright <= 127
    elif count <= FEW and coloured:
        dark = bright == 0
        if not dark.any():  # no black: what there is most of is no mask's colour
            dark = _codes(pixels, 8) == _counts(flat, 8).argmax()
        light = ~dark
    elif two := _two(counts):
        light, (name, other) = _nearer(pixels, *two), (_named(*one / 255) for one in two)
        return _sane(light, ~light, "grey" if name == other == "black" else name, other)
    else:
        light, dark = bright > 127, bright <= 127
        if _between(bright) > BETWEEN and (coloured or not _is_soft(bright)):
            raise InputError(
                "mask_photograph",
                "This is a photograph, no mask: give a picture that is white where something is hidden, and black "
                "elsewhere.",
            )
    return _sane(light, dark, _name(pixels, light), _name(pixels, dark))


def _two(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The two colours that nearly all are near to, as JPEG leaves them: the one that usually is hidden comes first.

    That is the lighter one, or one beside black, or else the rarer one. None where there are not two.
    """
    codes = np.flatnonzero(counts)
    found = 8.0 * np.stack([codes >> 10, codes >> 5 & 31, codes & 31], 1) * (255 / 248)
    counts = counts[codes]
    first = found[counts.argmax()]
    centres = np.stack([first, found[(counts * _off(found, first) ** 2).argmax()]])
    for _ in range(ROUNDS):  # 2-means
        far = np.stack([_off(found, one) for one in centres])
        nearest = far.argmin(0)
        if nearest.min() == nearest.max():
            return None
        centres = np.stack([np.average(found[nearest == k], 0, counts[nearest == k]) for k in (0, 1)])
    shares = np.bincount(nearest, counts, 2) / counts.sum()
    apart = _off(*centres)
    astray = counts[far.min(0) > END * apart].sum() / counts.sum()
    if apart < APART or astray > min(BETWEEN, shares.min() / 2):
        return None
    is_grey, is_black = np.ptp(centres, 1) <= GREYISH, centres.max(1) < 255 * END
    coloured = counts[np.ptp(found, 1) > GREYISH].sum() / counts.sum()
    if is_grey.all() and (coloured > SANE[0] or centres.min() > 255 * (1 - END)):  # such as a painted chequerboard
        return None
    usual = centres.sum(1).argmax() if is_grey.all() or is_black.any() else shares.argmin()
    return centres[usual], centres[1 - usual]


def _off(colours: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far colours (..., 3) are from another."""
    return np.sqrt(np.square(colours - other).sum(-1))


def _nearer(pixels: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which of (H, W, 3) are nearer to one colour than to another, (H, W)."""
    towards = np.float32(one - other)
    middle = float(towards @ (one + other) / 2)
    parts = _pieces(pixels, pixels[..., 0].size)
    return np.concatenate([sum(part[..., k] * towards[k] for k in range(3)) > middle for part in parts])


def _is_flat(bright: np.ndarray) -> bool:
    """Whether hardly a pixel (H, W) differs from its neighbour, as in no photograph, unless it is all but black."""
    return np.count_nonzero(bright[:, 1:] != bright[:, :-1]) < EDGES * bright.size


def _is_soft(bright: np.ndarray) -> bool:
    """Whether (H, W) is smooth strokes on a plain ground, as a feathered brush or a gradient leaves them."""
    from scipy.ndimage import label, uniform_filter  # every command of the training imports this module

    whole = Image.fromarray(bright)
    whole.thumbnail((SEEN, SEEN), Image.Resampling.BOX)
    small = np.asarray(whole, np.float32)
    plain = ((small <= NEARLY) | (small >= 255 - NEARLY)).mean()
    if plain < PLAIN or (abs(small - uniform_filter(small, 5)) > ROUGH).mean() > ROUGHLY:
        return False
    levels = [small > level for level in (64, 128, 192)]
    return sum(label(one)[1] for level in levels for one in (level, ~level)) <= OUTLINES


def _brightest(pixels: np.ndarray) -> np.ndarray:
    return _channels(np.maximum, pixels)


def _channels(which: np.ufunc, pixels: np.ndarray) -> np.ndarray:
    """The largest or smallest channel of (H, W, 3), (H, W): NumPy reduces an axis of three twenty times as slowly."""
    return which(which(pixels[..., 0], pixels[..., 1]), pixels[..., 2])


def _between(bright: np.ndarray) -> float:
    """The share of what is neither black nor white."""
    return ((bright > 255 * END) & (bright < 255 * (1 - END))).mean()


def _sane(usual: np.ndarray, other: np.ndarray, name: str | None, other_name: str | None) -> Mask:
    """As masks usually are, unless that hides too much, and the other way about does not."""
    if usual.mean() > SANE[1] and other.mean() >= SANE[0]:
        return Mask(other, other_name)
    return Mask(usual, name if name != "white" or usual.mean() > MOST_OF_IT else None)


def _count(colours: np.ndarray) -> int:
    """How many there are of (N, 3), but for the last three bits of each."""
    return np.count_nonzero(_counts(colours, 5))


def _counts(colours: np.ndarray, bits: int) -> np.ndarray:
    """How often each of the codes comes, piece by piece, as NumPy takes eight bytes for each of what it counts."""
    return sum(np.bincount(_codes(one, bits), minlength=1 << 3 * bits) for one in _pieces(colours, len(colours)))


def _pieces(colours: np.ndarray, count: int) -> list[np.ndarray]:
    """So many colours in pieces of about `PIECE`, along the first axis."""
    return np.array_split(colours, max(1, min(len(colours), count // PIECE)))


def _codes(colours: np.ndarray, bits: int) -> np.ndarray:
    """The first bits of the channels of (..., 3) as one number, (...)."""
    codes = np.zeros(colours.shape[:-1], np.int32)
    for channel in range(3):
        codes <<= bits
        codes |= colours[..., channel] >> (8 - bits)
    return codes


def _name(pixels: np.ndarray, where: np.ndarray) -> str | None:
    """What the colours of these pixels are called; None where there are none. Each channel by itself takes a tenth."""
    count = np.count_nonzero(where)
    if not count:
        return None
    some = np.stack([pixels[..., channel][where][:: max(1, count // 1000)] for channel in range(3)], 1) / 255
    names = {_named(*one) for one in set(map(tuple, some.tolist()))}
    return names.pop() if len(names) == 1 else _named(*some.mean(0).tolist()) if names <= GREYS else "coloured"


def _named(red: float, green: float, blue: float) -> str:
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    if value < END:
        return "black"
    if saturation < END:
        return "white" if value > 1 - END else "grey"
    return HUES[round(6 * hue) % 6]
