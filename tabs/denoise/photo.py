"""Photographs: a noisy one, or a clean one that gets something to suffer from; before and after in one picture."""

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

import gradio as gr
from PIL import Image

from models.errors import InputError
from models.networks.denoisers import LARGEST_SIGMA
from models.pictures import corruptions, photographs
from models.pipelines import Denoiser, compare, damaged, denoiser, quality
from models.pipelines.comparison import COMPARED
from models.pipelines.denoiser import names
from models.pipelines.noise import Noise
from tabs import PAGE, Words
from tabs.address import Address
from tabs.head import STATIC
from tabs.widgets.before_after import address as shown_at
from tabs.widgets.before_after import before_after, changed, part_of, tiles
from tabs.widgets.damage import damage
from tabs.widgets.examples import examples
from tabs.widgets.files import kept, png
from tabs.widgets.methods import method, psnr, ssim, table
from tabs.widgets.networks import chosen, source
from tabs.widgets.picture import Picture, absent, require, tells
from tabs.widgets.prose import muted, sentence
from tabs.widgets.slider import Slider

NETWORK = "photo-denoiser"
VIEW = "denoise/photo"
CLEAN, NOISY = "clean", "noisy"
# What the page opens with, made by tests/browser/makers/firsts.py: a photograph with a camera's noise, cleaned.
FIRST = STATIC / "first" / "denoise"
# Large photographs take their time and their memory: one after the other.
PROGRESS = gr.Progress()
WORK = {"concurrency_id": "denoise", "concurrency_limit": 1}

Given = Image.Image | InputError | None


