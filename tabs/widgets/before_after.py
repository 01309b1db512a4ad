"""Two states of a picture in one, with a line between them that a visitor moves; and what several methods made of one.

The line is a slider of the browser's own, over the pictures: it has a role, a value and keys, and `static/lab.js` moves
the pictures by it.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from tabs import Words

FULL = 240  # pixels on a side of the part that is shown at full size


def address(path: str) -> str:
    """Of a file in Gradio's cache, as the page asks for it."""
    return f"gradio_api/file={path}"


def before_after(
    label: str,
    sides: tuple[str, str],
    pictures: tuple[str, str],
    size: tuple[int, int],
    at: float = 0.5,
    part: tuple[int, int, str] | None = None,
) -> str:
    """Before and after, with the line between them.

    Args:
        label: what the slider says it is.
        sides: what is left and right of the line.
        pictures: the addresses of both.
        size: their width and height, in pixels.
        at: share of the width where the line begins.
        part: left and top of a part that is shown at full size beside it, and what is said of it.
    """
    full = ""
    if part and max(size) > 2 * FULL:
        left, top, said = part
        place = f' style="width: {size[0]}px; left: {-left}px; top: {-top}px"'
        inside = f"<div>{_layers(pictures, place)}</div><figcaption>{escape(said)}</figcaption>"
        full = f'<figure class="full">{inside}</figure>'
    percent = round(100 * at)
    named = "".join(f'<span aria-hidden="true">{escape(side)}</span>' for side in sides)
    kind = "before-after with-part" if full else "before-after"
    return (
        f'<div class="{kind}" style="--at: {percent}%; --aspect: {size[0] / size[1]:.4f}">'
        f'<div class="whole">{_layers(pictures)}{named}'
        f'<input type="range" min="0" max="100" value="{percent}" aria-label="{escape(label)}"></div>{full}</div>'
    )


def _layers(pictures: tuple[str, str], attributes: str = "") -> str:
    """What is left of before, over after."""
    before, after = (f'<img src="{escape(url)}" alt=""{attributes}>' for url in pictures)
    return f'<div class="left">{before}</div>{after}'


def changed(before: Image.Image, after: Image.Image) -> tuple[float, float]:
    """The middle of what differs between two pictures, as shares of width and height; (0.5, 0.5) where nothing does."""
    small = [np.asarray(one.convert("L").resize((64, 64), Image.Resampling.BOX), np.float32) for one in (before, after)]
    differs = abs(small[0] - small[1])
    if not (total := differs.sum()):
        return 0.5, 0.5
    rows, columns = np.mgrid[:64, :64] + 0.5
    return float((columns * differs).sum() / total / 64), float((rows * differs).sum() / total / 64)


def part_of(size: tuple[int, int], at: tuple[float, float]) -> tuple[int, int]:
    """Left and top of the part to show at full size, around a place in shares of width and height."""
    return tuple(
        round(min(max(0, share * side - FULL / 2), max(0, side - FULL))) for share, side in zip(at, size, strict=True)
    )


def tiles(words: Words, label: str, pictures: Sequence[tuple[str, str, str]]) -> str:
    """Pictures side by side, all the same part; one opens large when it is pressed.

    Args:
        words: of the page.
        label: what they are.
        pictures: the address, title and figure of each.
    """
    each = "".join(_tile(words, *one) for one in pictures)
    return f'<div class="tiles" role="group" aria-label="{escape(label)}">{each}</div>'


def _tile(words: Words, url: str, title: str, figure: str) -> str:
    label = escape(words("picture.enlarge", title=title))
    said = f"{escape(title)} <b>{escape(figure)}</b>" if figure else escape(title)
    first = " data-before" * (title == words("methods.before") or title == words("faces.hidden"))
    inside = f'<img src="{escape(url)}" alt=""><span>{said}</span>'
    return f'<button type="button" aria-label="{label}"{first}>{inside}</button>'
