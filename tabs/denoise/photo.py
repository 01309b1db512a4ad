"""Photographs: a noisy one, or a clean one that gets something to suffer from; before and after in one picture."""

from collections.abc import Iterator
from html import escape

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

from models.errors import InputError
from models.networks.denoisers import LARGEST_SIGMA
from models.pictures import corruptions, photographs
from models.pipelines import Denoiser, compare, damaged, denoiser, quality
from models.pipelines.comparison import COMPARED
from models.pipelines.denoiser import names
from tabs import PAGE, Words
from tabs.widgets.damage import damage
from tabs.widgets.files import png
from tabs.widgets.methods import method, psnr, ssim, table
from tabs.widgets.networks import chosen, source
from tabs.widgets.picture import Picture, grid, require
from tabs.widgets.slider import Slider

NETWORK = "photo-denoiser"
CLEAN, NOISY = "clean", "noisy"
# Large photographs take their time and their memory: one after the other.
PROGRESS = gr.Progress()
WORK = {"concurrency_id": "denoise", "concurrency_limit": 1}

Given = Image.Image | InputError | None


def build(words: Words, opened: gr.Tab, *, public: bool) -> None:
    """Lay out the part, and make the endpoint `denoise` where `public`; the example comes once the tab is `opened`."""
    examples = photographs.examples()
    both = gr.ImageSlider(label=words("photo.slider"), max_height=520, elem_id="before-after", buttons=["fullscreen"])
    line = gr.HTML(elem_id="denoised", elem_classes="source")
    with gr.Row(elem_classes="buttons"):
        everyone = gr.Button(words("photo.compare"), size="sm", elem_id="denoise-compare")
        download = gr.DownloadButton(words("photo.download"), size="sm", elem_id="denoise-download")
        stop = gr.Button(words("photo.stop"), size="sm", visible=False, elem_id="denoise-stop")
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            upload = Picture(
                label=words("photo.picture"),
                placeholder=words("picture.placeholder"),
                sources=["upload", "webcam", "clipboard"],
                height=240,
                elem_id="photo",
            )
            gr.Examples([[str(path)] for path in examples], upload, label=words("photo.examples"))
        with gr.Column(min_width=280, scale=7):
            path = gr.Radio(
                [(words("photo.is_clean"), CLEAN), (words("photo.is_noisy"), NOISY)],
                value=CLEAN,
                label=words("photo.path"),
                elem_id="photo-path",
            )
            with gr.Column() as harm:
                controls = damage(words, corruptions.PHOTOS, "photo-damage")
            sigma = Slider(
                0,
                LARGEST_SIGMA,
                25,
                step=0.5,
                label=words("photo.sigma"),
                info=words("photo.sigma_info"),
                elem_id="sigma",
            )
    gallery = grid(3, label=words("photo.gallery"), elem_id="attempts", visible=False)
    figures = gr.HTML(elem_id="methods")
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
            level = pipeline.estimate(picture) if sigma is None else sigma
            clean = pipeline(picture, level)
            return png(clean, "denoised", download), 0.0 if pipeline.digits else round(level, 2)

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
        asked: set,
        corrected: float | None = None,
        progress: gr.Progress = PROGRESS,
    ) -> Iterator:
        # From here on it can be stopped, if there is something to stop; and what was compared is of another picture.
        asked.clear()
        yield {stop: gr.update(visible=image is not None), gallery: gr.update(visible=False), figures: ""}
        try:
            pipeline, level = denoiser(NETWORK), corrected
            noisy, clean = pair(image, path, kind, strength, seed)
            if level is None:
                level = strength if clean and kind == "gaussian" else pipeline.estimate(noisy)
            for share, picture in pipeline.steps(noisy, level):  # noqa: B007, the last one stays
                if asked:
                    yield {both: None, line: stopped, download: None}
                    return
                progress(share, desc=words("photo.working"))
                yield {stop: gr.skip()}  # a visitor who has left is not worked for
            told = _gained(words, clean, noisy, picture) if clean else _told(words, corrected, level)
            notes = "".join(f"<br>{escape(words(f'lost.{name}'))}" for name in photographs.lost(image))
            files = png(noisy, "noisy", download), png(picture, "denoised", download)
            done = {both: files, line: f"{told}{notes}<br>{source(words, NETWORK, pipeline.facts)}", download: files[1]}
            if corrected is None:  # a visitor who corrects it may have gone on since
                done[sigma] = round(2 * level) / 2
        except ValueError as error:
            done = {both: None, line: f'<p class="sentence">{escape(words.sentence(error))}</p>', download: None}
        yield {**done, stop: gr.update(visible=False)}

    def end(asked: set) -> dict:
        asked.add(True)
        return gr.update(visible=False)

    def ask(image: Given, path: str, kind: str, strength: float, seed: int, sigma: float):
        try:
            noisy, clean = pair(image, path, kind, strength, seed)
            attempts = compare(noisy, clean, sigma)
        except ValueError as error:
            return gr.update(visible=False), f'<p class="sentence">{escape(words.sentence(error))}</p>'
        noisy, clean = (one and photographs.middle(one, COMPARED) for one in (noisy, clean))
        shown = [(one, words(key)) for one, key in ((clean, "methods.clean"), (noisy, "methods.before")) if one]
        shown += [(one.picture, method(words, one.name)) for one in attempts]
        part = "" if image.size == noisy.size else f'<p class="muted">{escape(words("photo.part", side=COMPARED))}</p>'
        before = quality(clean, noisy) if clean else None
        return gr.update(visible=True, value=shown), part + table(words, before, attempts)

    def example(said: str) -> str | dict:
        # A copy of ours: Gradio refuses files that lie neither below the working directory nor in its cache.
        return gr.skip() if said else save_file_to_cache(examples[0], upload.GRADIO_CACHE)

    # Gradio's own way to stop an event waits for the part under way, and drops what the visitor asks for meanwhile.
    asked = gr.State(set())
    stopped = f'<p class="sentence">{escape(words("photo.stopped"))}</p>'
    given = [upload, path, *controls.values]
    shown = [both, line, sigma, download, stop, gallery, figures]
    working = {"show_progress_on": both, "trigger_mode": "always_last", "api_visibility": "private", **WORK}
    triggers = [upload.change, path.input, controls.strength.release, controls.seed.change]
    gr.on(triggers, work, [*given, asked], shown, **working)
    controls.renewed.then(work, [*given, asked], shown, **working)
    sigma.release(work, [*given, asked, sigma], shown, **working)
    opened.select(example, line, upload, **PAGE)
    path.input(lambda path: gr.update(visible=path == CLEAN), path, harm, **PAGE)
    stop.click(end, asked, stop, **PAGE)
    everyone.click(ask, [*given, sigma], [gallery, figures], show_progress_on=figures, api_visibility="private", **WORK)
    if public:
        network = gr.Textbox(NETWORK, visible=False, label=words("network"))
        level = gr.Number(None, visible=False, label=words("photo.sigma"))
        level.preprocess = lambda value: value
        found = [
            gr.Image(visible=False, label=words("photo.result")),
            gr.Number(visible=False, label=words("photo.sigma")),
        ]
        gr.Button(visible=False).click(denoise, [upload, network, level], found, api_name="denoise", **WORK)


def _gained(words: Words, clean: Image.Image, noisy: Image.Image, picture: Image.Image) -> str:
    """What the work was good for."""
    before, after = quality(clean, noisy), quality(clean, picture)
    values = {"psnr": psnr(before), "better": psnr(after), "ssim": ssim(before), "similar": ssim(after)}
    return f'<b class="figures">{escape(words("photo.gained", **values))}</b>'


def _told(words: Words, corrected: float | None, level: float) -> str:
    """Of a noisy photograph: how noisy it is."""
    said = words("photo.estimated" if corrected is None else "photo.corrected", sigma=f"{level:.1f}")
    return f'<b class="figures">{escape(said)}</b>'
