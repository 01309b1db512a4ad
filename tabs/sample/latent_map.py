"""Latent map: all that a network of two numbers can draw, on one plane; a point on it is a digit."""

from base64 import b64encode
from functools import cache
from html import escape

import gradio as gr
from PIL import Image

from models.pictures import mnist
from models.pipelines import LatentMap, Reading, classifier
from tabs import PAGE, Words
from tabs.address import Address
from tabs.digits.answer import whole_percent
from tabs.widgets.picture import data_url
from tabs.widgets.prose import muted, sentence

COLUMNS = 20
JUDGE = "mnist-resnet"  # says what stands at a place
BEGIN = 0.35, 0.35  # a clear digit: in the middle all ten meet
COLOURS = ("#e6194b", "#3cb44b", "#c9a200", "#4363d8", "#f58231", "#911eb4", "#17a2b8", "#d633b0", "#7a9a01", "#8c564b")

# The value is "x,y", both 0 to 1, y upwards. It is sent while the pointer moves, no more often than is seen.
SCRIPT = """
const plane = element.querySelector('.plane'), cross = element.querySelector('.cross');
const begin = cross.dataset.place;
let held = null, sent = 0;
const point = (x, y, now) => {
  x = Math.min(1, Math.max(0, x)); y = Math.min(1, Math.max(0, y));
  cross.style.left = 100 * x + '%'; cross.style.top = 100 * (1 - y) + '%';
  cross.dataset.place = x.toFixed(4) + ',' + y.toFixed(4);
  if (now || Date.now() - sent > 60) { sent = Date.now(); props.value = cross.dataset.place; trigger('input'); }
  if (now) lab.note('sample/map', 'place', cross.dataset.place, begin);
};
const at = (event, now) => {
  const box = plane.getBoundingClientRect();
  point((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height, now);
};
plane.addEventListener('pointerdown', (event) => {
  if (held !== null || event.button > 0) return;
  plane.setPointerCapture(event.pointerId); held = event.pointerId; at(event, true);
});
plane.addEventListener('pointermove', (event) => { if (held === event.pointerId) at(event, false); });
const lift = (event) => { if (held === event.pointerId) { held = null; at(event, true); } };
plane.addEventListener('pointerup', lift);
plane.addEventListener('pointercancel', (event) => { held = null; });
plane.addEventListener('keydown', (event) => {
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
  if (!step || lab.isCommand(event)) return;
  event.preventDefault();
  const [x, y] = cross.dataset.place.split(',').map(Number);
  point(x + step[0] / 50, y + step[1] / 50, true);
});
const asked = (lab.asked('sample/map', 'place') ?? '').split(',').map(Number);
if (asked.length === 2 && asked.every((share) => share >= 0 && share <= 1)) point(...asked, true);
"""


@cache
def latent_map() -> LatentMap:
    """The network behind the map, loaded once. Raises ValueError without its weights."""
    return LatentMap()


@cache
def _drawn() -> tuple[str, str]:
    """The plane, and the test digits on it, as addresses of pictures."""
    pictures, digits = mnist.examples()
    dots = "".join(
        f'<circle cx="{x:.4f}" cy="{1 - y:.4f}" r="0.006" fill="{COLOURS[digit]}"/>'
        for (x, y), digit in zip(latent_map().places(pictures).tolist(), digits.tolist(), strict=True)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{dots}</svg>'
    dots = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return data_url(latent_map().sheet(COLUMNS)), dots


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part. It has no endpoint: `sample` draws from the same network."""
    begin = ",".join(f"{share:.4f}" for share in BEGIN)
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=7):
            gr.HTML(muted(words("map.hint")), js_on_load=None)
            plane = gr.HTML(
                value=begin,
                html_template=f"""
<div class="plane" tabindex="0" role="application" aria-label="{escape(words("map.label"))}">
  <i class="cross" data-place="{begin}" style="left: {BEGIN[0]:.0%}; top: {1 - BEGIN[1]:.0%}"></i>
</div>""",
                js_on_load=SCRIPT,
                elem_id="map",
            )
            overlay = gr.Checkbox(False, label=words("map.overlay"), elem_id="map-overlay")
            legend = gr.HTML(elem_classes="legend")
        with gr.Column(min_width=200, scale=5):
            result = gr.HTML(elem_id="map-digit")
    picture = gr.HTML(visible="hidden")  # the style sheet with the plane and the dots

    def paint(shown: bool):
        try:
            url, dots = _drawn()
        except ValueError as error:
            return "", sentence(words.sentence(error))
        layers = f"url({dots}), url({url})" if shown else f"url({url})"
        style = f"<style>:root {{ --plane: {layers}; }}</style>"
        keys = "".join(f'<b style="--colour: {colour}">{digit}</b>' for digit, colour in enumerate(COLOURS))
        return style, keys + _places(words) if shown else ""

    def decode(place: str):
        try:
            x, y = map(float, place.split(","))
            seen = latent_map().at(x, y)
        except ValueError as error:
            return sentence(words.sentence(error))
        return _digit(words, seen, x, y, classifier(JUDGE).readings([seen])[0])

    gr.on(None, paint, overlay, [picture, legend], **PAGE)
    gr.on([plane.input], decode, plane, result, **PAGE)
    gr.on(None, decode, plane, result, **PAGE)
    address.add("sample/map", dots=overlay)


def _places(words: Words) -> str:
    """Where the test digits lie, as a table: the middle of each digit's."""
    pictures, digits = mnist.examples()
    places = latent_map().places(pictures)
    rows = "".join(
        f'<tr><th scope="row">{digit}</th><td>{x:.2f}</td><td>{y:.2f}</td></tr>'
        for digit in range(10)
        for x, y in [places[digits == digit].median(0).values.tolist()]
    )
    heads = "".join(f'<th scope="col">{escape(words(f"map.{key}"))}</th>' for key in ("of", "across", "up"))
    return (
        f"<details><summary>{escape(words('map.table'))}</summary>"
        f'<table class="methods"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></details>'
    )


def _digit(words: Words, seen: Image.Image, x: float, y: float, reading: Reading) -> str:
    read = words("rebuild.none")
    if reading.is_digit:
        read = words("rebuild.read", digit=reading.digit, percent=whole_percent(reading.confidence))
    where = escape(f"{words('map.place', x=f'{x:.2f}', y=f'{y:.2f}')}: {read}")
    return (
        f'<figure class="large"><img class="pixels" src="{data_url(seen)}" alt="{where}">'
        f"<figcaption data-said>{where}</figcaption></figure>"
    )
