"""A page as it was read: its digits in boxes, its lines joined."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from PIL import Image

from models.pictures.modes import averageable
from models.pictures.photographs import unpacked
from models.pipelines import Reading
from tabs import Words
from tabs.widgets.picture import data_url

LARGEST = 900  # pixels on a side that are shown


def marked(words: Words, image: Image.Image, readings: Sequence[Reading]) -> str:
    """The picture with a box around each digit and its name above, and a thread through each line."""
    width, height = image.size
    pen = max(width, height) / 250
    boxes = "".join(_box(reading, pen) for reading in readings if reading.box)
    lines = "".join(_thread(list(row)) for _, row in groupby(readings, key=lambda reading: reading.line))
    title = escape(words("digits.page", count=len(readings)))
    return (
        f'<figure class="read-page"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}"'
        f' stroke-width="{pen:.2f}"><image href="{_url(image)}" width="{width}" height="{height}"/>{lines}{boxes}</svg>'
        f"<figcaption>{title}</figcaption></figure>"
    )


def _box(reading: Reading, pen: float) -> str:
    left, top, right, bottom = reading.box
    sign = reading.digit if reading.is_digit else "?"
    size = max(0.35 * (bottom - top), 6 * pen)
    pad = 1.5 * pen
    sure = "" if reading.is_sure else ' class="unsure"'
    return (
        f'<rect x="{left - pad:.1f}" y="{top - pad:.1f}" width="{right - left + 2 * pad:.1f}"'
        f' height="{bottom - top + 2 * pad:.1f}"{sure}/>'
        f'<text x="{left:.1f}" y="{max(size, top - 2.5 * pen):.1f}" font-size="{size:.1f}">{sign}</text>'
    )


def _thread(row: list[Reading]) -> str:
    points = [((one.box[0] + one.box[2]) / 2, one.box[3] + 0.08 * (one.box[3] - one.box[1])) for one in row if one.box]
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>' if len(points) > 1 else ""


def _url(image: Image.Image) -> str:
    # In a mode that can be reduced: a scan may have 16 bits.
    pixels, _ = unpacked(averageable(image).reduce(max(1, max(image.size) // LARGEST)))
    small = Image.fromarray(pixels.squeeze())
    small.thumbnail((LARGEST, LARGEST))
    return data_url(small, "JPEG", quality=80)
