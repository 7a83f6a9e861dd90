"""Tissue from Hounsfield units: the body."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.core.volume import Mask, Volume

# Between air and fat (-100 HU), with room for noise and partial volume at the skin.
BODY_ABOVE_HU = -300
# The body is separated from the couch on pixels of about this size; a couch shell is thinner.
COARSE_PIXEL_MM = 2.0
SHELL_PIXELS = 2

Bools = npt.NDArray[np.bool_]


def find_body(volume: Volume) -> Mask:
    """The patient without couch and air around; air inside (lungs, airway, gut) belongs to it.

    Largest connected part of what is denser than air after thin shells are opened away, with
    everything that outside air does not reach within its axial slice. An empty mask comes back
    when nothing is denser than air.

    Returns:
        Mask on the volume's grid.
    """
    from scipy import ndimage

    grid = volume.grid
    step_j, step_i = (max(1, round(COARSE_PIXEL_MM / grid.spacing_mm[axis])) for axis in (1, 0))
    dense = volume.hu > BODY_ABOVE_HU
    coarse = dense[:, ::step_j, ::step_i]
    labels, count = ndimage.label(_eroded(coarse, SHELL_PIXELS))
    if count == 0:
        return Mask(grid=grid, voxels=np.zeros(grid.shape, dtype=bool))
    core = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    near = ~_eroded(~core, SHELL_PIXELS + 1)
    shape = grid.shape[1:]
    voxels = np.empty(grid.shape, dtype=bool)
    for k in range(grid.shape[0]):
        fine = near[k].repeat(step_j, axis=0).repeat(step_i, axis=1)[: shape[0], : shape[1]]
        voxels[k] = _without_reached_air(dense[k] & fine)
    return Mask(grid=grid, voxels=voxels)


def _eroded(mask: Bools, reach: int) -> Bools:
    """In-plane erosion by a square of half-width `reach`; outside the image counts as inside."""
    for axis in (1, 2):
        padding = [(0, 0)] * 3
        padding[axis] = (reach, reach)
        wide = np.pad(mask, padding, constant_values=True)
        length = mask.shape[axis]
        kept = np.ones(mask.shape, dtype=bool)
        for shift in range(2 * reach + 1):
            kept &= wide.take(range(shift, shift + length), axis=axis)
        mask = kept
    return mask


def _without_reached_air(tissue: Bools) -> Bools:
    """A slice's tissue with every hole filled that air from outside the body cannot reach."""
    from skimage.measure import label

    background = np.pad(~tissue, 1, constant_values=True)
    # Air cut off by the image border (arms, shoulders out of view) is outside air too: the pad
    # joins it to the rest.
    outside = label(background, connectivity=1) == 1
    filled: Bools = ~outside[1:-1, 1:-1]
    return filled
