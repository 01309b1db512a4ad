"""Rebuild: one digit through every autoencoder of the house, with noise on the code."""

from html import escape

import gradio as gr
from PIL import Image

from models.pictures import images
from models.pipelines import DigitAutoencoder, Reading, Rebuilt, autoencoder, classifier
from models.pipelines.autoencoder import LOUDEST, names
from tabs import PAGE, Words
from tabs.address import Address
from tabs.digits.answer import whole_percent
from tabs.widgets.networks import chosen
from tabs.widgets.pad import pad
from tabs.widgets.picture import Picture, data_url, read, require
from tabs.widgets.prose import muted, sentence

DEFAULT = "mnist-vae"
JUDGE = "mnist-resnet"  # says whether what came out is still the same digit


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part, and make the endpoint `rebuild` where `public`."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            drawing = pad(words, "rebuild-pad", "sample/rebuild", one=True, initial="5")
            noise = gr.Slider(
                0, LOUDEST, 0, step=0.1, label=words("rebuild.noise"), info=words("rebuild.noise_info"), elem_id="noise"
            )
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            result = gr.HTML(elem_id="rebuilt")
            note = words("rebuild.errors", judge=words(f"network.{JUDGE}"))
            gr.HTML(muted(note), elem_id="rebuilt-note", js_on_load=None)
    noise.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def rebuild(
        image: Image.Image, network: str = DEFAULT, noise: float = 0.0, seed: int = 0
    ) -> tuple[Image.Image, float]:
        """Take a handwritten digit to an autoencoder's code and back.

        Args:
            image: a picture of the digit, of any size, mode and polarity.
            network: which autoencoder.
            noise: put on the code, in units of the code's usual deviation, 0 to 3.
            seed: of the noise, 0 to 4294967295.

        Returns:
            What came out, 28x28 pixels; and the mean squared error a pixel, from 0 to 1, against what went in.
        """
        with words.errors():
            pipeline: DigitAutoencoder = chosen(network, names(), autoencoder)
            rebuilt = pipeline(require(image), noise, seed)
            return rebuilt.picture, rebuilt.error

    def show(url: str, noise: float):
        if not url:
            return sentence(words("rebuild.empty"))
        try:
            seen = images.to_digit(require(read(url)))
            each = DigitAutoencoder.compare(seen, noise)
            readings = classifier(JUDGE).readings([seen, *(one.picture for one in each.values())])
            return _table(words, seen, each, readings)
        except ValueError as error:
            return sentence(words.sentence(error))

    gr.on([drawing.input, noise.change], show, [drawing, noise], result, **PAGE)
    address.add("sample/rebuild", noise=noise)
    if public:
        picture = Picture(visible=False, label=words("rebuild.picture"))
        network = gr.Textbox(DEFAULT, visible=False, label=words("network"))
        numbers = [gr.Number(0, visible=False, label=words(key)) for key in ("rebuild.noise", "sample.seed")]
        for one in numbers:
            one.preprocess = lambda value: value
        given = [picture, network, *numbers]
        found = [
            gr.Image(format="png", visible=False, label=words("rebuild.rebuilt")),
            gr.Number(visible=False, label=words("rebuild.error")),
        ]
        gr.Button(visible=False).click(rebuild, given, found, api_name="rebuild")


def _table(words: Words, seen: Image.Image, each: dict[str, Rebuilt], readings: list[Reading]) -> str:
    first, *others = readings
    figures = [_figure(seen, words("rebuild.seen"), _read(words, first, first), "")]
    figures += [
        _figure(
            one.picture,
            words(f"network.{name}"),
            _read(words, reading, first),
            f"{words('rebuild.by')} {one.error:.4f}",
        )
        for (name, one), reading in zip(each.items(), others, strict=True)
    ]
    still = sum(reading.is_digit and reading.digit == first.digit for reading in others)
    said = words("rebuild.said", judge=words(f"network.{JUDGE}"), digit=first.digit, count=still, all=len(others))
    line = f'<p class="sentence" data-said>{escape(said)}</p>' if first.is_digit else ""
    return f'{line}<div class="rebuilt">{"".join(figures)}</div>'


def _read(words: Words, reading: Reading, first: Reading) -> str:
    """What a picture is taken for, beside what went in; something else stands out."""
    if not reading.is_digit:
        return f'<b class="other">{escape(words("rebuild.none"))}</b>'
    is_same = reading.digit == first.digit
    key = "rebuild.read" if reading is first else "rebuild.still" if is_same else "rebuild.now"
    text = words(key, digit=reading.digit, percent=whole_percent(reading.confidence))
    return f"<b{' class=other' * (not is_same)}>{escape(text)}</b>"


def _figure(picture: Image.Image, title: str, read: str, error: str) -> str:
    return (
        f'<figure><img class="pixels" src="{data_url(picture)}" alt="{escape(title)}">'
        f"<figcaption>{escape(title)}<br>{read}<br>{escape(error)}</figcaption></figure>"
    )
