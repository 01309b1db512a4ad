"""Digits: draw one or several, or bring a picture, and a network names them."""

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

import models
from models.errors import InputError
from models.pipelines import KNOWN, SURE, DigitClassifier, Reading, classifier
from tabs import PAGE, Words
from tabs.address import Address
from tabs.digits import comparison
from tabs.digits.answer import IN_DETAIL, answer, decided, message
from tabs.digits.bars import bars, verdicts
from tabs.widgets.camera import camera
from tabs.widgets.networks import chosen, menu, source
from tabs.widgets.pad import is_draft, is_ours, pad
from tabs.widgets.picture import Picture, read, require, tells
from tabs.widgets.prose import how

DEFAULT = "mnist-resnet"
MOST = 60  # digits that are read at once


@dataclass(frozen=True)
class Shown:
    """What the answer on the page is about; `is_draft` while the stroke goes on, when nobody asks what decided, and
    `is_ours` where no visitor has drawn it."""

    network: str
    readings: list[Reading]
    is_draft: bool
    is_ours: bool


def explained(shown: Shown) -> list[Image.Image]:
    """What decided, of each digit; kept for the next visitor where it is ours, never of what a visitor has drawn."""
    network = classifier(shown.network)
    if shown.is_ours:
        return [_ours(network, one.seen.tobytes(), one.seen.size, one.digit) for one in shown.readings]
    return [network.explain(one) for one in shown.readings]


