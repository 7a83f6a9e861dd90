"""Analytic shapes in the template's coordinates, each a test of points and a bounding box.

The template is a person of ordinary size in LPS millimetres: X to the left, Y to the back, Z to the
head, the carina at Z = 0. Points come as three arrays that broadcast against each other to
(slices, rows, columns): X as (k, 1, i), Y as (k, j, 1), Z as (k, 1, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError

Array = npt.NDArray[Any]
Point = tuple[float, float, float]
Bounds = tuple[Point, Point]

SPLINE_STEPS = 4  # straight pieces between two knots of a tube
_FAR = 1e4


class Shape(Protocol):
    """What can be painted."""

    @property
    def bounds(self) -> Bounds:
        """Lowest and highest corner of a box that holds the shape."""
        ...

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """Which points lie inside: boolean, broadcast shape of x, y and z."""
        ...


@dataclass(frozen=True, kw_only=True)
class Column:
    """A stack of axial superellipses whose four half-axes change with height.

    Attributes:
        knots: rows of (Z, centre X, centre Y, left, right, front, back), Z ascending; left and
            right are the half-axes towards the patient's left and right.
        power: exponent; 2 is an ellipse, larger is boxier.
        grow: mm added to every half-axis (negative: an inner layer).
    """

    knots: tuple[tuple[float, ...], ...]
    power: float = 2.0
    grow: float = 0.0

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        rows = np.array(self.knots)
        z, cx, cy, left, right, front, back = rows.T
        g = self.grow + 1.0
        return (
            (float((cx - right).min() - g), float((cy - front).min() - g), float(z[0])),
            (float((cx + left).max() + g), float((cy + back).max() + g), float(z[-1])),
        )

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        rows = np.array(self.knots)
        values = _pchip(self.knots)(np.clip(z, rows[0, 0], rows[-1, 0]))
        cx, cy, left, right, front, back = np.moveaxis(values, -1, 0)
        in_height = (z >= rows[0, 0]) & (z <= rows[-1, 0])
        depth = np.where(y < cy, front, back) + self.grow
        part = np.abs(y - cy) / np.maximum(depth, 1e-3)
        # Half the chord of the row, as part of the half-axis: cheaper than a power in every voxel.
        chord = np.where(part < 1, (1 - np.minimum(part, 1) ** self.power) ** (1 / self.power), -_FAR)
        chord = np.where(in_height, chord, -_FAR)
        low = (cx - np.maximum(right + self.grow, 0) * chord).astype(np.float32)
        high = (cx + np.maximum(left + self.grow, 0) * chord).astype(np.float32)
        # A missing chord turns the interval round, so nothing lies in it.
        return np.asarray((x > low) & (x < high))


@lru_cache(maxsize=256)
def _pchip(knots: tuple[tuple[float, ...], ...]) -> Any:
    from scipy.interpolate import PchipInterpolator

    rows = np.array(knots)
    return PchipInterpolator(rows[:, 0], rows[:, 1:], axis=0)


def curve(knots: Sequence[tuple[float, ...]]) -> Any:
    """A smooth, shape-preserving function through rows of (Z, value, ...), Z ascending."""
    return _pchip(tuple(knots))


@dataclass(frozen=True, kw_only=True)
class Tube:
    """Spheres swept along a smooth curve: vessels, bronchi, ribs.

    Attributes:
        knots: points of the centre line.
        radius_mm: one radius for all, or one per knot.
    """

    knots: tuple[Point, ...]
    radius_mm: float | tuple[float, ...]

    @cached_property
    def path(self) -> Array:
        """The centre line with its radius, shape (n, 4): X, Y, Z, radius."""
        radii = np.broadcast_to(self.radius_mm, len(self.knots))
        rows = np.column_stack([np.array(self.knots, dtype=float), radii])
        return _spline(rows) if len(rows) > 2 else rows

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        low = (self.path[:, :3] - self.path[:, 3:]).min(axis=0)
        high = (self.path[:, :3] + self.path[:, 3:]).max(axis=0)
        return _point(low), _point(high)

    @property
    def lowest(self) -> Point:
        """The point of the tube that lies furthest to the feet."""
        index = int(np.argmin(self.path[:, 2] - self.path[:, 3]))
        x, y, z, radius = self.path[index]
        return (float(x), float(y), float(z - radius))

    @property
    def highest(self) -> Point:
        """The point of the tube that lies furthest to the head."""
        index = int(np.argmax(self.path[:, 2] + self.path[:, 3]))
        x, y, z, radius = self.path[index]
        return (float(x), float(y), float(z + radius))

    def top_with_area(self, area_mm2: float) -> Point:
        """The highest level at which an arch, its summit between its ends, has a section of an area."""
        import shapely

        steps = np.arange(len(self.path))
        fine = np.linspace(0, steps[-1], 10 * len(steps))
        rows = np.column_stack([np.interp(fine, steps, column) for column in self.path.T])
        x, y, top = self.highest
        centres = shapely.points(rows[:, :2])
        for depth in np.arange(0.05, 6, 0.05):
            squares = rows[:, 3] ** 2 - (top - depth - rows[:, 2]) ** 2
            cut = squares > 0
            section = shapely.union_all(shapely.buffer(centres[cut], np.sqrt(squares[cut])))
            if section.area >= area_mm2:
                return (x, y, top - float(depth))
        raise GeometryError("no section of that area near the top of a tube", got=f"{area_mm2:g} mm2")

    def pieces(self) -> list[Capsule]:
        """The straight pieces, to be painted one by one in their small boxes."""
        return [Capsule(start=a, end=b) for a, b in zip(self.path[:-1], self.path[1:], strict=True)]

    def grown(self, mm: float) -> Tube:
        """The same tube with another radius."""
        radii = np.broadcast_to(self.radius_mm, len(self.knots))
        return Tube(knots=self.knots, radius_mm=tuple(float(r) + mm for r in radii))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        found = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=bool)
        for piece in self.pieces():
            found |= piece.inside(x, y, z)
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Capsule:
    """A straight piece of a tube; rows are (X, Y, Z, radius)."""

    start: Array
    end: Array

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        both = np.stack([self.start, self.end])
        low, high = both[:, :3] - both[:, 3:], both[:, :3] + both[:, 3:]
        return _point(low.min(axis=0)), _point(high.max(axis=0))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        step = (self.end - self.start).astype(np.float32)
        sx, sy, sz, radius = (np.float32(value) for value in self.start)
        dx, dy, dz = x - sx, y - sy, z - sz
        length = max(float(step[:3] @ step[:3]), 1e-6)
        t = dx * (step[0] / length) + (dy * (step[1] / length) + dz * (step[2] / length))
        np.clip(t, 0, 1, out=t)
        reach = (radius + t * step[3]) ** 2
        return np.asarray((dx - t * step[0]) ** 2 + (dy - t * step[1]) ** 2 + (dz - t * step[2]) ** 2 < reach)


@dataclass(frozen=True, kw_only=True)
class Ellipsoid:
    """An ellipsoid, turned so that its first axis points along `along` (second stays level)."""

    centre: Point
    axes_mm: Point
    along: Point = (1.0, 0.0, 0.0)

    @property
    def _turn(self) -> Array:
        first = np.array(self.along, dtype=float) / np.linalg.norm(self.along)
        second = np.cross([0.0, 0.0, 1.0], first)
        second /= np.linalg.norm(second)
        return np.stack([first, second, np.cross(first, second)])

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        reach = np.sqrt(((self._turn * np.array(self.axes_mm)[:, None]) ** 2).sum(axis=0))
        return _point(np.array(self.centre) - reach), _point(np.array(self.centre) + reach)

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        cx, cy, cz = self.centre
        dx, dy, dz = x - np.float32(cx), y - np.float32(cy), z - np.float32(cz)
        total: Array = np.float32(0) * dx
        for axis, length in zip(self._turn, self.axes_mm, strict=True):
            ax, ay, az = (np.float32(value / length) for value in axis)
            total = total + (dx * ax + (dy * ay + dz * az)) ** 2
        return np.asarray(total < 1)


@dataclass(frozen=True, kw_only=True)
class HalfSpace:
    """Points with normal . (X, Y, Z) > offset."""

    normal: Point
    offset: float

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        low, high = [-_FAR] * 3, [_FAR] * 3
        used = [axis for axis in range(3) if self.normal[axis] != 0]
        if len(used) == 1:  # along an axis: it does bound the box
            (low if self.normal[used[0]] > 0 else high)[used[0]] = self.offset / self.normal[used[0]]
        return _point(np.array(low)), _point(np.array(high))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        a, b, c = (np.float32(value) for value in self.normal)
        return np.asarray(a * x + (b * y + c * z) > self.offset)


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box along the axes."""

    bounds: Bounds

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        low, high = np.array(self.bounds, dtype=np.float32)
        across = (x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1])
        return np.asarray(across & (z > low[2]) & (z < high[2]))


