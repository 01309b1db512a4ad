"""What a card shows of each kind of network: pictures drawn into its folder, and the Markdown around them."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import torch

from models.base import Model
from models.pictures import classical, corruptions
from train import denoising, inpainting
from train.data.digits import Data, Split
from train.engine.state import Progress
from train.figures import fidelity, inpainting_quality, metrics, reliability
from train.tasks import Classification

matplotlib.use("agg")  # pictures go to files; no screen is needed
import matplotlib.pyplot as plt

EPOCHS_SHOWN = 10  # of the snapshots
SHOWN_FACES = 8
CROP = 128  # pixels on a side that are shown of a photograph


@dataclass(frozen=True)
class Run:
    """One trained seed: the network to publish, how training went, its last touch, its figures on the test split."""

    seed: int
    net: Model
    progress: Progress
    finish: dict[str, float]
    test: dict[str, float]
    device: torch.device


def classifier(folder: Path, run: Run, data: Data) -> str:
    """How far it can be trusted, and what it mistakes for what."""
    validation, test = (Classification().predict(run.net, split) for split in (data.validation, data.test))
    trust = reliability.measure(run.net, data, validation, test)
    reliability.curve(trust, folder / "reliability.png")
    _confusion_matrix(metrics.confusion(test, data.test.labels), folder / "confusion-matrix.png")
    return f"""![Confusion matrix on the test split](confusion-matrix.png)

{reliability.section(trust, run.finish["temperature"], run.test["ece"])}"""


def _confusion_matrix(counts: torch.Tensor, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(5, 4.6), layout="constrained")
    # Colour by the mistakes: on the diagonal everything is right, and would drown them.
    mistakes = counts.float().fill_diagonal_(0)
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1.0, 1.5 * mistakes.max().item()))
    for row in range(len(counts)):
        for column in range(len(counts)):
            if counts[row, column]:
                axes.text(column, row, int(counts[row, column]), ha="center", va="center", fontsize=8)
    axes.set(xlabel="answer", ylabel="truth", xticks=range(len(counts)), yticks=range(len(counts)))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def autoencoder(folder: Path, run: Run, data: Data) -> str:
    """Digits and what it makes of them."""
    images = data.test.images[:20] / 255
    with torch.inference_mode():
        rebuilt = run.net(images)
    _sheet(torch.cat([images[:10], rebuilt[:10], images[10:], rebuilt[10:]]), folder / "rebuilt.png")
    return f"""Principal components are the best that a linear code of {run.net.latent} numbers can do. The probe is a
logistic regression on the codes of the {len(data.train):,} training images.

![Test images and, below each, what the network makes of it](rebuilt.png)
"""


def generator(folder: Path, run: Run, data: Data) -> str:
    """What it draws, now and after each epoch."""
    pictures, _ = fidelity.draw(run.net, 100)
    _sheet(pictures, folder / "samples.png")
    picked = _spaced(run.progress.snapshots or [{"epoch": 0, "picture": fidelity.snapshot(run.net)}])
    rows = torch.cat([row["picture"] for row in picked]).unflatten(1, (-1, 28)).unflatten(0, (-1, 28))
    _sheet(rows.permute(0, 2, 1, 3).flatten(0, 1)[:, None] / 255, folder / "snapshots.png", fidelity.SHOWN)
    epochs = ", ".join(str(row["epoch"]) for row in picked)
    count, equally = f"{len(data.test):,}", ", each digit equally often," if run.net.conditional else ""
    return f"""Distance, precision, recall and score have the formulas of FID (Heusel et al. 2017), improved precision
and recall (Kynkäänniemi et al. 2019) and the inception score (Salimans et al. 2016), in the features and answers of
`mnist-resnet`: {count} drawn pictures{equally} against the {count} test images. **They are not FID**: compare them with
figures by the same classifier only. It puts what is no digit near a few odd real ones, so that precision flatters a
network that draws no digits; recall and distance do not.

![A hundred pictures by one seed, none picked](samples.png)

The same latent points after epochs {epochs}:

