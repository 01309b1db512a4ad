"""Faces: hide a part of one in a photograph, and see it made up again."""

import json
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from models.errors import InputError
from models.pictures import corruptions, masks, photographs
from models.pictures.faces import Square, centre, find
from models.pipelines import Quality, compare_faces, hidden, quality_inside, reconstructor
from models.pipelines.reconstructor import FaceReconstructor, most_hidden, names
from tabs import PAGE, ROLL, Words
from tabs.address import Address
from tabs.faces import views
from tabs.faces.views import Given, shown
from tabs.head import STATIC
from tabs.widgets.before_after import address as shown_at
from tabs.widgets.before_after import tiles
from tabs.widgets.examples import examples
from tabs.widgets.files import kept, png
from tabs.widgets.methods import method, psnr, table
from tabs.widgets.networks import chosen, source
from tabs.widgets.pad import brush
from tabs.widgets.picture import Picture, absent, read, require, tells
from tabs.widgets.prose import how, muted, sentence

NETWORK = "face-gan"
BRUSH, OWN = "brush", "own"
SEED = 12  # hides most of an eye of the first
PORTRAITS = (
    "barack-obama",
    "jeanette-epps",
    "grace-hopper",
    "katherine-johnson",
    "frederick-douglass",
    "jose-rizal",
    "mona-lisa",
    "girl-with-a-pearl-earring",
)
# What the page opens with, made by tests/browser/makers/firsts.py.
FIRST = STATIC / "first" / "faces"
WORK = {"concurrency_id": "faces", "concurrency_limit": 1}


class Found(NamedTuple):
    """Where the faces of the photograph are, which of them was picked, and whether any was found at all."""

    faces: list[Square]
    picked: int = 0
    any: bool = True

    @property
    def face(self) -> Square:
        """The one that was picked."""
        return self.faces[self.picked]


def looked(picture: Image.Image) -> Found:
    """The faces of a photograph; its middle where there are none."""
    faces = find(picture)
    return Found(faces) if faces else Found([centre(picture)], any=False)


