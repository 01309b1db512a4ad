"""PIL in, PIL or probabilities out: what the tabs call, and the public Python interface."""

from models.pipelines.autoencoder import DigitAutoencoder, Rebuilt, autoencoder
from models.pipelines.classifier import KNOWN, SURE, DigitClassifier, Opinion, Reading, classifier
from models.pipelines.common import Facts
from models.pipelines.sampler import DigitSampler, LatentMap, sampler

__all__ = [
    "KNOWN",
    "SURE",
    "DigitAutoencoder",
    "DigitClassifier",
    "DigitSampler",
    "Facts",
    "LatentMap",
    "Opinion",
    "Reading",
    "Rebuilt",
    "autoencoder",
    "classifier",
    "sampler",
]
