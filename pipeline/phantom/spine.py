"""Vertebrae, discs, spinal canal and the long muscles of the back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.phantom.canvas import Layer
from pipeline.phantom.labels import LUNGS, VERTEBRAE
from pipeline.phantom.shapes import (
    Array,
    Bounds,
    Column,
    Point,
    Shape,
    Tube,
    curve,
)

# Z and Y of the centre of the spinal canal: lordosis of the neck, kyphosis of the chest.
_CANAL = (
    (-300, 54), (-245, 62), (-215, 66), (-180, 71.5), (-155, 74), (-115, 75), (-75, 74), (-55, 72),
    (-35, 71), (-15, 68), (5, 63), (25, 57), (45, 47), (65, 34.5), (85, 22.5), (105, 14), (125, 11),
    (160, 12),
)  # fmt: skip
# Z, depth and width of the vertebral bodies.
_BODY = (
    (-300, 34, 48), (-215, 33, 43), (-165, 31, 38), (-80, 30, 31), (5, 26, 28), (65, 19, 28), (125, 17, 26),
    (160, 17, 26),
)  # fmt: skip
# Z of the middle of the disc under C5, C6, ... L3.
_DISCS = (113, 96, 78, 60.5, 44, 25.5, 6, -14, -35, -57.5, -80, -103, -127, -153, -181, -210, -240, -271)
_TOP_DISC = 129.0
CANAL_TO_BODY = 10.0


def canal_y(z: float) -> float:
    """Y of the middle of the spinal canal."""
    return float(curve(_CANAL)(z)[0])


def spine_front_y(z: float) -> float:
    """Y of the front of the vertebral column."""
    return canal_y(z) - CANAL_TO_BODY - float(curve(_BODY)(z)[0])


@dataclass(frozen=True, kw_only=True)
class TiltedBody:
    """A vertebral body: a superelliptic cylinder at right angles to the spine."""

    centre: Point
    tangent: tuple[float, float]  # of the spine, in Y and Z
    half_height: float
    half_depth: float
    half_width: float

    @property
    def bounds(self) -> Bounds:
        """See `Shape`."""
        ty, tz = (abs(value) for value in self.tangent)
        reach_y = self.half_depth * tz + self.half_height * ty
        reach_z = self.half_height * tz + self.half_depth * ty
        x, y, z = self.centre
        return (
            (x - self.half_width, y - reach_y, z - reach_z),
            (x + self.half_width, y + reach_y, z + reach_z),
        )

    @property
    def top(self) -> Point:
        """The highest point: the upper endplate's corner that the tilt lifts, worn flat."""
        ty, tz = self.tangent
        lifted = -np.sign(ty) * self.half_depth
        x, y, z = self.centre
        worn = min(2.0, 0.5 * self.half_depth * abs(ty))
        return (
            x,
            float(y + self.half_height * ty + 0.95 * lifted * tz),
            float(z + self.half_height * tz - lifted * ty - worn),
        )

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        ty, tz = (np.float32(value) for value in self.tangent)
        cx, cy, cz = (np.float32(value) for value in self.centre)
        along = (y - cy) * ty + (z - cz) * tz
        depth = ((y - cy) * tz - (z - cz) * ty) / np.float32(self.half_depth)
        # Slightly waisted, as vertebral bodies are.
        waist = 0.88 + 0.12 * (along / np.float32(self.half_height)) ** 2
        width = (x - cx) / np.float32(self.half_width)
        # In front an ellipse, behind nearly straight.
        shape = width**2 + np.where(depth < 0, depth**2, depth**8)
        inside = (np.abs(along) < np.float32(self.half_height)) & (shape < waist**2)
        return np.asarray(inside & (z < np.float32(self.top[2])))

    def inner(self, rim: float) -> TiltedBody:
        """The marrow within the cortex."""
        return TiltedBody(
            centre=self.centre,
            tangent=self.tangent,
            half_height=self.half_height - rim,
            half_depth=self.half_depth - rim,
            half_width=self.half_width - rim,
        )


def vertebral_bodies(shift_mm: float) -> dict[str, TiltedBody]:
    """The bodies by level, C5 to L3; `shift_mm` moves them along the spine."""
    canal, sizes = curve(_CANAL), curve(_BODY)
    bodies = {}
    for level, (upper, lower) in zip(VERTEBRAE, pairwise((_TOP_DISC, *_DISCS)), strict=True):
        z = (upper + lower) / 2 + shift_mm
        slope = float(canal(z, 1)[0])
        tz = 1 / float(np.hypot(1, slope))
        depth, width = (float(value) for value in sizes(z))
        gap = 1.8 if z > 40 else 2.8
        bodies[level] = TiltedBody(
            centre=(0.0, canal_y(z) - CANAL_TO_BODY - depth / 2, z),
            tangent=(slope * tz, tz),
            half_height=(upper - lower) / 2 / tz - gap,
            half_depth=depth / 2,
            half_width=width / 2,
        )
    return bodies


