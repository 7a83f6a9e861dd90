"""Ribs, sternum, clavicles, scapulae, and the strap muscles of the neck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipeline.phantom.canvas import Layer
from pipeline.phantom.shapes import All, Column, Ellipsoid, Point, Shape, Tube, above, mirrored
from pipeline.phantom.spine import vertebral_bodies
from pipeline.phantom.torso import chest_at

NOTCH: Point = (0.0, -50.0, 51.0)
CLAVICLE_TOP: Point = (25.0, -47.0, 60.5)
CLAVICLE_RADIUS = 10.5
_RIB_DROPS = (24, 48, 52, 52, 50, 46, 42, 38, 32, 34, 28, 14)
_RIB_ENDS = (0.80, 0.86, 0.88, 0.88, 0.88, 0.86, 0.82, 0.78, 0.72, 0.66, 0.5, 0.34)
_SHAFT: tuple[Point, ...] = (
    (25, -47, 50), (40, -49, 50), (56, -46, 51), (88, -26, 59), (118, -2, 70), (134, 10, 80),
)  # fmt: skip


def rib_layers(shift_mm: float) -> list[Layer]:
    """Twelve pairs of ribs and the cartilages of the upper ten."""
    bodies = vertebral_bodies(shift_mm)
    layers = []
    for n, (drop, end) in enumerate(zip(_RIB_DROPS, _RIB_ENDS, strict=True), start=1):
        start = bodies[f"T{n}"].centre[2] + 4
        path = [_chest_wall(start - drop * part**1.3, part) for part in np.linspace(0.04, end, 11)]
        radius = 5.0 if n > 1 else 5.5
        if n <= 10:
            cartilage = (path[-1], _chest_wall(path[-1][2] + (2 if n < 5 else 9), 0.95), _cartilage_end(n))
            layers += [
                Layer(name="costal_cartilages", shape=Tube(knots=knots, radius_mm=5.0))
                for knots in (cartilage, mirrored(cartilage))
            ]
        for side, points in (("left", tuple(path)), ("right", mirrored(path))):
            layers.append(Layer(name=f"rib_{side}_{n}", shape=Tube(knots=points, radius_mm=radius)))
    return layers


def _chest_wall(z: float, part: float) -> Point:
    """A point of the left chest wall: part 0 is the spine, 1 the sternum."""
    width, front, back = chest_at(min(z, 70.0))
    angle = np.pi * part
    x = (width + 5) * np.sign(np.sin(angle)) * abs(np.sin(angle)) ** 0.83
    y = (back + 5 if part < 0.5 else -front + 5) * np.sign(np.cos(angle)) * abs(np.cos(angle)) ** 0.83
    return (float(x), float(y), float(z))


def _cartilage_end(n: int) -> Point:
    """Where the cartilage of a rib meets the sternum or the arch below it."""
    z = max(44.0 - 17.0 * (n - 1), -92.0)
    lateral = 20.0 if n < 8 else 26.0 + 16.0 * (n - 7)
    z = z if n < 8 else -92.0 - 11.0 * (n - 7)
    return (lateral, float(np.interp(z, *_STERNUM_Y)) + 1.0, z)


_STERNUM_Y = (
    (-115.0, -90.0, -60.0, -20.0, 4.0, 20.0, 30.0, 51.0),
    (-101.0, -103.0, -101.0, -93.0, -83.5, -75.0, -69.0, -51.0),
)
# Z and half-width of the sternum, xiphoid to notch.
_STERNUM_WIDTH = (
    (-116, 5), (-98, 8), (-92, 15), (-60, 18), (-20, 15), (2, 14), (5, 20), (30, 24), (45, 30), (51, 29),
)  # fmt: skip


def front_layers() -> list[Layer]:
    """Sternum, and on both sides clavicle, scapula and strap muscles."""
    layers = _sternum()
    for side, turn in (("left", tuple), ("right", mirrored)):
        head = Ellipsoid(
            centre=turn([(CLAVICLE_TOP[0], CLAVICLE_TOP[1], CLAVICLE_TOP[2] - CLAVICLE_RADIUS)])[0],
            axes_mm=(11, 9, CLAVICLE_RADIUS),
        )
        shaft = Tube(knots=turn(_SHAFT), radius_mm=(7.5, 6.8, 6, 6, 6, 7))
        layers += [Layer(name=f"clavicula_{side}", shape=shape) for shape in (head, shaft)]
        for shape in _scapula(turn):
            layers.append(Layer(name=f"scapula_{side}", shape=shape, over=("muscle", "skin_fat", "fat")))
        for name, knots, radii in _STRAPS:
            strap = Tube(knots=turn(knots), radius_mm=radii)
            layers.append(Layer(name=f"{name}_{side}", shape=strap, over=("muscle", "fat")))
    return layers


def _sternum() -> list[Layer]:
    """Manubrium with its notch, body and xiphoid."""
    rows = tuple((z, 0, float(np.interp(z, *_STERNUM_Y)), half, half, 6.2, 6.2) for z, half in _STERNUM_WIDTH)
    horns = Column(knots=((51, 0, -51, 29, 29, 6, 6), (56, 0, -48, 27, 27, 5, 5)), power=3.0)
    # The floor of the notch stays level for 14 mm to each side: its height is a landmark.
    notch = Ellipsoid(centre=(0, -50, 60), axes_mm=(19, 30, 9))
    floor = All(of=(Ellipsoid(centre=(0, -50, 52), axes_mm=(14, 40, 12)), above(NOTCH[2])))
    marrow = Column(knots=rows, power=3.0, grow=-2.0)
    return [
        Layer(name="sternum", shape=Column(knots=rows, power=3.0)),
        Layer(name="sternum", shape=All(of=(horns,), without=(notch, floor))),
        Layer(name="marrow", shape=marrow, over=("sternum",), detail=True),
    ]


def _scapula(turn: Callable[[Sequence[Point]], tuple[Point, ...]]) -> tuple[Shape, ...]:
    """A blade with thick borders, its spine, and the socket of the shoulder."""
    tip, corner, socket = (112.0, 90.0, -52.0), (92.0, 94.0, 40.0), (138.0, 42.0, 50.0)
    middle = (112.0, 82.0, 4.0)
    ends = turn([middle, (32.0, 34.0, 0.0)])
    blade = Ellipsoid(centre=ends[0], axes_mm=(3.0, 27.0, 50.0), along=ends[1])
    border = Tube(knots=turn([tip, (124.0, 70.0, 4.0), socket]), radius_mm=(4.0, 4.5, 11.0))
    ridge = Tube(knots=turn([corner, (114.0, 86.0, 52.0), (140.0, 60.0, 72.0)]), radius_mm=(3.0, 5.0, 7.0))
    return blade, border, ridge


_STRAPS: tuple[tuple[str, tuple[Point, ...], tuple[float, ...]], ...] = (
    ("sternocleidomastoid", ((24, -52, 63), (36, -42, 82), (47, -26, 105), (52, -8, 130), (54, 8, 160)),
     (7, 9, 10, 10, 10)),
    ("anterior_scalene", ((48, -4, 64), (38, -4, 82), (27, -7, 105), (22, -9, 130)), (6, 7, 6, 5)),
    ("middle_scalene", ((60, 12, 66), (46, 8, 84), (33, 4, 105), (27, 0, 130)), (8, 9, 8, 7)),
)  # fmt: skip
