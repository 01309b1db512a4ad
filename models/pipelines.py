"""PIL in, PIL or probabilities out: what the tabs call, and the public Python interface."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import torch
from PIL import Image

import models
from models import hub, images

_TRACING = Lock()  # torch traces one network at a time: two at once spoil each other


@dataclass(frozen=True)
class Facts:
    """What a page tells about a network: `accuracy` on the test split is None where its card does not say."""

    architecture: str
    parameters: int
    accuracy: float | None
    provenance: hub.Provenance
    weights: Path


class DigitClassifier:
    """Names the digit in a picture.

    Args:
        source: what `models.load` takes; a network whose task is classification.

    Raises:
        ValueError: there are no weights for it, or it does something else.
    """

    def __init__(self, source: str):
        self.net = models.load(source).to(memory_format=torch.channels_last)
        if self.net.task != "classification":
            raise ValueError(f"{source} does {self.net.task}, not classification: choose one of "
                             f"{', '.join(models.names(task='classification'))}.")  # fmt: skip
        # Frozen, Python and the batch norms are out of the way: a fifth off each answer. Torch would have us compile
        # instead, but for that a Space lacks the compiler.
        with _TRACING:
            self._frozen = torch.jit.freeze(torch.jit.trace(self.net, torch.zeros(1, 1, 28, 28)))

    @property
    def facts(self) -> Facts:
        """Size, test accuracy, and where the weights came from."""
        provenance = self.net.provenance
        return Facts(
            architecture=type(self.net).__name__,
            parameters=self.net.parameter_count,
            accuracy=hub.figures(provenance.folder).get("accuracy"),
            provenance=provenance,
            weights=provenance.folder / hub.WEIGHTS,
        )

    def prepare(self, image: Image.Image) -> Image.Image:
        """What the network sees: 28x28 'L', white on black. Raises InputError when there is nothing in the picture."""
        return images.to_digit(image)

    @torch.inference_mode()
    def __call__(self, image: Image.Image) -> dict[str, float]:
        """The probability of each digit, `{"0": ..., ..., "9": ...}`, for a picture of any size, mode and polarity.

        Raises:
            InputError: there is nothing in the picture, or it is too large.
        """
        logits = self._frozen(images.to_tensor(self.prepare(image)))
        return {str(digit): share for digit, share in enumerate(logits.softmax(1)[0].tolist())}
