"""New digits: a sheet of as many as one likes, by a seed."""

from functools import lru_cache
from html import escape

import gradio as gr
from PIL import Image

import models
from models.pictures import images
from models.pipelines import DigitSampler, sampler
from models.pipelines.sampler import HOTTEST, MOST
from tabs import PAGE, ROLL, Words
from tabs.address import Address
from tabs.widgets.files import png
from tabs.widgets.networks import chosen, menu, source
from tabs.widgets.picture import data_url
from tabs.widgets.prose import sentence

DEFAULT = "mnist-cvae"
COUNT = 36
ANY = "any"
FIRST = (DEFAULT, ANY, COUNT, 1, 0)  # what every visitor's page opens with: network, digit, count, temperature, seed


@lru_cache(1)  # it is drawn once
def first(network: DigitSampler) -> list[Image.Image]:
    """The digits of `FIRST`, as its network draws them."""
    _, digit, count, temperature, seed = FIRST
    return network(count, _digit(digit), seed, temperature)


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part, and make the endpoint `sample` where `public`."""
    offered = models.names(task="generation")
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            network = menu(words, offered, DEFAULT, "sample-network")
            line = gr.HTML(elem_classes="source")
            digit = gr.Radio(
                [(words("sample.any"), ANY), *map(str, range(10))],
                value=ANY,
                label=words("sample.digit"),
                elem_id="sample-digit",
                elem_classes="pills",
            )
            with gr.Row(elem_classes="seed"):
                seed = gr.Number(0, label=words("sample.seed"), precision=None, elem_id="sample-seed")
                dice = gr.Button(words("sample.dice"), size="sm", elem_id="sample-dice")
            with gr.Accordion(words("sample.more"), open=False, elem_id="sample-more"):
                count = gr.Slider(1, MOST, COUNT, step=1, label=words("sample.count"), elem_id="sample-count")
                temperature = gr.Slider(
                    0, HOTTEST, 1, step=0.05, label=words("sample.temperature"), info=words("sample.temperature_info")
                )
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            gallery = gr.HTML(elem_id="sample-gallery")
            with gr.Row(elem_classes="buttons"):
                download = gr.DownloadButton(words("sample.download"), size="sm", elem_id="sample-download")
    for given in (digit, count, temperature, seed):
        given.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def draw(network: str, digit: str | int | None, count: int, temperature: float, seed: int) -> list[Image.Image]:
        return _sampler(network)(count, _digit(digit), seed, temperature)

    def _sampler(network: str) -> DigitSampler:
        return chosen(network, offered, sampler)

    def sample(
        network: str = DEFAULT, digit: str = ANY, count: int = COUNT, temperature: float = 1.0, seed: int = 0
    ) -> Image.Image:
        """Draw new digits.

        Args:
            network: which network draws.
            digit: "any", or "0" to "9" for a network that can be told.
            count: 1 to 64.
            temperature: how far from the usual it goes, 0 to 2.
            seed: 0 to 4294967295; the same seed draws the same.

        Returns:
            A sheet of them, 28x28 pixels each, at most eight in a row.
        """
        with words.errors():
            return images.grid(draw(network, digit, count, temperature, seed), 8)

    def show(network: str, digit: str, count: int, temperature: float, seed: int):
        try:
            if (network, digit, count, temperature, seed) == FIRST:
                pictures = first(_sampler(network))
            else:
                # The menu of digits follows the network a moment later.
                told = digit if _sampler(network).net.conditional else ANY
                pictures = draw(network, told, count, temperature, seed)
        except ValueError as error:
            return sentence(words.sentence(error)), None
        sheet = images.grid(pictures, 8)
        label = words("sample.gallery", count=len(pictures), network=words(f"network.{network}"), seed=seed)
        return _gallery(label, pictures), png(sheet, "digits", download)

    def tell(network: str):
        try:
            net = _sampler(network)
        except ValueError as error:
            return escape(words.sentence(error)), gr.skip()
        # A network that cannot be told a digit is asked for any.
        told = {"interactive": True} if net.net.conditional else {"interactive": False, "value": ANY}
        means = f"<br>{escape(words('sample.means'))}" if net.draws_means else ""
        return source(words, network, net.facts) + means, gr.update(**told)

    given, shown = [network, digit, count, temperature, seed], [gallery, download]
    # One event for all: of several, the slowest answer would stay, whatever was asked for last.
    gr.on(None, show, given, shown, **PAGE)
    gr.on(None, tell, network, [line, digit], **PAGE)
    dice.click(None, None, seed, js=ROLL)
    address.add("sample/new", network=network, digit=digit, seed=seed, count=count, temperature=temperature)
    if public:
        picture = gr.Image(format="png", visible=False, label=words("sample.sheet"))
        gr.Button(visible=False).click(sample, given, picture, api_name="sample", concurrency_limit=2)


def _digit(value: str | int | None) -> object:
    """What a menu or a caller says, as the pipeline takes it: None for any, a number for a digit."""
    if value in (None, ANY):
        return None
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) == 1 else value


def _gallery(label: str, pictures: list[Image.Image]) -> str:
    cells = "".join(f'<img class="pixels" src="{data_url(picture)}" alt="">' for picture in pictures)
    told = f'role="img" aria-label="{escape(label)}" data-said="{escape(label)}"'
    columns = min(8, max(1, round(len(pictures) ** 0.5 + 0.4)))
    return f'<div class="gallery" {told} style="--columns: {columns}">{cells}</div>'
