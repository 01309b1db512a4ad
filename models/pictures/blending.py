"""How a part that was made up is put into a photograph without a seam (Pérez et al. 2003, Poisson image editing)."""

import numpy as np
from scipy.ndimage import (
    binary_dilation,
    binary_erosion,
    distance_transform_edt,
    find_objects,
    gaussian_filter,
    label,
    map_coordinates,
    zoom,
)

STRIP = 64  # rows of a smaller picture that are made at once
RIM = 4  # pixels around a hole that its seam depends on
COARSEST = 4  # pixels on the shorter side of a picture at which the seam is solved without the help of a smaller one
SWEEPS = 24
FEW_HOLES = 16  # that are put into a picture one by one; of more, all at once


def joined(pixels: np.ndarray, made: np.ndarray, mask: np.ndarray, fine: float) -> np.ndarray:
    """Put what was made up into a picture without a seam (Pérez et al. 2003: gradients of the one, edge of the other).

    Args:
        pixels: (H, W, C) floats; what is under the mask is not read.
        made: the like, of which the part under the mask is wanted.
        mask: (H, W) bool, True where something is missing.
        fine: pixels along the edge over which differences average out: they are texture, and no seam.

    Returns `pixels`, those under the mask being `made` plus a smooth function by which it meets, along the edge of the
    mask, the pixels there.
    """
    result = np.where(mask[..., None], made, pixels)
    if not mask.any() or mask.all():
        return result
    # Holes that do not touch are solved each by itself: far apart, all between them would be solved for nothing.
    holes, count = label(mask, np.ones((3, 3)))
    if count > FEW_HOLES:
        holes = mask.astype(np.int32)
    for number, box in enumerate(find_objects(holes), 1):
        near = tuple(slice(max(0, side.start - RIM), side.stop + RIM) for side in box)
        _join(pixels[near], made[near], mask[near], holes[near] == number, result[near], fine)
    return result


def _join(
    pixels: np.ndarray, made: np.ndarray, mask: np.ndarray, hole: np.ndarray, result: np.ndarray, fine: float
) -> None:
    """One hole of those in the mask, in place."""
    wider = binary_dilation(mask)
    edge, deeper = wider & ~mask, binary_erosion(mask)
    # Both sides go on, straight, to the line between them: what is a slope is no step.
    outer = 1.5 * pixels[edge] - 0.5 * _nearest(pixels, ~binary_dilation(wider), edge)
    inner = 1.5 * _nearest(made, mask, edge) - 0.5 * _nearest(made, deeper if deeper.any() else mask, edge)
    off = np.zeros_like(result)
    off[edge] = averaged(outer - inner, edge, fine)
    result[hole] += membrane(off, ~edge)[hole]


def averaged(values: np.ndarray, where: np.ndarray, sigma: float) -> np.ndarray:
    """The values (N, C) at the places `where` is true, each averaged with its neighbours by a Gaussian.

    A wide one is applied to sums over blocks.
    """
    block = max(1, int(sigma / 4))
    spread = np.zeros((*where.shape, values.shape[1] + 1), values.dtype)
    spread[where] = np.concatenate([values, np.ones_like(values[:, :1])], 1)
    spread = gaussian_filter(_blocks(spread, block), (sigma / block, sigma / block, 0), mode="constant")
    at = (np.argwhere(where).T + 0.5) / block - 0.5
    spread = np.stack([map_coordinates(one, at, order=1, mode="nearest") for one in np.moveaxis(spread, 2, 0)], 1)
    return spread[:, :-1] / np.maximum(spread[:, -1:], 1e-9)


def _nearest(values: np.ndarray, there: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The value (H, W, C) of the nearest pixel that is `there` for each `asked` for, (N, C); its own if none is."""
    if not there.any():
        return values[asked]
    rows, columns = distance_transform_edt(~there, return_distances=False, return_indices=True)
    return values[rows[asked], columns[asked]]


def membrane(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The harmonic function inside a mask with these values (H, W, C) around it; outside, the values.

    At the picture's border it goes on level; where nothing is known, it is 0. It is what the picture at half the size
    gives, enlarged, and then made smooth: each pixel becomes the mean of its neighbours so many times (cascadic
    multigrid).
    """
    found = np.where(mask[..., None], 0.0, values)
    if mask.any() and not mask.all():
        near = _near(mask)
        found[near] = _settled(found[near], mask[near])
    return found


def _near(mask: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns that decide what is in a mask: its own and a bit more, from an even number on."""
    lines = (np.nonzero(mask.any(1 - axis))[0] for axis in (0, 1))
    return tuple(slice(max(0, int(line[0]) - 2) // 2 * 2, int(line[-1]) + 3) for line in lines)


def _settled(found: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The same for a part of a picture that holds all of its mask."""
    sweeps = SWEEPS
    if min(mask.shape) > COARSEST:
        found[mask] = _enlarged(membrane(*_halved(found, mask)), mask.shape)[mask]
    else:
        found[mask], sweeps = found[~mask].mean(0), 8 * COARSEST**2
    around = np.pad(found, ((1, 1), (1, 1), (0, 0)), mode="edge")
    inside = around[1:-1, 1:-1]
    for _ in range(sweeps):
        mean = (around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:]) / 4
        np.copyto(inside, mean, where=mask[..., None])
        around[0], around[-1] = around[1], around[-2]
        around[:, 0], around[:, -1] = around[:, 1], around[:, -2]
    return inside


def shrunk(pixels: np.ndarray, mask: np.ndarray, share: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, C) at a share of its size, (h, w, C) float32, and where none of it is known, (h, w) bool.

    Others are the mean of those that are. It is made strip by strip, as floats take four times the memory.
    """
    strips = [slice(top, top + STRIP * share) for top in range(0, len(mask), STRIP * share)]
    means, counts = zip(*(_means(np.float32(pixels[strip]), mask[strip], share) for strip in strips), strict=True)
    return np.concatenate(means), np.concatenate(counts) == 0


def _halved(values: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the size: the mean of the pixels that are known; missing where none is."""
    means, count = _means(values, mask, 2)
    return means, count == 0


def _means(values: np.ndarray, mask: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Of squares of `side` pixels the mean of those that are known, 0 where none is, and how many are."""
    known = np.asarray(~mask[..., None], values.dtype)
    total, count = _blocks(np.where(mask[..., None], 0, values), side), _blocks(known, side)
    return total / np.maximum(count, 1), count[..., 0]


def _blocks(values: np.ndarray, side: int) -> np.ndarray:
    """Sums over squares of `side` pixels, of which the last may reach over the edge."""
    height, width = values.shape[:2]
    values = np.pad(values, ((0, -height % side), (0, -width % side), (0, 0)))
    return values.reshape(values.shape[0] // side, side, values.shape[1] // side, side, -1).sum((1, 3))


def _enlarged(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Twice the size, smoothly, cut to `shape`."""
    return zoom(values, (2, 2, 1), order=1, mode="nearest", grid_mode=True)[: shape[0], : shape[1]]
