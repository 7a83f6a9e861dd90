"""Organ masks looked at along the patient: the same arrays however the CT is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.views import AnatomicalView
from pipeline.core.anatomy import Organs
from pipeline.core.box import Box, hull, whole
from pipeline.core.grid import Vector
from pipeline.core.volume import Mask

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


# Planes beyond organs that are looked at alone: what an end is told from, and whether the scan cuts it off.
_PLANES_AROUND = 3


def joined(masks: Sequence[Bools]) -> Bools:
    """The union of masks of one shape, at least one."""
    if len(masks) == 1:
        return masks[0]
    union = masks[0] | masks[1]  # one at a time: `reduce` would first copy them all into one array
    for mask in masks[2:]:
        union |= mask
    return union


class OrganView:
    """Organs as arrays of shape (w, v, u) whose indices grow to the head, the back and the left.

    Attributes:
        organs: what is known of the patient.
        where: the part of the scan that is looked at, as (w, v, u) slices of all of it.
        u, v, w: frame coordinates in mm of its voxel centres along each axis, ascending.
    """

    def __init__(self, organs: Organs) -> None:
        self.organs = organs
        self._turn = AnatomicalView(grid=organs.grid)
        self._fronts: dict[str, tuple[Floats, Floats]] = {}
        (first,) = organs.grid.frame.from_patient([self._turn.to_patient((0.0, 0.0, 0.0))])
        self.where = self._turn.box_of(whole(organs.grid.shape))
        counts = [side.stop for side in self.where]
        self.w, self.v, self.u = (
            start + np.arange(count) * step
            for start, count, step in zip(first[::-1], counts, self._turn.spacing_mm, strict=True)
        )

    def around(self, names: Iterable[str]) -> OrganView:
        """Of a view of the whole scan the part that holds some organs; all of it where none of them is known.

        A few planes above and below belong to it, where the scan has them: an organ reaches the end of the
        part only where it reaches the scan's. Rows and columns begin with an even one.
        """
        held = hull([self.box(name) for name in names if name in self.organs])
        if not held[0].stop:
            return self
        planes, rows, columns = held
        planes = slice(
            max(0, planes.start - _PLANES_AROUND), min(planes.stop + _PLANES_AROUND, self.where[0].stop)
        )
        near = copy(self)
        rows, columns = (slice(side.start // 2 * 2, side.stop) for side in (rows, columns))
        near.where = (planes, rows, columns)
        near.w, near.v, near.u = (
            axis[side] for axis, side in zip((self.w, self.v, self.u), near.where, strict=True)
        )
        return near

    def box(self, name: str) -> Box:
        """Where in all of the scan an organ lies, as (w, v, u) slices."""
        return self._turn.box_of(self.organs[name].box)

    @property
    def spacing_mm(self) -> Vector:
        """Distance of voxel centres along u, v, w."""
        w, v, u = self._turn.spacing_mm
        return (u, v, w)

    @cached_property
    def pixel_mm2(self) -> float:
        """Area of a voxel in the axial plane."""
        return self.spacing_mm[0] * self.spacing_mm[1]

    def has(self, *names: str) -> bool:
        """Whether all of these organs are known."""
        return all(name in self.organs for name in names)

    def mask(self, name: str) -> Bools:
        """An organ's voxels, shape (w, v, u)."""
        return self.turned(self.organs[name])

    def turned(self, mask: Mask) -> Bools:
        """The voxels of any mask on the organs' grid, shape (w, v, u)."""
        return self._turn.of(mask.voxels)[self.where]

    def union(self, names: Iterable[str]) -> Bools | None:
        """The voxels of those organs that are known; None where none is."""
        known = [self.mask(name) for name in names if name in self.organs]
        if not known:
            return None
        return joined(known)

    def point(self, u: float, v: float, w: float) -> Vector:
        """A frame position in mm as LPS."""
        x, y, z = self.organs.grid.frame.to_patient(np.array([[u, v, w]]))[0]
        return (float(x), float(y), float(z))

    def level(self, point_mm: Vector) -> float:
        """Frame coordinate w in mm of an LPS point."""
        return float(self.organs.grid.frame.from_patient(np.array([point_mm]))[0, 2])

    def fronts_and_middles(self, name: str) -> tuple[Floats, Floats]:
        """An organ's foremost row (v) and middle (u) in mm on each plane; nan where it is not."""
        if name not in self._fronts:
            self._fronts[name] = self._fronts_and_middles(name)
        front, middle = self._fronts[name]
        return front[self.where[0]], middle[self.where[0]]

    def _fronts_and_middles(self, name: str) -> tuple[Floats, Floats]:
        """The same on all planes of the scan, looked at where the organ is."""
        front, middle = (np.full(self.organs.grid.size[2], np.nan) for _ in range(2))
        box, all_of_it = self.box(name), OrganView(self.organs)
        v, u = all_of_it.v[box[1]], all_of_it.u[box[2]]
        mask = all_of_it.mask(name)[box]
        rows, columns = mask.any(axis=2), np.count_nonzero(mask, axis=1)
        counts = columns.sum(axis=1)
        empty = counts == 0
        front[box[0]] = np.where(empty, np.nan, v[rows.argmax(axis=1)])
        middle[box[0]] = np.where(empty, np.nan, columns @ u / np.maximum(counts, 1))
        return front, middle

    def centroid(self, mask: Bools, k: int) -> tuple[float, float]:
        """Mean (u, v) in mm of a mask's pixels on a plane that has some."""
        rows, columns = np.nonzero(mask[k])
        return float(self.u[columns].mean()), float(self.v[rows].mean())

    def end(self, mask: Bools, *, upper: bool) -> tuple[float, float, float] | None:
        """Middle (u, v, w) in mm of a mask's upper or lower end, on the voxels' faces.

        None where the mask is empty, or the scan cuts it off there.
        """
        planes = np.flatnonzero(mask.any(axis=(1, 2)))
        if not len(planes) or (planes[-1] == len(self.w) - 1 if upper else planes[0] == 0):
            return None
        k = int(planes[-1] if upper else planes[0])
        half = self.spacing_mm[2] / 2.0
        return (*self.centroid(mask, k), float(self.w[k] + (half if upper else -half)))
