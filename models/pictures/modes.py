"""Pictures of all the modes that Pillow knows, as grey."""

import numpy as np
from PIL import Image, ImageStat

from models.errors import InputError


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
    paper = Image.new("L", image.size, 255 if ImageStat.Stat(grey, alpha).mean[0] < 128 else 0)
    paper.paste(grey, mask=alpha)
    return paper
