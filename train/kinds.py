"""What the card tells of each kind of network: its figures' names, what goes in and out, a section, its limits."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from train import denoising, inpainting, sections
from train.data.digits import Data
from train.figures import metrics
from train.recipes import (
    AutoencoderRecipe,
    ClassifierRecipe,
    DigitDenoiserRecipe,
    FaceAutoencoderRecipe,
    FaceGANRecipe,
    FaceRecipe,
    GANRecipe,
    PhotoRecipe,
    Recipe,
    VAERecipe,
    WGANRecipe,
)
from train.sections import Run

MNIST = "Trained on MNIST alone: American handwriting of the 1990s, white on black, 28x28, size and centre made equal."


@dataclass(frozen=True)
class Kind:
    """What the cards of one kind of recipe have in common.

    Attributes:
        pipeline_tag: the Hub's name for what it does.
        metrics: the figures of the card, with their names on it.
        percent: whether the task's score is told in per cent.
        interface: what the network takes and gives.
        section: draws pictures into a folder and returns the Markdown that shows them.
        limits: what it is not for.
        license: of the weights, the Hub's name for it.
    """

    pipeline_tag: str
    metrics: dict[str, str]
    percent: bool
    interface: str
    section: Callable[[Path, Run, Data], str]
    limits: str
    license: str = "apache-2.0"


RESEARCH = "cc-by-nc-4.0"
FILLS = "It takes faces `(N, 3, 128, 128)` in [0, 1] and a mask `(N, 1, 128, 128)`, 1 where they are missing, and {}"
FACES = (
    "Trained on aligned crops of UTKFace alone, upright and frontal, 128x128. What it draws is plausible, not the "
    "truth: it is not for finding out who somebody is, nor what was hidden. As the faces, the weights are for "
    "non-commercial research only (CC BY-NC 4.0)."
)
FIDELITY = {
    "frechet": "Fréchet distance in mnist-resnet's features",
    "precision": "Improved precision in mnist-resnet's features",
    "recall": "Improved recall in mnist-resnet's features",
    "inception_score": "Inception score with mnist-resnet's answers",
    "asked": "Read by mnist-resnet as the digit asked for",
    "spread": "Deviation of pixels within a digit, relative to test images",
}
DRAWS = (
    "`sample(n, digit, temperature, generator)` draws `(n, 1, 28, 28)` in [0, 1], white on black; `decode(z, digit)` "
    "what stands at latent points of yours."
)
GENERATES = "It draws such digits and nothing else, some of them malformed. It is for learning and play."
GAN = Kind(
    pipeline_tag="unconditional-image-generation",
    metrics=FIDELITY,
    percent=False,
    interface=DRAWS,
    section=sections.generator,
    limits=f"{MNIST} {GENERATES} It cannot tell how likely a picture is, nor find the code of one.",
)
KINDS: dict[type[Recipe], Kind] = {
    ClassifierRecipe: Kind(
        pipeline_tag="image-classification",
        metrics={
            "accuracy": "Accuracy",
            "precision": "Precision, macro",
            "recall": "Recall, macro",
            "f1": "F1, macro",
            "roc_auc": "AUC, one against rest, macro",
            "ece": f"Expected calibration error, {metrics.BINS} bins",
        },
        percent=True,
        interface="It takes images `(N, 1, 28, 28)` in [0, 1], white on black, and gives logits `(N, 10)`.",
        section=sections.classifier,
        limits=(
            f"{MNIST} Bring other drawings into that form first (`models.pictures.images.to_digit` does). It knows "
            "digits only: the figures above tell how often it notices that a picture is none, and those are drawn "
            "letters and scribbles, not all that there is. It is for learning and play, not for reading cheques."
        ),
    ),
    AutoencoderRecipe: Kind(
        pipeline_tag="image-feature-extraction",
        metrics={
            "mse": "Mean squared error of the reconstruction",
            "pca_mse": "The same of as many principal components",
            "probe_accuracy": "Accuracy of a linear probe on the code",
            "active": "Share of the code's neurons that are active",
            "jacobian": "Squared norm of the code's Jacobian",
        },
        percent=False,
        interface=(
            "It takes images `(N, 1, 28, 28)` in [0, 1], white on black, and gives them back; `encode` gives the code, "
            "`decode` reads it."
        ),
        section=sections.autoencoder,
        limits=f"{MNIST} What is no such digit comes back as one. It is no generator: most codes mean nothing.",
    ),
    VAERecipe: Kind(
        pipeline_tag="unconditional-image-generation",
        metrics={
            "nll": f"-log p(x), nats, {metrics.SAMPLES:,} importance samples",
            "elbo": "Evidence lower bound, nats",
            "kl": "KL divergence, nats",
            "units": "Active units of the latent",
            **FIDELITY,
        },
        percent=False,
        interface=(
            f"{DRAWS} `encode(x)` gives the code, `net(x)` the picture rebuilt, `log_likelihood(x, samples)` log p(x) "
            "in nats of binary pictures. The pictures are means: each pixel's probability of being white."
        ),
        section=sections.generator,
        limits=f"{MNIST} {GENERATES}",
    ),
    GANRecipe: GAN,
    WGANRecipe: GAN,
    PhotoRecipe: Kind(
        pipeline_tag="image-to-image",
        metrics={
            **{f"psnr_{sigma}": f"PSNR, colour, σ {sigma}, dB" for sigma in denoising.SIGMAS},
            **{f"grey_{sigma}": f"PSNR, grey, σ {sigma}, dB" for sigma in denoising.SIGMAS},
            f"blind_{denoising.BLIND}": f"PSNR, colour, σ {denoising.BLIND} not told, dB",
            f"grey_blind_{denoising.BLIND}": f"PSNR, grey, σ {denoising.BLIND} not told, dB",
            f"elsewhere_{denoising.BLIND}": f"PSNR, four photographs of scikit-image, σ {denoising.BLIND}, dB",
        },
        percent=False,
        interface=(
            "It takes pictures `(N, 3, H, W)` or `(N, 1, H, W)` around [0, 1] and sigma `(N,)` on the 0-255 scale, and "
            "gives them without noise; `estimate` says what sigma is."
        ),
        section=sections.photo_denoiser,
        limits=(
            "It learned from Gaussian noise on 380 photographs; one patch in twenty had shot noise, read "
            "noise and JPEG instead, as a small camera has them. **No real noise was trained on**: on grain that is "
            "coloured, coarse or striped, tell it a sigma by eye. Beyond sigma 75 it knows nothing. It smooths what it "
            "takes for noise, fine texture too: it is not for evidence, nor for diagnosis."
        ),
    ),
    DigitDenoiserRecipe: Kind(
        pipeline_tag="image-to-image",
        metrics={
            **{f"psnr_{sigma}": f"PSNR, σ {sigma}, dB" for sigma in denoising.DIGIT_SIGMAS},
            "psnr": "Mean of the three, dB",
        },
        percent=False,
        interface=(
            "It takes `(N, 1, 28, 28)` around [0, 1], white on black, and gives the digits without what happened to "
            "them: Gaussian noise, salt and pepper, missing pixels or blur. It is not told which, nor how much."
        ),
        section=sections.digit_denoiser,
        limits=f"{MNIST} It makes digits of whatever it is given; what it draws where nothing can be seen is a guess.",
    ),
    FaceAutoencoderRecipe: Kind(
        pipeline_tag="image-to-image",
        metrics={
            "mse": "Mean squared error of the whole face",
            "accuracy": "Pixels whose strongest channel is right",
            "psnr_28": "PSNR inside the 28x28 hole, dB",
            "ssim_28": "SSIM inside the 28x28 hole",
        },
        percent=False,
        interface=FILLS.format("gives the whole face anew, also what was not missing."),
        section=sections.face_autoencoder,
        limits=FACES,
        license=RESEARCH,
    ),
    FaceRecipe: Kind(
        pipeline_tag="image-to-image",
        metrics={
            **{
                f"{figure}_{size}": f"{words} the {size}x{size} hole{unit}"
                for size in (inpainting.BOX, inpainting.LARGE)
                for figure, words, unit in (("psnr", "PSNR inside", ", dB"), ("ssim", "SSIM inside", ""))
            },
            "told_apart": "Balanced accuracy of a classifier, filled against true",
            "sharpness_28": "Mean gradient inside the 28x28 hole over the truth's",
            "seam_28": "Mean step across its edge over the truth's",
        },
        percent=False,
        interface=FILLS.format("fills what is missing; all else passes through, and what lies there is not read."),
        section=sections.inpainter,
        limits=FACES,
        license=RESEARCH,
    ),
}
KINDS[FaceGANRecipe] = KINDS[FaceRecipe]  # the same network, the same figures
