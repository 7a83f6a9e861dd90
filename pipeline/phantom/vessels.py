"""Heart, great vessels, and the arteries and veins of neck and upper abdomen."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.phantom.canvas import Layer
from pipeline.phantom.labels import LUNGS
from pipeline.phantom.shapes import All, Ellipsoid, HalfSpace, Point, Tube, above, mirrored

# Levels at which vessels begin or end by construction.
BRACHIOCEPHALIC_TRUNK_Z = 24.5
CELIAC_Z = -180.0
SMA_Z = -197.0
AORTA_RADII = (14, 14, 13.5, 13, 13, 12.5, 12.5, 12, 12, 12, 11.5, 11, 10.5, 10, 9.5, 9, 9)
AORTA: tuple[Point, ...] = (
    (6, -38, -46), (-5, -48, -28), (-9, -47, -4), (-6, -41, 8), (2, -30, 17.2), (12, -15, 18.2),
    (21, 1, 18.1), (27, 17, 12), (29, 29, 0), (27, 33, -25), (26, 34.5, -60), (24, 35, -90), (20, 30, -120),
    (14, 24, -150), (8, 17.5, -180), (5, 12.5, -210), (4, 2, -300),
)  # fmt: skip
LEFT_BRACHIOCEPHALIC: tuple[Point, ...] = (
    (37, -30, 52), (33, -36, 43), (22, -44, 32), (10, -50, 25), (0, -51.5, 24), (-10, -49.5, 24),
    (-18, -44, 24), (-24, -40, 23.5),
)  # fmt: skip
INFERIOR_PULMONARY = {
    "right": ((-50, 24, -44), (-36, 10, -47), (-22, 4, -47.5), (-8, 0, -47.5)),
    "left": ((52, 24, -41), (38, 18, -43.5), (27, 9, -44.5), (14, 2, -46)),
}


def aorta() -> Tube:
    """Ascending aorta, arch, descending and abdominal aorta."""
    return Tube(knots=AORTA, radius_mm=tuple(float(r) for r in AORTA_RADII))


def left_brachiocephalic_vein() -> Tube:
    """The vein that crosses in front of the trachea."""
    return Tube(knots=LEFT_BRACHIOCEPHALIC, radius_mm=6.0)


def inferior_pulmonary_vein(side: str) -> Tube:
    """One of the two lower pulmonary veins."""
    return Tube(knots=tuple(INFERIOR_PULMONARY[side]), radius_mm=(4.5, 5.5, 5.8, 6.0))


def heart_layers() -> list[Layer]:
    """Heart with atria, its fat, and the pulmonary vessels."""
    cavity = Ellipsoid(centre=(27, -49, -76), axes_mm=(46, 30, 28), along=(0.72, -0.45, -0.48))
    chambers = (
        Ellipsoid(centre=(27, -49, -74), axes_mm=(62, 46, 39), along=(0.75, -0.45, -0.42)),
        Ellipsoid(centre=(-22, -38, -70), axes_mm=(24, 29, 34)),
        Ellipsoid(centre=(1, -5, -53), axes_mm=(31, 18, 19)),
        Ellipsoid(centre=(14, -52, -54), axes_mm=(28, 24, 26)),
    )
    layers = [
        Layer(
            name="fat",
            shape=Ellipsoid(centre=one.centre, axes_mm=_wider(one.axes_mm, 4), along=one.along),
            over=LUNGS,
        )
        for one in chambers
    ]
    layers += [Layer(name="heart", shape=All(of=(one, above(-116.0)))) for one in chambers]
    wall = Ellipsoid(
        centre=chambers[0].centre, axes_mm=_wider(chambers[0].axes_mm, -1), along=chambers[0].along
    )
    layers.append(
        Layer(name="myocardium", shape=All(of=(wall,), without=(cavity,)), over=("heart",), detail=True)
    )
    pulmonary = (
        (((24, -50, -44), (22, -50, -30), (23, -38, -17), (28, -22, -13)), (13, 12.5, 11.5, 11)),
        (((26, -28, -15), (33, -10, -12), (43, 4, -14), (50, 14, -24)), (10.5, 10, 9, 7)),
        (
            ((24, -34, -18), (8, -22, -22), (-8, -18.5, -24), (-28, -13, -26), (-44, -8, -32)),
            (10, 9.5, 9, 8.5, 7),
        ),
    )
    layers += [_tube("pulmonary_artery", knots, radii, halo=2) for knots, radii in pulmonary]
    for superior in (
        ((-50, -20, -32), (-34, -15, -39), (-16, -10, -46)),
        ((52, -16, -30), (36, -12, -38), (18, -8, -46)),
    ):
        layers.append(_tube("pulmonary_vein", superior, 5.0, halo=1))
    layers += [
        Layer(name="pulmonary_vein", shape=inferior_pulmonary_vein(side)) for side in ("right", "left")
    ]
    return layers


def vessel_layers(deviation_mm: float) -> list[Layer]:
    """Great vessels of chest and neck; `deviation_mm` moves the neck's with the trachea."""
    venous: tuple[tuple[str, tuple[Point, ...], float | tuple[float, ...]], ...] = (
        ("azygos_vein", ((2, 28, -180), (-2, 34, -140), (-7, 33, -60), (-9, 29, -12)), 3.5),
        ("azygos_vein", ((-9, 29, -12), (-12, 24, 2), (-20, 10, 6), (-26, -8, 6), (-28, -24, 4)), 4.5),
        ("superior_vena_cava", _SVC, (8.5, 9, 9, 9.5)),
        ("inferior_vena_cava", _IVC, 10.5),
    )
    layers = [_tube(name, knots, radii, halo=2) for name, knots, radii in venous]
    layers.append(_tube("aorta", AORTA, AORTA_RADII, halo=2.5))
    moved = 0.5 * deviation_mm
    for side, knots in (("left", _LEFT_JUGULAR), ("right", _RIGHT_JUGULAR)):
        layers.append(_tube(f"internal_jugular_vein_{side}", knots, (6, 6.5, 6.5, 6)))
    for side, vein_knots in (("left", _SUBCLAVIAN_VEIN), ("right", mirrored(_SUBCLAVIAN_VEIN))):
        layers.append(_tube(f"subclavian_vein_{side}", vein_knots, 5.5))
    right = ((-35, -29, 52), (-33, -32, 44), (-29, -37, 31), (-26, -38, 20))
    layers.append(_tube("brachiocephalic_vein_right", right, (7, 7, 7, 7.5), halo=1.5))
    vein = All(of=(left_brachiocephalic_vein(), HalfSpace(normal=(1, 0, 0), offset=-20.0)))
    layers.append(Layer(name="brachiocephalic_vein_left", shape=vein))
    return layers + _branch_layers(moved)