def offered() -> dict[str, Path]:
    """Portraits to try, in the public domain."""
    return {name: STATIC / "portraits" / f"{name}.jpg" for name in PORTRAITS}


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the tab, and make the endpoint `reconstruct` where `public`."""
    first = Quality(json.loads((FIRST / "said.json").read_text("utf-8"))["psnr"], None)
    with gr.Row(elem_classes="columns"):
        with gr.Column(min_width=280, scale=5):
            some = examples(words, "face-examples", "faces", offered())
            upload = Picture(
                str(next(iter(offered().values()))),
                label=words("faces.picture"),
                placeholder=words("picture.placeholder"),
                sources=["upload", "webcam", "clipboard"],
                buttons=[],
                height=200,
                elem_id="face-photo",
            )
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
            kind = gr.Radio(
                [(words(f"mask.{name}"), name) for name in (*corruptions.MASKS, BRUSH, OWN)],
                value=next(iter(corruptions.MASKS)),
                label=words("mask"),
                elem_id="mask-kind",
                elem_classes="pills",
            )
            with gr.Row(elem_classes="seed") as place:
                seed = gr.Number(SEED, label=words("sample.seed"), precision=None, elem_id="mask-seed")
                dice = gr.Button(words("sample.dice"), size="sm", elem_id="mask-dice")
            given_mask = Picture(
                visible=False,
                label=words("faces.mask"),
                placeholder=words("picture.placeholder"),
                sources=["upload"],
                buttons=[],
                height=160,
                elem_id="face-mask",
            )
        with gr.Column(min_width=280, scale=7, elem_classes="result"):
            below = gr.HTML(visible="hidden")  # the style sheet with what the brush paints on
            with gr.Column(visible=False, elem_id="painting") as painting:
                canvas = brush(words, "face-canvas", "faces")
                fill = gr.Button(words("faces.fill"), variant="primary", elem_id="faces-fill")
            strip = gr.HTML(views.first(words), elem_id="face-strip", js_on_load=None)
            gallery = gr.HTML(elem_id="fillings", visible=False, js_on_load=None)
            line = gr.HTML(views.told(words, first, []), elem_id="reconstructed", elem_classes="source")
            with gr.Row(elem_classes="buttons"):
                everyone = gr.Button(words("photo.compare"), size="sm", elem_id="faces-compare")
                download = gr.DownloadButton(
                    words("photo.download"), str(FIRST / "reconstructed.png"), size="sm", elem_id="faces-download"
                )
            figures = gr.HTML(elem_id="face-methods", js_on_load=None)
            both = gr.HTML(elem_id="face-slider", js_on_load=None)
    found = gr.State()
    for given in (kind, seed):
        given.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def look(image: Given, kind: str, drawn: str | None, own: Given):
        """Find the faces, and show them to choose from where there are several; where a visitor has to say first what
        is hidden, the answer to another photograph goes."""
        gone = {both: "", strip: "", download: None} if waits(kind, drawn, own) else {}
        try:
            picture = require(image)
        except InputError:
            return {found: None, whose: gr.update(visible=False), below: "", **gone}
        state, whole = looked(picture), shown(picture)
        several = len(state.faces) > 1
        crops = [whole.crop(face.box).convert("RGB").resize((128, 128)) for face in state.faces]
        faces = gr.update(visible=several, value=crops if several else [], selected_index=None)
        return {found: state, whose: faces, below: views.painted_on(picture, state.face), **gone}

    def pick(image: Given, found: Found | None, event: gr.SelectData):
        picture = require(image)
        found = (found or looked(picture))._replace(picked=event.index)
        return found, views.painted_on(picture, found.face)

    def mask(picture: Image.Image, face: Square, kind: str, seed: int, drawn: str | None, own: Given) -> Image.Image:
        if kind == OWN:
            return require(own)
        return (
            views.brushed(picture, face, require(read(drawn))) if kind == BRUSH else hidden(picture, face, kind, seed)
        )

    def of(found: Found, kind: str, given: Image.Image, picture: Image.Image) -> Square:
        """Whose face it is: the one that was picked, unless a mask of one's own hides more of another."""
        if kind != OWN or given.size != picture.size:
            return found.face
        return most_hidden(masks.read(given).hidden, [found.face, *found.faces])

    def waits(kind: str, drawn: str | None, own: Given) -> str | None:
        """What a visitor has to do first, where there is something."""
        if kind == BRUSH and not drawn:
            return words("faces.paint")
        return words("faces.bring") if kind == OWN and own is None else None

    def work(image: Given, found: Found | None, kind: str, seed: int, drawn: str | None, own: Given):
        cleared = {gallery: gr.update(visible=False), strip: gr.update(visible=True), figures: ""}
        try:
            photo = require(image)
            if missing := waits(kind, drawn, own):
                return {**cleared, line: sentence(missing)}
            found = found or looked(photo)
            picture, pipeline = shown(photo), reconstructor(NETWORK)
            given = mask(picture, found.face, kind, seed, drawn, own)
            face = of(found, kind, given, picture)
            whole = pipeline(picture, given, face)
            gone = Image.fromarray(np.uint8(255 * masks.read(given).hidden))
            quality = quality_inside(picture, whole, gone)
        except ValueError as error:
            said = sentence(words.sentence(error))
            if image is None:  # one that was taken away since it was none leaves what was said of it
                said = gr.skip()
            done = {**cleared, both: "", line: said, download: None, strip: gr.update(value="", visible=True)}
            return {**done, upload: None} if isinstance(image, InputError) else done
        covered = views.covered(picture, gone)
        notes = [words("faces.none")] * (not found.any) + [words(f"lost.{name}") for name in photographs.lost(image)]
        if taken := whole.info.get("hidden"):
            notes.append(words(f"hidden.{taken}"))
        if kind == "half":
            notes.append(words("faces.guess"))
        files = png(covered, "hidden", download), png(whole, "reconstructed", download)
        told = views.told(words, quality, notes)
        return {
            **cleared,
            both: views.both(words, files, covered, whole),
            line: f"{told}<br>{source(words, NETWORK, pipeline.facts)}",
            download: files[1],
            strip: gr.update(value=views.triptych(words, (covered, whole, picture), face), visible=True),
        }

    def ask(image: Given, found: Found | None, kind: str, seed: int, drawn: str | None, own: Given):
        if missing := waits(kind, drawn, own):
            return gr.skip(), gr.skip(), sentence(missing)
        try:
            photo = require(image)
            found = found or looked(photo)
            picture = shown(photo)
            given = mask(picture, found.face, kind, seed, drawn, own)
            face = of(found, kind, given, picture)
            attempts = compare_faces(picture, given, face)
            gone = Image.fromarray(np.uint8(255 * masks.read(given).hidden))
        except ValueError as error:
            return gr.skip(), gr.skip(), sentence(words.sentence(error))
        pictures = [(views.covered(picture, gone), words("faces.hidden"), "")]
        pictures += [
            (one.picture, method(words, one.name), f"{psnr(one.quality)} dB" if one.quality else "") for one in attempts
        ]
        pictures.append((picture, words("faces.true"), ""))
        cells = [
            (shown_at(png(views.crop(one, face), "face", download)), title, figure) for one, title, figure in pictures
        ]
        grid = tiles(words, words("photo.gallery"), cells)
        note = muted(words("faces.blur"))
        return gr.update(visible=False), gr.update(visible=True, value=grid), note + table(words, None, attempts)

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
            The photograph, of the same size, a PNG; what was not hidden is as it was. Its text `hidden`
            says what was taken as hidden, where that was not white.
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
            return png(whole, "reconstructed", download)

    def tools(image: Given, found: Found | None, kind: str):
        """What the chosen kind of mask needs, and nothing else."""
        paints = kind == BRUSH and image is not None
        picture = views.painted_on(require(image), (found or looked(require(image))).face) if paints else gr.skip()
        is_drawn = kind in (BRUSH, OWN)
        return (
            gr.update(visible=not is_drawn),
            gr.update(visible=kind == OWN),
            gr.update(visible=kind == BRUSH),
            gr.update(visible=kind == BRUSH),
            picture,
        )

    none = sentence(words.sentence(absent()))
    given = [upload, found, kind, seed, canvas, given_mask]
    outputs = [both, line, download, strip, gallery, figures, upload]
    working = {"show_progress_on": strip, "trigger_mode": "always_last", "api_visibility": "private", **WORK}
    looking = {"api_visibility": "private", "show_progress": "hidden", "trigger_mode": "always_last", **WORK}
    answer = [both, strip, download]
    seen = upload.change(look, [upload, kind, canvas, given_mask], [found, whose, below, *answer], **looking)
    some.input(lambda name: kept(offered()[name], upload) if name in offered() else None, some, upload, **PAGE)
    picked = whose.select(pick, [upload, found], [found, below], **PAGE)
    # What was made of other strokes is no answer to these; what comes next is one, if only the same again.
    old = "document.getElementById('face-strip').classList"
    canvas.input(None, None, None, js=f"() => {old}.add('old')", api_visibility="private")
    for worked in (
        seen.then(work, given, outputs, **working),
        picked.then(work, given, outputs, **working),
        gr.on([kind.change, seed.change, given_mask.input, fill.click], work, given, outputs, **working),
    ):
        worked.then(None, None, None, js=f"() => {old}.remove('old')", api_visibility="private")
    kind.change(tools, [upload, found, kind], [place, given_mask, painting, canvas, below], **PAGE)
    upload.clear(lambda: none, None, line, **PAGE)
    dice.click(None, None, seed, js=ROLL)
    tells(upload, "faces")
    everyone.click(ask, given, [strip, gallery, figures], show_progress_on=strip, api_visibility="private", **WORK)
    address.add("faces", mask=kind, seed=seed)
    how(words, "faces")
    if public:  # with pictures of its own: a caller who sends none is told so, and gets no example
        photo = Picture(visible=False, label=words("faces.picture"))
        own = Picture(visible=False, label=words("faces.mask"))
        what = gr.Textbox("box", visible=False, label=words("mask"))
        number = gr.Number(0, visible=False, label=words("sample.seed"), precision=None)
        number.preprocess = seed.preprocess
        network = gr.Textbox(NETWORK, visible=False, label=words("network"))
        result = gr.Image(visible=False, label=words("faces.reconstructed"))
        gr.Button(visible=False).click(
            reconstruct, [photo, own, what, number, network], result, api_name="reconstruct", **WORK
        )
