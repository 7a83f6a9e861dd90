"""Body, chest, lungs, diaphragm and the fat between the organs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.phantom.canvas import Layer
from pipeline.phantom.labels import LUNGS
from pipeline.phantom.shapes import (
    All,
    AnyOf,
    Array,
    Bounds,
    Box,
    Column,
    Ellipsoid,
    HalfSpace,
    Point,
    Tube,
    above,
    below,
    curve,
    mirrored,
)

APEX_Z = {"right": 70.0, "left": 67.5}

# Z, half-width, front, back of the skin.
_SKIN = (
    (-300, 156, -104, 110), (-250, 157, -106, 112), (-200, 156, -110, 118), (-160, 160, -114, 122),
    (-120, 164, -118, 126), (-80, 169, -119, 127), (-40, 175, -115, 126), (-10, 181, -108, 124),
    (10, 187, -99, 120), (30, 192, -89, 116), (50, 192, -77, 110), (65, 180, -66, 103),
    (80, 142, -60, 94), (95, 92, -58, 84), (110, 64, -60, 74), (126, 59, -63, 68), (160, 60, -66, 66),
)  # fmt: skip
# Z, half-width, front, back of the pleural space; below the lungs, of the abdominal cavity.
_CHEST = (
    (-300, 122, -84, 82), (-250, 124, -88, 86), (-180, 127, -93, 93), (-140, 127, -96, 98),
    (-100, 125, -97, 100), (-70, 122, -95, 99), (-40, 119, -90, 95), (-20, 115, -84, 90),
    (0, 108, -74, 84), (20, 97, -62, 74), (35, 87, -48, 64),
)  # fmt: skip
# Z, left, right, front, back of the mediastinal fat.
_MEDIASTINUM = (
    (-200, 34, 30, -40, 36), (-160, 40, 34, -60, 40), (-128, 54, 40, -96, 38), (-100, 66, 46, -99, 36),
    (-70, 62, 46, -97, 36), (-40, 50, 42, -92, 36), (-20, 43, 38, -86, 34), (0, 38, 34, -78, 32),
    (20, 38, 34, -66, 27), (35, 34, 32, -56, 22), (50, 24, 25, -42, 14), (62, 15, 15, -30, 6),
)  # fmt: skip
# Dome of each half of the diaphragm: top Z, and the X, Y where it is reached.
_DOMES = {"right": (-96.0, -62.0, -14.0), "left": (-108.0, 66.0, -14.0)}
CRUS_MM = 4.0


@dataclass(frozen=True, kw_only=True)
class AboveDiaphragm:
    """What lies above the diaphragm, shifted down by `lower_mm`.

    Two domes, and between them a saddle that falls from the xiphoid to the hiatus and behind it
    steeply to the aortic opening.
    """

    hiatus: Point
    lower_mm: float = 0.0
    bounds: Bounds = ((-1e4, -1e4, -1e4), (1e4, 1e4, 1e4))

    def inside(self, x: Array, y: Array, z: Array) -> Array:
        """See `Shape`."""
        return np.asarray(z > self.level(x, y) - np.float32(self.lower_mm))

    def level(self, x: Array, y: Array) -> Array:
        """Height of the diaphragm over X and Y."""
        right, left = (self._dome(x, y, side) for side in ("right", "left"))
        return np.maximum(np.maximum(right, left), self._saddle(x, y))

    def _dome(self, x: Array, y: Array, side: str) -> Array:
        top, cx, cy = (np.float32(value) for value in _DOMES[side])
        out = (x - cx) * np.sign(cx)
        lateral = np.where(out > 0, 68 * (out / 60) ** 2, 30 * (out / 55) ** 2)
        depth = np.where(y > cy, 84 * ((y - cy) / 108) ** 2, 26 * ((y - cy) / 80) ** 2)
        return np.asarray(top - lateral - depth, dtype=np.float32)

    def _saddle(self, x: Array, y: Array) -> Array:
        hx, hy, hz = (np.float32(value) for value in self.hiatus)
        forward = np.clip((hy - y) / np.float32(80), 0, 1)
        behind = np.maximum(y - hy, 0) * np.float32(1.9)
        side = 42 * ((x - hx) / 50) ** 2
        return np.asarray(hz + 10 * forward - behind - side, dtype=np.float32)


def skin(grow: float = 0.0) -> Column:
    """The outline of the trunk and neck, or a layer inside it."""
    knots = tuple((z, 0, 10.0, a, a, 10.0 - front, back - 10.0) for z, a, front, back in _SKIN)
    return Column(knots=knots, power=2.35, grow=grow)


def chest(grow: float = 0.0) -> Column:
    """The space inside the ribs, for levels below the lung apex."""
    knots = tuple((z, 0, 0, a, a, -front, back) for z, a, front, back in _CHEST)
    return Column(knots=knots, power=2.4, grow=grow)


def chest_at(z: float) -> tuple[float, float, float]:
    """Half-width, front and back of the chest at a level, the apex region included."""
    top = ((50.0, 74.0, -32.0, 52.0), (62.0, 62.0, -18.0, 42.0), (72.0, 52.0, -6.0, 34.0))
    table = curve(tuple((row[0], *row[1:]) for row in (*_CHEST, *top)))
    width, front, back = (float(value) for value in table(z))
    return width, front, back


def body_layers() -> list[Layer]:
    """Skin, subcutaneous fat, muscle, upper arms raised beside the head."""
    layers = [Layer(name="skin_fat", shape=skin())]
    inner = tuple(
        (z, 0, 10.0, a - rim, a - rim, 10.0 - front - rim, back - 10.0 - rim)
        for z, a, front, back in _SKIN
        for rim in [float(np.interp(z, [-250, -150, -40, 60, 110], [18, 15, 10, 8, 5]))]
    )
    layers.append(Layer(name="muscle", shape=Column(knots=inner, power=2.35)))
    arm: tuple[Point, ...] = ((142, 40, 40), (148, 36, 75), (146, 26, 110), (140, 14, 150))
    for side, knots in (("left", arm), ("right", mirrored(arm))):
        layers += [
            Layer(name="skin_fat", shape=Tube(knots=knots, radius_mm=41.0), over=("air",)),
            Layer(name="muscle", shape=Tube(knots=knots, radius_mm=35.0)),
            Layer(name=f"humerus_{side}", shape=Tube(knots=knots[1:], radius_mm=12.0)),
        ]
    # The sliding layer between the chest wall and the muscles of the shoulder girdle.
    layers.append(Layer(name="fat", shape=All(of=(chest(16.5),), without=(chest(14.0),)), over=("muscle",)))
    return [*layers, *_neck_fat()]


def _neck_fat() -> list[Layer]:
    layers = []
    visceral = ((48, 0, -6, 40, 40, 26, 14), (75, 0, -14, 44, 44, 26, 12), (160, 0, -34, 40, 40, 24, 14))
    layers.append(Layer(name="fat", shape=Column(knots=visceral, power=2.6), over=("muscle",)))
    for sign in (-1, 1):
        fossa = Ellipsoid(centre=(sign * 62, -18, 64), axes_mm=(40, 20, 22))
        axilla = Ellipsoid(centre=(sign * 134, 8, 22), axes_mm=(20, 34, 42))
        layers += [Layer(name="fat", shape=shape, over=("muscle",)) for shape in (fossa, axilla)]
    return layers


def chest_layers(diaphragm: AboveDiaphragm, apex_shift_mm: float) -> list[Layer]:
    """Lungs with their lobes over abdominal fat and the diaphragm."""
    layers = [
        Layer(name="fat", shape=All(of=(chest(-3), below(-88)), without=(diaphragm,)), over=("muscle",)),
        Layer(
            name="diaphragm",
            shape=All(
                of=(chest(), below(-88), AboveDiaphragm(hiatus=diaphragm.hiatus, lower_mm=CRUS_MM)),
                without=(diaphragm,),
            ),
        ),
    ]
    for side, sign in (("right", -1), ("left", 1)):
        lung = All(
            of=(
                _lung(side, APEX_Z[side] + apex_shift_mm),
                diaphragm,
                HalfSpace(normal=(sign, 0, 0), offset=0),
            )
        )
        oblique = HalfSpace(normal=(0, -0.833, 1.0), offset=-41.7)
        lower, upper = f"lung_lower_lobe_{side}", f"lung_upper_lobe_{side}"
        layers.append(Layer(name=lower, shape=lung))
        box = Box(bounds=lung.bounds)
        layers.append(Layer(name=upper, shape=All(of=(box, oblique)), over=(lower,)))
        if side == "right":
            middle = All(of=(box, oblique, below(-38.0)))
            layers.append(Layer(name="lung_middle_lobe_right", shape=middle, over=(upper,)))
    fat = tuple(
        (z, 0, -22, left, right, -22 - front, back + 22) for z, left, right, front, back in _MEDIASTINUM
    )
    space = All(of=(Column(knots=fat, power=2.5), diaphragm))
    layers.append(Layer(name="fat", shape=space, over=(*LUNGS, "muscle")))
    return layers


def _lung(side: str, apex: float) -> Column:
    sign = 1 if side == "left" else -1
    rows: list[tuple[float, ...]] = []
    for z, width, front, back in _CHEST:
        cx, cy = 50.0, 6.0
        rows.append((z, sign * cx, cy, *_pair(sign, width - cx, cx + 25), cy - front, back - cy))
    for part in (0.25, 0.5, 0.75, 0.88, 0.95, 0.985, 1.0):
        level = 35 + part * (apex - 35)
        size = float(np.sqrt(1 - part**2))
        lateral, medial = 40 * size, (34 + 20 * (1 - part)) * size
        rows.append(
            (level, sign * (45 - 4 * part), 9 + 3 * part, *_pair(sign, lateral, medial), 52 * size, 54 * size)
        )
    return Column(knots=tuple(rows), power=2.4)


def _pair(sign: int, lateral: float, medial: float) -> tuple[float, float]:
    """Half-axes (left, right) of a shape on one side of the body."""
    return (lateral, medial) if sign > 0 else (medial, lateral)


def thoracic_cavity(diaphragm: AboveDiaphragm) -> AnyOf:
    """What lies inside the chest and above the diaphragm."""
    apex = tuple(
        (z, 0, 0, *_twice(chest_at(z)[0]), -chest_at(z)[1], chest_at(z)[2]) for z in (35.0, 50.0, 62.0, 70.0)
    )
    return AnyOf(of=(All(of=(chest(), diaphragm)), All(of=(Column(knots=apex, power=2.4), above(35.0)))))


def abdominal_cavity(diaphragm: AboveDiaphragm) -> All:
    """What lies inside the abdominal wall and below the diaphragm."""
    return All(of=(chest(-3), below(-88.0)), without=(diaphragm,))


def _twice(value: float) -> tuple[float, float]:
    return value, value
