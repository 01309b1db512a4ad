"""Pictures of all the modes that Pillow knows, as grey."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageStat

from models.errors import InputError

LOOKED_AT = 320  # pixels on a side: what is opaque has a clear rim there
DIFFERENT = 40  # of 255: from the rim's tone
INSIDE = 0.05  # of what differs from the rim lies along it, at most, where it was written on what the rim is of


def blank() -> InputError:
    """The error for a picture with nothing in it."""
    return InputError("image_blank", "This picture is empty: draw something, or choose another.")


def averageable(image: Image.Image) -> Image.Image:
    """The picture in a mode whose pixels Pillow can average: bits and palettes it would thin out instead."""
    mode = image.mode
    if mode in ("P", "PA"):
        mode = "RGBA" if image.has_transparency_data else "RGB"
    elif mode.startswith("I;"):
        mode = "I"
    mode = {"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, mode)
    return image if mode == image.mode else image.convert(mode)


def to_grey(image: Image.Image) -> Image.Image:
    """The picture as 'L'; a transparent one is laid on the paper that its ink stands out from."""
    if image.mode in ("I", "F"):
        with np.errstate(invalid="ignore"):  # a file may hold any bits, those of a NaN that warns too
            values = np.nan_to_num(np.asarray(image, np.float64), posinf=0.0, neginf=0.0)
        low, high = values.min(), values.max()
        # Such files have no agreed white: their range is taken.
        return Image.fromarray(np.uint8(255 * ((values - low) / max(high - low, 1e-6))))
    if image.mode == "LAB":  # which Pillow does not convert; its first channel is the lightness
        return image.getchannel(0)
    if not image.has_transparency_data:
        return image.convert("L")
    image = image.convert("RGBA")
    grey, alpha = image.convert("L"), image.getchannel("A")
    if alpha.getbbox() is None:
        return Image.new("L", image.size)
    tone = backing(grey, alpha)
    if tone is None:
        tone = 255 if ImageStat.Stat(grey, alpha).mean[0] < 128 else 0
    paper = Image.new("L", image.size, tone)
    paper.paste(grey, mask=alpha)
    return paper


def backing(grey: Image.Image, alpha: Image.Image) -> int | None:
    """The tone of what a picture is written on whose surroundings were cut away: a note, a label, a sticker; None where
    all that is opaque is ink.

    Along the rim there is nothing but the backing, and what differs from it lies inside. Of ink in two colours each
    comes to the rim.

    Args:
        grey, alpha: 'L', of one size.
    """
    factor = max(1, max(grey.size) // LOOKED_AT)
    share = alpha.reduce(factor)
    opaque = share.point(lambda value: 255 * (value > 127))
    low, high = ImageStat.Stat(grey.reduce(factor), opaque).extrema[0]
    if high - low <= DIFFERENT:  # as of most drawings
        return None
    # Without the colours that transparent pixels hide.
    shown = np.asarray(ImageChops.multiply(grey, alpha).reduce(factor), np.float32)
    tones = 255 * shown / np.maximum(np.asarray(share, np.float32), 1)
    outside = np.asarray(opaque.filter(ImageFilter.MinFilter(3))) == 0
    solid = np.asarray(opaque) > 0
    rim = solid & outside
    if not rim.any():
        return None
    tone = float(np.median(tones[rim]))
    spread = float(np.median(abs(tones[rim] - tone)))
    differs = solid & (abs(tones - tone) > max(DIFFERENT, 6 * spread))
    along = np.count_nonzero(differs & rim)
    return round(tone) if along <= INSIDE * np.count_nonzero(differs) and differs.any() else None
