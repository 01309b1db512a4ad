"""What the tab shows of a face: hidden, reconstructed and true side by side, and what a brush paints on."""

from html import escape

from PIL import Image, ImageStat

from models.errors import InputError
from models.pictures import masks, photographs
from models.pictures.faces import Square
from models.pipelines import Quality
from tabs import Words
from tabs.widgets.before_after import address, before_after, changed, part_of
from tabs.widgets.methods import psnr
from tabs.widgets.networks import off, unfolding
from tabs.widgets.picture import data_url

VIEW = 512  # pixels on the longer side of what is painted on
ROOM = 0.25  # of a face's side, that is shown around it
SIDE = 256  # pixels of a face in the triptych
NAMES = ("hidden", "reconstructed", "true")

Given = Image.Image | InputError | None


def shown(picture: Image.Image) -> Image.Image:
    """In a mode that the page can show."""
    return photographs.packed(*photographs.unpacked(picture), picture)


def crop(picture: Image.Image, face: Square) -> Image.Image:
    """The face alone."""
    return picture.crop(face.box).resize((SIDE, SIDE))


def triptych(words: Words, pictures: tuple[Image.Image, ...], face: Square) -> str:
    """The face three times: hidden, reconstructed, true."""
    return _strip(words, [data_url(crop(one, face).convert("RGB"), "WEBP", quality=88) for one in pictures])


def first(words: Words) -> str:
    """What the page opens with, the face alone: which of its eyes is real? No network has to run for it."""
    strip = _strip(words, [f"lab/first/faces/{name}.webp" for name in NAMES])
    eyes = {"guess.left": "faces.wrong", "guess.right_one": "faces.right"}  # the left one was hidden
    buttons = "".join(
        f'<button type="button" data-answer="{escape(words(answer))}">{escape(words(eye))}</button>'
        for eye, answer in eyes.items()
    )
    return f'{strip}<div class="eyes">{buttons}</div>'


def _strip(words: Words, urls: list[str]) -> str:
    figures = "".join(
        f'<figure><img src="{url}" width="{SIDE}" height="{SIDE}" alt="{escape(words(f"faces.{name}"))}">'
        f"<figcaption>{escape(words(f'faces.{name}'))}</figcaption></figure>"
        for name, url in zip(NAMES, urls, strict=True)
    )
    return f'<div class="triptych">{figures}</div>'


def told(words: Words, quality: Quality, notes: list[str]) -> str:
    """How good it is, and what has to be known about what one sees."""
    exact = words("faces.gained", psnr=psnr(quality))
    said = words("faces.off", levels=off(quality.psnr))
    text = "".join(f"<br>{escape(note)}" for note in [*notes, words("faces.plausible"), words("faces.licence")])
    return f'<b class="figures" data-said="{escape(said)}">{unfolding(said, exact)}</b>{text}'


def both(words: Words, files: tuple[str, str], covered: Image.Image, whole: Image.Image) -> str:
    """The whole photograph, hidden and reconstructed, with the line on what was hidden."""
    at = changed(covered, whole)
    sides = words("faces.hidden"), words("faces.reconstructed")
    part = (*part_of(whole.size, at), words("photo.full"))
    return before_after(words("faces.slider"), sides, tuple(map(address, files)), whole.size, at[0], part)


def _view(picture: Image.Image, face: Square) -> tuple[int, int, int, int]:
    """The face and some room around it, within the photograph: left, top, right, bottom."""
    room = round(ROOM * face.side)
    left, top, right, bottom = face.box
    return max(0, left - room), max(0, top - room), min(picture.width, right + room), min(picture.height, bottom + room)


def painted_on(picture: Image.Image, face: Square) -> str:
    """The style sheet with what the brush paints on: the face and some room around it."""
    view = shown(picture).crop(_view(picture, face)).convert("RGB")  # as a whole: 16 bits have their white by that
    scale = VIEW / max(view.size)  # a small face is enlarged: a brush has its size in these pixels
    view = view.resize([max(1, round(scale * side)) for side in view.size])
    url = data_url(view, "JPEG", quality=85)
    return f"<style>:root {{ --canvas: url({url}); --canvas-aspect: {view.width / view.height:.4f}; }}</style>"


def brushed(picture: Image.Image, face: Square, drawn: Image.Image) -> Image.Image:
    """What was painted over, as a mask of the size of the photograph. Raises InputError where that is nearly all."""
    left, top, right, bottom = _view(picture, face)
    ink = drawn.convert("RGBA").getchannel("A").resize((right - left, bottom - top))
    mask = Image.new("L", picture.size)
    mask.paste(ink.point(lambda value: 255 * (value > 127)), (left, top))
    if ImageStat.Stat(mask).mean[0] > 255 * masks.SANE[1]:  # what is read of such a mask is what was not painted over
        raise masks.all_hidden()
    return mask


def covered(picture: Image.Image, gone: Image.Image) -> Image.Image:
    """The photograph with what is hidden in black."""
    black = Image.new(picture.mode, picture.size)
    if "A" in picture.getbands():
        black.putalpha(255)
    return Image.composite(black, picture, gone.point(lambda value: 255 * (value > 127)))