def offered() -> dict[str, Path]:
    """Photographs to try: the first is noisy, the others are clean."""
    clean = {path.stem: path for path in photographs.examples()}
    return {"noisy": FIRST / "noisy.jpg", "coffee": clean["coffee"], "chelsea": clean["chelsea"]}


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part, and make the endpoint `denoise` where `public`."""
    first = json.loads((FIRST / "said.json").read_text("utf-8"))
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            some = examples(words, "photo-examples", VIEW, offered())
            upload = Picture(
                str(offered()["noisy"]),
                label=words("photo.picture"),
                placeholder=words("picture.placeholder"),
                sources=["upload", "webcam", "clipboard"],
                buttons=[],
                height=200,
                elem_id="photo",
            )
            path = gr.Radio(
                [(words("photo.is_noisy"), NOISY), (words("photo.is_clean"), CLEAN)],
                value=NOISY,
                label=words("photo.path"),
                elem_id="photo-path",
                elem_classes="pills",
            )
            with gr.Column(visible=False) as harm:
                controls = damage(words, corruptions.PHOTOS, "photo-damage", VIEW)
            sigma = Slider(
                0,
                LARGEST_SIGMA,
                _shown(Noise(first["sigma"], first["kind"])),
                step=0.5,
                label=words("photo.sigma"),
                info=words("photo.sigma_info"),
                elem_id="sigma",
            )
            grain = Slider(
                0, 1, 0, step=0.05, label=words("photo.grain"), info=words("photo.grain_info"), elem_id="grain"
            )
            gr.HTML(muted(words("photo.no_noise")), js_on_load=None)
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            both = gr.HTML(_first(words, first), elem_id="before-after", js_on_load=None)
            gallery = gr.HTML(elem_id="attempts", visible=False, js_on_load=None)
            line = gr.HTML(
                _found(words, Noise(first["sigma"], first["kind"])), elem_id="denoised", elem_classes="source"
            )
            with gr.Row(elem_classes="buttons"):
                everyone = gr.Button(words("photo.compare"), size="sm", elem_id="denoise-compare")
                download = gr.DownloadButton(
                    words("photo.download"), str(FIRST / "denoised.png"), size="sm", elem_id="denoise-download"
                )
                stop = gr.Button(words("photo.stop"), size="sm", visible=False, elem_id="denoise-stop")
            figures = gr.HTML(elem_id="methods", js_on_load=None)
    path.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def denoise(image: Image.Image, network: str = NETWORK, sigma: float | None = None) -> tuple[str, float]:
        """Take the noise away from a picture.

        Args:
            image: a photograph of any size and mode; for a network of digits 28x28 pixels, white on black.
            network: which one; `photo-denoiser` is for photographs.
            sigma: deviation of the noise on the 0-255 scale, 0 to 75; left out it is estimated.

        Returns:
            The picture, of the same size, a PNG; and the sigma that was used, 0 for networks of digits.
        """
        with words.errors():
            pipeline: Denoiser = chosen(network, names(), denoiser)
            picture = require(image)
            noise = pipeline.judge(picture) if sigma is None else Noise(sigma, "told")
            *_, (_, clean) = pipeline.steps(picture, noise.sigma, kind=_judged(noise))
            return png(clean, "denoised", download), 0.0 if pipeline.digits else round(noise.sigma, 2)

    def pair(image: Given, path: str, kind: str, strength: float, seed: int) -> tuple[Image.Image, Image.Image | None]:
        """What is to be denoised, and the same without noise where that is known."""
        picture = require(image)
        picture = photographs.packed(*photographs.unpacked(picture), picture)  # in a mode that the page can show
        if path == NOISY:
            return picture, None
        return damaged(picture, corruptions.PHOTOS, kind, strength, seed), picture

    def work(
        image: Given,
        path: str,
        kind: str,
        strength: float,
        seed: int,
        grain: float,
        asked: set,
        corrected: float | None = None,
        progress: gr.Progress = PROGRESS,
    ) -> Iterator:
        # From here on it can be stopped, if there is something to stop; and what was compared is of another picture.
        asked.clear()
        shown = {gallery: gr.update(visible=False), both: gr.update(visible=True), figures: ""}
        yield {stop: gr.update(visible=image is not None), **shown}
        try:
            pipeline = denoiser(NETWORK)
            noisy, clean = pair(image, path, kind, strength, seed)
            noise = Noise(strength, "told") if clean and kind == "gaussian" else pipeline.judge(noisy)
            if corrected is not None and corrected != _shown(noise):  # who only passes by corrects nothing
                noise = Noise(corrected, "told")
            steps = pipeline.steps(noisy, noise.sigma, grain, _judged(noise))
            for share, picture in steps:  # noqa: B007, the last one stays
                if asked:
                    yield {both: "", line: stopped, download: None}
                    return
                progress(share, desc=words("photo.working"))
                yield {stop: gr.skip()}  # a visitor who has left is not worked for
            told = _gained(words, clean, noisy, picture) if clean else _found(words, noise)
            notes = "".join(f"<br>{escape(words(f'lost.{name}'))}" for name in photographs.lost(image))
            files = png(noisy, "noisy", download), png(picture, "denoised", download)
            done = {
                both: _both(words, files, noisy, picture),
                line: f"{told}{notes}<br>{source(words, NETWORK, pipeline.facts)}",
                download: files[1],
            }
            if corrected is None:  # a visitor who corrects it may have gone on since
                done[sigma] = _shown(noise)
        except ValueError as error:
            done = {both: "", line: sentence(words.sentence(error)), download: None}
            if image is None:  # one that was taken away since it was none leaves what was said of it
                done[line] = gr.skip()
            if isinstance(image, InputError):  # a broken file leaves no broken picture behind
                done[upload] = None
        yield {**done, stop: gr.update(visible=False)}

    def end(asked: set) -> dict:
        asked.add(True)
        return gr.update(visible=False)

    def ask(image: Given, path: str, kind: str, strength: float, seed: int, sigma: float):
        try:
            noisy, clean = pair(image, path, kind, strength, seed)
            attempts = compare(noisy, clean, sigma)
        except ValueError as error:
            return gr.skip(), gr.skip(), sentence(words.sentence(error))
        noisy, clean = (one and photographs.middle(one, COMPARED) for one in (noisy, clean))
        before = quality(clean, noisy) if clean else None
        shown = [(clean, words("methods.clean"), "")] if clean else []
        shown += [(noisy, words("methods.before"), f"{psnr(before)} dB" if before else "")]
        shown += [
            (one.picture, method(words, one.name), f"{psnr(one.quality)} dB" if one.quality else "") for one in attempts
        ]
        notes = [] if clean else [words("photo.by_eye")]
        notes += [words("photo.part", side=COMPARED)] if image.size != noisy.size else []
        part = "".join(map(muted, notes))
        cells = [(shown_at(png(one, "part", download)), title, figure) for one, title, figure in shown]
        return (
            gr.update(visible=False),
            gr.update(visible=True, value=tiles(words, words("photo.gallery"), cells)),
            part + table(words, before, attempts),
        )

    def take(told: str) -> tuple[str | None, str]:
        """An example, and whether it is noisy: by its name, or by what an address says behind that."""
        name, _, asked = str(told).partition("/")
        usual = NOISY if name == "noisy" else CLEAN
        return kept(offered()[name], upload) if name in offered() else None, asked if asked in (NOISY, CLEAN) else usual

    # Gradio's own way to stop an event waits for the part under way, and drops what the visitor asks for meanwhile.
    asked = gr.State(set())
    stopped, none = (sentence(text) for text in (words("photo.stopped"), words.sentence(absent())))
    given = [upload, path, *controls.values]
    shown = [both, line, sigma, download, stop, gallery, figures, upload]
    working = {"show_progress_on": both, "trigger_mode": "always_last", "api_visibility": "private", **WORK}
    said = address.said(VIEW)
    triggers = [upload.change, path.input, controls.strength.release, controls.seed.change, said.change]
    gr.on(triggers, work, [*given, grain, asked], shown, **working)
    controls.renewed.then(work, [*given, grain, asked], shown, **working)
    gr.on([sigma.release, grain.release], work, [*given, grain, asked, sigma], shown, **working)
    beside = f"(name) => [name, lab.beside('{VIEW}', 'picture', name, 'path')].filter(Boolean).join('/')"
    some.input(take, some, [upload, path], js=beside, **PAGE)
    path.change(lambda path: gr.update(visible=path == CLEAN), path, harm, **PAGE)
    tells(upload, VIEW)
    upload.clear(lambda: none, None, line, **PAGE)
    stop.click(end, asked, stop, **PAGE)
    everyone.click(
        ask, [*given, sigma], [both, gallery, figures], show_progress_on=both, api_visibility="private", **WORK
    )
    named = {"damage": controls.kind, "strength": controls.strength, "seed": controls.seed}
    address.add(VIEW, {"path": "picture", "strength": "damage"}, path=path, grain=grain, **named)
    if public:  # with pictures of its own: a caller who sends none is told so, and gets no example
        picture = Picture(visible=False, label=words("photo.picture"))
        network = gr.Textbox(NETWORK, visible=False, label=words("network"))
        level = gr.Number(None, visible=False, label=words("photo.sigma"))
        level.preprocess = lambda value: value
        found = [
            gr.Image(visible=False, label=words("photo.result")),
            gr.Number(visible=False, label=words("photo.sigma")),
        ]
        gr.Button(visible=False).click(denoise, [picture, network, level], found, api_name="denoise", **WORK)


def _first(words: Words, said: dict) -> str:
    """What the page opens with: no network has to run for it."""
    pictures = ("lab/first/denoise/noisy.jpg", "lab/first/denoise/denoised.webp")
    size = tuple(said["size"])
    part = (*part_of(size, (0.45, 0.3)), words("photo.full"))
    return before_after(words("photo.slider"), _sides(words), pictures, size, 0.5, part)


def _both(words: Words, files: tuple[str, str], noisy: Image.Image, picture: Image.Image) -> str:
    at = changed(noisy, picture)
    part = (*part_of(noisy.size, at), words("photo.full"))
    return before_after(words("photo.slider"), _sides(words), tuple(map(shown_at, files)), noisy.size, at[0], part)


def _sides(words: Words) -> tuple[str, str]:
    return words("methods.before"), words("methods.after")


def _gained(words: Words, clean: Image.Image, noisy: Image.Image, picture: Image.Image) -> str:
    """What the work was good for."""
    before, after = quality(clean, noisy), quality(clean, picture)
    values = {"psnr": psnr(before), "better": psnr(after), "ssim": ssim(before), "similar": ssim(after)}
    return f'<b class="figures" data-said>{escape(words("photo.gained", **values))}</b>'


def _judged(noise: Noise) -> str | None:
    """Of which kind a photograph's noise was judged to be; None where somebody told how strong it is."""
    return None if noise.kind == "told" else noise.kind


def _shown(noise: Noise) -> float:
    """What the slider shows of it."""
    return round(2 * noise.sigma) / 2


def _found(words: Words, noise: Noise) -> str:
    """Of a noisy photograph: how noisy it is, in words."""
    said = f"{noise.sigma:.1f}" if noise.kind == "told" or noise.sigma < 3 else f"{noise.sigma:.0f}"
    return f'<b class="figures" data-said>{escape(words(f"noise.{noise.kind}", sigma=said))}</b>'
