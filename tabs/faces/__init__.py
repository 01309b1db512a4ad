"""Faces: hide a part of one in a photograph, and see it made up again."""

from html import escape
from typing import NamedTuple

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from PIL import Image

from models.errors import InputError
from models.pictures import corruptions, photographs
from models.pictures.faces import Square, centre, find
from models.pipelines import compare_faces, hidden, quality_inside, reconstructor
from models.pipelines.reconstructor import FaceReconstructor, names
from tabs import PAGE, ROLL, Words
from tabs.widgets.files import png
from tabs.widgets.methods import method, psnr, ssim, table
from tabs.widgets.networks import chosen, source
from tabs.widgets.picture import Picture, grid, require

NETWORK = "face-gan"
BRUSH = "brush"
SEED = 22  # hides an eye of the example
VIEW = 512  # pixels on the longer side of what is painted on
ROOM = 0.25  # of a face's side, that is shown around it
INK = "#000000"
WORK = {"concurrency_id": "faces", "concurrency_limit": 1}

Given = Image.Image | InputError | None


class Found(NamedTuple):
    """Where the faces of the photograph are, which of them was picked, and whether any was found at all."""

    faces: list[Square]
    picked: int = 0
    any: bool = True

    @property
    def face(self) -> Square:
        """The one that was picked."""
        return self.faces[self.picked]


