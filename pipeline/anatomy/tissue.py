"""Tissue from Hounsfield units: the body."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.views import coarse_steps, grown, refined, shrunk
from pipeline.core.volume import Mask, Volume

# Between air and fat (-100 HU), with room for noise and partial volume at the skin.
BODY_ABOVE_HU = -300
# Inflated lung; vacuum cushions and blankets are lighter, fat is denser.
LUNG_HU = (-930, -400)
FEWEST_VOXELS = 200
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
    steps = coarse_steps((grid.spacing_mm[2], grid.spacing_mm[1], grid.spacing_mm[0]))
    coarse = _coarse_body(volume.hu[wanted, :: steps[0], :: steps[1]] > BODY_ABOVE_HU)
    voxels = np.zeros(grid.shape, dtype=bool)
    if coarse is None:
        return Mask(grid=grid, voxels=voxels)
    # Well inside and well outside are settled; in between the CT's own pixels tell where the skin is.
    inside, outside = shrunk(coarse, 1), shrunk(~coarse, 1)
    found = voxels[wanted]
    for k, hu in enumerate(volume.hu[wanted]):
        skin = ~refined(outside[k], steps, hu.shape) & (hu > BODY_ABOVE_HU)
        np.logical_or(skin, refined(inside[k], steps, hu.shape), out=found[k])
    return Mask(grid=grid, voxels=voxels)


def outside_like_lung(volume: Volume, body: Mask, box: tuple[slice, slice, slice]) -> float:
    """Share of what lies outside the body, well away from it, that is as dense as lung and not as air.

    Where the image cuts through the chest, lung meets its edge, or the edge of a round field of view, and
    cannot be told from outside air by its connection; it can by its density.

    Args:
        volume: the CT.
        body: as found.
        box: where to look, as (slices, rows, columns).

    Returns:
        0 to 1; 0 where there is next to nothing outside.
    """
    outside = shrunk(~body.voxels[box], 2)
    count = int(np.count_nonzero(outside))
    if count < FEWEST_VOXELS:
        return 0.0
    # Means of 3 x 3 pixels: noise would spread air into lung's range.
    hu = np.pad(volume.hu[box].astype(np.float32), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows, columns = outside.shape[1:]
    mean = sum(hu[:, j : j + rows, i : i + columns] for j in range(3) for i in range(3)) / np.float32(9)
    low, high = LUNG_HU
    return int(np.count_nonzero(outside & (mean > low) & (mean < high))) / count


def _coarse_body(dense: Bools) -> Bools | None:
    """The body with its air, from what is denser than air; None when there is none."""
    import cc3d

    labels = cc3d.connected_components(shrunk(dense, SHELL_PIXELS), connectivity=6)
    sizes = np.bincount(labels.ravel())[1:]
    if not len(sizes):
        return None
    core = labels == 1 + int(np.argmax(sizes))
    body = dense & ~shrunk(~core, SHELL_PIXELS)
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
