"""What all that draw digits have in common, however they are trained."""

from pathlib import Path
from typing import ClassVar

import torch

from models.base import Model
from train.data.splits import Data, Split
from train.figures import fidelity
from train.recipe import Recipe
from train.run import Run
from train.tasks.task import MNIST, Task

EPOCHS_SHOWN = 10  # of the snapshots


class Generation(Task):
    """Measured, besides what each has of its own, by the pictures that it draws."""

    pipeline_tag = "unconditional-image-generation"
    metrics: ClassVar = {
        "frechet": "Fréchet distance in mnist-resnet's features",
        "precision": "Improved precision in mnist-resnet's features",
        "recall": "Improved recall in mnist-resnet's features",
        "inception_score": "Inception score with mnist-resnet's answers",
        "asked": "Read by mnist-resnet as the digit asked for",
        "spread": "Deviation of pixels within a digit, relative to test images",
    }
    interface = (
        "`sample(n, digit, temperature, generator)` draws `(n, 1, 28, 28)` in [0, 1], white on black; "
        "`decode(z, digit)` what stands at latent points of yours."
    )
    limits = f"{MNIST} It draws such digits and nothing else, some of them malformed. It is for learning and play."

    def check(self, data: Data) -> None:
        fidelity.check(data)

    def snapshot(self, net: Model, validation: Split) -> torch.Tensor:
        return fidelity.snapshot(net)

    def section(self, folder: Path, net: Model, figures: dict[str, float], data: Data) -> str:
        """A hundred of what it draws, and what its figures mean."""
        from train.figures.plots import grid

        pictures, _ = fidelity.draw(net, 100)
        grid(pictures, folder / "samples.png")
        count, equally = f"{len(data.test):,}", ", each digit equally often," if net.conditional else ""
        return f"""Distance, precision, recall and score have the formulas of FID (Heusel et al. 2017), improved
precision and recall (Kynkäänniemi et al. 2019) and the inception score (Salimans et al. 2016), in the features and
answers of `mnist-resnet`: {count} drawn pictures{equally} against the {count} test images. **They are not FID**:
compare them with figures by the same classifier only. It puts what is no digit near a few odd real ones, so that
precision flatters a network that draws no digits; recall and distance do not.

![A hundred pictures by one seed, none picked](samples.png)
"""

    def usage(self, net: Model) -> str:
        given = "torch.randn(10, net.latent), torch.arange(10)" if net.conditional else "torch.randn(16, net.latent)"
        return f"pictures = net.decode({given})"

    def history(self, folder: Path, run: Run, recipe: Recipe) -> str:
        from train.figures.plots import grid

        picked = _spaced(run.progress.snapshots or [{"epoch": 0, "picture": fidelity.snapshot(run.net)}])
        rows = torch.cat([row["picture"] for row in picked]).unflatten(1, (-1, 28)).unflatten(0, (-1, 28))
        grid(rows.permute(0, 2, 1, 3).flatten(0, 1)[:, None] / 255, folder / "snapshots.png", fidelity.SHOWN)
        epochs = ", ".join(str(row["epoch"]) for row in picked)
        return f"""The same latent points after epochs {epochs}:

![Each row an epoch](snapshots.png)
"""

    def summary(self, figures: dict[str, float], section: str) -> str:
        told = f"; {100 * figures['asked']:.1f} % read as asked" if "asked" in figures else ""
        return f"Fréchet distance {figures['frechet']:.3g}{told}"


def _spaced(rows: list[dict]) -> list[dict]:
    """At most `EPOCHS_SHOWN` of them, the first and the last among them, closer together where most happens."""
    steps = torch.logspace(0, 1, EPOCHS_SHOWN, base=len(rows)).round().int().unique().tolist()
    return [rows[step - 1] for step in steps]