![Each row an epoch](snapshots.png)
"""


@torch.inference_mode()
def photo_denoiser(folder: Path, run: Run, data: Data) -> str:
    """A table beside the published ones, and strips of photographs."""
    sigma = torch.tensor([float(denoising.BLIND)])
    rows = min(4, len(data.test))
    figure, axes = plt.subplots(rows, 4, figsize=(8, 2.15 * rows), squeeze=False, layout="constrained")
    for row, clean in zip(axes, data.test, strict=False):
        noisy = corruptions.gaussian(clean, sigma, torch.Generator().manual_seed(0))
        shown = {
            "clean": clean,
            f"noisy, σ {denoising.BLIND}": noisy,
            "non-local means": classical.non_local_means(noisy, sigma),
            "this network": run.net(noisy, sigma),
        }
        top, left = (max(0, (side - CROP) // 2) for side in clean.shape[2:])
        for place, (title, picture) in zip(row, shown.items(), strict=True):
            place.imshow(picture[0, :, top : top + CROP, left : left + CROP].clamp(0, 1).permute(1, 2, 0).numpy())
            psnr = -denoising.decibels(picture.clamp(0, 1), clean).item()
            place.set(title=title, xticks=[], yticks=[], xlabel="" if picture is clean else f"{psnr:.2f} dB")
    _photographs(figure, folder / "strips.jpg", dpi=110)
    ours = {kind: " | ".join(f"{run.test[f'{kind}_{s}']:.2f}" for s in denoising.SIGMAS) for kind in ("psnr", "grey")}
    return f"""PSNR as in the papers: noise is added to 8-bit values and neither clipped nor rounded, the output is
clipped, and the mean is over the images' own figures. Published figures are for CBSD68, the test split that this recipe
is meant for, and its grey version by Pillow's `L`, BSD68.

| PSNR, dB | σ 15 | 25 | 50 |
|---|---|---|---|
| colour: **this network** | {ours["psnr"]} |
| CBM3D (no training) | 33.52 | 30.71 | 27.38 |
| DnCNN (0.6 M parameters) | 33.90 | 31.24 | 27.95 |
| DRUNet (32 M, far more data) | 34.30 | 31.69 | 28.51 |
| grey: **this network** | {ours["grey"]} |
| BM3D (no training) | 31.08 | 28.57 | 25.60 |
| DnCNN | 31.73 | 29.23 | 26.23 |

The first test images, the middle of each; the figures are those of the whole image:

![Clean, noisy, non-local means, this network](strips.jpg)
"""


@torch.inference_mode()
def digit_denoiser(folder: Path, run: Run, data: Data) -> str:
    """A table of all methods, and strips of digits."""
    clean = data.test.images[:10] / 255
    sigma = torch.full((len(clean),), float(denoising.DIGIT_SIGMAS[1]))
    noisy = corruptions.gaussian(clean, sigma, torch.Generator().manual_seed(0))
    rows = [clean, noisy, classical.non_local_means(noisy, sigma), denoising.textbook()(noisy), run.net(noisy)]
    _sheet(torch.cat(rows), folder / "strips.png")
    names = {"psnr": "**this network**", denoising.TEXTBOOK: f"`{denoising.TEXTBOOK}`, the textbook's"}
    names |= {name: " ".join(name.rsplit("-", 1)) for name in classical.METHODS}
    table = "\n".join(
        f"| {label} | " + " | ".join(f"{run.test[f'{name}_{s}']:.2f}" for s in denoising.DIGIT_SIGMAS) + " |"
        for name, label in names.items()
    )
    return f"""Gaussian noise, neither clipped nor rounded; the output is clipped. Those without training are told the
deviation, the networks are not.

| PSNR, dB | σ {" | ".join(map(str, denoising.DIGIT_SIGMAS))} |
|---|---|---|---|
{table}

The first ten test images: clean, noisy (σ {denoising.DIGIT_SIGMAS[1]}), non-local means, `{denoising.TEXTBOOK}`, this
network:

