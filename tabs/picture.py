"""A picture that a visitor brings."""

import base64
import binascii

import gradio as gr
from gradio.components.image import ImageData
from PIL import Image

from models import images
from models.errors import InputError


class Picture(gr.Image):
    """A `gr.Image` that gives what `read` makes of a file: our sentences for what is broken, huge or no picture."""

    is_template = True  # to the browser it is a gr.Image

    def preprocess(self, payload: ImageData | None) -> Image.Image | InputError | None:
        """The picture, upright, in its own mode; or what is wrong with it."""
        if payload is None:
            return None
        return read(payload.url if payload.url and payload.url.startswith("data:") else payload.path or "")


def read(source: str) -> Image.Image | InputError:
    """The picture in a file or a `data:image/...;base64,...` address, or the error it meets.

    The error is handed on, not raised, so that the page can say it where the visitor looks; `require` raises it.
    """
    try:
        if source.startswith("data:"):
            return images.open_image(base64.b64decode(source.partition(";base64,")[2]))
        return images.open_image(source)
    except binascii.Error:
        return InputError("image_unreadable", "This file is no picture, or it is damaged: choose another.")
    except InputError as error:
        return error


def require(image: Image.Image | InputError | None) -> Image.Image:
    """The picture itself. Raises InputError when there is none."""
    if image is None:
        raise InputError("image_missing", "There is no picture: send one.")
    if isinstance(image, InputError):
        raise image
    return image