def build(words: Words, opened: gr.Tab, *, public: bool) -> None:
    """Lay out the tab, and make the endpoint `reconstruct` where `public`; the example comes once it is `opened`."""
    examples = photographs.faces()
    strip = grid(3, label=words("faces.strip"), elem_id="face-strip")
    line = gr.HTML(elem_id="reconstructed", elem_classes="source")
    with gr.Row(elem_classes="buttons"):
        everyone = gr.Button(words("photo.compare"), size="sm", elem_id="faces-compare")
        download = gr.DownloadButton(words("photo.download"), size="sm", elem_id="faces-download")
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            upload = Picture(
                label=words("faces.picture"),
                placeholder=words("picture.placeholder"),
                sources=["upload", "webcam", "clipboard"],
                height=240,
                elem_id="face-photo",
            )
            gr.Examples([[str(path)] for path in examples], upload, label=words("photo.examples"))
            whose = gr.Gallery(
                visible=False,
                columns=5,
                height="auto",
                object_fit="cover",
                allow_preview=False,
                buttons=[],
                label=words("faces.whose"),
                elem_id="whose",
                elem_classes="pictures-grid",
            )
        with gr.Column(min_width=280, scale=7):
            kind = gr.Radio(
                [(words(f"mask.{name}"), name) for name in (*corruptions.MASKS, BRUSH)],
                value=next(iter(corruptions.MASKS)),
                label=words("mask"),
                elem_id="mask-kind",
            )
            with gr.Row(elem_classes="seed") as place:
                seed = gr.Number(SEED, label=words("sample.seed"), precision=None, elem_id="mask-seed")
                dice = gr.Button(words("sample.dice"), size="sm", elem_id="mask-dice")
            canvas = gr.ImageEditor(
                visible=False,
                type="pil",
                sources=(),
                transforms=(),
                layers=False,
                buttons=[],
                brush=gr.Brush(default_size=48, colors=[INK], default_color=INK, color_mode="fixed"),
                label=words("faces.canvas"),
                elem_id="face-canvas",
            )
    gallery = grid(6, label=words("photo.gallery"), elem_id="fillings", visible=False)
    figures = gr.HTML(elem_id="face-methods")
    both = gr.ImageSlider(label=words("faces.slider"), max_height=520, elem_id="face-slider", buttons=["fullscreen"])
    found = gr.State()
    for given in (kind, seed):
        given.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def look(image: Given):
        """Find the faces, and show them to choose from where there are several."""
        try:
            picture = require(image)
        except InputError:
            return None, gr.update(visible=False), None
        faces = find(picture)
        several = len(faces) > 1
        crops = [_shown(picture.crop(face.box)).convert("RGB").resize((128, 128)) for face in faces] if several else []
        state = Found(faces) if faces else Found([centre(picture)], any=False)
        return state, gr.update(visible=several, value=crops, selected_index=None), _painted_on(picture, state.face)

    def pick(image: Given, found: Found, event: gr.SelectData):
        found = found._replace(picked=event.index)
        return found, _painted_on(require(image), found.face)

    def mask(picture: Image.Image, face: Square, kind: str, seed: int, drawn: dict | None) -> Image.Image:
        return _brushed(picture, face, drawn) if kind == BRUSH else hidden(picture, face, kind, seed)

    def work(image: Given, found: Found | None, kind: str, seed: int, drawn: dict | None):
        cleared = {gallery: gr.update(visible=False), figures: ""}
        if kind == BRUSH and not (drawn and any(layer.getbbox() for layer in drawn["layers"])):
            return {**cleared, line: f'<p class="sentence">{escape(words("faces.paint"))}</p>'}
        try:
            photo = require(image)
            if found is None:  # asked for by the picture that was here before; this one's faces are being looked for
                return {line: gr.skip()}
            picture, pipeline = _shown(photo), reconstructor(NETWORK)
            gone = mask(picture, found.face, kind, seed, drawn)
            whole = pipeline(picture, gone, found.face)
            quality = quality_inside(picture, whole, gone)
        except ValueError as error:
            said = f'<p class="sentence">{escape(words.sentence(error))}</p>'
            return {**cleared, both: None, line: said, download: None, strip: None}
        covered = _covered(picture, gone)
        told = words("faces.gained", psnr=psnr(quality), ssim=ssim(quality))
        notes = [words("faces.none")] * (not found.any) + [words(f"lost.{name}") for name in photographs.lost(image)]
        text = "".join(f"<br>{escape(note)}" for note in [*notes, words("faces.plausible"), words("faces.licence")])
        files = png(covered, "hidden", both), png(whole, "reconstructed", both)
        views = [one.crop(found.face.box).resize((256, 256)) for one in (covered, whole, picture)]
        titles = [words(f"faces.{name}") for name in ("hidden", "reconstructed", "true")]
        return {
            **cleared,
            both: files,
            line: f'<b class="figures">{escape(told)}</b>{text}<br>{source(words, NETWORK, pipeline.facts)}',
            download: files[1],
            strip: list(zip(views, titles, strict=True)),
        }

    def ask(image: Given, found: Found | None, kind: str, seed: int, drawn: dict | None):
        try:
            photo = require(image)
            if found is None:  # its faces are being looked for
                return gr.skip(), gr.skip()
            picture = _shown(photo)
            gone = mask(picture, found.face, kind, seed, drawn)
            attempts = compare_faces(picture, gone, found.face)
        except ValueError as error:
            return gr.update(visible=False), f'<p class="sentence">{escape(words.sentence(error))}</p>'
        pictures = [(one.picture, method(words, one.name)) for one in attempts]
        pictures = [(_covered(picture, gone), words("faces.hidden")), *pictures, (picture, words("faces.true"))]
        crops = [(one.crop(found.face.box).resize((256, 256)), title) for one, title in pictures]
        return gr.update(visible=True, value=crops), table(words, None, attempts)

    def reconstruct(
        image: Image.Image, mask: Image.Image | None = None, kind: str = "box", seed: int = 0, network: str = NETWORK
    ) -> str:
        """Hide a part of a face in a photograph, and make it up again.

        Args:
            image: a photograph of any size and mode, with a face in it.
            mask: of the same size, white, or a colour on black, where something is missing; left out, `kind` and `seed`
                say what is hidden.
            kind: `box` of 28 pixels where the face has 128, `boxes`, `strokes` or `half`, of the largest face.
            seed: where it is.
            network: `face-gan`, `face-unet` or `face-ae`.

        Returns:
            The photograph, of the same size, a PNG; what was not hidden is as it was.
        """
        with words.errors():
            pipeline: FaceReconstructor = chosen(network, names(), reconstructor)
            picture, face = require(image), None
            if mask is None:
                face = next(iter(find(picture)), centre(picture))
                mask = hidden(picture, face, kind, seed)
            whole = pipeline(picture, require(mask), face)
            if said := whole.info.get("hidden"):
                gr.Info(words(f"hidden.{said}"))
            return png(whole, "reconstructed", both)

    def tools(image: Given, found: Found | None, kind: str):
        brush = kind == BRUSH
        picture = None if found is None or not brush else _painted_on(require(image), found.face)
        return gr.update(visible=not brush), gr.update(visible=brush, value=picture)

    def example(said: str) -> str | dict:
        return gr.skip() if said else save_file_to_cache(examples[0], upload.GRADIO_CACHE)

    given = [upload, found, kind, seed, canvas]
    outputs = [both, line, download, strip, gallery, figures]
    working = {"show_progress_on": both, "trigger_mode": "always_last", "api_visibility": "private", **WORK}
    looked = upload.change(
        look, upload, [found, whose, canvas], api_visibility="private", show_progress="hidden", **WORK
    )
    looked.then(work, given, outputs, **working)
    whose.select(pick, [upload, found], [found, canvas], **PAGE).then(work, given, outputs, **working)
    gr.on([kind.input, seed.change, canvas.input], work, given, outputs, **working)
    kind.input(tools, [upload, found, kind], [place, canvas], **PAGE)
    dice.click(None, None, seed, js=ROLL)
    opened.select(example, line, upload, **PAGE)
    everyone.click(ask, given, [gallery, figures], show_progress_on=figures, api_visibility="private", **WORK)
    with gr.Accordion(words("digits.how_title"), open=False):
        gr.Markdown(words("faces.how"))
    if public:
        own = Picture(visible=False, label=words("faces.mask"))
        what = gr.Textbox("box", visible=False, label=words("mask"))
        number = gr.Number(0, visible=False, label=words("sample.seed"), precision=None)
        number.preprocess = seed.preprocess
        network = gr.Textbox(NETWORK, visible=False, label=words("network"))
        result = gr.Image(visible=False, label=words("faces.reconstructed"))
        gr.Button(visible=False).click(
            reconstruct, [upload, own, what, number, network], result, api_name="reconstruct", **WORK
        )


