"""Digits: draw one, or bring a picture, and a network names it."""

import base64
import io
from functools import cache
from html import escape
from threading import Lock

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

import models
from models.errors import InputError
from models.pipelines import DigitClassifier
from tabs import Words
from tabs.pad import pad
from tabs.picture import Picture, read, require

DEFAULT = "mnist-resnet"
SURE = 0.8  # below it the runner-up is named too
TITLES = {"mnist-dense": "Dense", "mnist-resnet": "ResNet"}

loaded = cache(DigitClassifier)
_loading = Lock()


def classifier(network: str) -> DigitClassifier:
    """The network of that name, loaded once. Raises InputError for a name that the page does not offer."""
    names = models.names(task="classification")
    if network not in names:
        offered = ", ".join(names)
        raise InputError("network_unknown", f"There is no such network: choose one of {offered}.", offered=offered)
    with _loading:  # visitors who come together wait for one loading instead of each starting their own
        return loaded(network)


def build(words: Words, *, public: bool) -> None:
    """Lay out the tab. The endpoint is made where `public`; the events that serve the page are private."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            drawing = pad(words, elem_id="pad")
            with gr.Accordion(words("digits.or_picture"), open=False, elem_id="picture"):
                upload = Picture(
                    label=words("digits.picture"),
                    placeholder=words("picture.placeholder"),
                    sources=["upload", "clipboard"],
                    height=220,
                )
        with gr.Column(min_width=280, scale=7):
            answer = gr.HTML(_message(words("digits.empty")), elem_id="answer")
            label = gr.Label(num_top_classes=3, show_heading=False, show_label=False, elem_id="label")
            with gr.Row(elem_classes="controls"):
                network = gr.Dropdown(
                    [(TITLES[name], name) for name in models.names(task="classification")],
                    value=DEFAULT,
                    label=words("digits.network"),
                    filterable=False,
                    min_width=180,
                    elem_id="network",
                )
                with gr.Column(min_width=220):
                    source = gr.HTML(elem_id="source")
                    download = gr.DownloadButton(words("digits.download"), size="sm", elem_id="download")
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("digits.how"))
    network.preprocess = lambda name: name  # `classifier` says what is wrong with it, and prints no traceback
    # Which of the two was used last: a change of network reads that one again.
    last = gr.State("drawing")

    def classify(image: Image.Image, network: str = DEFAULT) -> dict[str, float]:
        """Name the handwritten digit in a picture of any size, mode and polarity.

        Args:
            image: a drawing, scan or photograph of one digit.
            network: which network reads it.

        Returns:
            The probability of each digit, "0" to "9".
        """
        with words.errors():
            return classifier(network)(require(image))

    def answer_to(image: Image.Image | InputError | None, network: str) -> tuple[str, dict[str, float] | None]:
        if image is None:
            return _message(words("digits.empty")), None
        try:
            shares = classifier(network)(require(image))
            return _answer(words, shares, classifier(network).prepare(image)), shares
        except ValueError as error:
            return _message(words.sentence(error)), None

    def read_drawing(url: str, network: str):
        return *answer_to(read(url) if url else None, network), "drawing"

    def read_upload(image: Image.Image | InputError | None, network: str):
        # A file that is no picture would stay on the page as a broken one: it is taken away.
        return *answer_to(image, network), "upload", None if isinstance(image, InputError) else gr.skip()

    def read_again(url: str, image: Image.Image | None, network: str, last: str):
        return read_drawing(url, network) if last == "drawing" else read_upload(image, network)[:3]

    def tell(network: str):
        try:
            facts = classifier(network).facts
        except ValueError as error:
            return escape(words.sentence(error)), None
        return _source(words, facts), save_file_to_cache(facts.weights, download.GRADIO_CACHE)

    # The last of several events counts: one that comes while an answer is awaited must not be lost.
    page = {
        "queue": False,
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "api_visibility": "private",
    }
    shown = [answer, label, last]
    drawing.input(read_drawing, [drawing, network], shown, **page)
    gr.on([upload.input, upload.clear], read_upload, [upload, network], [*shown, upload], **page)
    network.input(read_again, [drawing, upload, network, last], shown, **page)
    gr.on(None, tell, network, [source, download], **page)  # when the page opens, and when the network changes
    if public:
        # The page's label shows the best three; the endpoint gives all ten.
        shares = gr.Label(label=words("digits.shares"), visible=False)
        gr.Button(visible=False).click(classify, [upload, network], shares, api_name="classify", queue=False)


def _answer(words: Words, shares: dict[str, float], seen: Image.Image) -> str:
    (first, share), (second, _) = sorted(shares.items(), key=lambda item: -item[1])[:2]
    percent = min(99, round(share * 100))  # no network is a hundred per cent sure
    key = "digits.sure" if share >= SURE else "digits.unsure"
    sentence = words(key, percent=percent, digit=first, second=second)
    buffer = io.BytesIO()
    seen.save(buffer, "PNG")
    picture = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    caption = escape(words("digits.seen"))
    return (
        f'<div class="answer"><b class="numeral">{first}</b><span class="sentence">{escape(sentence)}</span>'
        f'<figure><img class="pixels" src="{picture}" alt="{caption}"><figcaption>{caption}</figcaption></figure></div>'
    )


def _message(sentence: str) -> str:
    return f'<div class="answer"><b class="numeral muted">?</b><span class="sentence">{escape(sentence)}</span></div>'


def _source(words: Words, facts) -> str:
    size = words("digits.parameters", millions=f"{facts.parameters / 1e6:.1f}")
    accuracy = words("digits.accuracy", percent=f"{facts.accuracy:.2%}".rstrip("%")) if facts.accuracy else ""
    place = words(f"source.{facts.provenance.source}", repo_id=facts.provenance.repo_id)
    notes = "".join(
        f'<details><summary>{escape(words("source.fallback"))}</summary><span lang="en">{escape(note)}</span></details>'
        for note in facts.provenance.notes
    )
    return escape(" · ".join(part for part in (facts.architecture, size, accuracy, place) if part)) + notes
