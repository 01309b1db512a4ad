"""Digits: one that is drawn or taken, what happens to it, and what every method makes of that."""

import random
from functools import cache
from html import escape

import gradio as gr
from PIL import Image

from models.pictures import corruptions, images, mnist
from models.pipelines import Attempt, compare, damaged, quality
from tabs import PAGE, Words
from tabs.address import Address
from tabs.widgets.damage import damage
from tabs.widgets.methods import method, psnr, table
from tabs.widgets.pad import pad
from tabs.widgets.picture import data_url, read, require
from tabs.widgets.prose import sentence

VIEW = "denoise/digit"


@cache
def examples() -> list[Image.Image]:
    """Test digits of MNIST."""
    return images.from_tensor(mnist.examples()[0])


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part; it has no endpoint of its own, `public` or not."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            drawing = pad(words, "noisy-pad", VIEW, one=True, initial="3")
            with gr.Row(elem_classes="buttons"):
                take = gr.Button(words("digit.take"), size="sm", elem_id="noisy-take")
            controls = damage(words, corruptions.DIGITS, "digit-damage", VIEW)
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            result = gr.HTML(elem_id="cleaned")
            figures = gr.HTML(elem_id="cleaned-figures", js_on_load=None)
    taken = gr.State()  # which of the test digits; None where the drawing counts

    def show(url: str | None, taken: int | None, kind: str, strength: float, seed: int) -> tuple[str, str]:
        if not url and taken is None:
            return sentence(words("digit.empty")), ""
        try:
            clean = images.to_digit(require(read(url))) if taken is None else examples()[taken]
            noisy = damaged(clean, corruptions.DIGITS, kind, strength, seed)
            return _result(words, clean, noisy, compare(noisy, clean, digits=True))
        except ValueError as error:
            return sentence(words.sentence(error)), ""

    def show_drawing(url: str | None, *damage) -> tuple[str, str, None]:
        return *show(url, None, *damage), None

    def show_taken(*damage) -> tuple[str, str, int]:
        return *show(None, chosen := random.randrange(len(examples())), *damage), chosen

    given, shown = [drawing, taken, *controls.values], [result, figures]
    drawing.input(show_drawing, [drawing, *controls.values], [*shown, taken], **PAGE)
    take.click(show_taken, controls.values, [*shown, taken], **PAGE)
    controls.renewed.then(show, given, shown, **PAGE)
    said = address.said(VIEW)
    gr.on([controls.strength.input, controls.seed.change, said.change], show, given, shown, **PAGE)
    named = {"damage": controls.kind, "strength": controls.strength, "seed": controls.seed}
    address.add(VIEW, {"strength": "damage"}, **named)


def _result(words: Words, clean: Image.Image, noisy: Image.Image, attempts: list[Attempt]) -> tuple[str, str]:
    before = quality(clean, noisy)
    pictures = [_figure(clean, words("methods.clean"), ""), _figure(noisy, words("methods.before"), psnr(before))]
    pictures += [_figure(one.picture, method(words, one.name), psnr(one.quality)) for one in attempts]
    return f'<div class="rebuilt">{"".join(pictures)}</div>', table(words, before, attempts)


def _figure(picture: Image.Image, title: str, figure: str) -> str:
    unit = f"<br><b>{figure} dB</b>" if figure else ""
    return (
        f'<figure><img class="pixels" src="{data_url(picture)}" alt="{escape(title)}">'
        f"<figcaption>{escape(title)}{unit}</figcaption></figure>"
    )
