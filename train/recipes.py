"""One recipe per model: every hyper-parameter of its training in one place. Its class says what kind of training."""

from dataclasses import dataclass

from train.data.augmentation import Augment

PATCH = 96  # pixels on a side of what photographs are cut into
SMALLEST = 16  # pixels on a side of the holes to train with


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        dataset: the Hub dataset it was made for.
        epochs, batch_size, lr, optimizer, seed: as everywhere; `batch_size` is what one step of the optimiser sees,
            over all processes.
        accumulation: parts in which a process works through its share of a batch, for when memory is short.
        weight_decay: on weight matrices and kernels only, not on biases and norms.
        warmup: share of all steps in which the learning rate rises linearly to `lr`.
        schedule: "constant", or "cosine" down to zero after the warm-up.
        clip: largest norm of the gradient.
        ema: decay of the running average of the weights, which then is what is evaluated and published.
        augment: applied to every training batch.
        patience: stop after so many epochs without a better validation score.
        keep_best: publish the epoch with the best validation score instead of the last.
        mixed_precision: "bf16" where the hardware is fast at it, "no" to stay in float32.
        source: where the numbers come from, for the card.
    """

    dataset: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str
    source: str
    seed: int = 0
    accumulation: int = 1
    weight_decay: float = 0.0
    warmup: float = 0.0
    schedule: str = "constant"
    clip: float | None = None
    ema: float | None = None
    augment: Augment | None = None
    patience: int | None = None
    keep_best: bool = False
    mixed_precision: str = "no"


@dataclass(frozen=True)
class ClassifierRecipe(Recipe):
    """Cross-entropy over the classes.

    Attributes:
        label_smoothing: of the cross-entropy.
        drawn: digits drawn by `train.data.strokes` that are added to each batch, as a share of it.
        outliers: pictures of no digit that are added to each batch, as a share of it; the network learns to give them
            every digit the same probability (outlier exposure, Hendrycks et al. 2019).
    """

    label_smoothing: float = 0.0
    drawn: float = 0.0
    outliers: float = 0.0


@dataclass(frozen=True)
class AutoencoderRecipe(Recipe):
    """Squared error of the reconstruction, mean over the pixels.

    Attributes:
        noise: deviation of the Gaussian noise on the input, in units of the pixels' range; the target stays clean.
        sparsity: weight of the code's L1 norm.
        contraction: weight of the squared Frobenius norm of the code's Jacobian (Rifai et al. 2011).
    """

    noise: float = 0.0
    sparsity: float = 0.0
    contraction: float = 0.0


@dataclass(frozen=True)
class VAERecipe(Recipe):
    """The negative evidence lower bound, summed over pixels and latent, of images that each step binarises afresh.

    Attributes:
        kl_weight: of the KL divergence, 1 for the bound itself.
        kl_warmup: share of all steps in which that weight rises linearly from 0.
    """

    kl_weight: float = 1.0
    kl_warmup: float = 0.0


@dataclass(frozen=True)
class GANRecipe(Recipe):
    """A generator against a discriminator that makes the first turn of every step."""


@dataclass(frozen=True)
class WGANRecipe(Recipe):
    """A generator against a critic whose slope is kept at 1.

    Attributes:
        critic_steps: steps of the critic to one of the generator.
        gradient_penalty: weight of what keeps the slope.
        reading: weight of the cross-entropy by which the critic learns to read the digit of real pictures, and the
            generator to have its own read as what was asked.
    """

    critic_steps: int = 5
    gradient_penalty: float = 10.0
    reading: float = 0.0


@dataclass(frozen=True)
class PhotoRecipe(Recipe):
    """Noise of many strengths on patches of photographs.

    The loss is the mean over patches of 10 log10 of the squared error, which is what PSNR measures (Chen et al. 2022),
    with a floor: what is nearly clean would else outshout the rest.

    Attributes:
        patch: pixels on a side, cut at random and turned or mirrored.
        sigma: largest deviation of the noise, 0-255 scale; uniform from 0.
        grey: share of the patches that are grey, with one noise for all channels.
        camera: share of the patches with shot noise, read noise and JPEG instead.
        clipped: share of the patches that are clipped to what a file can hold.
    """

    patch: int = 64
    sigma: float = 75.0
    grey: float = 0.0
    camera: float = 0.0
    clipped: float = 0.0


@dataclass(frozen=True)
class DigitDenoiserRecipe(Recipe):
    """Damage of every kind and strength on digits; the loss is that of `PhotoRecipe`.

    Attributes:
        clipped: share of the digits that are clipped to what a file can hold.
    """

    clipped: float = 0.0


@dataclass(frozen=True)
class FaceAutoencoderRecipe(Recipe):
    """Squared error of a face of which a box of 28x28 is black, mean over all its pixels."""


@dataclass(frozen=True)
class FaceRecipe(Recipe):
    """L1 + 5 MSE inside of what is hidden of a face.

    Attributes:
        largest: pixels on a side of the box that is hidden, uniform from 16.
        free: share of the faces of which brush strokes or several boxes are hidden instead.
    """

    largest: int = 56
    free: float = 0.0


@dataclass(frozen=True)
class FaceGANRecipe(FaceRecipe):
    """From the weights of `face-unet`: the same, and a critic of patches around the hole to fool and to agree with.

    Attributes:
        critic_lr: peak learning rate of the critic.
        adversarial: weight of the critic's score of what was filled, per patch (hinge loss).
        features: weight of the difference between what the critic finds in the filled and in the true picture.
    """

    critic_lr: float = 1e-3
    adversarial: float = 0.015
    features: float = 0.5


RECIPES: dict[str, Recipe] = {
    "mnist-dense": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=5,
        batch_size=128,
        lr=1e-3,
        optimizer="rmsprop",
        source=(
            "The two-layer network of Keras courses, with their numbers: RMSprop, 5 epochs, batch 128; no "
            "augmentation, no schedule, last epoch published. Its tutorial reports 98.13 % on the test split."
        ),
    ),
    "mnist-mlp": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A PyTorch course's multilayer perceptron with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        mixed_precision="bf16",
        source="A PyTorch course's convolutional network with its numbers: Adam, 10 epochs, batch 64; nothing else.",
    ),
    "mnist-cnn-wide": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=5,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        source="A tutorial's first convolutional network with its numbers: Adam, 5 epochs, batch 64; nothing else.",
    ),
    "mnist-rnn": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        clip=1.0,
        source=(
            "A tutorial's plain recurrent network, which had only random sequences to read; here it reads digits row "
            "by row. Adam, batch 64, gradients clipped to 1 as it advises; 128 hidden are ours, and 20 epochs, "
            "since validation still improved at the tenth."
        ),
    ),
    "mnist-lstm": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        clip=1.0,
        source=(
            "A tutorial's LSTM, which had only random sequences to read; here it reads digits row by row. Adam, batch "
            "64, gradients clipped to 1 as it advises; 10 epochs and 128 hidden are ours."
        ),
    ),
    "mnist-resnet": ClassifierRecipe(
        dataset="ylecun/mnist",
        epochs=24,
        batch_size=128,
        lr=3e-3,
        optimizer="adamw",
        weight_decay=0.05,
        warmup=0.1,
        schedule="cosine",
        clip=5.0,
        label_smoothing=0.05,
        ema=0.999,
        augment=Augment(rotation=10, scale=0.08, shear=0.15, shift=1, elastic=0.8, thickness=0.8, coarse=0.15),
        drawn=0.125,
        outliers=0.125,
        keep_best=True,
        mixed_precision="bf16",
        source=(
            "Ours: a small residual network, mild warps, other pens and scanners, digits of other forms, a cosine "
            "schedule and an average of the weights; and letters and scribbles on which it learns not to answer."
        ),
    ),
    "mnist-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        source=(
            "A tutorial's autoencoder, which leaves its training open: squared error, Adam, 20 epochs, batch 128 "
            "are ours."
        ),
    ),
    "mnist-sparse-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        sparsity=2e-4,
        weight_decay=1e-5,
        source=(
            "The next step that an autoencoder tutorial names: few active neurons. By the L1 norm of the code, which "
            "makes ReLU neurons exactly zero and asks nothing about the rest of the batch, as KL would."
        ),
    ),
    "mnist-contractive-ae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=3e-3,
        optimizer="adam",
        contraction=3e-4,
        source=(
            "The next step that an autoencoder tutorial names: a code that small changes of the picture do not move "
            "(Rifai et al. 2011), with the paper's sigmoid code; its decoder has weights of its own."
        ),
    ),
    "mnist-dae": AutoencoderRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        noise=0.1,
        source=(
            "A tutorial's denoising autoencoder: Gaussian noise of deviation 0.1 on the input in training, the clean "
            "picture asked back. Squared error, Adam, 20 epochs, batch 128 are ours."
        ),
    ),
    "mnist-vae": VAERecipe(
        dataset="ylecun/mnist",
        epochs=50,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        source="A tutorial's VAE; it leaves the training open: Bernoulli pixels, Adam, 50 epochs, batch 128 are ours.",
    ),
    "mnist-vae-2d": VAERecipe(
        dataset="ylecun/mnist",
        epochs=40,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        kl_warmup=0.05,
        warmup=0.02,
        schedule="cosine",
        clip=200.0,
        ema=0.999,
        mixed_precision="bf16",
        source="Ours: the residual VAE with a latent of two numbers, so that all it can draw fits on one map.",
    ),
    "mnist-cvae": VAERecipe(
        dataset="ylecun/mnist",
        epochs=60,
        batch_size=128,
        lr=1e-3,
        optimizer="adam",
        kl_warmup=0.05,
        warmup=0.02,
        schedule="cosine",
        clip=200.0,
        ema=0.999,
        mixed_precision="bf16",
        source="Ours: a residual VAE that is told the digit; a cosine schedule and an average of the weights.",
    ),
    "mnist-gan": GANRecipe(
        dataset="ylecun/mnist",
        epochs=10,
        batch_size=64,
        lr=2e-4,
        optimizer="adam",
        source="A tutorial's GAN with its numbers: cross-entropy, both networks by Adam, 10 epochs, batch 64.",
    ),
    "mnist-dcgan": WGANRecipe(
        dataset="ylecun/mnist",
        epochs=40,
        batch_size=64,
        lr=4e-4,
        optimizer="adam-wgan",
        schedule="cosine",
        ema=0.999,
        critic_steps=3,
        reading=1.0,
        mixed_precision="bf16",
        source=(
            "Ours: convolutions, told the digit, trained against a critic with a gradient penalty (WGAN-GP) that also "
            "reads the digit (AC-GAN), so that what is asked for is what is drawn."
        ),
    ),
    "mnist-denoiser": DigitDenoiserRecipe(
        dataset="ylecun/mnist",
        epochs=20,
        batch_size=128,
        lr=1e-3,
        optimizer="adamw",
        warmup=0.02,
        schedule="cosine",
        ema=0.999,
        clip=1.0,
        clipped=0.5,
        mixed_precision="bf16",
        source="Ours: a small residual U-Net that is not told what happened to the digit, nor how much.",
    ),
    "photo-denoiser": PhotoRecipe(
        dataset="delta-prox/BSD500",
        epochs=17,
        batch_size=24,
        lr=2e-3,
        optimizer="muon",
        warmup=0.01,
        schedule="cosine",
        ema=0.999,
        clip=1.0,
        grey=0.2,
        camera=0.05,
        clipped=0.25,
        mixed_precision="bf16",
        source="Ours: a residual U-Net after FFDNet and DRUNet, on the 400 training photographs of BSDS500 alone.",
    ),
    "face-ae": FaceAutoencoderRecipe(
        dataset="py97/UTKFace-Cropped",
        epochs=50,
        batch_size=64,
        lr=1e-3,
        optimizer="adam",
        mixed_precision="bf16",
        source="The document on face inpainting: its best run, Adam 0.001, batches of 64, 50 epochs.",
    ),
    "face-unet": FaceRecipe(
        dataset="py97/UTKFace-Cropped",
        epochs=8,
        batch_size=32,
        lr=2e-3,
        optimizer="muon",
        warmup=0.01,
        schedule="cosine",
        ema=0.999,
        clip=1.0,
        free=0.2,
        mixed_precision="bf16",
        source="Ours: a U-Net that is told what is missing, with attention where each place sees the whole face.",
    ),
    "face-gan": FaceGANRecipe(
        dataset="py97/UTKFace-Cropped",
        epochs=2,
        batch_size=16,
        lr=3e-4,
        optimizer="adam-wgan",
        warmup=0.01,
        schedule="cosine",
        ema=0.99,
        largest=64,
        free=0.3,
        mixed_precision="bf16",
        source="Ours: `face-unet`, sharpened against a critic of patches (hinge PatchGAN) with feature matching.",
    ),
}