@lru_cache(32)  # of each network, as a few browsers draw it
def _ours(network: DigitClassifier, seen: bytes, size: tuple[int, int], digit: str) -> Image.Image:
    return network.explain(Reading(Image.frombytes("L", size, seen), {digit: 1.0}))


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the tab. The endpoint is made where `public`; the events that serve the page are private."""
    offered = models.names(task="classification")
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            drawing = pad(words, "pad", "digits", initial="5", show=True)
            photograph = camera(words, elem_id="photograph", target="answer")
            with gr.Accordion(words("digits.or_picture"), open=False, elem_id="picture"):
                upload = Picture(
                    label=words("digits.picture"),
                    placeholder=words("picture.placeholder"),
                    sources=["upload", "clipboard"],
                    buttons=[],
                    height=220,
                )
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            result = gr.HTML(message(words("digits.empty")), elem_id="answer")
            heat = gr.HTML(visible="hidden")  # the style sheet that `decided` makes
            shares = gr.HTML(bars(words, ()), elem_id="label")
            said = gr.HTML(visible="hidden")  # the style sheet with what each network says
            network = menu(words, offered, DEFAULT, "network", words("digits.verdicts"))
            line = gr.HTML(elem_id="source")
            with gr.Row(elem_classes="buttons"):
                ask_all = gr.Button(words("digits.ask_all", count=len(offered)), size="sm", elem_id="ask-all")
                download = gr.DownloadButton(words("digits.download"), size="sm", elem_id="download")
    everyone = gr.HTML(elem_id="opinions")
    how(words, "digits", sure=round(100 * SURE), known=round(100 * KNOWN))
    # Which of the three was used last: a change of network reads that one again.
    last = gr.State("drawing")
    shown = gr.State()  # a `Shown`, or None where nothing was read

    def network_of(name: str) -> DigitClassifier:
        return chosen(name, offered, classifier)

    def classify(image: Image.Image, network: str = DEFAULT) -> dict[str, float]:
        """Name the handwritten digit in a picture of any size, mode and polarity.

        Args:
            image: a drawing, scan or photograph of one digit.
            network: which network reads it.

        Returns:
            The probability of each digit, "0" to "9".
        """
        with words.errors():
            return network_of(network)(require(image))

    def read_page(image: Image.Image, network: str = DEFAULT) -> list[dict[str, Any]]:
        """Find and name the handwritten digits on a page: lined, squared, in boxes, scanned or photographed.

        Args:
            image: a scan or photograph with any number of digits, or none.
            network: which network names them.

        Returns:
            The digits in reading order: each with digit, share (its probability), box (left, top, right, bottom in
            pixels; null on a drawing without paper) and line (from 0).
        """
        with words.errors():
            return [_told(reading) for reading in network_of(network).read(require(image))]

    def answer_to(image: Image.Image | InputError | None, network: str, url: str = ""):
        if image is None:
            return message(words("digits.empty")), bars(words, ()), None
        try:
            readings = network_of(network).read(require(image))
        except ValueError as error:
            return message(words.sentence(error)), bars(words, ()), None
        if not readings:
            return message(words("digits.none")), bars(words, ()), None
        if len(readings) > MOST:
            sentence = words("digits.too_many", count=len(readings), most=MOST)
            return message(sentence), bars(words, ()), None
        told = answer(words, network, readings, image)
        return told, bars(words, readings), Shown(network, readings, is_draft(url), is_ours(url))

    def read_drawing(url: str, network: str):
        return *answer_to(read(url) if url else None, network, url or ""), "drawing"

    def read_photograph(url: str, network: str):
        return *answer_to(read(url) if url else None, network), "photograph"

    def read_upload(image: Image.Image | InputError | None, network: str):
        # A file that is no picture would stay on the page as a broken one: it is taken away.
        return *answer_to(image, network), "upload", None if isinstance(image, InputError) else gr.skip()

    def read_again(url: str, photo: str, image: Image.Image | None, network: str, last: str):
        if last == "photograph":
            return read_photograph(photo, network)
        return read_drawing(url, network) if last == "drawing" else read_upload(image, network)[:-1]

    def follow(shown: Shown | None):
        """What others say, and what decided: in one event, as each is a request of every draft."""
        return ask_others(shown), explain(shown)

    def ask_others(shown: Shown | None):
        if shown is None or len(shown.readings) > IN_DETAIL:
            return ""
        try:
            return verdicts(shown.readings, DigitClassifier.verdicts([one.seen for one in shown.readings]))
        except ValueError:  # the answer has said why
            return ""

    def explain(shown: Shown | None):
        if shown is None or shown.is_draft or len(shown.readings) > IN_DETAIL:
            return gr.skip()
        return decided(shown.network, shown.readings, explained(shown))

    def ask(shown: Shown | None):
        if shown is None:
            return comparison.message((), words("digits.empty"))
        if len(shown.readings) > IN_DETAIL:
            sentence = words("digits.too_many_to_ask", count=len(shown.readings), most=IN_DETAIL)
            return comparison.message(shown.readings, sentence)
        try:
            each = [DigitClassifier.compare(reading.seen) for reading in shown.readings]
        except ValueError as error:
            return comparison.message(shown.readings, words.sentence(error))
        return comparison.table(words, shown.readings, each)

    def tell(network: str):
        try:
            facts = network_of(network).facts
        except ValueError as error:
            return escape(words.sentence(error)), None
        return source(words, network, facts), save_file_to_cache(facts.weights, download.GRADIO_CACHE)

    outputs = [result, shares, shown, last]
    for event in (
        drawing.input(read_drawing, [drawing, network], outputs, **PAGE),
        photograph.input(read_photograph, [photograph, network], outputs, **PAGE),
        gr.on([upload.input, upload.clear], read_upload, [upload, network], [*outputs, upload], **PAGE),
        network.change(read_again, [drawing, photograph, upload, network, last], outputs, **PAGE),
    ):
        event.then(follow, shown, [said, heat], **PAGE)
    asked = ask_all.click(ask, shown, everyone, **PAGE)
    asked.then(None, None, None, js="() => lab.reveal('opinions')", api_visibility="private")
    gr.on(None, tell, network, [line, download], **PAGE)  # when the page opens, and when the network changes
    tells(upload, "digits")
    photograph.input(None, None, None, js="() => lab.bring('digits', true)", api_visibility="private")
    drawing.input(None, None, None, js="() => lab.bring('digits', false)", api_visibility="private")
    address.add("digits", network=network)
    if public:
        probabilities = gr.Label(label=words("digits.shares"), visible=False)
        digits = gr.JSON(label=words("digits.read"), visible=False)
        gr.Button(visible=False).click(read_page, [upload, network], digits, api_name="read", queue=False)
        gr.Button(visible=False).click(classify, [upload, network], probabilities, api_name="classify", queue=False)


def _told(reading: Reading) -> dict[str, Any]:
    box = [round(side, 1) for side in reading.box] if reading.box else None
    return {"digit": reading.digit, "share": round(reading.confidence, 4), "box": box, "line": reading.line}
