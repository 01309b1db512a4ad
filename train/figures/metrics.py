"""Figures of merit, from `torchmetrics` and scikit-learn where they have them; those of what a generator draws are in
`train.figures.fidelity`."""

import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torchmetrics.functional import mean_squared_error
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_auroc,
    multiclass_calibration_error,
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from models.networks.autoencoders import Autoencoder
from models.networks.vae import GaussianVAE
from train.data.digits import Data, Split
from train.losses import Bound, contraction

BINS = 15  # of confidence, for the calibration error
BATCH = 500
ACTIVE = 0.01  # variance over the images of a unit's mean, from which on it counts as active (Burda et al. 2016)
SAMPLES = 1000  # of the latent, for each image whose likelihood is measured


def classification(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> dict[str, float]:
    """Accuracy; precision, recall, F1 and one-against-rest AUC as plain means over the classes; expected calibration
    error over `BINS` bins, each weighted by its size (Guo et al. 2017). Shares, not per cent.

    Args:
        logits: (N, classes), or probabilities.
        labels: (N,).
    """
    macro = {"num_classes": classes, "average": "macro"}
    values = {
        "accuracy": multiclass_accuracy(logits, labels, classes, average="micro"),
        "precision": multiclass_precision(logits, labels, **macro),
        "recall": multiclass_recall(logits, labels, **macro),
        "f1": multiclass_f1_score(logits, labels, **macro),
        "roc_auc": multiclass_auroc(logits, labels, **macro),
    }
    values["ece"] = multiclass_calibration_error(logits, labels, classes, n_bins=BINS, norm="l1")
    return {name: value.item() for name, value in values.items()}


def confusion(logits: torch.Tensor, labels: torch.Tensor, classes: int = 10) -> torch.Tensor:
    """(classes, classes) counts: row the true digit, column the answer."""
    return multiclass_confusion_matrix(logits, labels, classes)


@torch.inference_mode()
def reconstruction(net: Autoencoder, split: Split) -> dict[str, float]:
    """Mean over the images of: the squared error a pixel in [0, 1], the share of the code's neurons above 0.01, and the
    squared norm of the code's Jacobian, which is how much small changes of the picture move the code.
    """
    error, active, jacobian = 0.0, 0.0, 0.0
    for images, _ in split.batches(BATCH):
        code = net.encode(images)
        error += mean_squared_error(net.decode(code), images).item() * len(images)
        active += (code > 0.01).float().mean().item() * len(images)
        jacobian += contraction(net, code).sum().item()
    return {"mse": error / len(split), "active": active / len(split), "jacobian": jacobian / len(split)}


def pca_mse(data: Data, components: int) -> float:
    """The same error of as many principal components, found on the training images: what a linear code can do."""
    train, test = (split.images.flatten(1).cpu().numpy() / 255 for split in (data.train, data.test))
    pca = PCA(min(components, *train.shape), svd_solver="covariance_eigh").fit(train)
    return float(((pca.inverse_transform(pca.transform(test)) - test) ** 2).mean())


@torch.inference_mode()
def probe_accuracy(net: Autoencoder, data: Data) -> float:
    """Test accuracy of a logistic regression on the codes of the training images, each neuron standardised."""
    codes = [
        torch.cat([net.encode(images) for images, _ in split.batches(BATCH)]).cpu().numpy()
        for split in (data.train, data.test)
    ]
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(probe.fit(codes[0], data.train.labels.cpu().numpy()).score(codes[1], data.test.labels.cpu().numpy()))


@torch.inference_mode()
def bound(net: GaussianVAE, split: Split) -> dict[str, float]:
    """The evidence lower bound and its KL, nats an image, one latent each; and the active units of the latent.

    Of a conditional network that is told the digit: of p(x | digit). The images are binarised, and the latents drawn,
    with the same random numbers at every call.
    """
    likelihoods, divergences, means = [], [], []
    with torch.random.fork_rng(devices=[split.images.device] if split.images.is_cuda else []):
        torch.manual_seed(0)
        for images, labels in split.batches(BATCH):
            likelihood, divergence, mean = Bound(net)(torch.bernoulli(images), labels)
            likelihoods.append(likelihood)
            divergences.append(divergence)
            means.append(mean)
    likelihood, divergence, mean = (torch.cat(found) for found in (likelihoods, divergences, means))
    return {
        "elbo": (likelihood - divergence).mean().item(),
        "kl": divergence.mean().item(),
        "units": (mean.var(0) > ACTIVE).sum().item(),
    }


def negative_log_likelihood(net: GaussianVAE, split: Split) -> float:
    """-log p(x) in nats, the mean over the images, each binarised once (seed 0); by `SAMPLES` samples an image."""
    generator, total = torch.Generator().manual_seed(0), 0.0
    for images, _ in split.batches(BATCH):
        binary = torch.bernoulli(images.cpu(), generator=generator).to(images.device)
        total -= net.log_likelihood(binary, SAMPLES, generator).sum().item()
    return total / len(split)