def spine_layers(shift_mm: float) -> list[Layer]:
    """Discs, arches with their processes, bodies with marrow, canal and cord."""
    levels = tuple(float(z) for z in np.arange(-300, 161, 10))
    sizes = curve(_BODY)
    discs, canal, cord, sleeve = [], [], [], []
    for z in levels:
        depth, width = (float(value) for value in sizes(z))
        middle = canal_y(z) - CANAL_TO_BODY - depth / 2
        discs.append((z, 0, middle, width / 2 - 1.5, width / 2 - 1.5, depth / 2 - 1, depth / 2 - 1))
        sleeve.append((z, 0, canal_y(z), 22, 22, 16, 18))
        canal.append((z, 0, canal_y(z), 10.5, 10.5, 9, 8))
        cord.append((z, 0, canal_y(z), 6.2, 6.2, 4.8, 4.8))
    layers = [Layer(name="muscle", shape=_paraspinal(sign), over=("fat", *LUNGS)) for sign in (-1, 1)]
    layers.append(Layer(name="muscle", shape=Column(knots=tuple(sleeve)), over=("fat", *LUNGS)))
    layers.append(Layer(name="disc", shape=Column(knots=tuple(discs), power=2.2)))
    bodies = vertebral_bodies(shift_mm)
    for level, body in bodies.items():
        layers += [Layer(name=f"vertebrae_{level}", shape=shape) for shape in _arch(level, body)]
    for level, body in bodies.items():
        layers.append(Layer(name=f"vertebrae_{level}", shape=body))
        layers.append(Layer(name="marrow", shape=body.inner(1.8), detail=True))
    layers.append(Layer(name="canal", shape=Column(knots=tuple(canal))))
    layers.append(Layer(name="spinal_cord", shape=Column(knots=tuple(cord))))
    return layers


def _paraspinal(sign: int) -> Column:
    """The long muscles of the back, which the lungs do not reach behind."""
    rows = tuple((z, sign * 27, canal_y(z) + 27, 27, 27, 24, 20) for z in range(-300, 61, 20))
    return Column(knots=rows, power=2.3)


def _arch(level: str, body: TiltedBody) -> list[Shape]:
    """Pedicles, laminae, transverse and spinous processes of one vertebra."""
    ty, tz = body.tangent

    def at(x: float, back: float, up: float) -> Point:
        """A point in the vertebra's own frame: behind the body's back wall, above its middle."""
        depth = body.half_depth + back
        return (x, body.centre[1] + up * ty + depth * tz, body.centre[2] + up * tz - depth * ty)

    tall = body.half_height
    neck, loin = level.startswith("C"), level.startswith("L")
    lateral = 26.0 if neck else 40.0 if loin else 31.0
    reach, fall = (24.0, 2.0) if neck else (27.0, 4.0) if loin else (24.0, 20.0)
    shapes: list[Shape] = []
    for sign in (-1, 1):
        pedicle = (
            at(sign * 12, -5, 0.35 * tall),
            at(sign * 13.5, 6, 0.3 * tall),
            at(sign * 13.5, 12, 0.25 * tall),
        )
        lamina = (at(sign * 13.5, 12, 0.2 * tall), at(sign * 9, 19, -0.1 * tall), at(0, 23, -0.25 * tall))
        process = (at(sign * 13.5, 12, 0.25 * tall), at(sign * lateral, 16 if not neck else 8, 0.25 * tall))
        facet = (at(sign * 13.5, 13, 0.7 * tall), at(sign * 13.5, 13, -0.9 * tall))
        shapes += [
            Tube(knots=pedicle, radius_mm=3.8),
            Tube(knots=lamina, radius_mm=4.0),
            Tube(knots=process, radius_mm=(5.0, 3.8)),
            Tube(knots=facet, radius_mm=4.2),
        ]
    spinous = (
        at(0, 21, -0.2 * tall),
        at(0, 21 + reach * 0.6, -0.3 * tall - fall * 0.6),
        at(0, 21 + reach, -0.4 * tall - fall),
    )
    shapes.append(Tube(knots=spinous, radius_mm=(4.5, 3.5, 4.5)))
    return shapes