def _shown(picture: Image.Image) -> Image.Image:
    """In a mode that the page can show."""
    return photographs.packed(*photographs.unpacked(picture), picture)


def _view(picture: Image.Image, face: Square) -> tuple[int, int, int, int]:
    """The face and some room around it, within the photograph: left, top, right, bottom."""
    room = round(ROOM * face.side)
    left, top, right, bottom = face.box
    return max(0, left - room), max(0, top - room), min(picture.width, right + room), min(picture.height, bottom + room)


def _painted_on(picture: Image.Image, face: Square) -> Image.Image:
    view = _shown(picture.crop(_view(picture, face))).convert("RGB")
    scale = VIEW / max(view.size)  # a small face is enlarged: a brush has its size in these pixels
    return view.resize([max(1, round(scale * side)) for side in view.size])


def _brushed(picture: Image.Image, face: Square, drawn: dict | None) -> Image.Image:
    """What was painted over, at the size of the photograph."""
    left, top, right, bottom = _view(picture, face)
    mask = Image.new("L", picture.size)
    for layer in (drawn or {}).get("layers", []):
        ink = layer.convert("RGBA").getchannel("A").resize((right - left, bottom - top))
        mask.paste(255, (left, top), ink.point(lambda value: 255 * (value > 127)))
    return mask


def _covered(picture: Image.Image, gone: Image.Image) -> Image.Image:
    """The photograph with what is hidden in black."""
    black = Image.new(picture.mode, picture.size)
    if "A" in picture.getbands():
        black.putalpha(255)
    return Image.composite(black, picture, gone.point(lambda value: 255 * (value > 127)))
