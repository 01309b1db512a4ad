"""What only its owner may see stays so, whatever is published beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hub_server import HubServer
from huggingface_hub import HfApi
from shell import sentence

from models import hub as sources

SPACE = "spaces/alice/latent-lab"


def test_a_public_space_gets_nothing_private(publish: Callable, hub: HubServer, lab: Path) -> None:
    """It stays as it was, and the sentence names what is private; beside it, or without it, all goes on."""
    assert publish("--only", "mnist-dense")[0] == 0
    before = hub.files(SPACE)
    for again in range(2):  # as it is made, and as it is there
        (lab / "mnist-mlp" / "reliability.png").write_bytes(b"%d" % again)
        told = sentence(publish("--only", "mnist-mlp", *["--private"] * (1 - again)))
        assert "private are alice/mnist-mlp" in told and "--no-space" in told
        assert hub.files(SPACE) == before and hub.repos["alice/mnist-mlp"]["private"]
        assert sources.pins()["mnist-mlp"]["repo_id"] == "alice/mnist-mlp"
    assert publish("--no-space")[0] == 0


def test_no_public_space_is_made_beside_private_models(publish: Callable, hub: HubServer) -> None:
    publish("--private", "--no-space")
    assert "all could see it" in sentence(publish())
    assert SPACE not in hub.repos


def test_a_private_space_stays_fit_for_private_models(publish: Callable, hub: HubServer) -> None:
    """`--private` is for what is new; a later run without it finds out, and none is slim."""
    assert publish("--private")[0] == 0
    card = hub.files(SPACE)["README.md"]
    assert publish()[0] == 0
    assert hub.files(SPACE)["README.md"] == card and b"preload_from_hub" not in card
    assert "--slim needs models that a Space can read" in sentence(publish("--slim"))


def test_a_push_keeps_the_card_that_is_there(cli: Callable, publish: Callable, hub: HubServer, lab: Path) -> None:
    """Of a folder that has none, as `save_pretrained` makes it."""
    publish("--no-space")
    card = hub.files("alice/mnist-mlp")["README.md"]
    (lab / "mnist-mlp" / "README.md").unlink()
    assert cli("push", "mnist-mlp", "alice/mnist-mlp")[0] == 0
    assert hub.files("alice/mnist-mlp")["README.md"] == card


@pytest.mark.parametrize("broken", ["pins", "card"])
def test_a_push_sends_nothing_that_it_cannot_finish(
    cli: Callable, publish: Callable, hub: HubServer, lab: Path, broken: str
) -> None:
    publish("--no-space")
    before = HfApi().model_info("alice/mnist-mlp").sha
    file, text = {"pins": ("hub.json", "<<<<<<< HEAD\n"), "card": ("mnist-mlp/README.md", "# Mine\n![](a.png)\n")}[
        broken
    ]
    (lab / file).write_text(text)
    (lab / "mnist-mlp" / "a.png").write_bytes(b"other")
    assert ("hub.json" if broken == "pins" else "README.md") in sentence(cli("push", "mnist-mlp", "alice/mnist-mlp"))
    assert HfApi().model_info("alice/mnist-mlp").sha == before


def test_fit_tells_of_a_pin(cli: Callable, publish: Callable, lab: Path, tiny_mnist: Path) -> None:
    """What it has written is not what is loaded by that name."""
    fit = ["fit", "mnist-dense", "--dataset", tiny_mnist, "--epochs", 1]
    publish("--no-space")
    assert "is pinned" not in cli(*fit)[1]
    told = cli(*fit, "--seed", 1, "--output", lab / "mnist-dense")[1]
    assert "mnist-dense is pinned, and loaded from alice/mnist-dense" in told
