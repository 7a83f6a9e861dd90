"""Solids held as signed fields: how a contour stack becomes a solid, and contours again.

A stack of planar contours becomes a solid by one convention: on a contour's plane the field is
the signed in-plane distance to the polygons; between neighbouring planes it is linear; and a part
that has no counterpart on the next plane goes on for half a slice (flat, or tapered). Parts are
counterparts when they overlap in-plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.lattice import Field, Lattice, even_steps
from pipeline.core.raster import polygons_above
from pipeline.core.rules import Ends
from pipeline.core.sampling import area_inside
from pipeline.core.stack import Stack, is_bridged

# Field value where nothing is; so far below zero that a crossing next to it lies on the last
# plane inside: flat ends stay where they are.
FAR = np.float32(-1e6)

# In-plane pitches, each with the least width of a lesion's widest section that it serves. A corner
# between lattice lines is cut by up to 0.7 pitch: 0.6 mm keeps any right angle within 0.43 mm, and
# 40 points across keep what boxes lose of their area below 0.7 %.
PITCH_FOR_WIDTH_MM = ((0.8, 80.0), (0.6, 24.0), (0.5, 20.0), (0.4, 16.0), (0.3, 12.0), (0.25, 0.0))
# Lattice planes may lie this many pitches apart: the surface between them is sloped, not stepped.
PLANES_PER_PITCH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solid:
    """A solid as a signed field on a lattice.

    Attributes:
        lattice: where the points lie.
        field: float32 of shape (w, v, u), above 0 inside; the surface lies where the field,
            linear between neighbouring points, is 0. Not positive on the lattice's border.
    """

    lattice: Lattice
    field: Field

    def __post_init__(self) -> None:
        if self.field.shape != self.lattice.shape:
            raise GeometryError(
                "field does not fit its lattice",
                expected=f"shape {self.lattice.shape}",
                got=f"shape {self.field.shape}",
            )
        view = self.field.view()
        view.flags.writeable = False
        object.__setattr__(self, "field", view)

    @property
    def is_empty(self) -> bool:
        """Whether no lattice point lies inside."""
        return not bool((self.field > 0).any())

    def section(self, plane: int) -> MultiPolygon:
        """Polygons in (u, v) mm at a lattice plane; empty outside the lattice."""
        if not 0 <= plane < self.lattice.size[2]:
            return MultiPolygon()
        rows, columns = _span_inside(self.field[plane])
        if rows.start == rows.stop:
            return MultiPolygon()
        part = self.field[plane][rows, columns]
        image = np.pad(np.maximum(part, -1e3), 1, constant_values=-1e3)
        pitch = self.lattice.pitch_mm
        start = np.array(self.lattice.origin_mm[:2]) + (np.array([columns.start, rows.start]) - 1.0) * pitch
        return polygons_above(image, 0.0, lambda points: start + points * pitch)

    def slice_sections(self) -> dict[int, MultiPolygon]:
        """Sections by slice index, also where the scan has no slice (below 0 or past the last)."""
        lattice = self.lattice
        steps = lattice.steps_per_slice
        found: dict[int, MultiPolygon] = {}
        for plane in range(-lattice.start[2] % steps, lattice.size[2], steps):
            section = self.section(plane)
            if not section.is_empty:
                found[lattice.slice_of_plane(plane)] = section
        return found

    def contours(self) -> Contours:
        """Sections on every slice of the grid that the solid meets."""
        grid = self.lattice.grid
        inside = {k: s for k, s in self.slice_sections().items() if 0 <= k < grid.size[2]}
        return Contours(grid=grid, sections=inside)

    @property
    def volume_cc(self) -> float:
        """Volume of the whole solid, also where it leaves the scan, in cubic centimetres.

        Mean of neighbouring section areas, put right by where the surface crosses between the two
        planes: it is half-way only on average, and not so at the ends.
        """
        inside = self.field > 0
        # The clip is that of `section`: an edge beside nothing lies on the last point inside.
        edged = np.pad(np.maximum(self.field, -1e3), ((0, 0), (1, 1), (1, 1)), constant_values=-1e3)
        areas = np.array([area_inside(plane) for plane in edged]) * self.lattice.pitch_mm**2
        per_point = areas / np.maximum(inside.sum(axis=(1, 2)), 1)
        steps = areas[:-1] + areas[1:]
        for near, far in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            leaves = inside[near] & ~inside[far]
            beyond = np.where(leaves, _fraction(self.field[near], self.field[far]) - 0.5, 0.0)
            steps = steps + 2.0 * beyond.sum(axis=(1, 2)) * per_point[near]
        return float(steps.sum()) / 2.0 * self.lattice.plane_pitch_mm / 1000.0

    def bounds_mm(self) -> tuple[float, float, float, float, float, float]:
        """Surface extents (u low, u high, v low, v high, w low, w high) in frame mm.

        Raises:
            GeometryError: the solid is empty.
        """
        if self.is_empty:
            raise GeometryError("an empty solid has no extents")
        values: list[float] = []
        for axis, origin, pitch in zip(
            (2, 1, 0), self.lattice.origin_mm, self.lattice.pitches_mm, strict=True
        ):
            others = tuple(other for other in range(3) if other != axis)
            lines = np.moveaxis(self.field, axis, -1)
            low, high = _crossings(lines, np.flatnonzero((self.field > 0).any(axis=others)))
            values += [origin + low * pitch, origin + high * pitch]
        return (values[0], values[1], values[2], values[3], values[4], values[5])


def _span_inside(plane: Field) -> tuple[slice, slice]:
    """Rows and columns that hold what is inside and one more point on every side; of no size for nothing."""
    inside = plane > 0
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(inside.any(axis=axis))
        if not len(found):
            return slice(0, 0), slice(0, 0)
        spans.append(slice(max(0, int(found[0]) - 1), int(found[-1]) + 2))
    return spans[0], spans[1]


def solid_from_contours(
    contours: Contours,
    *,
    ends: Ends = Ends.FLAT,
    pitch_mm: float | None = None,
    steps_per_slice: int | None = None,
) -> Solid:
    """The solid of a contour stack, by the convention of this module.

    Args:
        contours: at least one section.
        ends: how parts end beyond their last plane.
        pitch_mm: in-plane lattice pitch; planes lie at most 1.5 pitches apart. By default chosen
            from the size of the widest section, 0.25 to 0.8 mm.
        steps_per_slice: planes per slice spacing, even, to share a lattice with other solids; by default from
            the pitch.

    Raises:
        GeometryError: no contours.
    """
    if contours.is_empty:
        raise GeometryError("no contours to make a solid of", expected="at least one section")
    pitch = pitch_mm or default_pitch_mm(contours)
    steps = steps_per_slice or even_steps(contours.grid.slice_spacing_mm, PLANES_PER_PITCH * pitch)
    lattice = _lattice_for(contours, pitch, steps)
    stack = Stack(contours, lattice)
    field = np.full(lattice.shape, FAR, dtype=np.float32)
    for (low, below), (high, above) in stack.linked:
        start, stop = stack.distance[low, below], stack.distance[high, above]
        for plane in range(low, high + 1):
            t = np.float32((plane - low) / (high - low))
            np.maximum(field[plane], (1 - t) * start + t * stop, out=field[plane])
    for (plane, alone), reach in stack.ended:
        _end(field, stack.distance[plane, alone], plane, reach, ends)
    for (plane, alone), reach in stack.ended if ends is Ends.FLAT else ():
        # The field of a part beside it that goes on would pull a flat end past its plane.
        beyond, distance = plane + reach + (1 if reach > 0 else -1), stack.distance[plane, alone]
        field[beyond][(distance > 0) & (field[beyond] < -pitch)] = FAR
    return Solid(lattice=lattice, field=field)


def _end(field: Field, distance: Field, plane: int, reach: int, ends: Ends) -> None:
    """Let parts go on from a plane for `reach` planes (signed)."""
    depth = distance.max() if ends is Ends.TAPERED else np.float32(0)
    for step in range(abs(reach) + 1):
        target = plane + int(math.copysign(step, reach))
        faded = distance - depth * np.float32(step / abs(reach))
        np.maximum(field[target], faded, out=field[target])


def bridged(contours: Contours) -> Contours:
    """Contours with sections on the slices that lie between two others of one part, as the solid has them.

    Returns:
        The same contours where no slice is missing, or gaps are too wide to be bridged.
    """
    grid, added = contours.grid, {}
    for low, high in pairwise(contours.slices):
        if high - low == 1 or not is_bridged(high - low, grid.slice_spacing_mm):
            continue
        ends = Contours(grid=grid, sections={k: contours.sections[k] for k in (low, high)})
        between = solid_from_contours(ends, steps_per_slice=2).slice_sections()
        added.update({k: section for k, section in between.items() if low < k < high})
    if not added:
        return contours
    return Contours(grid=grid, sections=dict(sorted({**contours.sections, **added}.items())))


def default_pitch_mm(contours: Contours) -> float:
    """Lattice pitch fine enough for a structure's widest section."""
    area = max(part.area for section in contours.sections.values() for part in section.geoms)
    width = 2.0 * math.sqrt(area / math.pi)
    return next(pitch for pitch, least in PITCH_FOR_WIDTH_MM if width >= least)