![Each row a method](strips.png)
"""


@torch.inference_mode()
def inpainter(folder: Path, run: Run, data: Data) -> str:
    """A table of all methods, and strips of faces by their index."""
    fills = {"autoencoder": inpainting.textbook(), "biharmonic": classical.biharmonic, "this network": run.net}
    count = min(SHOWN_FACES, len(data.test))
    split = Split(data.test.images[:count], data.test.labels[:count])
    masks = inpainting_quality.boxes(data.test, inpainting.BOX)[:count]
    columns = {"hidden": [], **{name: [] for name in fills}, "truth": []}
    for name, fill in fills.items():
        for made, true, some in inpainting_quality.filled(fill, split, masks):
            columns[name].extend(made)
            if name == "this network":
                columns["truth"].extend(true)
                columns["hidden"].extend(true * (1 - some))
    figure, axes = plt.subplots(count, len(columns), figsize=(1.6 * len(columns), 1.62 * count), layout="constrained")
    for place, (name, pictures) in zip(axes.T, columns.items(), strict=True):
        for axis, picture in zip(place, pictures, strict=True):
            axis.imshow(picture.permute(1, 2, 0).cpu().numpy())
            axis.set(xticks=[], yticks=[])
        place[0].set_title(name, fontsize=9)
    _photographs(figure, folder / "strips.jpg", dpi=100)
    names = {"": "**this network**", "face-ae_": "`face-ae`, the document's", "biharmonic_": "biharmonic"}
    keys = ("psnr_28", "ssim_28", "psnr_64", "ssim_64", "sharpness_28", "seam_28")
    rows = "\n".join(
        f"| {label} | "
        + " | ".join(f"{run.test[prefix + key]:.{2 if key.startswith('psnr') else 3}f}" for key in keys)
        + f" | {run.test[prefix + 'told_apart']:.1%} ± {run.test[prefix + 'told_apart_within']:.1%} |"
        for prefix, label in names.items()
    )
    return f"""Inside one box an image, at a place by seed 0, the same for all. Sharpness is the mean gradient inside
the hole, seam the mean step across its edge, both over the truth's. The last column is how often a small classifier
that has learned from {len(data.validation):,} held-out faces tells the hole and {inpainting_quality.MARGIN} pixels
around it from a true one, in {len(data.test):,} others, with its 95 % interval: 50 % is a guess.

| | PSNR, 28×28 | SSIM | PSNR, 64×64 | SSIM | sharpness | seam | told apart |
|---|---|---|---|---|---|---|---|
{rows}

The first {count} test faces, in the dataset's order:

![Hidden, each method, truth](strips.jpg)
"""


@torch.inference_mode()
def face_autoencoder(folder: Path, run: Run, data: Data) -> str:
    """What the figures mean, and faces with a hidden box and without."""
    count = min(10, len(data.test))
    images = data.test.images[:count] / 255
    masks = inpainting_quality.boxes(data.test, inpainting.BOX)[:count]
    rows = [images * (1 - masks), run.net(images, masks), images]
    figure, axes = plt.subplots(3, count, figsize=(1.1 * count, 3.4), squeeze=False, layout="constrained")
    for line, pictures in zip(axes, rows, strict=True):
        for axis, picture in zip(line, pictures, strict=True):
            axis.imshow(picture.clamp(0, 1).permute(1, 2, 0).cpu().numpy())
            axis.set(xticks=[], yticks=[])
    _photographs(figure, folder / "rebuilt.jpg", dpi=100)
    return f"""The document, on other faces (FFHQ), reports an MSE of 0.0111 and an "accuracy" of 85.10 %. What Keras
calls accuracy there is the share of pixels whose strongest channel, of red, green and blue, is the right one: high for
any picture in the colours of skin. The MSE is that of the whole face; inside the box alone it is the PSNR that tells.

The first {count} test faces: with the box, as it draws them, as they are:

![Hidden, rebuilt, truth](rebuilt.jpg)
"""


def _photographs(figure: plt.Figure, path: Path, dpi: int) -> None:
    """Save a figure of photographs as such: as a PNG it would be five times as large."""
    figure.savefig(path, dpi=dpi, pil_kwargs={"quality": 85})
    plt.close(figure)


def _spaced(rows: list[dict]) -> list[dict]:
    """At most `EPOCHS_SHOWN` of them, the first and the last among them, closer together where most happens."""
    steps = torch.logspace(0, 1, EPOCHS_SHOWN, base=len(rows)).round().int().unique().tolist()
    return [rows[step - 1] for step in steps]


def _sheet(pictures: torch.Tensor, path: Path, columns: int = 10) -> None:
    """(N, 1, 28, 28) in [0, 1] as one picture, from left to right, twice their size."""
    rows = [torch.cat(list(row), 1) for row in pictures[:, 0].clamp(0, 1).split(columns)]
    plt.imsave(path, torch.cat(rows).repeat_interleave(2, 0).repeat_interleave(2, 1), cmap="gray", vmin=0, vmax=1)
