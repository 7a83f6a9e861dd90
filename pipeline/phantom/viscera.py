"""Esophagus, stomach or gastric conduit, and the organs of the upper abdomen."""

from __future__ import annotations

from pipeline.phantom.airway import trachea_axis
from pipeline.phantom.canvas import Layer
from pipeline.phantom.labels import BONES, LUNGS
from pipeline.phantom.shapes import (
    All,
    AnyOf,
    Column,
    Ellipsoid,
    Point,
    Shape,
    Tube,
    above,
    below,
    mirrored,
)
from pipeline.phantom.spine import spine_front_y
from pipeline.phantom.torso import AboveDiaphragm, abdominal_cavity

HIATUS: Point = (10.0, 9.0, -121.0)
JUNCTION: Point = (25.0, -2.0, -137.0)  # esophagus to stomach
ANASTOMOSIS_Z = 70.0
_LUMEN_MM = -3.5
Rows = tuple[tuple[float, ...], ...]


_LOWER_ESOPHAGUS = (
    (-140.0, 25.0, -3.0), (-121.0, 10.0, 9.0), (-105.0, 6.0, 15.5), (-90.0, 5.0, 21.0), (-60.0, 2.0, 24.5),
    (-30.0, 1.0, 23.5),
)  # fmt: skip


def esophagus(deviation_mm: float) -> Column:
    """The whole native esophagus, from the cricoid to the stomach."""
    rows: list[tuple[float, ...]] = [(z, x, y, 9, 9, 6, 6) for z, x, y in _LOWER_ESOPHAGUS]
    for level in (0.0, 20.0, 50.0, 75.0, 100.0, 160.0):
        x, y = trachea_axis(level, deviation_mm)
        depth = (y + 10.5 + spine_front_y(level) - 1.0) / 2
        rows.append((level, x + 5.0, depth, 8.5, 8.5, 5.5, 5.0))
    return Column(knots=tuple(rows), power=2.1)


def gullet_layers(reconstruction: str, deviation_mm: float) -> list[Layer]:
    """Native esophagus and stomach, or what an esophagectomy leaves with its gastric conduit."""
    whole = esophagus(deviation_mm)
    if reconstruction == "native":
        bed = Column(knots=whole.knots, power=2.1, grow=4.0)
        return [
            Layer(name="fat", shape=bed, over=LUNGS),
            *_stomach(),
            Layer(name="esophagus", shape=whole, keep=("stomach", *BONES)),
        ]
    remnant: Shape = All(of=(whole, above(ANASTOMOSIS_Z)))
    conduit = _POSTERIOR if reconstruction == "posterior" else _RETROSTERNAL
    top_x, top_y = trachea_axis(ANASTOMOSIS_Z, deviation_mm)
    join = (ANASTOMOSIS_Z + 2, top_x + 6, (top_y + 10 + spine_front_y(ANASTOMOSIS_Z)) / 2, 9, 9, 6, 5.5)
    column = Column(knots=(*conduit, join), power=2.2)
    gut: tuple[Shape, ...] = (column, _antrum(conduit[0]))
    # The bed that the esophagus left is fat and scar, held open against the lungs.
    scar = All(of=(Column(knots=whole.knots, power=2.1, grow=3.0), above(HIATUS[2])))
    return [
        Layer(name="fat", shape=scar, over=LUNGS),
        Layer(name="fat", shape=Column(knots=column.knots, power=2.2, grow=3.0), over=LUNGS),
        *(Layer(name="stomach", shape=shape, keep=BONES) for shape in gut),
        Layer(name="gut_wall", shape=Column(knots=column.knots, power=2.2), over=("stomach",), detail=True),
        Layer(
            name="fluid",
            shape=Column(knots=column.knots, power=2.2, grow=_LUMEN_MM),
            over=("stomach",),
            detail=True,
        ),
        *_conduit_gas(column),
        Layer(name="esophagus", shape=remnant, keep=("stomach", *BONES)),
    ]


# Z, X, Y, left, right, front, back. Behind the trachea and left atrium, to the right of the midline.
_POSTERIOR: Rows = (
    (-150, 18, -16, 14, 14, 12, 12), (-136, 14, -2, 13, 13, 11, 11), (-121, 9, 8.5, 12, 12, 10.5, 10.5),
    (-105, 2, 14, 15, 17, 13, 13), (-80, -5, 19, 18, 22, 15, 13), (-50, -8, 22, 17, 22, 14, 11),
    (-15, -9, 20, 17, 22, 12, 10), (0, -9, 20, 15, 20, 8.5, 9), (20, -6, 15, 13, 17, 7.5, 8),
    (45, 0, 6.5, 12, 12, 6.5, 7),
)  # fmt: skip
# Behind the sternum, in front of the heart.
_RETROSTERNAL: Rows = (
    (-150, 6, -72, 16, 16, 12, 12), (-128, 6, -82, 17, 17, 11, 11), (-110, 7, -86, 18, 18, 10, 9),
    (-80, 9, -86, 19, 19, 9, 9), (-40, 10, -81, 18, 18, 9, 9), (-10, 9, -74, 17, 17, 9, 9),
    (15, 9, -64, 15, 15, 7, 7), (35, 8, -50, 13, 13, 7, 7), (52, 8, -33, 11, 11, 8, 8),
    (62, 9, -17, 10, 10, 9, 9),
)  # fmt: skip


