"""The published checkpoints: what their cards promise holds, with this library and without it."""

import re
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

import models
from models import hub as sources
from train.recipe import Recipe
from train.tasks import RECIPES
from train.tasks.autoencoding import AutoencoderRecipe
from train.tasks.classification import ClassifierRecipe
from train.tasks.digit_denoising import DigitDenoiserRecipe
from train.tasks.face_autoencoding import FaceAutoencoderRecipe
from train.tasks.gan import GANRecipe, WGANRecipe
from train.tasks.inpainting import FaceGANRecipe, FaceRecipe
from train.tasks.noise_estimation import EstimatorRecipe
from train.tasks.page_reading import PageRecipe
from train.tasks.photo_denoising import PhotoRecipe
from train.tasks.point_classification import PointRecipe
from train.tasks.vae import VAERecipe

NAMES = models.names()
CLASSIFIERS = models.names(task="classification")
DRAWN = {"frechet", "precision", "recall", "inception_score"}
TO_IMAGE = "image-to-image"
TAGS: dict[type[Recipe], str] = {
    ClassifierRecipe: "image-classification",
    AutoencoderRecipe: "image-feature-extraction",
    VAERecipe: "unconditional-image-generation",
    GANRecipe: "unconditional-image-generation",
    WGANRecipe: "unconditional-image-generation",
    **dict.fromkeys((PhotoRecipe, DigitDenoiserRecipe, FaceAutoencoderRecipe, FaceRecipe, FaceGANRecipe), TO_IMAGE),
    EstimatorRecipe: "image-feature-extraction",
    PointRecipe: "tabular-classification",
    PageRecipe: "object-detection",
}
SIZES = dict.fromkeys((PhotoRecipe, EstimatorRecipe), ("68 test images", "20 held out"))
SIZES |= {PointRecipe: ("200 test points", "none held out")}
SIZES |= dict.fromkeys((FaceAutoencoderRecipe, FaceRecipe, FaceGANRecipe), ("1,000 test images", "1,000 held out"))
CBM3D = {"psnr_15": 33.52, "psnr_25": 30.71, "psnr_50": 27.38}  # published, on CBSD68 and on BSD68
BM3D = {"grey_15": 31.08, "grey_25": 28.57, "grey_50": 25.60}
FORMATS = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".webp": b"RIFF"}
COMMITTED = sorted(folder.name for folder in sources.CHECKPOINTS.iterdir() if folder.is_dir())


@pytest.fixture
def only_embedded(checkpoints: Path, hub: object) -> None:
    """`checkpoints/` as it is, without what may pin it to the Hub."""
    for name in COMMITTED:
        (checkpoints / name).symlink_to(Path(models.__file__).parent.parent / "checkpoints" / name)


