"""What can happen to a picture, as the page offers it: the kind, how strong, and the seed."""

from contextlib import suppress
from typing import NamedTuple

import gradio as gr
from gradio.events import Dependency

from models.pictures.corruptions import Corruption
from tabs import PAGE, ROLL, Words
from tabs.widgets.slider import Slider


class Damage(NamedTuple):
    """The controls, whose values are what `models.pipelines.damaged` takes.

    After `renewed`, an event, the strength is the usual one of a kind that was just chosen.
    """

    kind: gr.Radio
    strength: gr.Slider
    seed: gr.Number
    renewed: Dependency

    @property
    def values(self) -> list[gr.components.Component]:
        """The inputs of an event that needs them."""
        return [self.kind, self.strength, self.seed]


def damage(words: Words, kinds: dict[str, Corruption], elem_id: str, view: str) -> Damage:
    """Lay out the controls. A new kind has its usual strength, or that which the address of `view` says beside it."""
    first = next(iter(kinds))
    kind = gr.Radio(
        [(words(f"damage.{name}"), name) for name in kinds],
        value=first,
        label=words("damage"),
        elem_id=f"{elem_id}-kind",
        elem_classes="pills",
    )
    strength = Slider(**_range(words, kinds, first), elem_id=f"{elem_id}-strength")
    with gr.Row(elem_classes="seed"):
        seed = gr.Number(0, label=words("sample.seed"), precision=None, elem_id=f"{elem_id}-seed")
        dice = gr.Button(words("sample.dice"), size="sm", elem_id=f"{elem_id}-dice")
    for given in (kind, seed):
        given.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence
    dice.click(None, None, seed, js=ROLL)
    beside = f"(name) => [name, lab.beside('{view}', 'damage', name, 'strength')]"
    renewed = kind.change(
        lambda name, asked: gr.update(**_range(words, kinds, name, asked)),
        [kind, strength],
        strength,
        js=beside,
        **PAGE,
    )
    return Damage(kind, strength, seed, renewed)


def _range(words: Words, kinds: dict[str, Corruption], name: str, asked: str | None = None) -> dict:
    kind = kinds[name]
    low, high = sorted((kind.low, kind.high))
    label = words("strength", unit=words(f"strength.{name}"))
    value = kind.usual
    with suppress(TypeError, ValueError):  # nothing is asked, or no number
        value = float(asked) if low <= float(asked) <= high else value
    return {"minimum": low, "maximum": high, "value": value, "step": kind.step, "label": label}
