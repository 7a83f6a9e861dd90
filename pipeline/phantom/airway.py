"""Trachea, bronchi and thyroid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.phantom.canvas import Layer
from pipeline.phantom.labels import LUNGS
from pipeline.phantom.shapes import (
    All,
    Array,
    Bounds,
    Column,
    Ellipsoid,
    Point,
    Shape,
    Tube,
    above,
    below,
)
from pipeline.phantom.vessels import rising

CARINA: Point = (-3.0, 1.0, 0.0)
TRACHEA_END_Z = -16.0  # below it the main bronchi are labels of their own
# Z, X, Y, half-width, half-depth of the lumen.
_TRACHEA = (
    (-4, -3, 1, 12.5, 8), (0, -3, 1, 12, 8.5), (8, -3, 0, 10, 8.8), (20, -3, -3, 8.6, 9),
    (51, -1, -11, 8.4, 9.2), (75, 0, -21, 8.2, 9), (100, 0, -31, 8, 9.5),
    (112, 0, -34, 7, 9.5), (160, 0, -36, 6.5, 10),
)  # fmt: skip
_RIGHT: tuple[Point, ...] = ((-6, 0, 8), (-10, 2, -6), (-20, 6, -17), (-28, 9, -25))
_LEFT: tuple[Point, ...] = ((0, 0, 8), (4, 2, -6), (16, 7, -18), (30, 12, -30), (41, 15, -38))
_INTERMEDIUS: tuple[Point, ...] = ((-27, 9, -24), (-33, 13, -34), (-36, 15, -44))
_PERIPHERAL: tuple[tuple[tuple[Point, ...], tuple[float, float]], ...] = (
    (((-27, 9, -23), (-42, 8, -18), (-54, 4, -8)), (4.5, 3.0)),
    (((-54, 4, -8), (-60, 2, 14)), (2.6, 1.8)),
    (((-54, 4, -8), (-72, -12, -6)), (2.6, 1.6)),
    (((-36, 14, -43), (-50, -8, -56), (-64, -32, -66)), (3.6, 2.0)),
    (((-36, 15, -44), (-44, 24, -60), (-54, 32, -84)), (4.4, 2.4)),
    (((40, 15, -37), (54, 4, -30), (66, -12, -26)), (4.2, 2.4)),
    (((54, 4, -30), (60, 4, -2), (62, 4, 18)), (2.8, 1.8)),
    (((40, 15, -38), (48, 25, -58), (60, 33, -84)), (4.4, 2.4)),
)
WALL_MM = 1.6


@dataclass(frozen=True, kw_only=True)
class Spur:
    """The septum under the carina: from a rounded edge it widens to the feet."""

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        return ((CARINA[0] - 20, -30.0, -40.0), (CARINA[0] + 20, 30.0, 0.0))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        half = np.where(z < CARINA[2], 1.7 + 0.30 * (CARINA[2] - z), -1.0).astype(np.float32)
        return np.asarray(
            np.broadcast_to(np.abs(x - CARINA[0]) < half, np.broadcast_shapes(x.shape, y.shape, z.shape))
        )


def trachea_axis(z: float, deviation_mm: float) -> tuple[float, float]:
    """X and Y of the middle of the trachea at a level."""
    rows = np.array(_TRACHEA)
    x = float(np.interp(z, rows[:, 0], rows[:, 1])) + deviation_mm * rising(z)
    return x, float(np.interp(z, rows[:, 0], rows[:, 2]))


def airway_layers(deviation_mm: float) -> list[Layer]:
    """Walls first, then lumens, so that the airway stays open where branches meet."""
    column = [
        (z, x + deviation_mm * rising(z), y, half, half, depth, depth) for z, x, y, half, depth in _TRACHEA
    ]
    trunk = Column(knots=tuple(column), power=2.2)
    wall = Column(knots=trunk.knots, power=2.2, grow=WALL_MM)
    right, left = (
        Tube(knots=_RIGHT, radius_mm=(7.5, 7.5, 7.3, 7.0)),
        Tube(knots=_LEFT, radius_mm=(7.0, 6.8, 6.4, 6.2, 6.0)),
    )
    middle = Tube(knots=_INTERMEDIUS, radius_mm=(6.0, 5.6, 5.2))
    twigs = [
        Tube(knots=knots, radius_mm=tuple(np.linspace(*radii, len(knots)))) for knots, radii in _PERIPHERAL
    ]
    cricoid = All(of=(Column(knots=trunk.knots, power=2.2, grow=4.5), above(99.0), below(119.0)))
    layers = [Layer(name="airway_wall", shape=wall), Layer(name="cricoid_cartilage", shape=cricoid)]
    layers += [Layer(name="airway_wall", shape=tube.grown(WALL_MM)) for tube in (right, left, middle)]
    layers += [Layer(name="airway_wall", shape=tube.grown(1.0), over=LUNGS) for tube in twigs]
    layers += [Layer(name="bronchi_peripheral", shape=tube) for tube in twigs]
    layers.append(Layer(name="bronchus_intermedius", shape=middle))
    for side, tube in (("right", right), ("left", left)):
        layers.append(Layer(name=f"bronchus_{side}", shape=tube))
    lumen = ("bronchus_right", "bronchus_left")
    layers.append(Layer(name="trachea", shape=trunk))
    layers += [
        Layer(name="trachea", shape=All(of=(tube, above(TRACHEA_END_Z))), over=lumen)
        for tube in (right, left)
    ]
    layers.append(Layer(name="airway_wall", shape=Spur(), over=("trachea", *lumen)))
    return layers


def thyroid_layers(deviation_mm: float) -> list[Layer]:
    """Two lobes beside the trachea and the isthmus in front of it."""
    shapes: list[Shape] = []
    for sign in (-1, 1):
        x, y = trachea_axis(88, deviation_mm)
        shapes.append(Ellipsoid(centre=(x + sign * 15, y + 1, 88), axes_mm=(8, 13, 22)))
    x, y = trachea_axis(82, deviation_mm)
    shapes.append(Ellipsoid(centre=(x, y - 11, 82), axes_mm=(14, 5, 7)))
    return [Layer(name="thyroid_gland", shape=shape, over=("fat", "muscle")) for shape in shapes]
