"""How good the generators' pictures are, beside a VAE of the library `pythae`.

Bar: the Fréchet distance of `mnist-vae` at most 1.05 times that of pythae's VAE; of `mnist-cvae` and `mnist-dcgan` at
most half of it. pythae's has the same layers as `mnist-vae` and is trained on the same images as often, binarised
afresh as ours are, by the same optimiser and in batches of the same size, with pythae's own loss and loop. Beside it,
without a bar, the same on grey images: there the cross-entropy is no likelihood, and the encoder sees more. 10,000
pictures of each against the 10,000 test images, in the features of `mnist-resnet` (this is not FID). Run from the
repository's root, once pythae is there (pip install pythae): python tests/bench/bench_fidelity.py data/mnist
"""

import sys
import tempfile

import common
import torch
from pythae.data.datasets import BaseDataset, DatasetOutput
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.samplers import NormalSampler
from pythae.trainers import BaseTrainerConfig
from torch import nn

# ruff: isort: split
import models
from train.data import digits
from train.figures import fidelity
from train.tasks import RECIPES

OURS = {"mnist-vae": 1.05, "mnist-cvae": 0.5, "mnist-dcgan": 0.5}


class Encoder(BaseEncoder):
    """784-256 ReLU-(64, 64), as `mnist-vae` has it."""

    def __init__(self):
        super().__init__()
        self.hidden, self.mean, self.log_variance = nn.Linear(784, 256), nn.Linear(256, 64), nn.Linear(256, 64)

    def forward(self, x: torch.Tensor) -> ModelOutput:
        hidden = self.hidden(x.flatten(1)).relu()
        return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_variance(hidden))


class Decoder(BaseDecoder):
    """64-256 ReLU-784 sigmoid."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, z: torch.Tensor) -> ModelOutput:
        return ModelOutput(reconstruction=self.layers(z).unflatten(1, (1, 28, 28)))


class Binarised(BaseDataset):
    """Each time it is asked for a picture it draws black and white ones from the grey."""

    def __getitem__(self, index: int) -> DatasetOutput:
        return DatasetOutput(data=torch.bernoulli(self.data[index]), labels=self.labels[index])


def theirs(found: digits.Data, kind: type[BaseDataset], folder: str) -> torch.Tensor:
    """10,000 pictures by pythae's VAE."""
    recipe = RECIPES["mnist-vae"]
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=64, reconstruction_loss="bce")
    torch.manual_seed(recipe.seed)
    net = VAE(config, encoder=Encoder(), decoder=Decoder())
    training = BaseTrainerConfig(
        output_dir=folder,
        num_epochs=recipe.epochs,
        learning_rate=recipe.lr,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=500,
        optimizer_cls="Adam",
        seed=recipe.seed,
        no_cuda=True,
    )
    train, validation = (kind(split.images / 255, split.labels) for split in (found.train, found.validation))
    TrainingPipeline(model=net, training_config=training)(train_data=train, eval_data=validation)
    return NormalSampler(net).sample(num_samples=len(found.test), batch_size=500)


def main(dataset: str) -> int:
    """Measure, print, and tell by the status whether the bars are met."""
    found = digits.load(dataset)
    real, _ = fidelity.features(found.test.images / 255)
    with tempfile.TemporaryDirectory() as folder:
        pictures = {"pythae": theirs(found, Binarised, folder), "pythae, grey": theirs(found, BaseDataset, folder)}
    pictures |= {name: fidelity.draw(models.load(name), len(found.test))[0] for name in OURS}
    distances = {name: fidelity.frechet_distance(real, fidelity.features(drawn)[0]) for name, drawn in pictures.items()}
    for name, distance in distances.items():
        print(f"{name:12} {distance:8.3f}   n = {len(real):,} against {len(pictures[name]):,}")
    return max(common.verdict(name, distances[name] / distances["pythae"], bar) for name, bar in OURS.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