def _lattice_for(contours: Contours, pitch: float, steps: int) -> Lattice:
    grid = contours.grid
    bounds = np.array([section.bounds for section in contours.sections.values()])
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    unit = Lattice(grid=grid, pitch_mm=pitch, steps_per_slice=steps, start=(0, 0, 0), size=(1, 1, 1))
    planes = [unit.plane_of_slice(k) for k in contours.slices]
    first, last = min(planes) - steps // 2 - 1, max(planes) + steps // 2 + 1
    start = [math.floor(value / pitch) - 2 for value in low]
    stop = [math.ceil(value / pitch) + 3 for value in high]
    return Lattice(
        grid=grid,
        pitch_mm=pitch,
        steps_per_slice=steps,
        start=(start[0], start[1], first),
        size=(stop[0] - start[0], stop[1] - start[1], last - first + 1),
    )


def _crossings(lines: Field, inside: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Outermost surface crossings along the last axis, in steps."""
    first, last = int(inside[0]), int(inside[-1])
    low, high = float(first), float(last)
    if first > 0:
        here, out = lines[..., first], lines[..., first - 1]
        low = first - float(_fraction(here, out).max())
    if last + 1 < lines.shape[-1]:
        here, out = lines[..., last], lines[..., last + 1]
        high = last + float(_fraction(here, out).max())
    return low, high


def _fraction(here: Field, out: Field) -> Field:
    safe = np.where(here > 0, here, 0)
    return np.asarray(safe / (safe - np.minimum(out, -1e-9)), dtype=np.float32)
