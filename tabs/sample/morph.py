"""Morph: the walk from one digit to another through the latent space."""

import io
from base64 import b64encode
from html import escape

import gradio as gr
from PIL import Image

from models.errors import InputError
from models.pictures import images
from models.pipelines import DigitAutoencoder, autoencoder
from models.pipelines.autoencoder import names
from tabs import PAGE, Words
from tabs.address import Address
from tabs.widgets.files import cached
from tabs.widgets.networks import chosen, menu, source
from tabs.widgets.pad import LONGEST, pad
from tabs.widgets.picture import Picture, data_url, read, require
from tabs.widgets.prose import sentence

DEFAULT = "mnist-cvae"
STEPS = 12
ZOOM, TURN, HOLD = 6, 90, 600  # of the animation: pixels a pixel, milliseconds a step, and at either end


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part, and make the endpoint `morph` where `public`."""
    strip = gr.HTML(elem_id="morph-strip")
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=7), gr.Row(elem_classes="pads"):
            with gr.Column(min_width=120):
                left = _end(words, "from", "3")
            with gr.Column(min_width=120):
                right = _end(words, "to", "8")
        with gr.Column(min_width=280, scale=5):
            network = menu(words, names(), DEFAULT, "morph-network")
            line = gr.HTML(elem_classes="source")
            animation = gr.HTML(elem_id="morph-animation")
            with gr.Row(elem_classes="buttons"):
                download = gr.DownloadButton(words("morph.download"), size="sm", elem_id="morph-download")

    def network_of(name: str) -> DigitAutoencoder:
        return chosen(name, names(), autoencoder)

    def morph(
        first: Image.Image, second: Image.Image, network: str = DEFAULT, steps: int = STEPS
    ) -> tuple[Image.Image, str]:
        """Walk from one handwritten digit to another through a network's latent space.

        Args:
            first: a picture of the digit to begin with, of any size, mode and polarity.
            second: a picture of the digit to end with.
            network: which network's latent space.
            steps: pictures on the way, 2 to 32, both ends included.

        Returns:
            The pictures side by side, 28x28 pixels each; and a looping animation, a GIF.
        """
        with words.errors():
            pictures = network_of(network).morph(require(first), require(second), steps)
            return images.grid(pictures, len(pictures)), cached(_gif(pictures), "walk.gif", download)

    def show(first: str | None, second: str | None, network: str):
        # As the part opens each pad draws and asks, both at once, and the answer to the first may come last.
        if first is None or second is None:
            return [gr.skip()] * 3
        try:
            if not first or not second:
                raise InputError("digit_missing", "One of the two digits is missing: draw it.")
            pictures = network_of(network).morph(*(require(read(url)) for url in (first, second)), STEPS)
        except ValueError as error:
            return sentence(words.sentence(error)), "", None
        gif = _gif(pictures)
        cells = "".join(f'<img class="pixels" src="{data_url(picture)}" alt="">' for picture in pictures)
        label, address = escape(words("morph.label")), f"data:image/gif;base64,{b64encode(gif).decode()}"
        return (
            f'<div class="strip" role="img" aria-label="{label}" data-said="{label}">{cells}</div>',
            f'<figure class="large"><picture><source srcset="{data_url(pictures[0])}"'
            f' media="(prefers-reduced-motion: reduce)"><img class="pixels" src="{address}" alt="{label}"></picture>'
            "</figure>",
            cached(gif, "walk.gif", download),
        )

    def tell(network: str):
        try:
            return source(words, network, network_of(network).facts)
        except ValueError as error:
            return escape(words.sentence(error))

    given, shown = [left, right, network], [strip, animation, download]
    gr.on([left.input, right.input, network.change], show, given, shown, **PAGE)
    gr.on(None, tell, network, line, **PAGE)
    address.add("sample/morph", network=network)
    if public:
        pictures = [Picture(visible=False, label=words(f"morph.{end}")) for end in ("first", "second")]
        steps = gr.Number(STEPS, visible=False, label=words("morph.steps"))
        steps.preprocess = lambda value: value
        result = [
            gr.Image(format="png", visible=False, label=words("morph.label")),
            gr.File(visible=False, label=words("morph.animation")),
        ]
        gr.Button(visible=False).click(morph, [*pictures, network, steps], result, api_name="morph")


def _end(words: Words, end: str, digit: str) -> gr.HTML:
    """The pad for one of the two digits."""
    named = {"key": end, "title": words(f"morph.{end}")}
    return pad(words, f"morph-{end}", "sample/morph", **named, longest=LONGEST // 2, one=True, initial=digit)


def _gif(pictures: list[Image.Image]) -> bytes:
    """There and back, again and again."""
    large = [
        picture.resize((ZOOM * picture.width, ZOOM * picture.height), Image.Resampling.NEAREST) for picture in pictures
    ]
    frames = [*large, *large[-2:0:-1]]
    times = [HOLD if place in (0, len(large) - 1) else TURN for place in range(len(frames))]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return file.getvalue()
