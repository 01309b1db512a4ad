"""A picture that a visitor brings."""

import base64
import binascii

import gradio as gr
from gradio.components.image import ImageData
from PIL import Image

from models import images
from models.errors import InputError
from tabs import Words

from gradio.events import Dependency

class Picture(gr.Image):
    """`gr.Image` whose broken, huge or foreign files end in one sentence of ours, in the page's language."""

    is_template = True  # to the browser it is a gr.Image

    def __init__(self, words: Words, **kwargs):
        super().__init__(type="pil", image_mode=None, placeholder=words("picture.placeholder"), **kwargs)
        self.words = words

    def preprocess(self, payload: ImageData | None) -> Image.Image | None:
        """The picture, upright, in its own mode."""
        if payload is None:
            return None
        with self.words.errors():
            if payload.url and payload.url.startswith("data:"):
                return from_data_url(payload.url)
            return images.open_image(payload.path or "")
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def from_data_url(url: str) -> Image.Image:
    """The picture in a `data:image/...;base64,...` address. Raises InputError when there is none."""
    try:
        data = base64.b64decode(url.partition(";base64,")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("image_unreadable", "This file is no picture, or it is damaged: choose another.") from error
    return images.open_image(data)
