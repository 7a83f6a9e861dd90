"""Axial, coronal and sagittal cuts of a CT in radiological convention, with the contours they meet.

Screen coordinates are in mm, x to the right and y downwards, and come from the patient's frame
(`Grid.frame`: u to the left, v to the back, w to the head), never from the storage order:

- axial, seen from the feet: x = u, y = v (patient's right on the image's left, front on top);
- coronal, seen from the front: x = u, y = -w (patient's right on the image's left, head on top);
- sagittal, seen from the patient's left: x = v, y = -w (front on the image's left, head on top).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.contour import Contours
from pipeline.core.grid import Vector
from pipeline.core.rules import Colour
from pipeline.core.volume import Volume

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """A structure to draw: its ROI name, its contours on the CT's grid, and its RGB colour."""

    name: str
    contours: Contours
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """A CT turned to the patient's frame without copying a voxel.

    Attributes:
        hu: view of shape (w, v, u): feet to head, front to back, right to left.
        first_mm: frame coordinates (u, v, w) of the centre of voxel (0, 0, 0) of that view.
        step_mm: distance between voxel centres along u, v, w.
        feet_first: whether slice k = 0 is the one nearest to the feet.
    """

    hu: Array
    first_mm: Vector
    step_mm: Vector
    feet_first: bool

    def layer(self, k: int) -> int:
        """Slice index of the grid to index of this view, and back: it is its own inverse."""
        return k if self.feet_first else self.hu.shape[0] - 1 - k

    def level_mm(self, k: int) -> float:
        """Craniocaudal coordinate w of slice k."""
        first, step = self.first_mm[2], self.step_mm[2]
        return first + self.layer(k) * step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """One plane through the patient in screen order.

    Attributes:
        hu: array of shape (rows from top to bottom, columns from left to right).
        first_mm: screen (x, y) of the centre of the upper left pixel.
        step_mm: distance between pixel centres along x and y.
        outlines: one geometry for each overlay asked for, polygons in screen mm, may be empty.
        edges: the patient's direction at the image's left, right, top and bottom edge.
        caption: which plane this is, and where.
    """

    hu: Array
    first_mm: tuple[float, float]
    step_mm: tuple[float, float]
    outlines: tuple[shapely.Geometry, ...]
    edges: str
    caption: str


def in_patient_order(volume: Volume) -> Scan:
    """The volume as seen along the frame of its grid, whatever the patient position and storage."""
    grid = volume.grid
    frame = grid.frame
    names = np.array([frame.left, frame.posterior, frame.superior])
    # The frame's axes are the grid's own, in another order and with other signs.
    along = names @ grid.axes
    order = np.abs(along).argmax(axis=1)
    rising = along[range(3), order] > 0
    turned = volume.hu.transpose([2 - order[2], 2 - order[1], 2 - order[0]])
    turned = turned[tuple(slice(None, None, 1 if up else -1) for up in rising[::-1])]
    step = np.array(grid.spacing_mm)[order]
    corner = frame.from_patient([grid.origin_mm])[0]
    first = np.where(rising, corner, corner - step * (np.array(grid.size)[order] - 1))
    return Scan(
        hu=turned,
        first_mm=(float(first[0]), float(first[1]), float(first[2])),
        step_mm=(float(step[0]), float(step[1]), float(step[2])),
        feet_first=bool(rising[2]),
    )


def axial(scan: Scan, overlays: Sequence[Overlay], k: int) -> Cut:
    """Slice k of the grid with the contours written on it."""
    nothing = shapely.MultiPolygon()
    return Cut(
        hu=scan.hu[scan.layer(k)],
        first_mm=(scan.first_mm[0], scan.first_mm[1]),
        step_mm=(scan.step_mm[0], scan.step_mm[1]),
        outlines=tuple(overlay.contours.sections.get(k, nothing) for overlay in overlays),
        edges="RLAP",
        caption=f"axial  z {scan.level_mm(k):.1f} mm",
    )


