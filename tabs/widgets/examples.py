"""Pictures to choose from, each with a name: its own in an address, and one that is read."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

import gradio as gr

from tabs import Words

SCRIPT = """
const VIEW = '$view', FIRST = '$first', buttons = [...element.querySelectorAll('[data-name]')];
const mark = (name) => buttons.forEach((one) => one.setAttribute('aria-pressed', one.dataset.name === name));
const choose = (name) => {
  mark(name);
  lab.note(VIEW, 'picture', name, FIRST);
  lab.bring(VIEW, false);
  props.value = name;
  trigger('input');
};
for (const button of buttons) button.addEventListener('click', () => choose(button.dataset.name));
const asked = lab.asked(VIEW, 'picture');
if (asked && asked !== FIRST && buttons.some((one) => one.dataset.name === asked)) choose(asked);
"""


def examples(words: Words, elem_id: str, view: str, named: Mapping[str, Path]) -> gr.HTML:
    """Small pictures in a row; the value is the name of the one that was chosen, None before.

    Args:
        words: of the page; "example.NAME" says what is seen.
        elem_id: of the component.
        view: what it is a part of, as an address says it.
        named: the file of each; `static/thumbs` has a small picture of it, by its name.
    """
    first = next(iter(named))
    buttons = "".join(
        f'<button type="button" data-name="{name}" aria-pressed="{json.dumps(name == first)}"'
        f' title="{escape(words(f"example.{name}"))}"><img src="lab/thumbs/{name}.jpg" width="72" height="72"'
        f' alt="{escape(words(f"example.{name}"))}"></button>'
        for name in named
    )
    return gr.HTML(
        value=None,
        html_template=f'<p>{escape(words("photo.examples"))}</p><div class="thumbs">{buttons}</div>',
        js_on_load=SCRIPT.replace("$view", view).replace("$first", first),
        elem_id=elem_id,
        elem_classes="examples",
    )
