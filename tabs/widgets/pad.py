"""A pad to draw on with finger, pen, mouse or keys, which speaks while the stroke is still going on."""

from html import escape

import gradio as gr

from tabs import Words
from tabs.head import STATIC
from tabs.widgets.prose import muted

SIZE = 280  # canvas pixels: ten times MNIST's 28
LINE = 20  # a stroke of two MNIST pixels
BRUSH = 26  # the like of a brush over a face
LONGEST = 1500  # letters of an address that strokes may take
EXAMPLES = {  # strokes on the canvas, drawn as a visitor would draw them
    "3": "M90 75 C120 45 190 50 185 95 C182 125 150 135 130 137 C160 137 198 150 195 190 C190 240 115 240 85 208",
    "5": "M185 60 L105 60 L98 130 C130 108 192 118 190 175 C188 235 115 240 88 210",
    "8": "M185 85 C150 35 85 65 105 105 C120 135 190 150 188 195 C184 245 100 240 100 195 C100 150 185 130 185 85",
}

# Parameters in the data URL of a drawing: its stroke still goes on; and it is what the page opens with.
DRAFT, OURS = "draft=1;", "ours=1;"


def is_draft(url: str) -> bool:
    """Whether the pad's value `url` shows a stroke that still goes on."""
    return DRAFT in url[:40]


def is_ours(url: str) -> bool:
    """Whether it shows what the page opens with, which no visitor has drawn."""
    return OURS in url[:40]


def pad(
    words: Words,
    elem_id: str,
    view: str,
    *,
    key: str = "ink",
    longest: int = LONGEST,
    one: bool = False,
    title: str = "",
    initial: str = "",
    show: bool = False,
) -> gr.HTML:
    """A square to draw on, three examples, and a button that clears it.

    Its value is a data URL, "" when it was cleared, None before anything was drawn.

    Args:
        words: of the page.
        elem_id: of the component.
        view: what it is a part of, as an address says it.
        key: the name of its strokes in an address.
        longest: how many letters of an address they may take.
        one: ask for a single digit, not for one or several.
        title: what it is called, of several such; it stands above the pad.
        initial: names one of the examples: it is drawn when the page opens.
        show: draw that as slowly as a hand, to make way for the visitor's first stroke.
    """
    label = title or words("pad.one_label" if one else "pad.label")
    hint = words("pad.one_hint") if one else words("pad.hint")
    examples = "".join(
        f'<button type="button" data-strokes="{strokes}"{" data-initial" * (digit == initial)}'
        f' data-shown="{escape(words("pad.shown", digit=digit))}"'
        f' aria-label="{escape(words("pad.example", digit=digit))}"><svg viewBox="0 0 {SIZE} {SIZE}">'
        f'<path d="{strokes}" stroke-width="{LINE}"/></svg></button>'
        for digit, strokes in EXAMPLES.items()
    )
    said = {"view": view, "key": key, "show": str(show).lower(), "brush": "false"}
    return gr.HTML(
        value=None,
        html_template=f"""{muted(title) if title else ""}
<div class="pad-paper">
  {_canvas(words, label)}
  <span class="pad-hint">{escape(hint)}</span>
</div>
<div class="pad-row">
  <span>{escape(words("pad.try"))}</span>{examples}
  <button type="button" class="pad-clear">{escape(words("pad.clear"))}</button>
</div>""",
        js_on_load=_script(LINE, longest, said),
        elem_id=elem_id,
        elem_classes="pad",
    )


def brush(words: Words, elem_id: str, view: str) -> gr.HTML:
    """The like over a picture, to paint over a part of it; with an eraser, and strokes that can be taken back.

    What lies below is the CSS variable `--canvas`, of the aspect ratio `--canvas-aspect`. Its value is a data URL of
    what was painted, stretched to a square; "" where nothing was.
    """
    tools = "".join(
        f'<button type="button" class="pad-{name}"{pressed}>{escape(words(f"brush.{name}"))}</button>'
        for name, pressed in (("eraser", ' aria-pressed="false"'), ("undo", ""), ("clear", ""))
    )
    said = {"view": view, "key": "mask", "show": "false", "brush": "true"}
    return gr.HTML(
        value=None,
        html_template=f"""
<div class="pad-paper">
  {_canvas(words, words("brush.label"))}
  <span class="pad-hint">{escape(words("brush.hint"))}</span>
</div>
<div class="pad-row">{tools}</div>""",
        js_on_load=_script(BRUSH, 0, said),
        elem_id=elem_id,
        elem_classes="pad brush",
        visible=False,
    )


def _canvas(words: Words, label: str) -> str:
    return (
        f'<canvas width="{SIZE}" height="{SIZE}" tabindex="0" role="application" aria-label="{escape(label)}"'
        f' aria-description="{escape(words("pad.keys"))}"></canvas><i class="pad-nib" hidden></i>'
    )


def _script(line: int, longest: int, said: dict[str, str]) -> str:
    script = (STATIC / "pad.js").read_text("utf-8")
    for name, value in {"line": line, "longest": longest}.items():
        script = script.replace(f"'${name}'", str(value))
    for name, value in {"draft": DRAFT, "ours": OURS, **said}.items():
        script = script.replace(f"${name}", value)
    return script
