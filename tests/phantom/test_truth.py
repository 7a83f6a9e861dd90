"""The phantom's landmarks against the closed shapes that it is painted from: no voxel, no finder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.phantom.airway import Spur, airway_layers, trachea_axis
from pipeline.phantom.build import LEVELS_MM, Build
from pipeline.phantom.canvas import Layer
from pipeline.phantom.scene import ARCH_AREA_MM2, DIAPHRAGM, landmarks
from pipeline.phantom.shapes import Shape
from pipeline.phantom.skeleton import front_layers
from pipeline.phantom.spine import vertebral_bodies
from pipeline.phantom.torso import abdominal_cavity, chest_layers, thoracic_cavity
from pipeline.phantom.vessels import abdominal_layers, aorta, heart_layers, vessel_layers
from pipeline.phantom.viscera import esophagus

# The patient who is the template itself, the carina at the origin.
TEMPLATE = Build(
    height=1.0,
    girth=1.0,
    stretch=(1.0,) * (len(LEVELS_MM) - 1),
    kyphosis_mm=0.0,
    scoliosis_mm=0.0,
    tracheal_deviation_mm=0.0,
    spine_shift_mm=0.0,
    apex_mm=0.0,
    carina_mm=(0.0, 0.0, 0.0),
)
TRUTH = landmarks(TEMPLATE)
Range = tuple[float, float]
# Half-width of the trachea where vessels cross it, and 5 mm beside it, as the landmarks' definition has it.
OVER_TRACHEA = (trachea_axis(22.0, 0.0)[0] - 8.6 - 5.0, trachea_axis(22.0, 0.0)[0] + 8.6 + 5.0)


def shapes(layers: Sequence[Layer], name: str) -> list[Shape]:
    found = [layer.shape for layer in layers if layer.name == name and not layer.detail]
    assert found, name
    return found


def extent(parts: Sequence[Shape], x: Range, y: Range, z: Range, step: float = 0.4) -> tuple[float, float]:
    """Lowest and highest level of some shapes in a box, sampled every 0.05 mm along z."""
    xs, ys, zs = np.arange(*x, step), np.arange(*y, step), np.arange(*z, 0.05)
    hit = np.zeros(len(zs), dtype=bool)
    for part in parts:
        for start in range(0, len(zs), 40):
            some = slice(start, start + 40)
            inside = part.inside(
                *(
                    np.asarray(axis, dtype=np.float32)
                    for axis in (xs[None, None, :], ys[None, :, None], zs[some, None, None])
                )
            )
            hit[some] |= np.broadcast_to(inside, (len(zs[some]), len(ys), len(xs))).any(axis=(1, 2))
    found = zs[hit]
    return float(found[0]), float(found[-1])


def around(name: str, reach: float) -> tuple[Range, Range, Range]:
    x, y, z = TRUTH[name]
    return (x - reach, x + reach), (y - reach, y + reach), (z - reach, z + reach)


@pytest.mark.parametrize("level", ["C7", "T1"])
def test_no_part_of_a_vertebral_body_lies_above_its_top(level: str) -> None:
    _, top = extent([vertebral_bodies(0.0)[level]], *around(f"{level}_top", 20.0))
    assert top == pytest.approx(TRUTH[f"{level}_top"][2], abs=0.15)


def test_the_notch_is_the_top_of_the_manubrium_in_the_midline() -> None:
    _, top = extent(shapes(front_layers(), "sternum"), (-10.0, 10.2), (-85.0, -25.0), (48.0, 62.0))
    assert top == pytest.approx(TRUTH["sternal_notch"][2], abs=0.1)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_medial_part_of_a_clavicula_ends_at_its_head(side: str) -> None:
    parts = shapes(front_layers(), f"clavicula_{side}")
    edge = min(abs(value) for part in parts for value in (part.bounds[0][0], part.bounds[1][0]))
    medial = (edge, edge + 20.0) if side == "left" else (-edge - 20.0, -edge)
    _, top = extent(parts, medial, (-60.0, -35.0), (57.0, 64.0))
    assert top == pytest.approx(TRUTH["clavicular_head_top"][2], abs=0.1)


def test_the_lower_one_of_the_lungs_ends_at_the_apex() -> None:
    layers = chest_layers(DIAPHRAGM, 0.0)
    tops = [
        extent(shapes(layers, f"lung_lower_lobe_{side}"), x, (-10.0, 35.0), (64.0, 73.0))[1]
        for side, x in (("left", (20.0, 60.0)), ("right", (-60.0, -20.0)))
    ]
    assert min(tops) == pytest.approx(TRUTH["lung_apex"][2], abs=0.1)


def test_the_arch_has_its_section_where_the_truth_says() -> None:
    x, y, z = TRUTH["aortic_arch_top"]
    assert abs(aorta().highest[0] - x) < 0.01
    step = 0.25
    xs, ys = np.arange(x - 40, x + 40, step), np.arange(y - 50, y + 50, step)

    def area(level: float) -> float:
        inside = aorta().inside(
            *(
                np.asarray(axis, dtype=np.float32)
                for axis in (xs[None, None, :], ys[None, :, None], np.full((1, 1, 1), level))
            )
        )
        return float(np.count_nonzero(inside)) * step**2

    # A tenth of a millimetre of the level is about a tenth of the area there.
    assert area(z - 0.15) > ARCH_AREA_MM2 > area(z + 0.15)


@pytest.mark.parametrize(
    "name, organ",
    [
        ("brachiocephalic_artery_trachea", "brachiocephalic_trunk"),
        ("left_brachiocephalic_vein_trachea", "brachiocephalic_vein_left"),
    ],
)
def test_a_vessel_goes_down_to_its_level_over_the_trachea(name: str, organ: str) -> None:
    low, _ = extent(shapes(vessel_layers(0.0), organ), OVER_TRACHEA, (-60.0, -20.0), (15.0, 27.0), step=0.6)
    assert low == pytest.approx(TRUTH[name][2], abs=0.15)


def test_the_airway_is_one_lumen_above_the_carina_and_two_below() -> None:
    x, y, z = TRUTH["carina"]
    trunk = [one for one in shapes(airway_layers(0.0), "trachea") if type(one).__name__ == "Column"]
    ys = np.arange(y - 12, y + 12, 0.25)
    middle = (np.full((1, 1, 1), x), ys[None, :, None])
    for level, divided in ((z + 0.05, False), (z - 0.05, True)):
        points = [np.asarray(axis, dtype=np.float32) for axis in (*middle, np.full((1, 1, 1), level))]
        assert any(one.inside(*points).any() for one in trunk)
        assert bool(Spur().inside(*points).all()) is divided
    # Wide enough at once to be seen as a gap: 3.4 mm.
    assert (
        Spur().inside(np.full((1, 1, 1), x + 1.69), np.zeros((1, 1, 1)), np.full((1, 1, 1), z - 0.05)).all()
    )


def test_no_pulmonary_vein_reaches_below_the_lowest_one() -> None:
    x, y, z = TRUTH["inferior_pulmonary_vein_lowest"]
    veins = shapes(heart_layers(), "pulmonary_vein")
    assert len(veins) == 4
    low, _ = extent(veins, (x - 3, x + 3), (y - 3, y + 3), (z - 1, z + 1), step=0.1)
    assert low == pytest.approx(z, abs=0.1)
    below = np.arange(z - 8.0, z, 0.5, dtype=np.float32)[:, None, None]
    xs, ys = np.arange(-70.0, 70.0, dtype=np.float32), np.arange(-30.0, 40.0, dtype=np.float32)
    assert not any(vein.inside(xs[None, None, :], ys[None, :, None], below).any() for vein in veins)


def test_the_hiatus_is_where_the_gullets_axis_meets_the_diaphragm() -> None:
    x, y, z = TRUTH["hiatus"]
    assert float(DIAPHRAGM.level(np.array(x), np.array(y))) == pytest.approx(z, abs=0.01)
    chest, abdomen = thoracic_cavity(DIAPHRAGM), abdominal_cavity(DIAPHRAGM)
    for level, in_chest in ((z + 0.05, True), (z - 0.05, False)):
        point = [np.full((1, 1, 1), value, dtype=np.float32) for value in (x, y, level)]
        assert bool(chest.inside(*point).all()) is in_chest
        assert bool(abdomen.inside(*point).all()) is not in_chest
    # The middle of the native gullet at that level.
    steps = np.arange(-20.0, 20.0, 0.1, dtype=np.float32)
    section = esophagus(0.0).inside(
        (x + steps)[None, None, :], (y + steps)[None, :, None], np.full((1, 1, 1), z, dtype=np.float32)
    )[0]
    rows, columns = np.nonzero(section)
    assert steps[columns].mean() == pytest.approx(0.0, abs=0.1)
    assert steps[rows].mean() == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    "name, organ", [("celiac_axis_origin", "celiac_trunk"), ("SMA_origin", "superior_mesenteric_artery")]
)
def test_an_arterys_axis_leaves_the_aorta_at_its_origin(name: str, organ: str) -> None:
    point = np.array(TRUTH[name])
    (artery,) = shapes(abdominal_layers(), organ)
    for tube, of_surface in ((aorta(), True), (artery, False)):
        rows = np.vstack([np.linspace(a, b, 20) for a, b in zip(tube.path[:-1], tube.path[1:], strict=True)])
        nearest = rows[np.argmin(np.linalg.norm(rows[:, :3] - point, axis=1))]
        away = float(np.linalg.norm(nearest[:3] - point))
        assert away == pytest.approx(nearest[3] if of_surface else 0.0, abs=1.05)
        assert of_surface or nearest[2] == pytest.approx(point[2], abs=0.1)


def test_all_thirteen_are_looked_at_and_follow_the_patient() -> None:
    assert len(TRUTH) == 13
    moved = replace(TEMPLATE, carina_mm=(5.0, -7.0, 90.0))
    for name, (x, y, z) in landmarks(moved).items():
        assert (x - 5.0, y + 7.0, z - 90.0) == pytest.approx(TRUTH[name]), name
