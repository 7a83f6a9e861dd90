"""Tissue from Hounsfield units: the body."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.views import grown
from pipeline.core.volume import Mask, Volume

# Between air and fat (-100 HU), with room for noise and partial volume at the skin.
BODY_ABOVE_HU = -300
# What belongs to the body is settled on pixels of about this size, its outline on the CT's own.
COARSE_PIXEL_MM = 2.0
# A couch shell is thinner than twice this many coarse pixels.
SHELL_PIXELS = 2
# Smaller pockets of air behind a thin wall are a fold of skin or clothing.
THIN_WALLED_PIXELS = 50

Bools = npt.NDArray[np.bool_]


def find_body(volume: Volume, *, slices: range | None = None) -> Mask:
    """The patient without couch and air around; air inside (lungs, airway, gut) belongs to it.

    Largest connected part of what is denser than air after thin shells are opened away, with
    everything that outside air does not reach within its axial slice. An empty mask comes back
    when nothing is denser than air.

    Args:
        volume: the CT.
        slices: look at these only, which saves time; the mask is empty elsewhere. All by default.

    Returns:
        Mask on the volume's grid.
    """
    grid = volume.grid
    wanted = slice(slices.start, slices.stop) if slices is not None else slice(None)
    step_j, step_i = (max(1, round(COARSE_PIXEL_MM / grid.spacing_mm[axis])) for axis in (1, 0))
    coarse = _coarse_body(volume.hu[wanted, ::step_j, ::step_i] > BODY_ABOVE_HU)
    voxels = np.zeros(grid.shape, dtype=bool)
    if coarse is None:
        return Mask(grid=grid, voxels=voxels)
    # Well inside and well outside are settled; in between the CT's own pixels tell where the skin is.
    inside, outside = _eroded(coarse, 1), _eroded(~coarse, 1)
    found = voxels[wanted]
    _, rows, columns = grid.shape
    for k, hu in enumerate(volume.hu[wanted]):
        skin = ~_refined(outside[k], step_j, step_i)[:rows, :columns] & (hu > BODY_ABOVE_HU)
        np.logical_or(skin, _refined(inside[k], step_j, step_i)[:rows, :columns], out=found[k])
    return Mask(grid=grid, voxels=voxels)


def _coarse_body(dense: Bools) -> Bools | None:
    """The body with its air, from what is denser than air; None when there is none."""
    import cc3d

    labels = cc3d.connected_components(_eroded(dense, SHELL_PIXELS), connectivity=6)
    sizes = np.bincount(labels.ravel())[1:]
    if not len(sizes):
        return None
    core = labels == 1 + int(np.argmax(sizes))
    body = dense & ~_eroded(~core, SHELL_PIXELS)
    # The pad joins all air that meets the image's border; slices are looked at one by one.
    air = np.pad(~body, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    filled: Bools = np.empty_like(body)
    for k, slice_air in enumerate(air):
        reached = cc3d.connected_components(slice_air, connectivity=4)
        filled[k] = (reached != reached[0, 0])[1:-1, 1:-1]
        _add_thin_walled(filled[k], dense[k])
    return filled


def _add_thin_walled(body: Bools, dense: Bools) -> None:
    """Air behind a wall as thin as a shell (lung of a lean patient) and that wall, on a coarse slice."""
    import cc3d

    reached = cc3d.connected_components(np.pad(~dense, 1, constant_values=True), connectivity=4)
    closed_in = (reached != reached[0, 0])[1:-1, 1:-1] & ~dense & ~body
    if not closed_in.any():
        return
    labels = cc3d.connected_components(closed_in, connectivity=4)
    for label in np.flatnonzero(np.bincount(labels.ravel()) >= THIN_WALLED_PIXELS):
        if label:
            air = labels == label
            rim = grown(air, 1) & ~air
            # The air in a couch borders on the couch's own shell, hardly on the patient.
            if np.count_nonzero(rim & body) > np.count_nonzero(rim) / 2:
                body |= air | (grown(air, 2 * SHELL_PIXELS) & dense)


def _eroded(mask: Bools, reach: int) -> Bools:
    """In-plane erosion by a square of half-width `reach`; outside the image counts as inside."""
    kept = mask.copy()
    for _ in range(reach):
        for axis in (1, 2):
            # Views along the axis, so that both directions read what stood before this step.
            before = kept.copy()
            lines, old = np.moveaxis(kept, axis, 0), np.moveaxis(before, axis, 0)
            lines[1:] &= old[:-1]
            lines[:-1] &= old[1:]
    return kept


def _refined(coarse: Bools, step_j: int, step_i: int) -> Bools:
    return coarse.repeat(step_j, axis=0).repeat(step_i, axis=1)
