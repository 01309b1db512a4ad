"""Guess: which of two digits did a person write, and which a network? A round of ten, and the score."""

from functools import lru_cache
from html import escape

import gradio as gr

from models.pipelines import PAIRS, pairs
from tabs import PAGE, Words
from tabs.address import Address
from tabs.head import STATIC
from tabs.widgets.picture import data_url
from tabs.widgets.prose import muted, sentence

KEPT = 64  # rounds, of 12 kB each


@lru_cache(KEPT)
def drawn(seed: int) -> list[tuple[str, str, str, bool]]:
    """Of each pair the person's picture and the network's as addresses, its name, and whether the person's is left."""
    return [(data_url(one.written), data_url(one.drawn), one.network, one.left) for one in pairs(seed)]


def build(words: Words, address: Address, *, public: bool) -> None:
    """Lay out the part; it has no endpoint, `public` or not. `static/round.js` plays what the server deals."""
    dealt = gr.HTML(elem_id="round", js_on_load=(STATIC / "round.js").read_text("utf-8"))
    seed = gr.Number(0, visible="hidden", label=words("sample.seed"), precision=None)
    seed.preprocess = lambda value: value  # the pipeline says what is wrong with it, in a sentence

    def deal(seed: int) -> str:
        try:
            return _round(words, drawn(seed))
        except ValueError as error:
            return sentence(words.sentence(error))

    gr.on(None, deal, seed, dealt, **PAGE)
    dealt.submit(None, seed, seed, js="(seed) => (seed + 1) % 2 ** 32", api_visibility="private")
    address.add("sample/guess", seed=seed)


def _round(words: Words, dealt: list[tuple[str, str, str, bool]]) -> str:
    """All pairs, of which one is seen at a time, and the place for what is said about it."""
    said = {
        key: words(f"guess.{key}", place="{place}", right="{right}", count=PAIRS, wrong="{wrong}")
        for key in ("score", "right", "wrong", "next", "end", "last", "fooled")
    }
    texts = "".join(f' data-{key}="{escape(text)}"' for key, text in said.items())
    cells = "".join(_pair(words, place, *one) for place, one in enumerate(dealt, 1))
    return (
        f'<section class="round"{texts}><p class="round-ask">{escape(words("guess.ask"))}</p>'
        f'<p class="round-score"></p><ol>{cells}</ol>'
        f'<div class="round-end" hidden><p class="sentence"></p><table class="methods"><thead><tr>'
        f'<th scope="col">{escape(words("network"))}</th><th scope="col">{escape(words("guess.passed"))}</th></tr>'
        f"</thead><tbody></tbody></table>{muted(words('guess.chance'))}</div>"
        f'<p class="round-said" role="status"></p>'
        f'<div class="round-row"><button type="button" class="round-next" disabled>{escape(said["next"])}</button>'
        f'<button type="button" class="round-again" hidden>{escape(words("guess.again"))}</button></div></section>'
    )


def _pair(words: Words, place: int, written: str, drawn: str, network: str, left: bool) -> str:
    title = escape(words(f"network.{network}"))
    sides = [(written, escape(words("guess.person")), "true"), (drawn, title, "false")]
    labels = (words("guess.left"), words("guess.right_one"))
    buttons = "".join(
        f'<button type="button" data-person="{person}" aria-label="{escape(label)}">'
        f'<img class="pixels" src="{url}" alt=""><span>{who}</span></button>'
        for (url, who, person), label in zip(sides if left else sides[::-1], labels, strict=True)
    )
    hidden = "" if place == 1 else " hidden"
    return f'<li data-network="{title}"{hidden}><div role="group" aria-label="{place}">{buttons}</div></li>'
