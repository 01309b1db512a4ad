"""The task of page reading: its truth, its loss, and that it learns."""

import numpy as np
import pytest
import torch

import models
from models.pictures import mnist
from models.pictures.detections import detections
from train.data import pages
from train.data.splits import Split
from train.tasks import TASKS, page_reading
from train.tasks.page_reading import losses

PICTURES, LABELS = mnist.examples()
TASK = TASKS["page-reader"]


def one(boxes: list[list[float]], size: int = 96) -> pages.Page:
    """An empty page that says that digits are there."""
    nothing = np.zeros((size, size), np.uint8)
    found = np.array(boxes, np.float32).reshape(-1, 4)
    return pages.Page(nothing, nothing, found, np.zeros(len(found), int), np.zeros(len(found), int), "plain")


def test_the_truth_is_what_detections_reads() -> None:
    """Maps that say exactly what they should give the boxes back, to a tenth of a pixel."""
    wanted = [[10.0, 8.0, 30.0, 50.0], [60.0, 40.0, 69.0, 60.0], [40.0, 70.0, 90.0, 95.0]]
    hills, places, targets = losses.truth([one(wanted)], torch.Size((24, 24)))
    assert hills.max() == 1 and (hills == 1).sum() == 3
    boxes = torch.zeros(4, 24, 24)
    boxes[:, places[1], places[2]] = targets.T
    found = detections(torch.logit(hills[0], 1e-4), boxes)
    assert np.allclose(sorted(one.box for one in found), sorted(wanted), atol=0.1)


def test_the_loss_is_least_where_the_maps_are_right() -> None:
    """A hill in its place, its box and its ink: each of them wrong costs more."""
    page = one([[10.0, 8.0, 30.0, 50.0]])
    page.ink[8:50, 10:30] = 255
    hills, places, targets = losses.truth([page], torch.Size((24, 24)))
    heat, boxes = torch.where(hills == 1, 6.0, -6.0), torch.zeros(1, 4, 24, 24)
    boxes[places[0], :, places[1], places[2]] = targets
    ink = torch.where(losses.halved(page.ink)[None, None] > 0.5, 9.0, -9.0)
    best = losses.loss([page], heat, boxes, ink)
    assert best < 0.1
    assert losses.loss([page], heat.roll(8, 3), boxes, ink) > best + 1
    assert losses.loss([page], heat, boxes + 0.5, ink) > best + 0.5
    assert losses.loss([page], heat, boxes, -ink) > best + 1
    empty = losses.loss([one([])], torch.full_like(heat, -9.0), boxes, torch.full_like(ink, -9.0))
    assert 0 <= empty < 0.01


def test_every_digits_ink_counts_alike() -> None:
    """Whatever its size, in sum; what lies around none counts once, and a speck's places not without end."""
    small, large = [20.0, 20.0, 60.0, 70.0], [200.0, 100.0, 280.0, 200.0]
    counts = losses.counting([one([small, large], 400)], torch.zeros(1, 1, 200, 200))[0, 0] - 1
    assert counts[:, :90].sum().item() == pytest.approx(counts[:, 90:].sum().item(), rel=0.1)
    assert counts[30, 20] == pytest.approx(4 * counts[75, 120].item())
    assert counts[30, 60] == 0 and counts[0].max() == 0
    assert losses.counting([one([[20.0, 20.0, 22.0, 22.0]])], torch.zeros(1, 1, 48, 48)).max() < 10


def test_without_a_digit_everything_has_a_gradient() -> None:
    """Or processes that train together would wait for it for ever."""
    net = models.create("page-reader", widths=(4, 4, 4, 4), blocks=1)
    heat, boxes, ink = net(torch.rand(1, 1, 96, 96))
    losses.loss([one([])], heat, boxes, ink).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_matched() -> None:
    """Each guess counts once, and only where it fits."""
    truth = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], np.float32)
    guesses = [(1, 0, 10, 10), (0, 0, 10, 9), (25, 5, 60, 40), (40, 0, 50, 10)]
    assert page_reading.matched(guesses, truth) == [True, False, True]
    assert page_reading.matched([], truth) == [False] * 3


def test_it_learns_to_find_one_digit() -> None:
    """A few steps on one batch of pages, again and again: the loss falls to a third."""
    torch.manual_seed(0)
    net = models.create("page-reader", widths=(8, 16, 16, 24), blocks=1)
    optimizer = torch.optim.Adam(net.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        torch.manual_seed(7)  # which pages
        loss = TASK.loss({"net": net}, "net", PICTURES[::40], LABELS[::40], TASK.recipes["page-reader"], 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.4 * losses[0]


def test_snapshots_and_figures() -> None:
    """Eight pages in colour, the same each time; figures are shares."""
    net = models.create("page-reader", widths=(4, 8, 8, 8), blocks=1).eval()
    split = Split(torch.from_numpy(np.uint8(255 * PICTURES[::10].numpy())), LABELS[::10])
    with torch.inference_mode():
        first, again = TASK.snapshot(net, split), TASK.snapshot(net, split)
    assert first.shape == (2 * 192, 4 * 192, 3) and first.dtype == torch.uint8 and torch.equal(first, again)
    found = TASK.evaluate(net, split)
    assert found.keys() == {"f1", "precision", "recall", "ink"}
    assert all(0 <= value <= 1 for value in found.values())


def test_read_exactly() -> None:
    """The share of numbers of which each digit is right: the published reader reads plain ones."""
    made = pages.composed(PICTURES, LABELS, 12, 320, 3, kind="plain", number=True)
    assert page_reading.exact(models.load("page-reader"), made) >= 10 / 12
    empty = [page for page in pages.composed(PICTURES, LABELS, 12, 96, 3, empty=True)]
    untrained = models.create("page-reader", widths=(4, 8, 8, 8), blocks=1)
    assert page_reading.exact(untrained, empty) == 1  # who finds nothing is right where nothing is
