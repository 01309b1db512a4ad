"""How likely each digit is, as bars; and what every network says, in its button."""

from collections.abc import Mapping, Sequence
from html import escape

from models.pipelines import Reading
from tabs import Words
from tabs.digits.answer import shown_with, sign, whole_percent


def bars(words: Words, readings: Sequence[Reading]) -> str:
    """Of one reading all ten digits with their probabilities; of several each as it stands, with its own.

    Without any reading the bars are empty: they keep their place.
    """
    if len(readings) == 1:
        shares = [(digit, readings[0].shares[digit]) for digit in sorted(readings[0].shares)]
        best = readings[0].digit if readings[0].is_digit else None
    else:
        shares = [(sign(one), one.confidence) for one in readings] or [(str(digit), None) for digit in range(10)]
        best = None
    columns = "".join(_bar(digit, share, digit == best) for digit, share in shares)
    label = escape(words("digits.shares"))
    return f'<dl class="bars{" row" if len(readings) > 1 else ""}" aria-label="{label}">{columns}</dl>'


def _bar(digit: str, share: float | None, is_best: bool) -> str:
    percent = None if share is None else whole_percent(share)
    told = "" if percent is None else f"{percent}%" if percent else "<1%"
    return (
        f'<div style="--share: {percent or 0}%"{" class=best" * is_best}>'
        f"<dt>{digit}</dt><dd><i></i><span>{escape(told)}</span></dd></div>"
    )


def verdicts(readings: Sequence[Reading], opinions: Mapping[str, Sequence[Reading]]) -> str:
    """The style sheet that writes the verdict of each network into its button, beside the answer to these readings.

    One that says otherwise stands out.
    """
    said, when = "".join(map(sign, readings)), shown_with(readings, "visible", "hidden")
    each = {name: "".join(map(sign, told)) for name, told in opinions.items()}
    return "<style>" + "".join(_verdict(name, one, said, when) for name, one in each.items()) + "</style>"


def _verdict(name: str, verdict: str, said: str, when: str) -> str:
    other = "" if verdict == said else " --verdict-colour: var(--accent); --verdict-line: underline;"
    return f'#network label:has([value="{name}"]) {{ --verdict: "{verdict}"; --verdict-seen: {when};{other} }}'