def read(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def test_every_network_is_published() -> None:
    """Each registered name has a folder, and no folder is of something else."""
    assert sorted(NAMES) == COMMITTED


@pytest.mark.parametrize("name", NAMES)
def test_embedded_checkpoint(only_embedded: None, checkpoints: Path, name: str) -> None:
    """It loads from `checkpoints/`, is small enough for git, and holds what a Hub repository of it would."""
    net = models.load(name)
    assert (net.provenance.source, net.provenance.notes) == ("embedded", ())
    assert net.kwargs == models.create(name).kwargs
    files = {file.name: file.stat().st_size for file in (checkpoints / name).iterdir()}
    assert files.keys() >= {"config.json", "model.safetensors", "README.md"}
    assert max(files.values()) < 10_000_000


def test_all_checkpoints_are_small() -> None:
    """Together they stay below 46 MB."""
    assert sum(file.stat().st_size for file in sources.CHECKPOINTS.rglob("*") if file.is_file()) < 46e6


@pytest.mark.parametrize("name", NAMES)
def test_card(name: str) -> None:
    """The metadata is complete and valid, and the text says what a reader must know."""
    folder = sources.CHECKPOINTS / name
    card = ModelCard.load(folder / "README.md")
    told = card.data.to_dict()
    assert (told["library_name"], told["pipeline_tag"]) == ("latent-lab", TAGS[type(RECIPES[name])])
    dataset = RECIPES[name].dataset
    assert told["license"] == ("cc-by-nc-4.0" if name.startswith("face") else "apache-2.0")
    assert told.get("datasets", []) == [dataset] * ("/" in dataset)  # moons are on no Hub
    assert {"pytorch", "safetensors", dataset.split("/")[-1].lower()} <= set(told["tags"])
    assert card.data.model_name == name
    (kind,) = {one.dtype for one in load_file(folder / "model.safetensors").values() if one.is_floating_point()}
    assert re.search(rf"^[\d,]+ parameters, {str(kind).removeprefix('torch.')}\.$", card.text, re.MULTILINE)
    figures = {result.metric_type: result.metric_value for result in card.data.eval_results}
    expect_figures(name, figures)
    assert {(r.dataset_type, r.dataset_split) for r in card.data.eval_results} == {(dataset, "test")}
    for result in card.data.eval_results:
        told = re.search(rf"^\| {re.escape(result.metric_name)} \| (-?[\d.]+) \|$", card.text, re.MULTILINE)[1]
        assert float(told) == pytest.approx(result.metric_value, rel=6e-4, abs=6e-5)
    for text in (
        f"{models.create(name).parameter_count:,} parameters",
        f"fit {name}",
        *SIZES.get(type(RECIPES[name]), ("10,000 test images", "5,000 held out")),
        "Published seed:",
        "Duration:",
        "## Limits",
    ):
        assert text in card.text
    assert re.search(r"Fingerprint .*\(sha256\): `[0-9a-f]{64}`", card.text)
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", card.text):
        assert (folder / picture).read_bytes().startswith(FORMATS[Path(picture).suffix])


def expect_figures(name: str, figures: dict[str, float]) -> None:
    """Those that its kind has, each within what it can be and what such a network must reach."""

    def whole(key: str, of: int = 10_000) -> bool:
        return figures[key] * of == pytest.approx(round(figures[key] * of), abs=0.02)

    recipe = RECIPES[name]
    if isinstance(recipe, PointRecipe):
        assert figures.keys() == {"accuracy", "precision", "recall", "f1", "roc_auc", "ece"}
        assert all(0.97 <= value <= 1 for key, value in figures.items() if key != "ece") and whole("accuracy", 200)
    elif isinstance(recipe, PageRecipe):
        assert figures.keys() == {"f1", "precision", "recall", "ink", "exact", "many", "empty"}
        assert all(0 < value < 1 for value in figures.values()) and figures["exact"] > 0.85
        assert 2 / figures["f1"] == pytest.approx(1 / figures["precision"] + 1 / figures["recall"], abs=1e-4)
    elif isinstance(recipe, ClassifierRecipe):
        assert figures.pop("ece") < 0.01
        assert figures.keys() == {"accuracy", "precision", "recall", "f1", "roc_auc"}
        assert all(0.9 < value <= 1 for value in figures.values()) and whole("accuracy")
    elif isinstance(recipe, AutoencoderRecipe):
        assert figures.keys() == {"mse", "pca_mse", "probe_accuracy", "active", "jacobian"}
        assert 0 < figures["mse"] < 0.03
        assert figures["pca_mse"] == pytest.approx(0.0091, abs=0.0001)
        assert 0.9 < figures["probe_accuracy"] < 1 and whole("probe_accuracy")
        assert 0 < figures["active"] <= 1 and figures["jacobian"] > 0
    elif isinstance(recipe, PhotoRecipe):
        assert figures.keys() == {*CBM3D, *BM3D, "blind_25", "grey_blind_25", "elsewhere_25"}
        for key, least in {**CBM3D, **BM3D}.items():
            assert least <= figures[key] < least + 2, key
        assert abs(figures["grey_blind_25"] - figures["grey_25"]) <= 0.15
        assert abs(figures["blind_25"] - figures["psnr_25"]) <= 0.15
        assert 28 < figures["elsewhere_25"] < 36
    elif isinstance(recipe, EstimatorRecipe):
        assert figures["clean"] < 3 and figures["screens"] < 3 and figures["camera"] < 0.25
        assert all(abs(figures[f"white_{sigma}"] - sigma) < 0.1 * sigma for sigma in (5, 15, 25, 50))
    elif isinstance(recipe, DigitDenoiserRecipe):
        assert figures.keys() == {"psnr", "psnr_25", "psnr_64", "psnr_128"}
        assert figures["psnr_25"] > figures["psnr_64"] > figures["psnr_128"]
    elif isinstance(recipe, FaceAutoencoderRecipe):
        assert figures.keys() == {"mse", "accuracy", "psnr_28", "ssim_28"}
        assert 0 < figures["mse"] <= 0.0031 and 0.93 <= figures["accuracy"] < 1
    elif isinstance(recipe, FaceRecipe):
        inside = {f"{kind}_{size}" for kind in ("psnr", "ssim") for size in (28, 64)}
        assert figures.keys() == inside | {"told_apart", "sharpness_28", "seam_28"}
        assert 24.8 <= figures["psnr_28"] < 32 and 0.9 <= figures["seam_28"] <= 1.1
        assert 0.5 <= figures["told_apart"] < 1 and 0 < figures["sharpness_28"] < 1.2
    else:
        conditional = {"asked", "spread"} if models.create(name).conditional else set()
        likelihood = {"nll", "elbo", "kl", "units"} if isinstance(recipe, VAERecipe) else set()
        assert figures.keys() == DRAWN | conditional | likelihood
        assert figures["frechet"] > 0 and 1 <= figures["inception_score"] <= 10
        assert all(0 < figures[key] < 1 and whole(key) for key in ("precision", "recall"))
        assert not conditional or (0 < figures["asked"] <= 1 and whole("asked") and figures["spread"] > 0)
        if likelihood:
            assert figures["units"] in range(1, models.create(name).latent + 1)
            assert 0 < figures["kl"] < -figures["elbo"]
            # Told the digit it can say what a picture is; its likelihood is of pictures and digits, log 10 further off.
            assert figures["nll"] < -figures["elbo"] + (2.303 if conditional else 0)


def test_accuracy_of_the_faithful_network() -> None:
    """Its card tells mean and standard deviation of five seeds; the mean is at least 97.7 %."""
    mean, spread, listed = re.search(
        r"over 5 seeds: \*\*([\d.]+) ± ([\d.]+) %\*\* \(mean ± standard deviation; (.*)\)",
        read(sources.CHECKPOINTS / "mnist-dense"),
    ).groups()
    values = torch.tensor([float(value) for value in re.findall(r"\d: ([\d.]+) %", listed)], dtype=torch.float64)
    assert len(values) == 5
    assert float(mean) == pytest.approx(values.mean().item(), abs=0.011)
    assert float(spread) == pytest.approx(values.std().item(), abs=0.011)
    assert float(mean) >= 97.7
    assert sources.figures(sources.CHECKPOINTS / "mnist-dense")["accuracy"] == pytest.approx(values[0] / 100, abs=6e-5)


@pytest.mark.parametrize(
    ("name", "bar"),
    [
        ("mnist-mlp", 0.973),
        ("mnist-cnn", 0.991),
        ("mnist-cnn-wide", 0.988),
        ("mnist-rnn", 0.965),
        ("mnist-lstm", 0.983),
        ("mnist-resnet", 0.996),
    ],
)
def test_accuracy(name: str, bar: float) -> None:
    """The published seed reaches what the document's network reaches, and the flagship what it is for."""
    assert sources.figures(sources.CHECKPOINTS / name)["accuracy"] >= bar


def test_the_digit_denoiser_is_the_best() -> None:
    """At each strength its card's table has it above the textbook's network and all methods without training."""
    rows = re.findall(
        r"^\| (.+?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", read(sources.CHECKPOINTS / "mnist-denoiser"), re.M
    )
    figures = {name: tuple(map(float, values)) for name, *values in rows}
    ours = figures.pop("**this network**")
    assert len(figures) == 5
    for others in figures.values():
        assert all(own > other for own, other in zip(ours, others, strict=True))


@pytest.mark.parametrize("name", ["face-unet", "face-gan"])
def test_the_inpainter_is_the_best(name: str) -> None:
    """Its card's table has it nearest to the truth, by far in large holes; harder to tell from it than a membrane."""
    cell = r" ([\d.]+) \|"
    rows = re.findall(rf"^\| (.+?) \|{cell * 6} ([\d.]+)% ± [\d.]+% \|$", read(sources.CHECKPOINTS / name), re.M)
    figures = {method: tuple(map(float, values)) for method, *values in rows}
    ours = figures.pop("**this network**")
    assert len(figures) == 2
    for others in figures.values():
        assert all(own > other for own, other in zip(ours[:4], others[:4], strict=True))
    assert ours[2] >= figures["biharmonic"][2] + 1.5
    assert ours[6] < figures["biharmonic"][6]


def test_the_critic_helps() -> None:
    """What was sharpened against it is harder to tell from the truth than all others, and costs half a dB at most."""
    told = r"^\| (.+?) \|(?: [\d.]+ \|){6} ([\d.]+)% ± [\d.]+% \|$"
    cards = {name: read(sources.CHECKPOINTS / name) for name in ("face-gan", "face-unet")}
    apart = {name: {key: float(share) for key, share in re.findall(told, card, re.M)} for name, card in cards.items()}
    ours = apart["face-gan"].pop("**this network**")
    assert ours < min(*apart["face-gan"].values(), *apart["face-unet"].values())
    loss = [sources.figures(sources.CHECKPOINTS / name)["psnr_28"] for name in ("face-unet", "face-gan")]
    assert loss[0] - 0.5 <= loss[1] < loss[0]


def test_the_flagship_can_be_trusted() -> None:
    """It is calibrated, reads foreign drawings, and tells most of what is no digit from what is."""
    text = read(sources.CHECKPOINTS / "mnist-resnet")
    assert sources.figures(sources.CHECKPOINTS / "mnist-resnet")["ece"] <= 0.005
    assert float(re.search(r"MNIST never saw: \*\*([\d.]+)%\*\*", text)[1]) >= 97
    flagged = {sort: float(share) for sort, share in re.findall(r"^\| ([\w ]+) \| ([\d.]+)% \|$", text, re.MULTILINE)}
    assert flagged["test digits"] <= 1
    assert min(flagged[sort] for sort in ("letters", "shapes", "scribbles")) >= 70