def _antrum(start: tuple[float, ...]) -> Tube:
    """From the conduit's lower end to the pylorus."""
    _, x, y, *_ = start
    knots = (
        (x, y, -146.0),
        (x - 2, min(y - 18, -50.0), -172.0),
        (-4.0, -60.0, -196.0),
        (-26.0, -48.0, -200.0),
    )
    return Tube(knots=knots, radius_mm=(12.0, 14.0, 15.0, 11.0))


def _conduit_gas(column: Column) -> list[Layer]:
    """Gas rises to the front of the lumen of a patient on the back."""
    layers = []
    for z in (30.0, -5.0, -35.0, -70.0):
        row = min(column.knots, key=lambda knot: abs(knot[0] - z))
        centre = (row[1], row[2] - 0.35 * row[5], row[0])
        axes = (0.55 * row[3], 0.4 * row[5], 13.0)
        layers.append(
            Layer(name="gas", shape=Ellipsoid(centre=centre, axes_mm=axes), over=("stomach",), detail=True)
        )
    return layers


def _stomach() -> list[Layer]:
    shapes: tuple[Shape, ...] = (
        Ellipsoid(centre=(60, 16, -138), axes_mm=(36, 34, 30)),
        Tube(
            knots=((62, 4, -142), (58, -30, -165), (38, -58, -192), (6, -62, -204), (-26, -48, -200)),
            radius_mm=(30.0, 27.0, 22.0, 17.0, 12.0),
        ),
    )
    gas = Ellipsoid(centre=(60, -22, -150), axes_mm=(22, 16, 20))
    return [
        *(Layer(name="stomach", shape=shape) for shape in shapes),
        Layer(name="gas", shape=gas, over=("stomach",), detail=True),
    ]


def abdomen_layers(diaphragm: AboveDiaphragm) -> list[Layer]:
    """Bowel, liver, spleen, pancreas, kidneys, adrenals, gall bladder and psoas."""
    cavity = abdominal_cavity(AboveDiaphragm(hiatus=diaphragm.hiatus, lower_mm=4.0))
    # Both lobes stay clear of the celiac axis, and end under the dome.
    lobes = AnyOf(
        of=(
            Ellipsoid(centre=(-76, 2, -148), axes_mm=(72, 98, 80)),
            Ellipsoid(centre=(-8, -58, -138), axes_mm=(78, 40, 38), along=(1.0, -0.15, 0.3)),
        )
    )
    hilum = Ellipsoid(centre=(-24, 0, -188), axes_mm=(34, 40, 28))
    liver = All(of=(cavity, lobes, below(-90.0)), without=(hilum,))
    spleen = All(of=(cavity, Ellipsoid(centre=(102, 36, -154), axes_mm=(36, 54, 46), along=(0.8, -0.6, 0.1))))
    organs: list[tuple[str, Shape]] = [("muscle", shape) for shape in _psoas()]
    organs += [
        ("colon", Tube(knots=_COLON, radius_mm=(20.0, 17.0, 15.0, 15.0, 16.0, 16.0, 16.0))),
        ("small_bowel", Tube(knots=_JEJUNUM, radius_mm=13.0)),
        ("spleen", spleen),
        ("liver", liver),
        *_KIDNEYS,
        ("adrenal_gland_left", Ellipsoid(centre=(36, 34, -172), axes_mm=(4, 9, 13))),
        ("adrenal_gland_right", Ellipsoid(centre=(-38, 38, -170), axes_mm=(4, 9, 13))),
        ("gallbladder", Ellipsoid(centre=(-48, -42, -196), axes_mm=(14, 20, 17))),
        ("duodenum", Tube(knots=_DUODENUM, radius_mm=12.0)),
        ("pancreas", Tube(knots=_PANCREAS, radius_mm=(13.0, 10.0, 8.5, 9.0, 7.0))),
    ]
    return [Layer(name=name, shape=shape, over=_ABDOMINAL) for name, shape in organs]


_ABDOMINAL = ("fat", "liver", "spleen", "colon", "small_bowel", "muscle")


def _psoas() -> list[Shape]:
    knots = ((26.0, 52.0, -180.0), (34.0, 46.0, -230.0), (42.0, 40.0, -300.0))
    return [Tube(knots=side, radius_mm=(9, 17, 22)) for side in (knots, mirrored(knots))]


_COLON: tuple[Point, ...] = (
    (-84, -40, -232), (-40, -72, -226), (10, -78, -224), (60, -66, -214), (96, -20, -188), (104, 0, -206),
    (104, 30, -250),
)  # fmt: skip
_JEJUNUM: tuple[Point, ...] = (
    (40, -30, -226),
    (70, -10, -236),
    (40, 0, -244),
    (20, -50, -240),
    (60, -60, -246),
)
_DUODENUM: tuple[Point, ...] = (
    (-28, -46, -202), (-42, -26, -212), (-44, -8, -236), (-34, -2, -256), (0, -16, -262),
)  # fmt: skip
_PANCREAS: tuple[Point, ...] = (
    (-26, -26, -222), (-10, -24, -208), (20, -15, -200), (50, 10, -188), (78, 30, -174),
)  # fmt: skip
_KIDNEYS: tuple[tuple[str, Shape], ...] = tuple(
    (name, Ellipsoid(centre=centre, axes_mm=(54 + rim, 25 + rim, 28 + rim), along=along))
    for side, centre, along in (
        ("left", (60.0, 58.0, -212.0), (-0.2, -0.15, 1.0)),
        ("right", (-66.0, 58.0, -218.0), (0.2, -0.15, 1.0)),
    )
    for name, rim in (("fat", 5.0), (f"kidney_{side}", 0.0))
)
