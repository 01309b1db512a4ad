"""The public Python interface: a picture in, ten probabilities out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny
import torch
from app_process import drawn
from huggingface_hub import ModelCard
from PIL import Image

import models
from models import hub, images
from models.errors import InputError
from models.pipelines import DigitClassifier

NAMES = models.names(task="classification")


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_the_network(name: str) -> None:
    """The pipeline's own, faster network says what the one that `load` gives says, for any picture of MNIST's form."""
    pipeline, net = DigitClassifier(name), models.load(name)
    for picture in tiny.bars(20, seed=4)[0]:
        image = Image.fromarray(picture)
        shares = pipeline(image)
        assert list(shares) == [str(digit) for digit in range(10)]
        with torch.no_grad():
            wanted = net(images.to_tensor(image)).softmax(1)[0]
        assert list(shares.values()) == pytest.approx(wanted.tolist(), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawing_is_read(name: str) -> None:
    """A seven is a seven, at any size and in any mode."""
    pipeline = DigitClassifier(name)
    for image in (drawn(), drawn().convert("RGBA").resize((999, 700)), drawn().resize((40, 40))):
        shares = pipeline(image)
        assert max(shares, key=shares.get) == "7"
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_what_it_sees() -> None:
    """`prepare` shows the picture that is read: reading it again gives the same."""
    pipeline = DigitClassifier("mnist-dense")
    seen = pipeline.prepare(drawn())
    assert (seen.mode, seen.size) == ("L", (28, 28))
    assert pipeline(seen) == pipeline(drawn())


def test_nothing_is_not_guessed() -> None:
    with pytest.raises(InputError, match="empty"):
        DigitClassifier("mnist-dense")(Image.new("L", (200, 200), 255))


@pytest.mark.parametrize("name", NAMES)
def test_facts(name: str) -> None:
    """They are those of the network and of its card."""
    facts = DigitClassifier(name).facts
    card = ModelCard.load(hub.CHECKPOINTS / name / "README.md").data
    accuracy = next(result for result in card.eval_results if result.metric_type == "accuracy")
    assert facts.accuracy == accuracy.metric_value
    assert facts.parameters == sum(parameter.numel() for parameter in models.create(name).parameters())
    assert facts.weights == hub.CHECKPOINTS / name / "model.safetensors"
    assert facts.provenance.source == "embedded"


def test_what_is_no_classifier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that does something else is named, with those that could be meant."""
    monkeypatch.setattr("models.classifiers.Dense.task", "dreaming")
    monkeypatch.setattr("models.base.build", lambda config: models.create("mnist-dense"))
    with pytest.raises(ValueError, match="mnist-dense does dreaming, not classification: choose one of mnist-resnet"):
        DigitClassifier("mnist-dense")


def test_many_visitors_at_once() -> None:
    """The first calls of several visitors come together, while the networks are still being made."""

    def visit(index: int) -> str:
        shares = DigitClassifier(NAMES[index % len(NAMES)])(drawn())
        return max(shares, key=shares.get)

    with ThreadPoolExecutor(8) as visitors:
        assert list(visitors.map(visit, range(24))) == ["7"] * 24