_SVC: tuple[Point, ...] = ((-26, -38, 20), (-28, -33, 6), (-28, -33, -20), (-24, -36, -50))
_IVC: tuple[Point, ...] = (
    (-18, -28, -92), (-21, -18, -108), (-22, 2, -130), (-20, 12, -170), (-17, 10, -215), (-15, 2, -300),
)  # fmt: skip
_LEFT_JUGULAR = ((37, -29, 53), (36, -25, 75), (37, -22, 100), (38, -22, 160))
_RIGHT_JUGULAR = ((-35, -29, 53), (-36, -25, 75), (-37, -22, 100), (-38, -22, 160))
_SUBCLAVIAN_VEIN: tuple[Point, ...] = ((40, -29, 53), (62, -32, 56), (90, -16, 58), (128, 4, 60))


def _branch_layers(moved: float) -> list[Layer]:
    """The branches of the arch."""
    trunk = ((2, -30, 15), (-3, -31, 26), (-8, -29, 36), (-15, -24, 46), (-21, -19, 54))
    carotids = {
        "left": ((9, -21, 26), (13, -18, 40), (17, -17, 55), (23, -20, 75), (26, -24, 100), (27, -27, 160)),
        "right": ((-21, -19, 54), (-23, -19, 65), (-25, -21, 80), (-26, -24, 100), (-27, -27, 160)),
    }
    arch_over = ((34, -8, 62), (50, -11, 68), (74, -6, 63), (104, 6, 58), (135, 18, 56))
    subclavian = {
        "left": ((18, -4, 26), (22, 0, 40), (26, -1, 52), *arch_over),
        "right": ((-21, -18, 53), *mirrored(arch_over)),
    }
    layers = []
    for side in ("left", "right"):
        layers.append(_tube(f"subclavian_artery_{side}", subclavian[side], 4.5, halo=1, keep=("aorta",)))
        knots = [(x + moved * rising(z), y, z) for x, y, z in carotids[side]]
        layers.append(_tube(f"common_carotid_artery_{side}", knots, 3.8, halo=1, keep=("aorta",)))
    # The trunk takes over from the arch at a level, so that its lower end is known.
    whole = All(of=(Tube(knots=trunk, radius_mm=6.2), above(BRACHIOCEPHALIC_TRUNK_Z)))
    layers.append(Layer(name="brachiocephalic_trunk", shape=whole))
    return layers


def rising(z: float) -> float:
    """0 at the arch and below, 1 from the notch up."""
    return min(max((z - 20.0) / 30.0, 0.0), 1.0)


def abdominal_layers() -> list[Layer]:
    """Celiac trunk and its branches, superior mesenteric artery, portal and splenic vein."""
    splenic = ((88, 36, -164), (56, 20, -184), (24, -2, -194), (2, -12, -199))
    portal = ((2, -12, -199), (-14, -14, -190), (-30, -14, -176), (-44, -12, -160))
    layers = [
        _tube("portal_vein_and_splenic_vein", splenic, 4.5),
        _tube("portal_vein_and_splenic_vein", portal, 6.0),
    ]
    arteries: tuple[tuple[str, tuple[Point, ...], float], ...] = (
        ("splenic_artery", ((7, -8, -185), (24, 2, -181), (54, 22, -170), (86, 38, -156)), 2.8),
        ("common_hepatic_artery", ((7, -8, -185), (-8, -13, -184), (-24, -15, -180), (-34, -16, -172)), 2.8),
        ("celiac_trunk", ((8, 8, CELIAC_Z), (8, 2, CELIAC_Z - 1), (7, -9, -185)), 3.6),
        (
            "superior_mesenteric_artery",
            ((6.3, 4, SMA_Z), (6, -3, SMA_Z - 3), (5, -9, SMA_Z - 14), (4, -14, -300)),
            3.6,
        ),
    )
    layers += [_tube(name, knots, radius, keep=("aorta",)) for name, knots, radius in arteries]
    return layers


def _tube(
    name: str,
    knots: Sequence[Point],
    radius: float | Sequence[float],
    *,
    halo: float = 0.0,
    keep: tuple[str, ...] = (),
) -> Layer:
    radii = float(radius) if isinstance(radius, int | float) else tuple(float(r) for r in radius)
    return Layer(name=name, shape=Tube(knots=tuple(knots), radius_mm=radii), halo_mm=halo, keep=keep)


def _wider(axes: Point, mm: float) -> Point:
    return (axes[0] + mm, axes[1] + mm, axes[2] + mm)