def coronal(scan: Scan, overlays: Sequence[Overlay], v_mm: float, *, projected: bool = False) -> Cut:
    """The plane v = `v_mm`: CT linear between the rows, contours as slabs one slice thick.

    `projected`: not where the plane cuts a structure, but its whole shadow on the plane.
    """
    return Cut(
        hu=_between(scan.hu.swapaxes(0, 1), (v_mm - scan.first_mm[1]) / scan.step_mm[1])[::-1],
        first_mm=(scan.first_mm[0], _top(scan)),
        step_mm=(scan.step_mm[0], scan.step_mm[2]),
        outlines=tuple(
            _stacked(scan, overlay.contours, 1, v_mm, projected=projected) for overlay in overlays
        ),
        edges="RLSI",
        caption=f"coronal  y {v_mm:.1f} mm",
    )


def sagittal(scan: Scan, overlays: Sequence[Overlay], u_mm: float, *, projected: bool = False) -> Cut:
    """The plane u = `u_mm`: CT linear between the columns, contours as slabs one slice thick.

    `projected`: not where the plane cuts a structure, but its whole shadow on the plane.
    """
    return Cut(
        hu=_between(scan.hu.transpose(2, 0, 1), (u_mm - scan.first_mm[0]) / scan.step_mm[0])[::-1],
        first_mm=(scan.first_mm[1], _top(scan)),
        step_mm=(scan.step_mm[1], scan.step_mm[2]),
        outlines=tuple(
            _stacked(scan, overlay.contours, 0, u_mm, projected=projected) for overlay in overlays
        ),
        edges="APSI",
        caption=f"sagittal  x {u_mm:.1f} mm",
    )


def _top(scan: Scan) -> float:
    last = int(scan.hu.shape[0]) - 1
    return -(scan.first_mm[2] + last * scan.step_mm[2])


def _between(planes: Array, index: float) -> Array:
    """Linear between the two planes beside a fractional index; the end plane beyond the ends."""
    index = min(max(index, 0.0), planes.shape[0] - 1.0)
    low = int(index)
    part = index - low
    if part == 0.0:
        return np.asarray(planes[low])
    low_plane = planes[low].astype(np.float32)
    return np.asarray(low_plane + np.float32(part) * (planes[low + 1] - low_plane))


def _stacked(scan: Scan, contours: Contours, axis: int, at_mm: float, *, projected: bool) -> shapely.Geometry:
    """A contour stack seen along `axis` (0: u, 1: v), in screen mm, each slice as a slab.

    Cut at `at_mm`, or `projected`: its shadow along the whole axis.
    """
    if contours.is_empty:
        return shapely.MultiPolygon()
    layers = np.array([scan.layer(k) for k in contours.slices])
    sections = np.array(list(contours.sections.values()), dtype=object)
    if not projected:
        sections = shapely.intersection(sections, _line(sections, axis, at_mm))
    pieces, which = shapely.get_parts(sections, return_index=True)
    ends = shapely.bounds(pieces).reshape(-1, 4)
    start, stop = ends[:, 1 - axis], ends[:, 3 - axis]
    long = stop > start  # a point where the plane only touches has no extent
    # Multiples of half a step: neighbouring slabs share their edge to the last bit.
    upper = -(scan.first_mm[2] + (layers[which] + 0.5) * scan.step_mm[2])
    lower = -(scan.first_mm[2] + (layers[which] - 0.5) * scan.step_mm[2])
    return shapely.union_all(shapely.box(start[long], upper[long], stop[long], lower[long]))


def _line(sections: Array, axis: int, at_mm: float) -> shapely.Geometry:
    """The line `axis` = `at_mm` across all sections."""
    bounds = shapely.bounds(sections)
    ends = np.empty((2, 2))
    ends[:, axis] = at_mm
    ends[:, 1 - axis] = bounds[:, 1 - axis].min() - 1.0, bounds[:, 3 - axis].max() + 1.0
    return shapely.linestrings(ends)
