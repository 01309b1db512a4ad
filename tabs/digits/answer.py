"""The answer as the page shows it: a numeral, a sentence, what the network saw, what decided, and bars.

What decided takes longer than the answer and comes after it. It is a style sheet with a picture for each digit, under a
name that only this network and this digit give; the answer shows the pictures of the names that it holds. So what comes
too late, when there is another answer already, is not seen. `shown_with` does the same for whole blocks.
"""

import math
import zlib
from collections.abc import Sequence
from html import escape
from itertools import groupby

from PIL import Image

from models.pipelines import Reading, page_reader
from tabs import Words
from tabs.digits.page import marked
from tabs.widgets.picture import data_url

IN_DETAIL = 10  # digits of which each is shown as the network sees it


def sign(reading: Reading) -> str:
    """The digit, or a question mark for what is none."""
    return reading.digit if reading.is_digit else "?"


def number(readings: Sequence[Reading]) -> str:
    """What is written, "407"; "4?7" where the second is no digit; lines parted by a space."""
    rows = groupby(readings, key=lambda reading: reading.line)
    return " ".join("".join(map(sign, row)) for _, row in rows)


def percent(readings: Sequence[Reading]) -> int:
    """The least confidence."""
    return min(whole_percent(reading.confidence) for reading in readings)


def whole_percent(share: float) -> int:
    """For a reader: what is below a limit is not rounded up to it, and no network is a hundred per cent sure."""
    return min(99, math.floor(100 * share + 1e-6))


def message(sentence: str) -> str:
    """The answer when there is nothing to name."""
    return _framed((), "?", False, sentence, "")


def answer(words: Words, network: str, readings: Sequence[Reading], page: Image.Image | None = None) -> str:
    """The answer to a picture; the place for what decided is kept free, `decided` fills it.

    Args:
        page: the picture, where it has a paper: it is shown with its digits marked.
    """
    is_known = any(reading.is_digit for reading in readings)
    is_sure = all(reading.is_digit and reading.is_sure for reading in readings)
    numeral = number(readings) if is_known else "?"
    shown = _pictures(words, network, readings) if len(readings) <= IN_DETAIL else ""
    if page and any(reading.box for reading in readings):
        shown += marked(words, page, readings)
    sentence = _sentence(words, readings)
    if page and page_reader.missing():
        sentence = f"{sentence} {words('digits.no_reader')}"
    return _framed(readings, numeral, is_sure, sentence, shown)


def decided(network: str, readings: Sequence[Reading], maps: Sequence[Image.Image]) -> str:
    """The style sheet that shows the heat maps in the answer to these readings, and in no other."""
    rules = (f"{_name(network, reading)}: url({data_url(heat)});" for reading, heat in zip(readings, maps, strict=True))
    return f"<style>:root {{ {' '.join(rules)} }}</style>"


def shown_with(readings: Sequence[Reading], shown: str = "grid", gone: str = "none") -> str:
    """The CSS `display` of what belongs to the answer to these readings, or its `visibility`: beside another answer
    it is gone."""
    return f"var({_block(readings)}-{shown}, {gone})"


def _framed(readings: Sequence[Reading], numeral: str, is_sure: bool, sentence: str, pictures: str) -> str:
    rows, block = numeral.split(" "), _block(readings)
    return (
        f"<style>:root {{ {block}-grid: grid; {block}-visible: visible; }}</style>"
        f'<div class="answer{" many" if len(readings) > 1 else ""}" style="--length: {max(map(len, rows))}"'
        f' data-said="{escape(f"{numeral} {sentence}" if readings else sentence)}">'
        f'<b class="numeral{"" if is_sure else " muted"}{" lines" if len(rows) > 1 else ""}">{"<br>".join(rows)}</b>'
        f'<span class="sentence">{escape(sentence)}</span>{pictures}</div>'
    )


def _sentence(words: Words, readings: Sequence[Reading]) -> str:
    weakest = min(readings, key=lambda reading: reading.confidence)
    second = sorted(weakest.shares, key=weakest.shares.__getitem__)[-2]
    values = {"percent": percent(readings), "digit": weakest.digit, "second": second}
    if not any(reading.is_digit for reading in readings):
        return words("digits.no_digit")
    if not all(reading.is_digit for reading in readings):
        return words("digits.no_number")
    if len(readings) == 1:
        return words("digits.sure" if weakest.is_sure else "digits.unsure", **values)
    return words("digits.number_sure" if weakest.is_sure else "digits.number_unsure", **values)


def _pictures(words: Words, network: str, readings: Sequence[Reading]) -> str:
    seen, why = escape(words("digits.seen")), escape(words("digits.decided"))
    pairs = [
        (
            f'<img class="pixels" src="{data_url(reading.seen)}" alt="{seen}">',
            f'<i class="pixels" role="img" aria-label="{why}"'
            f' style="background-image: var({_name(network, reading)})"></i>',
        )
        for reading in readings
    ]
    if len(pairs) == 1:
        (left, right) = pairs[0]
        return (
            f'<div class="pictures"><figure>{left}<figcaption>{seen}</figcaption></figure>'
            f"<figure>{right}<figcaption>{why}</figcaption></figure></div>"
        )
    figures = "".join(
        f"<figure>{left}{right}<figcaption>{sign(reading)}</figcaption></figure>"
        for reading, (left, right) in zip(readings, pairs, strict=True)
    )
    return f'<div class="pictures">{figures}<p>{escape(words("digits.pairs"))}</p></div>'


def _name(network: str, reading: Reading) -> str:
    return f"--decided-{zlib.crc32(network.encode() + reading.seen.tobytes()):08x}"


def _block(readings: Sequence[Reading]) -> str:
    return f"--answer-{zlib.crc32(b''.join(reading.seen.tobytes() for reading in readings)):08x}"
