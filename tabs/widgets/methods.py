"""What every method makes of one picture: a table of figures."""

import math
from collections.abc import Sequence
from html import escape

from models.pipelines import Attempt, Quality
from tabs import Words

COLUMNS = ("methods.method", "methods.psnr", "methods.ssim", "methods.time")


def method(words: Words, name: str) -> str:
    """A network or a classical method by its name on the page."""
    return words(f"network.{name}") if name.partition("-")[0] in ("mnist", "photo", "face") else words(f"method.{name}")


def table(words: Words, before: Quality | None, attempts: Sequence[Attempt]) -> str:
    """A row a method, and above them the picture that they were given; its figures where the clean one is known."""
    known = before or any(attempt.quality for attempt in attempts)
    columns = [key for key in COLUMNS if known or key not in ("methods.psnr", "methods.ssim")]
    head = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in columns)
    best = max((attempt.quality.psnr for attempt in attempts if attempt.quality), default=None)
    rows = [_row(words("methods.before"), before, "–", "")] if before else []
    for attempt in attempts:
        is_best = attempt.quality is not None and attempt.quality.psnr == best
        time = f"{attempt.milliseconds:,.0f}" if attempt.milliseconds >= 10 else f"{attempt.milliseconds:.1f}"
        rows.append(_row(method(words, attempt.name), attempt.quality, time, ' class="best"' * is_best))
    return f'<table class="methods"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def psnr(quality: Quality) -> str:
    """In dB, with the sign for infinity where nothing differs."""
    return "∞" if math.isinf(quality.psnr) else f"{quality.psnr:.2f}"


def ssim(quality: Quality) -> str:
    """A dash where the picture is too small for it."""
    return "–" if quality.ssim is None else f"{quality.ssim:.3f}"


def _row(title: str, quality: Quality | None, time: str, attributes: str) -> str:
    figures = [psnr(quality), ssim(quality)] if quality else []
    cells = "".join(f"<td>{cell}</td>" for cell in [*figures, time])
    return f'<tr{attributes}><th scope="row">{escape(title)}</th>{cells}</tr>'
