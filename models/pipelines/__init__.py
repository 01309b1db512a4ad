"""PIL in, PIL or probabilities out: what the tabs call, and the public Python interface."""

from models.pipelines.autoencoder import DigitAutoencoder, Rebuilt, autoencoder
from models.pipelines.classifier import KNOWN, SURE, Comparison, DigitClassifier, Reading, classifier
from models.pipelines.common import Facts
from models.pipelines.comparison import Attempt, Quality, compare, damaged, quality
from models.pipelines.denoiser import Denoiser, denoiser
from models.pipelines.forced_choice import PAIRS, Pair, pairs
from models.pipelines.page_reader import Found, PageReader, to_digit
from models.pipelines.reconstructor import FaceReconstructor, compare_faces, hidden, quality_inside, reconstructor
from models.pipelines.sampler import DigitSampler, LatentMap, sampler

__all__ = [
    "KNOWN",
    "PAIRS",
    "SURE",
    "Attempt",
    "Comparison",
    "Denoiser",
    "DigitAutoencoder",
    "DigitClassifier",
    "DigitSampler",
    "FaceReconstructor",
    "Facts",
    "Found",
    "LatentMap",
    "PageReader",
    "Pair",
    "Quality",
    "Reading",
    "Rebuilt",
    "autoencoder",
    "classifier",
    "compare",
    "compare_faces",
    "damaged",
    "denoiser",
    "hidden",
    "pairs",
    "quality",
    "quality_inside",
    "reconstructor",
    "sampler",
    "to_digit",
]
