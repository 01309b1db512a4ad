"""The networks as the page offers and describes them."""

from collections.abc import Callable, Sequence
from html import escape
from typing import TypeVar

import gradio as gr

from models.errors import InputError
from models.pipelines import Facts
from tabs import Words

Pipeline = TypeVar("Pipeline")


def menu(words: Words, offered: Sequence[str], value: str, elem_id: str) -> gr.Radio:
    """A choice of networks. What a caller sends is handed on as it is: `chosen` says what is wrong with it."""
    choice = gr.Radio(
        [(words(f"network.{name}"), name) for name in offered],
        value=value,
        label=words("network"),
        elem_id=elem_id,
        elem_classes="pills",
    )
    choice.preprocess = lambda name: name  # Gradio's own refusal prints a traceback
    return choice


def chosen(network: str, offered: Sequence[str], load: Callable[[str], Pipeline]) -> Pipeline:
    """The pipeline of that name. Raises InputError for a name that the tab does not offer."""
    if network not in offered:
        listed = ", ".join(offered)
        raise InputError("network_unknown", f"There is no such network: choose one of {listed}.", offered=listed)
    return load(network)


def accuracy(facts: Facts) -> str | None:
    """On the test split, "97.89" percent; None where nobody measured it."""
    return f"{facts.accuracy:.2%}".rstrip("%") if facts.accuracy else None


def _measured(words: Words, facts: Facts) -> str:
    if percent := accuracy(facts):
        return words("network.accuracy", percent=percent)
    if "frechet" in facts.figures:
        return words("network.frechet", distance=f"{facts.figures['frechet']:.2f}")
    if "blind_25" in facts.figures:  # a network for photographs
        return words("network.psnr", psnr=f"{facts.figures['psnr_25']:.2f}")
    if "psnr_28" in facts.figures:  # one for faces
        return words("network.hole", psnr=f"{facts.figures['psnr_28']:.2f}")
    return ""


def source(words: Words, network: str, facts: Facts) -> str:
    """A line on the network: its size, its accuracy, where its weights came from and why not from elsewhere."""
    size = words("network.parameters", count=f"{facts.parameters:,}")
    measured = _measured(words, facts)
    where = facts.provenance
    place = words(f"source.{where.source}", repo_id=where.repo_id, revision=(where.revision or "")[:7])
    notes = "".join(
        f'<details><summary>{escape(words("source.fallback"))}</summary><span lang="en">{escape(note)}</span></details>'
        for note in where.notes
    )
    return escape(" · ".join(part for part in (words(f"network.{network}"), size, measured, place) if part)) + notes
