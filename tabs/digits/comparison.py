"""What all networks say to one picture: a table, and a chart of what size buys."""

import math
from collections.abc import Sequence
from html import escape

from models.pipelines import Comparison, Facts, Reading
from tabs import Words
from tabs.digits.answer import number, percent, shown_with
from tabs.widgets.networks import wrong

COLUMNS = (
    "opinions.network",
    "opinions.answer",
    "opinions.confidence",
    "opinions.time",
    "opinions.parameters",
    "opinions.wrong",
)
WIDTH, HEIGHT = 360, 210  # of the chart, in pixels of its own
LEFT, RIGHT, TOP, BOTTOM = 34, 12, 22, 26  # its margins


def table(words: Words, readings: Sequence[Reading], opinions: Sequence[Sequence[Comparison]]) -> str:
    """Every network's answer to the picture that `readings` are of; `opinions` holds a list for each digit.

    Of a number the confidence is the least, the time the sum.
    """
    head = "".join(f'<th scope="col">{escape(words(key))}</th>' for key in COLUMNS)
    rows = "".join(_row(words, digits) for digits in zip(*opinions, strict=True))
    chart = _chart(words, {opinion.name: opinion.facts for opinion in opinions[0]})
    said = number(readings)
    agree = sum(number([opinion.reading for opinion in digits]) == said for digits in zip(*opinions, strict=True))
    sentence = escape(words("opinions.agree", agree=agree, count=len(opinions[0]), answer=said))
    return _block(
        readings,
        f"<p data-said>{sentence}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{chart}",
    )


def message(readings: Sequence[Reading], sentence: str) -> str:
    """A sentence where the table would be."""
    return _block(readings, f"<p>{escape(sentence)}</p>")


def _block(readings: Sequence[Reading], content: str) -> str:
    return f'<div class="opinions" style="display: {shown_with(readings)}">{content}</div>'


def _row(words: Words, digits: Sequence[Comparison]) -> str:
    name, facts, readings = digits[0].name, digits[0].facts, [opinion.reading for opinion in digits]
    cells = [
        number(readings),
        f"{percent(readings)}%",
        f"{sum(opinion.milliseconds for opinion in digits):.2f}",
        f"{facts.parameters:,}",
    ]
    exact = f' title="{facts.accuracy:.2%}"' if facts.accuracy else ""
    title = escape(words(f"network.{name}"))
    return (
        f'<tr><th scope="row">{title}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f"<td{exact}>{wrong(facts)}</td></tr>"
    )


def _chart(words: Words, facts: dict[str, Facts]) -> str:
    """A dot for each network whose accuracy is known: parameters to the right (logarithmic), accuracy upwards."""
    known = {name: fact for name, fact in facts.items() if fact.accuracy}
    if not known:
        return ""
    decades = [math.log10(fact.parameters) for fact in known.values()]
    first, last = math.floor(min(decades)), max(decades) + 0.15
    lowest = min(math.floor(100 * fact.accuracy) for fact in known.values())

    def x(decade: float) -> float:
        return LEFT + (decade - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(hundredths: float) -> float:
        return TOP + (100 - hundredths) / (100 - lowest) * (HEIGHT - TOP - BOTTOM)

    lines = "".join(
        f'<path d="M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}"/><text x="{LEFT - 6}" y="{y(level) + 4:.1f}" class="end">'
        f"{level}</text>"
        for level in range(lowest, 101)
    )
    ticks = "".join(
        f'<text x="{x(decade):.1f}" y="{HEIGHT - 6}" class="middle">{10**decade:,}</text>'
        for decade in range(first, math.floor(last) + 1)
    )
    dots = "".join(
        f'<circle cx="{x(decade):.1f}" cy="{y(100 * fact.accuracy):.1f}" r="4"/>'
        f'<text x="{x(decade):.1f}" y="{y(100 * fact.accuracy) - 8:.1f}" class="middle name">'
        f"{escape(words(f'network.{name}'))}</text>"
        for (name, fact), decade in zip(known.items(), decades, strict=True)
    )
    title = escape(words("opinions.chart"))
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{lines}{ticks}{dots}</svg>'
        f"<figcaption>{title}</figcaption></figure>"
    )
