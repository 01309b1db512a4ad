"""A picture that a visitor brings."""

import base64
import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import gradio as gr
from gradio.components.image import ImageData
from PIL import Image
from pydantic import ValidationError, model_validator

from models.errors import InputError
from models.pictures import images

HEAVIEST = 20 * 2**20  # bytes of a file
HEAVY = "image/heavy"  # the type under which `static/lab.js` sends a larger one, without its content


class Payload(ImageData):
    """What the browser or a caller sends; anything that has not the form of a picture counts as an empty file."""

    @model_validator(mode="wrap")
    @classmethod
    def any_form(cls, value: Any, handler: Callable[[Any], Self]) -> Self:
        try:
            return handler(value)
        except ValidationError:
            return handler({})


class Picture(gr.Image):
    """A `gr.Image` that gives what `opened` makes of a file: our sentences for what is broken, huge or no picture."""

    is_template = True  # to the browser it is a gr.Image
    data_model = Payload

    def preprocess(self, payload: ImageData | None) -> Image.Image | InputError | None:
        """The picture, upright, in its own mode; or what is wrong with it."""
        if payload is None:
            return None
        if payload.url and payload.url.startswith("data:"):
            return read(payload.url)
        if payload.mime_type == HEAVY:
            most = HEAVIEST >> 20
            return InputError("image_heavy", f"This file is larger than {most} MB: choose a smaller one.", most=most)
        path = within(self.GRADIO_CACHE, payload.path)
        if path is None:
            return opened(b"")
        try:
            os.utime(path)  # files are deleted some time after they were last used, which Gradio goes by
        except OSError:
            return gone()
        return opened(path)


def tells(upload: Picture, view: str) -> None:
    """Let the page's script know of a picture that is brought to a view, or taken away from it again.

    Gradio calls that an input, too, before or after it has said what it is: so the last word is said a moment later.
    """
    private = {"api_visibility": "private"}
    upload.input(None, None, None, js=f"() => lab.bring('{view}', true)", **private)
    upload.clear(None, None, None, js=f"() => setTimeout(() => lab.bring('{view}', false), 50)", **private)


def within(cache: str, path: str | None) -> Path | None:
    """A file of the cache; None for any other.

    Gradio looks at no path that is not marked as a file of its own: such a one could name any file of the host.
    """
    try:
        found = Path(path or "").resolve()
    except (ValueError, OSError, RuntimeError):  # what cannot be a path
        return None
    return found if found.is_relative_to(Path(cache).resolve()) else None


def pixels(value: Any, cache: str) -> int:
    """How many pixels the picture holds that a caller sends, by its head; 0 for what is none.

    One that lies at another host, and is still to be fetched, may hold as many as any.
    """
    if not isinstance(value, dict):
        value = {"url": value}
    url, path = value.get("url"), value.get("path")
    if isinstance(url, str) and url.startswith("data:"):
        with suppress(ValueError):
            return images.pixels(base64.b64decode(url.partition(";base64,")[2]))
    if isinstance(path, str) and path.startswith(("http:", "https:")):
        return images.MAX_PIXELS
    found = within(cache, path) if isinstance(path, str) else None
    return images.pixels(found) if found else 0


def read(url: str) -> Image.Image | InputError:
    """The picture in a `data:image/...;base64,...` address, or the error it meets.

    The error is handed on, not raised, so that the page can say it where the visitor looks; `require` raises it.
    """
    try:
        return opened(base64.b64decode(str(url).partition(";base64,")[2]))
    except ValueError:  # no base64
        return opened(b"")


def opened(source: Path | bytes) -> Image.Image | InputError:
    """The picture in a file or in bytes, or the error it meets."""
    try:
        return images.open_image(source)
    except InputError as error:
        return error


def gone() -> InputError:
    """For a file that is not in the cache, or no longer."""
    return InputError("image_gone", "This picture is not here, or no longer: choose it again, or send it.")


def absent() -> InputError:
    """For no file at all."""
    return InputError("image_missing", "There is no picture: send one.")


def require(image: Image.Image | InputError | None) -> Image.Image:
    """The picture itself. Raises InputError when there is none."""
    if image is None:
        raise absent()
    if isinstance(image, InputError):
        raise image
    return image


def data_url(image: Image.Image, form: str = "PNG", **options: object) -> str:
    """A picture as an address that holds it, for pages; `options` are those of Pillow's writer of that form."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
