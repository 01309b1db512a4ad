"""A picture that a visitor brings."""

import base64
import binascii

import gradio as gr
from gradio.components.image import ImageData
from PIL import Image

from models import images
from models.errors import InputError
from tabs import Words


def picture(words: Words, **settings) -> gr.Image:
    """A `gr.Image` whose broken, huge or foreign files end in one sentence of ours; it gives upright PIL pictures.

    Its own preprocessing is replaced on the instance, not in a subclass: for every subclass of a component Gradio
    writes a stub file beside the source, which a Space may not allow.
    """

    def preprocess(payload: ImageData | None) -> Image.Image | None:
        if payload is None:
            return None
        with words.errors():
            if payload.url and payload.url.startswith("data:"):
                return from_data_url(payload.url)
            return images.open_image(payload.path or "")

    image = gr.Image(type="pil", image_mode=None, placeholder=words("picture.placeholder"), **settings)
    image.preprocess = preprocess
    return image


def from_data_url(url: str) -> Image.Image:
    """The picture in a `data:image/...;base64,...` address. Raises InputError when there is none."""
    try:
        data = base64.b64decode(url.partition(";base64,")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("image_unreadable", "This file is no picture, or it is damaged: choose another.") from error
    return images.open_image(data)