@dataclass(frozen=True, kw_only=True)
class All:
    """What lies in every one of several shapes, and in none of `without`."""

    of: tuple[Shape, ...]
    without: tuple[Shape, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        boxes = np.array([shape.bounds for shape in self.of])
        return _point(boxes[:, 0].max(axis=0)), _point(boxes[:, 1].min(axis=0))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        found = np.ones(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=bool)
        for shape in self.of:
            found &= shape.inside(x, y, z)
        for shape in self.without:
            found &= ~shape.inside(x, y, z)
        return found


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """What lies in at least one of several shapes."""

    of: tuple[Shape, ...]

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        boxes = np.array([shape.bounds for shape in self.of])
        return _point(boxes[:, 0].min(axis=0)), _point(boxes[:, 1].max(axis=0))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        found = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=bool)
        for shape in self.of:
            found |= shape.inside(x, y, z)
        return found


def above(z: float) -> HalfSpace:
    """What lies further to the head than a level."""
    return HalfSpace(normal=(0.0, 0.0, 1.0), offset=z)


def below(z: float) -> HalfSpace:
    """What lies further to the feet than a level."""
    return HalfSpace(normal=(0.0, 0.0, -1.0), offset=-z)


def mirrored(points: Sequence[Point]) -> tuple[Point, ...]:
    """The same points on the other side of the midline."""
    return tuple((-x, y, z) for x, y, z in points)


def _spline(rows: Array) -> Array:
    """Catmull-Rom through the rows; never beyond the neighbours' radii."""
    padded = np.vstack([2 * rows[0] - rows[1], rows, 2 * rows[-1] - rows[-2]])
    t = np.linspace(0, 1, SPLINE_STEPS, endpoint=False)[:, None]
    made = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        bend = (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
        piece = p1 + 0.5 * ((p2 - p0) * t + bend)
        piece[:, 3] = (p1 + (p2 - p1) * t)[:, 3]
        made.append(piece)
    return np.vstack([*made, rows[-1:]])


def _point(values: Array) -> Point:
    return (float(values[0]), float(values[1]), float(values[2]))
