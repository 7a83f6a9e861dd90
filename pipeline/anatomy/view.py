"""Organ masks looked at along the patient: the same arrays however the CT is stored."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Organs
from pipeline.core.grid import Vector

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class View:
    """Organs as arrays of shape (w, v, u) whose indices grow to the head, the back and the left.

    Attributes:
        u, v, w: frame coordinates in mm of the voxel centres along each axis, ascending.
    """

    def __init__(self, organs: Organs) -> None:
        self.organs = organs
        grid = organs.grid
        frame = grid.frame
        rows = np.array([frame.left, frame.posterior, frame.superior])
        turned = rows @ grid.axes  # frame axis by grid axis (i, j, k): a signed permutation
        self._order = [int(axis) for axis in np.argmax(np.abs(turned), axis=1)]
        self._rising = [bool(turned[row, axis] > 0) for row, axis in enumerate(self._order)]
        origin = frame.from_patient(np.array([grid.origin_mm]))[0]
        coordinates = []
        for row, axis in enumerate(self._order):
            along = origin[row] + np.arange(grid.size[axis]) * grid.spacing_mm[axis] * turned[row, axis]
            coordinates.append(along if self._rising[row] else along[::-1])
        self.u, self.v, self.w = coordinates

    @property
    def spacing_mm(self) -> Vector:
        """Distance of voxel centres along u, v, w."""
        i, j, k = (self.organs.grid.spacing_mm[axis] for axis in self._order)
        return (i, j, k)

    @cached_property
    def pixel_mm2(self) -> float:
        """Area of a voxel in the axial plane."""
        return self.spacing_mm[0] * self.spacing_mm[1]

    def turned(self, array: npt.NDArray[np.bool_]) -> Bools:
        """An array of the grid, shape (k, j, i), as (w, v, u): a view."""
        moved = array.transpose([2 - axis for axis in reversed(self._order)])
        flips = tuple(slice(None, None, 1 if rising else -1) for rising in reversed(self._rising))
        return moved[flips]

    def has(self, *names: str) -> bool:
        """Whether all of these organs are known."""
        return all(name in self.organs for name in names)

    def mask(self, name: str) -> Bools:
        """An organ's voxels, shape (w, v, u)."""
        return self.turned(self.organs[name].voxels)

    def union(self, names: Iterable[str]) -> Bools | None:
        """The voxels of those organs that are known; None where none is."""
        known = [self.mask(name) for name in names if name in self.organs]
        if not known:
            return None
        return known[0] if len(known) == 1 else np.logical_or.reduce(known)

    def point(self, u: float, v: float, w: float) -> Vector:
        """A frame position in mm as LPS."""
        x, y, z = self.organs.grid.frame.to_patient(np.array([[u, v, w]]))[0]
        return (float(x), float(y), float(z))

    def level(self, point_mm: Vector) -> float:
        """Frame coordinate w in mm of an LPS point."""
        return float(self.organs.grid.frame.from_patient(np.array([point_mm]))[0, 2])

    def centroid(self, mask: Bools, k: int) -> tuple[float, float]:
        """Mean (u, v) in mm of a mask's pixels on a plane that has some."""
        rows, columns = np.nonzero(mask[k])
        return float(self.u[columns].mean()), float(self.v[rows].mean())
