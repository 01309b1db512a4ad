"""The networks as the page offers and describes them."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import TypeVar

import gradio as gr

from models.errors import InputError
from models.pipelines import Facts
from tabs import Words

Pipeline = TypeVar("Pipeline")

TESTED = 10_000  # digits of MNIST, on which classifiers are tested


def menu(words: Words, offered: Sequence[str], value: str, elem_id: str, label: str | None = None) -> gr.Radio:
    """A choice of networks. What a caller sends is handed on as it is: `chosen` says what is wrong with it."""
    choice = gr.Radio(
        [(words(f"network.{name}"), name) for name in offered],
        value=value,
        label=label or words("network"),
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


def wrong(facts: Facts) -> str:
    """On how many of the test split, "32"; a dash where nobody counted."""
    return f"{round(TESTED * (1 - facts.accuracy)):,}" if facts.accuracy else "–"


def off(psnr: float) -> int:
    """By how many of 255 levels a pixel is usually off (root mean square) where the PSNR is so many dB."""
    return round(255 * 10 ** (-psnr / 20))


def unfolding(plain: str, exact: str) -> str:
    """A figure in plain words, which shows the exact one when it is pointed at or pressed."""
    return f'<details class="exact" title="{escape(exact)}"><summary>{escape(plain)}</summary>{escape(exact)}</details>'


def _measured(words: Words, facts: Facts) -> str:
    """Its test figures, in plain words first."""
    figures = facts.figures
    if facts.accuracy:
        exact = words("network.accuracy", percent=f"{100 * facts.accuracy:.2f}")
        return unfolding(words("network.wrong", count=wrong(facts)), exact)
    if "frechet" in figures:
        passing, shown = (round(100 * figures[key]) for key in ("precision", "recall"))
        exact = words("network.frechet", distance=f"{figures['frechet']:.3f}", **_shares(figures))
        key = "network.passing" if shown else "network.passing_alike"
        return unfolding(words(key, count=passing, shown=shown), exact)
    if "blind_25" in figures:  # a network for photographs
        # Of the mean squared error of noise of sigma 25 what is left, both in decibels of 255.
        left = 10 ** ((20 * math.log10(255 / 25) - figures["psnr_25"]) / 10)
        exact = words("network.psnr", psnr=f"{figures['psnr_25']:.2f}")
        return unfolding(words("network.cleans", percent=f"{100 * (1 - left):.0f}"), exact)
    if "psnr_28" in figures:  # one for faces
        exact = words("network.hole", psnr=f"{figures['psnr_28']:.2f}")
        return unfolding(words("network.off", levels=off(figures["psnr_28"])), exact)
    return ""


def _shares(figures: dict[str, float]) -> dict[str, str]:
    return {key: f"{figures[key]:.3f}" for key in ("precision", "recall")}


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
    parts = (escape(words(f"network.{network}")), escape(size), measured, escape(place))
    return " · ".join(part for part in parts if part) + notes
