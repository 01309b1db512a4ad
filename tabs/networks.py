"""The networks as the page offers and describes them."""

from html import escape

import models
from models.errors import InputError
from models.pipelines import DigitClassifier, Facts, classifier
from tabs import Words

DEFAULT = "mnist-resnet"
TITLES = {
    "mnist-dense": "Dense",
    "mnist-mlp": "MLP",
    "mnist-cnn": "CNN",
    "mnist-cnn-wide": "Wide CNN",
    "mnist-rnn": "RNN",
    "mnist-lstm": "LSTM",
    "mnist-resnet": "ResNet",
}


def offered() -> list[str]:
    """The names of the networks that name digits."""
    return models.names(task="classification")


def chosen(network: str) -> DigitClassifier:
    """The network of that name. Raises InputError for a name that the page does not offer."""
    if network not in (names := offered()):
        listed = ", ".join(names)
        raise InputError("network_unknown", f"There is no such network: choose one of {listed}.", offered=listed)
    return classifier(network)


def accuracy(facts: Facts) -> str | None:
    """On the test split, "97.89" percent; None where nobody measured it."""
    return f"{facts.accuracy:.2%}".rstrip("%") if facts.accuracy else None


def source(words: Words, network: str, facts: Facts) -> str:
    """A line on the network: its size, its accuracy, where its weights came from and why not from elsewhere."""
    size = words("digits.parameters", count=f"{facts.parameters:,}")
    percent = accuracy(facts)
    measured = words("digits.accuracy", percent=percent) if percent else ""
    place = words(f"source.{facts.provenance.source}", repo_id=facts.provenance.repo_id)
    notes = "".join(
        f'<details><summary>{escape(words("source.fallback"))}</summary><span lang="en">{escape(note)}</span></details>'
        for note in facts.provenance.notes
    )
    return escape(" · ".join(part for part in (TITLES[network], size, measured, place) if part)) + notes
