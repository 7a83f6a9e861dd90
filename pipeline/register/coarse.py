"""Patients on large voxels: fine enough to find the way from one to the other, and quick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid, Vector
from pipeline.core.volume import Volume

# Organs are matched to a millimetre or two on voxels of this size, in seconds instead of minutes.
SPACING_MM = 4.0
# Denser than bone's shell says nothing about where a patient's parts lie: contrast, metal, cortex.
HU_RANGE = (-1000.0, 300.0)
_BODY_ABOVE_HU = -300.0
_SHELL_VOXELS = 1  # a couch's shell is thinner than twice this

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoarsePatient:
    """A CT on large voxels.

    Attributes:
        grid: of the large voxels, with the directions of the CT's own.
        factors: how many of the CT's voxels go into one, along i, j, k.
        hu: means, clipped to `HU_RANGE`, shape (slices, rows, columns); as air outside the body.
        body: the patient without what is around.
    """

    grid: Grid
    factors: tuple[int, int, int]
    hu: Floats
    body: Bools

    def share(self, voxels: Bools) -> Floats:
        """Part of each large voxel that a mask on the CT's grid fills, 0 to 1."""
        return block_means(voxels.view(np.uint8), self.factors)

    @property
    def centre_mm(self) -> npt.NDArray[np.float64]:
        """LPS of the body's centroid."""
        return np.asarray(points_of(self.body, self.grid).mean(axis=0))

    def mirrored(self) -> CoarsePatient:
        """The patient with left and right exchanged: as a CT looks that was stored wrongly."""
        axis = 2 - int(np.argmax(np.abs(self.grid.axes.T @ np.array(self.grid.frame.left))))
        return replace(self, hu=np.flip(self.hu, axis).copy(), body=np.flip(self.body, axis).copy())


def coarse_patient(volume: Volume, spacing_mm: float = SPACING_MM) -> CoarsePatient:
    """A CT on voxels of about a spacing, which are whole blocks of its own."""
    i, j, k = (max(1, round(spacing_mm / own)) for own in volume.grid.spacing_mm)
    low, high = HU_RANGE
    hu = np.clip(block_means(volume.hu, (i, j, k)), low, high)
    body = _body(hu)
    return CoarsePatient(
        grid=block_grid(volume.grid, (i, j, k)),
        factors=(i, j, k),
        hu=np.where(body, hu, np.float32(low)),
        body=body,
    )


def block_grid(grid: Grid, factors: tuple[int, int, int]) -> Grid:
    """The grid of whole blocks of voxels; the last block of a row may reach over the grid's end."""
    i, j, k = (-(-count // factor) for count, factor in zip(grid.size, factors, strict=True))
    si, sj, sk = (own * factor for own, factor in zip(grid.spacing_mm, factors, strict=True))
    return replace(
        grid,
        size=(i, j, k),
        spacing_mm=(si, sj, sk),
        origin_mm=vector(grid.to_patient([[(factor - 1) / 2 for factor in factors]])[0]),
    )


def block_means(values: npt.NDArray[Any], factors: tuple[int, int, int]) -> Floats:
    """Means over blocks of i, j, k voxels; what lacks in a block at the end is taken as its last voxel."""
    result = values
    # Rows first: they lie side by side in memory, and the rest has less to do.
    for axis, factor in ((1, factors[1]), (0, factors[2]), (2, factors[0])):
        lacking = -result.shape[axis] % factor
        if lacking:
            pads = [(0, lacking if one == axis else 0) for one in range(3)]
            result = np.pad(result, pads, mode="edge")
        lines = np.moveaxis(result, axis, 0)
        total = lines[::factor].astype(np.float32)
        for shift in range(1, factor):
            total += lines[shift::factor]
        result = np.moveaxis(total / np.float32(factor), 0, axis)
    return np.ascontiguousarray(result, dtype=np.float32)


def vector(values: npt.ArrayLike) -> Vector:
    """Three numbers of an array as a tuple."""
    x, y, z = (float(value) for value in np.asarray(values))
    return (x, y, z)


def points_of(voxels: Bools, grid: Grid) -> npt.NDArray[np.float64]:
    """LPS centres of the voxels of a mask, shape (n, 3) in mm."""
    return grid.to_patient(np.argwhere(voxels)[:, ::-1])


def within(voxels: Bools, grid: Grid, reach_mm: float) -> Bools:
    """What lies in a mask or no farther from it than a reach; nothing where the mask is empty."""
    from scipy.ndimage import distance_transform_edt

    if not voxels.any():
        return voxels
    return np.asarray(distance_transform_edt(~voxels, sampling=grid.spacing_mm[::-1]) <= reach_mm)


def _body(hu: Floats) -> Bools:
    """The largest part of what is denser than air, filled slice by slice; empty in empty air."""
    from scipy.ndimage import binary_dilation, binary_erosion, binary_fill_holes, label

    dense = hu > _BODY_ABOVE_HU
    disc = np.zeros((3, 3, 3), dtype=bool)
    disc[1] = True
    parts, count = label(binary_erosion(dense, disc, iterations=_SHELL_VOXELS))
    if not count:
        return np.zeros(hu.shape, dtype=bool)
    core = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    body = dense & binary_dilation(core, disc, iterations=_SHELL_VOXELS)
    return np.stack([binary_fill_holes(one) for one in body])
