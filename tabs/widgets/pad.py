"""A pad to draw on with finger, pen or mouse, which speaks while the stroke is still going on."""

from html import escape

import gradio as gr

from tabs import Words

SIZE = 280  # canvas pixels: ten times MNIST's 28
LINE = 20  # a stroke of two MNIST pixels
EXAMPLES = {  # strokes on the canvas, drawn as a visitor would draw them
    "3": "M90 75 C120 45 190 50 185 95 C182 125 150 135 130 137 C160 137 198 150 195 190 C190 240 115 240 85 208",
    "5": "M185 60 L105 60 L98 130 C130 108 192 118 190 175 C188 235 115 240 88 210",
    "8": "M185 85 C150 35 85 65 105 105 C120 135 190 150 188 195 C184 245 100 240 100 195 C100 150 185 130 185 85",
}

DRAFT = "draft=1;"  # a parameter in the data URL of a drawing whose stroke still goes on

# The value is the canvas as a data URL, or "" when it was cleared. Ink is sent while the pointer moves, but no more
# often than an answer takes to come back and be read.
SCRIPT = """
const canvas = element.querySelector('canvas'), ink = canvas.getContext('2d');
const hint = element.querySelector('.pad-hint');
let last = null, sent = 0;
const send = (value) => { sent = Date.now(); props.value = value; trigger('input'); };
const at = (event) => {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};
const pen = () => {
  ink.lineWidth = LINE; ink.lineCap = ink.lineJoin = 'round';
  ink.strokeStyle = getComputedStyle(canvas).color;
  hint.hidden = true;
};
const wipe = () => { ink.clearRect(0, 0, canvas.width, canvas.height); hint.hidden = false; };
canvas.addEventListener('pointerdown', (event) => {
  if (last !== null || event.button > 0) return;
  canvas.setPointerCapture(event.pointerId);
  last = at(event); pen();
  ink.beginPath(); ink.moveTo(...last); ink.lineTo(...last); ink.stroke();
});
canvas.addEventListener('pointermove', (event) => {
  if (last === null) return;
  ink.beginPath(); ink.moveTo(...last);
  last = at(event);
  ink.lineTo(...last); ink.stroke();
  if (Date.now() - sent > 120) send(canvas.toDataURL().replace('base64,', 'DRAFTbase64,'));
});
const lift = () => { if (last !== null) { last = null; send(canvas.toDataURL()); } };
canvas.addEventListener('pointerup', lift);
canvas.addEventListener('pointercancel', lift);
element.querySelector('.pad-clear').addEventListener('click', () => { wipe(); send(''); });
for (const button of element.querySelectorAll('[data-strokes]'))
  button.addEventListener('click', () => {
    wipe(); pen(); ink.stroke(new Path2D(button.dataset.strokes)); send(canvas.toDataURL());
  });
element.querySelector('[data-initial]')?.click();
""".replace("LINE", str(LINE)).replace("DRAFT", DRAFT)


def is_draft(url: str) -> bool:
    """Whether the pad's value `url` shows a stroke that still goes on."""
    return DRAFT in url[:40]


def pad(words: Words, elem_id: str, *, one: bool = False, initial: str = "") -> gr.HTML:
    """A square to draw on, three examples, and a button that clears it.

    Its value is a data URL, "" when it was cleared, None before anything was drawn.

    Args:
        words: of the page.
        elem_id: of the component.
        one: ask for a single digit, not for one or several.
        initial: names one of the examples: it is drawn when the page opens.
    """
    label = words("pad.one_label") if one else words("pad.label")
    hint = words("pad.one_hint") if one else words("pad.hint")
    examples = "".join(
        f'<button type="button" data-strokes="{strokes}"{" data-initial" * (digit == initial)}'
        f' aria-label="{escape(words("pad.example", digit=digit))}">'
        f'<svg viewBox="0 0 {SIZE} {SIZE}"><path d="{strokes}" stroke-width="{LINE}"/></svg></button>'
        for digit, strokes in EXAMPLES.items()
    )
    return gr.HTML(
        value=None,
        html_template=f"""
<div class="pad-paper">
  <canvas width="{SIZE}" height="{SIZE}" role="img" aria-label="{escape(label)}"></canvas>
  <span class="pad-hint">{escape(hint)}</span>
</div>
<div class="pad-row">
  <span>{escape(words("pad.try"))}</span>{examples}
  <button type="button" class="pad-clear">{escape(words("pad.clear"))}</button>
</div>""",
        js_on_load=SCRIPT,
        elem_id=elem_id,
        elem_classes="pad",
    )
