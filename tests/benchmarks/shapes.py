"""Continuous shapes with the exact volume and the exact sections of their expansions.

Each shape lies around the origin, lengths in mm. A margin is horizontal `a` and craniocaudal `c`:
the ellipsoid with semi-axes (a, a, c). The sum with it has at height z the section of the shape's
own axis cut grown by a disc, so every truth is one radius or one rounded rectangle per height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

Floats = npt.NDArray[np.float64]

VERTICES = 720
HEIGHTS = 4001  # of the integral over z, and of the search for the largest radius


def swept(own: Floats, widths: Floats, z: Floats, margin: tuple[float, float]) -> Floats:
    """Largest of widths + a * sqrt(1 - ((z - own) / c)^2) at heights z; -1 where nothing reaches."""
    a, c = margin
    rise = (np.asarray(z, dtype=float).reshape(-1, 1) - own) / c
    reached = widths + a * np.sqrt(np.clip(1.0 - rise**2, 0.0, None))
    return np.asarray(np.where(np.abs(rise) <= 1.0, reached, -1.0).max(axis=1).reshape(np.shape(z)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A sphere, an upright cylinder or a box.

    Attributes:
        name: as printed.
        radius_mm: of a sphere or cylinder, and 0 for a box.
        half_mm: half-widths (x, y) of a box.
        half_height_mm: along z; the radius of a sphere.
    """

    name: str
    radius_mm: float = 0.0
    half_mm: tuple[float, float] = (0.0, 0.0)
    half_height_mm: float

    @property
    def is_sphere(self) -> bool:
        return self.radius_mm > 0 and self.radius_mm == self.half_height_mm

    def reach(self, z: Floats, a: float, c: float) -> Floats:
        """How far a section of the sum reaches beyond `half_mm` at heights z; below 0 where there is none."""
        if self.is_sphere:
            own = np.linspace(-self.half_height_mm, self.half_height_mm, HEIGHTS)
            if c == 0.0:
                inside = np.abs(z) <= self.radius_mm
                return np.where(inside, np.sqrt(np.clip(self.radius_mm**2 - np.square(z), 0, None)) + a, -1.0)
            return swept(own, np.sqrt(np.clip(self.radius_mm**2 - own**2, 0.0, None)), z, (a, c))
        over = np.maximum(np.abs(z) - self.half_height_mm, 0.0)
        bulge = np.sqrt(np.clip(1.0 - (over / c) ** 2, 0.0, None)) if c > 0 else 1.0
        return np.where(over <= c, self.radius_mm + a * bulge, -1.0)

    def stack_reach(self, planes: Floats, z: Floats, margin: tuple[float, float]) -> Floats:
        """The same for the solid of the shape's contours on planes (ascending, evenly spaced, in the shape).

        Radii are linear between planes; the end contours go on for half a slice.
        """
        half = float(planes[1] - planes[0]) / 2.0 if len(planes) > 1 else 0.0
        own = np.linspace(planes[0] - half, planes[-1] + half, HEIGHTS)
        return swept(own, np.interp(own, planes, self.reach(planes, 0.0, 0.0)), z, margin)

    def volume_mm3(self, a: float, c: float) -> float:
        """Exact volume of the sum with the ellipsoid (a, a, c); of the shape itself for 0, 0."""
        top = self.half_height_mm + c
        # Gauss-Legendre on two parts: flat up to the end plane of a prism, curved beyond.
        bounds = (0.0, top) if self.is_sphere else (0.0, self.half_height_mm, top)
        nodes, weights = np.polynomial.legendre.leggauss(200)
        total = 0.0
        for low, high in pairwise(bounds):
            z = (nodes + 1.0) / 2.0 * (high - low) + low
            total += float((self.areas_mm2(self.reach(z, a, c)) * weights).sum()) * (high - low) / 2.0
        return 2.0 * total

    def areas_mm2(self, reach: Floats) -> Floats:
        """Section areas: the box of `half_mm` grown by a disc of a reach; 0 where it is below 0."""
        x, y = self.half_mm
        r = np.maximum(reach, 0.0)
        return np.where(reach >= 0.0, 4 * x * y + 4 * (x + y) * r + math.pi * r * r, 0.0)

    def section(self, z: float, centre: tuple[float, float]) -> MultiPolygon | None:
        """The shape's own outline at a height, moved in-plane; circles keep their area."""
        reach = float(self.reach(np.array([z]), 0.0, 0.0)[0])
        if reach < 0 or float(self.areas_mm2(np.array([reach]))[0]) <= 0:
            return None
        if self.radius_mm == 0.0:
            x, y = self.half_mm
            return MultiPolygon([shapely.box(centre[0] - x, centre[1] - y, centre[0] + x, centre[1] + y)])
        turn = np.linspace(0.0, 2.0 * math.pi, VERTICES, endpoint=False)
        r = reach * math.sqrt(2 * math.pi / VERTICES / math.sin(2 * math.pi / VERTICES))
        return MultiPolygon([Polygon(np.c_[centre[0] + r * np.cos(turn), centre[1] + r * np.sin(turn)])])

    def holds(self, points: tuple[Floats, Floats, Floats], a: float, c: float) -> npt.NDArray[np.bool_]:
        """Which points of an open grid (x, y, z arrays that broadcast, z first axis) the sum holds."""
        x, y, z = points
        reach = self.reach(z, a, c)
        dx = np.maximum(np.abs(x) - self.half_mm[0], 0.0)
        dy = np.maximum(np.abs(y) - self.half_mm[1], 0.0)
        return np.asarray((dx * dx + dy * dy <= reach * np.abs(reach)) & (reach >= 0.0))


SHAPES = (
    Shape(name="sphere R15", radius_mm=15.0, half_height_mm=15.0),
    Shape(name="sphere R5", radius_mm=5.0, half_height_mm=5.0),
    Shape(name="box 30x24x20", half_mm=(15.0, 12.0), half_height_mm=10.0),
    Shape(name="cylinder R12 h60", radius_mm=12.0, half_height_mm=30.0),
)
