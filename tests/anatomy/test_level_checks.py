"""Doubts about levels: each fault planted, and none where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.level_checks import GATES, ORDER, check_levels, check_stated
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.report import Severity
from pipeline.core.volume import Mask
from pipeline.read.landmark_rules import load_landmark_rules
from tests.anatomy.organs_of import organs
from tests.cases import POSITIONS, grid_of

# Levels of an ordinary patient, mm above the carina.
USUAL = {
    "SMA_origin": -197.0,
    "celiac_axis_origin": -180.0,
    "hiatus": -121.0,
    "inferior_pulmonary_vein_lowest": -53.0,
    "carina": 0.0,
    "azygos_vein_top": 10.0,
    "left_brachiocephalic_vein_trachea": 18.0,
    "brachiocephalic_artery_trachea": 24.0,
    "aortic_arch_top": 31.0,
    "sternal_notch": 51.0,
    "clavicular_head_top": 60.0,
    "lung_apex": 68.0,
    "T1_top": 80.0,
    "C7_top": 98.0,
}


def patient(*, position: str = "HFS", inferred=(), without=(), errors=None, **levels: float) -> Landmarks:
    errors = errors or {}
    frame = grid_of(position).frame
    found = {}
    for name, level in {**USUAL, **levels}.items():
        if name in without:
            continue
        x, y, z = frame.to_patient([[1.0, 2.0, level]])[0]
        found[name] = Landmark(
            name=name,
            point_mm=(float(x), float(y), float(z)),
            inferred=name in inferred,
            error_mm=errors.get(name, 3.0),
            how="as planted",
        )
    return Landmarks(found=found)


def told(landmarks: Landmarks, position: str = "HFS") -> list[tuple[str, str, str]]:
    view = OrganView(organs(grid_of(position), {}))
    return [(one.code, one.where, one.message) for one in check_levels(view, landmarks)]


def test_an_ordinary_patient_raises_no_doubt() -> None:
    assert told(patient()) == []
    assert told(Landmarks(found={})) == []


def test_every_landmark_of_the_atlas_is_known_here() -> None:
    named = {name for chain in ORDER for name in chain}
    of_rules = {rule.name for rule in load_landmark_rules()} | {
        "azygos_vein_top"
    }  # one of the stations' levels
    assert named | {"clavicular_head_top"} == of_rules == set(USUAL)
    assert {name for gate in GATES for name in (gate.upper, gate.lower)} <= named


@pytest.mark.parametrize("position", POSITIONS)
def test_an_order_that_is_violated_names_both_and_the_distance(position: str) -> None:
    (code, where, message), *others = told(
        patient(position=position, T1_top=99.5, C7_top=98.0, inferred=["T1_top"]), position
    )
    assert (code, where) == ("LANDMARKS_OUT_OF_ORDER", "landmarks T1_top, C7_top")
    assert message.startswith(
        "T1_top (inferred: as planted) lies 1.5 mm above C7_top, and belongs below it: one of them"
    )
    assert not others


@pytest.mark.parametrize(
    "levels, pairs",
    [
        ({"SMA_origin": -175.0}, {"SMA_origin, celiac_axis_origin"}),
        ({"celiac_axis_origin": -110.0, "SMA_origin": -127.0}, {"celiac_axis_origin, hiatus"}),
        ({"hiatus": -40.0}, {"hiatus, inferior_pulmonary_vein_lowest"}),
        (
            {"carina": 60.0},
            {
                "carina, brachiocephalic_artery_trachea",
                "carina, left_brachiocephalic_vein_trachea",
                "carina, azygos_vein_top",
            },
        ),
        ({"lung_apex": 45.0}, {"sternal_notch, lung_apex"}),
        ({"lung_apex": 105.0}, {"lung_apex, C7_top"}),
        ({"sternal_notch": 85.0}, {"sternal_notch, T1_top", "sternal_notch, lung_apex"}),
        ({"brachiocephalic_artery_trachea": 36.5}, {"brachiocephalic_artery_trachea, aortic_arch_top"}),
        ({"left_brachiocephalic_vein_trachea": 37.0}, {"left_brachiocephalic_vein_trachea, aortic_arch_top"}),
    ],
)
def test_each_place_of_the_order(levels, pairs) -> None:
    out = {where for code, where, _ in told(patient(**levels)) if code == "LANDMARKS_OUT_OF_ORDER"}
    assert out == {f"landmarks {pair}" for pair in pairs}


def test_a_vessel_about_level_with_the_arch_is_no_fault() -> None:
    assert told(patient(brachiocephalic_artery_trachea=35.5, left_brachiocephalic_vein_trachea=36.0)) == []


def test_the_order_is_looked_at_over_what_is_missing() -> None:
    landmarks = patient(without=["brachiocephalic_artery_trachea", "aortic_arch_top"], carina=55.0)
    assert ("LANDMARKS_OUT_OF_ORDER", "landmarks carina, sternal_notch") in [
        one[:2] for one in told(landmarks)
    ]


@pytest.mark.parametrize(
    "levels, pair, message",
    [
        (
            {"sternal_notch": 39.0},
            "sternal_notch, carina",
            "lies 39.0 mm above carina; 40 to 90 mm are usual",
        ),
        ({"sternal_notch": 78.0, "T1_top": 92.0, "carina": -13.0}, "sternal_notch, carina", "lies 91.0 mm"),
        ({"inferior_pulmonary_vein_lowest": -29.0}, "carina, inferior_pulmonary_vein_lowest", "30 to 80 mm"),
        ({"inferior_pulmonary_vein_lowest": -81.0}, "carina, inferior_pulmonary_vein_lowest", "lies 81.0 mm"),
        ({"hiatus": -84.0}, "carina, hiatus", "lies 84.0 mm above hiatus; 85 to 160 mm are usual"),
        ({"hiatus": -161.0}, "carina, hiatus", "lies 161.0 mm"),
        ({"SMA_origin": -184.0}, "celiac_axis_origin, SMA_origin", "lies 4.0 mm"),
        ({"SMA_origin": -216.0}, "celiac_axis_origin, SMA_origin", "5 to 35 mm are usual"),
    ],
)
def test_each_spacing(levels, pair, message) -> None:
    ((code, where, text),) = [one for one in told(patient(**levels)) if "SPACING" in one[0]]
    assert (code, where) == ("LANDMARK_SPACING_UNUSUAL", f"landmarks {pair}")
    assert message in text


@pytest.mark.parametrize("levels", [{"sternal_notch": 40.0}, {"hiatus": -85.0}, {"SMA_origin": -185.0}])
def test_the_ends_of_a_spacing_are_usual(levels) -> None:
    assert not [one for one in told(patient(**levels)) if "SPACING" in one[0]]


def test_an_inferred_landmark_that_may_lie_far_off_is_told() -> None:
    landmarks = patient(
        inferred=["hiatus", "celiac_axis_origin"],
        errors={"hiatus": 10.0, "celiac_axis_origin": 12.0, "SMA_origin": 28.0},
    )
    ((code, where, message),) = told(landmarks)
    assert (code, where) == ("LANDMARK_UNCERTAIN", "landmark celiac_axis_origin")
    assert message.startswith(
        "celiac_axis_origin was not seen but inferred (as planted) and may lie 12 mm off"
    )


def test_faults_are_warnings_and_uncertainty_a_remark() -> None:
    view = OrganView(organs(grid_of(), {}))
    landmarks = patient(T1_top=120.0, SMA_origin=-240.0, inferred=["hiatus"], errors={"hiatus": 28.0})
    assert {one.code: one.severity for one in check_levels(view, landmarks)} == {
        "LANDMARKS_OUT_OF_ORDER": Severity.STOP,
        "LANDMARK_SPACING_UNUSUAL": Severity.WARNING,
        "LANDMARK_UNCERTAIN": Severity.INFO,
    }


def spine(t11: slice, l2: slice) -> OrganView:
    """Bodies of T11 and L2 on slices 3 mm apart, from z = 67 mm upwards."""
    grid = grid_of()
    masks = {}
    for name, box in (("vertebrae_T11", t11), ("vertebrae_L2", l2)):
        voxels = np.zeros(grid.shape, dtype=bool)
        voxels[box, 20:40, 30:50] = True
        masks[name] = Mask(grid=grid, voxels=voxels)
    return OrganView(organs(grid, masks))


@pytest.mark.parametrize(
    "celiac, message",
    [
        (120.0, ""),
        (135.0, "celiac_axis_origin lies 8.0 mm above the lower end of the body of vertebrae_T11; between"),
        (80.0, "celiac_axis_origin lies 2.0 mm below the upper end of the body of vertebrae_L2; between"),
    ],
)
def test_the_celiac_axis_lies_between_t11_and_l2(celiac: float, message: str) -> None:
    view = spine(slice(20, 25), slice(1, 5))
    names = set(USUAL) - {"celiac_axis_origin"}
    findings = check_levels(view, patient(without=names, celiac_axis_origin=celiac))
    assert [one.code for one in findings] == ["LANDMARK_SPACING_UNUSUAL"] * bool(message)
    assert all(one.message.startswith(message) for one in findings)


def test_vertebrae_that_the_scan_cuts_off_say_nothing() -> None:
    view = spine(slice(0, 5), slice(25, 30))
    names = set(USUAL) - {"celiac_axis_origin"}
    assert check_levels(view, patient(without=names, celiac_axis_origin=120.0)) == ()


# ------------------------------------------------------------------------------------ stated and seen


def stated_doubts(points: dict[str, tuple[float, float, float]], seen: Landmarks) -> dict[str, Severity]:
    view = OrganView(organs(grid_of(), {}))
    return {one.code: one.severity for one in check_stated(view, points, seen)}


def moved(seen: Landmarks, by: tuple[float, float, float]) -> dict[str, tuple[float, float, float]]:
    return {
        name: tuple(a + b for a, b in zip(one.point_mm, by, strict=True)) for name, one in seen.found.items()
    }


@pytest.mark.parametrize(
    "by, wanted",
    [
        ((0.0, 0.0, 9.0), {}),
        ((0.0, 0.0, -11.0), {"LANDMARK_STATED_FAR": Severity.WARNING}),
        ((0.0, 0.0, 26.0), {"LANDMARK_STATED_FAR": Severity.STOP}),
        ((20.0, 20.0, 0.0), {}),
        ((31.0, 0.0, 0.0), {"LANDMARK_STATED_ASIDE": Severity.WARNING}),
    ],
)
def test_a_stated_landmark_far_from_where_it_is_seen(by, wanted) -> None:
    seen = patient(without=[name for name in USUAL if name != "carina"])
    assert stated_doubts(moved(seen, by), seen) == wanted


def test_points_of_an_ras_viewer_are_a_stop() -> None:
    frame = grid_of().frame
    found = {}
    for name, level in USUAL.items():
        x, y, z = frame.to_patient([[30.0, -45.0, level]])[0].tolist()
        found[name] = Landmark(name=name, point_mm=(x, y, z), inferred=False, error_mm=3.0, how="as planted")
    seen = Landmarks(found=found)
    ras = {name: (-x, -y, z) for name, (x, y, z) in moved(seen, (0.0, 0.0, 0.0)).items()}
    assert stated_doubts(ras, seen) == {"LANDMARKS_STATED_MIRRORED": Severity.STOP}
    assert stated_doubts(moved(seen, (2.0, 2.0, 1.0)), seen) == {}


def test_what_was_only_inferred_is_no_witness_against_a_statement() -> None:
    seen = patient(inferred=list(USUAL))
    assert stated_doubts(moved(seen, (60.0, 0.0, 60.0)), seen) == {}


def test_an_azygos_vein_above_the_arch_or_below_the_carina_is_told() -> None:
    for level in (-4.0, 36.0):
        assert any("azygos_vein_top" in message for _, _, message in told(patient(azygos_vein_top=level)))
