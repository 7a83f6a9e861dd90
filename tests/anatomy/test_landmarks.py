"""Landmarks from masks against what the phantom knows, and what is told where a mask is missing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.landmarks import METHODS, find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Attempt, LandmarkRule, Landmarks, Organs
from pipeline.core.volume import Mask
from pipeline.phantom import Reconstruction
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.station_rules import load_station_atlas
from tests.anatomy.organs_of import organs, organs_of
from tests.cases import grid_of
from tests.phantoms import COARSE, coarse

RULES = load_landmark_rules()
NAMES = {rule.name for rule in RULES}
OF_THE_HIATUS = ("thoracic_cavity", "abdominal_cavity", "pulmonary_vein")


def found_in(patient: Organs, stated=()) -> Landmarks:
    return find_landmarks(OrganView(patient), RULES, dict(stated))


def test_the_atlas_has_the_landmarks_of_the_output_contract() -> None:
    phantom = coarse(reconstruction=Reconstruction.NATIVE)
    assert set(phantom.landmarks) == NAMES


# Landmark to its attempts: method; organs, or the landmark that it starts from; mm (150: mm2); expected
# error; whether it is inferred.
ATTEMPTS = {
    "sternal_notch": (
        ("midline_top", "sternum vertebrae_T1 vertebrae_T2 vertebrae_T3 vertebrae_T4", 10, 3, False),
        ("body_bottom", "vertebrae_T2", 0, 15, True),
    ),
    "T1_top": (
        ("body_top", "vertebrae_T1", 0, 4, False),
        ("above", "sternal_notch", 32, 10, True),
    ),
    "C7_top": (
        ("body_top", "vertebrae_C7", 0, 4, False),
        ("above", "T1_top", 18, 4, True),
    ),
    "clavicular_head_top": (
        ("medial_top", "clavicula_left clavicula_right", 20, 4, False),
        ("medial_top", "clavicula_left", 20, 6, False),
        ("medial_top", "clavicula_right", 20, 6, False),
        ("above", "sternal_notch", 10, 6, True),
    ),
    "lung_apex": (
        ("lower_top", "lung_left lung_right lung_upper_lobe_left lung_upper_lobe_right", 0, 3, False),
        ("above", "T1_top", -12, 8, True),
    ),
    "carina": (("split", "trachea main_bronchi", 0, 3, False),),
    "aortic_arch_top": (
        ("wide_top", "aorta", 150, 3, False),
        ("above", "carina", 35, 8, True),
        ("above", "sternal_notch", -20, 25, True),
    ),
    "brachiocephalic_artery_trachea": (
        ("lowest_over", "brachiocephalic_trunk trachea", 5, 4, False),
        ("above", "aortic_arch_top", -6, 5, True),
    ),
    "left_brachiocephalic_vein_trachea": (
        ("lowest_over", "brachiocephalic_vein_left trachea", 5, 4, False),
        ("above", "aortic_arch_top", -13, 6, True),
    ),
    "inferior_pulmonary_vein_lowest": (
        ("bottom", "pulmonary_vein", 0, 6, False),
        ("above", "carina", -53, 8, True),
    ),
    "hiatus": (
        (
            "bed_leaves_chest",
            "thoracic_cavity abdominal_cavity aorta vertebrae_T9 vertebrae_T10 vertebrae_T11 vertebrae_T12",
            14,
            6,
            False,
        ),
        ("above", "carina", -121, 16, True),
        ("bottom", "heart", 0, 28, True),
    ),
    "celiac_axis_origin": (
        ("root", "celiac_trunk aorta", 0, 3, False),
        ("root_above", "superior_mesenteric_artery aorta", 17, 6, True),
        ("body_bottom", "vertebrae_T12", 0, 12, True),
    ),
    "SMA_origin": (
        ("root", "superior_mesenteric_artery aorta", 0, 3, False),
        ("above", "celiac_axis_origin", -17, 6, True),
    ),
}


def test_attempts_and_their_figures() -> None:
    assert {
        rule.name: tuple(
            (one.method, one.landmark or " ".join(one.organs), one.mm, one.error_mm, one.inferred)
            for one in rule.attempts
        )
        for rule in RULES
    } == ATTEMPTS


def test_distances_from_the_carina_are_those_of_the_source() -> None:
    """Incisor distances at endoscopy in cm: carina 29.5, inferior vein 34.8, hiatus 41.6 [LU2021]."""
    patient = organs_of(coarse(reconstruction=Reconstruction.NATIVE, lesions=()), without=OF_THE_HIATUS)
    found = found_in(patient, {"carina": (1.0, 2.0, -100.0)}).found
    for name, told in (("inferior_pulmonary_vein_lowest", 34.8), ("hiatus", 41.6)):
        below = 10.0 * (told - 29.5)
        assert found[name].inferred, name
        assert found[name].point_mm[2] == pytest.approx(-100.0 - below), name
        assert found[name].how == f"{below:.0f} mm below the carina"


# ------------------------------------------------------------------------------------------- what is missing


@pytest.fixture(scope="module")
def ablated():
    """One phantom, of which organs are left out."""
    return coarse(reconstruction=Reconstruction.NATIVE, lesions=())


def test_without_an_airway_there_is_no_carina_and_nothing_is_guessed_from_vertebrae(ablated) -> None:
    landmarks = found_in(organs_of(ablated, without=["trachea", "main_bronchi", "aorta", "pulmonary_vein"]))
    assert "carina" not in landmarks.found
    assert landmarks.missing["carina"] == (
        "not from the level at which the airway divides: no trachea or main_bronchi"
    )
    assert "carina is not known" in landmarks.missing["inferior_pulmonary_vein_lowest"]


def test_with_nothing_known_everything_is_missing(ablated) -> None:
    landmarks = found_in(organs(ablated.volume.grid, {}))
    assert not landmarks.found
    assert set(landmarks.missing) == NAMES


def test_errors_add_up_along_a_chain(ablated) -> None:
    landmark = found_in(organs_of(ablated, without=["pulmonary_vein"])).found[
        "inferior_pulmonary_vein_lowest"
    ]
    assert landmark.inferred
    assert landmark.error_mm == pytest.approx(np.hypot(3.0, 8.0))
    assert landmark.how == "53 mm below the carina"
    assert landmark.notes == ("not from the lower end of the pulmonary veins: no pulmonary_vein",)


def test_what_the_user_states_wins_and_others_start_from_it(ablated) -> None:
    patient = organs_of(ablated, without=["pulmonary_vein"])
    landmarks = found_in(patient, {"carina": (1.0, 2.0, -100.0)}).found
    assert landmarks["carina"].point_mm == (1.0, 2.0, -100.0)
    assert (landmarks["carina"].inferred, landmarks["carina"].error_mm) == (False, 0.0)
    assert landmarks["inferior_pulmonary_vein_lowest"].point_mm[2] == pytest.approx(-153.0)


def test_an_organ_that_the_scan_cuts_off_has_no_end_there(ablated) -> None:
    grid = ablated.volume.grid
    sternum = np.zeros(grid.shape, dtype=bool)
    sternum[-10:, 60:70, 85:95] = True
    landmarks = found_in(organs(grid, {"sternum": Mask(grid=grid, voxels=sternum)}))
    assert "sternal_notch" in landmarks.missing


def test_a_clavicula_alone_is_seen_with_a_note(ablated) -> None:
    both = found_in(organs_of(ablated)).found["clavicular_head_top"]
    for side, other in (("left", "right"), ("right", "left")):
        alone = found_in(organs_of(ablated, without=[f"clavicula_{other}"])).found["clavicular_head_top"]
        assert alone.how == f"the medial 20 mm of the {side} clavicula"
        assert not alone.inferred
        assert alone.error_mm > both.error_mm
        assert f"no clavicula_{other}" in alone.notes[0]


def arteries(box: slice, *, gap: int = 0) -> Landmarks:
    """An aorta along a small scan, and a celiac trunk in front of it on some slices."""
    grid = grid_of(size=(30, 30, 12), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    aorta, trunk = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape, dtype=bool)
    aorta[:, 14:24, 10:20] = True
    trunk[box, 4 : 14 - gap, 13:17] = True
    masks = {"aorta": aorta, "celiac_trunk": trunk}
    return found_in(organs(grid, {name: Mask(grid=grid, voxels=voxels) for name, voxels in masks.items()}))


def test_an_arterys_root_is_where_it_meets_the_aorta() -> None:
    found = arteries(slice(4, 7)).found["celiac_axis_origin"]
    # The middle of the trunk's width and height, in the pixels that touch the aorta.
    assert found.point_mm == pytest.approx((0.0, -1.5, -1.5))
    assert arteries(slice(4, 7), gap=1).found["celiac_axis_origin"].point_mm[2] == pytest.approx(-1.5)


def test_an_artery_far_from_the_aorta_has_no_root_there() -> None:
    assert "celiac_axis_origin" not in arteries(slice(4, 7), gap=2).found


def test_a_root_that_the_scan_cuts_off_is_not_seen() -> None:
    for box in (slice(0, 2), slice(10, 12)):
        assert "not seen there" in arteries(box).missing["celiac_axis_origin"]


def cavities(chest_from: int, abdomen_to: int) -> float:
    """Level of the hiatus in a small scan whose cavities end on these slices."""
    grid = grid_of(size=(40, 40, 12), spacing=(2.0, 2.0, 3.0), centre=(0.0, 0.0, 0.0))
    masks = {
        name: np.zeros(grid.shape, dtype=bool) for name in ("thoracic_cavity", "abdominal_cavity", "aorta")
    }
    masks["aorta"][:, 26:34, 20:28] = True
    masks["thoracic_cavity"][chest_from:] = True
    masks["abdominal_cavity"][:abdomen_to] = True
    found = found_in(organs(grid, {name: Mask(grid=grid, voxels=voxels) for name, voxels in masks.items()}))
    return found.found["hiatus"].point_mm[2]


def test_the_hiatus_lies_between_the_cavities() -> None:
    # Slices lie at -16.5, -13.5, ...; the last of the abdomen is number 4, at -4.5.
    assert cavities(5, 5) == pytest.approx(-3.0)
    # With a diaphragm of one slice between them: in its middle.
    assert cavities(6, 5) == pytest.approx(-1.5)


def test_a_slip_of_the_arch_before_the_cord_is_no_body() -> None:
    grid = grid_of(size=(40, 40, 12), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    whole, cord = np.zeros(grid.shape, dtype=bool), np.zeros(grid.shape, dtype=bool)
    whole[3:8, 5:20, 10:30] = True
    whole[8, 23:25, 10:30] = True
    cord[:, 25:33, 16:24] = True
    masks = {"vertebrae_T1": Mask(grid=grid, voxels=whole), "spinal_cord": Mask(grid=grid, voxels=cord)}
    top = found_in(organs(grid, masks)).found["T1_top"].point_mm[2]
    assert top == pytest.approx(-16.5 + 7 * 3.0 + 1.5)


def test_every_method_of_the_table_is_used_by_the_atlas() -> None:
    rules = (*RULES, *load_station_atlas().levels)
    assert {attempt.method for rule in rules for attempt in rule.attempts} == set(METHODS)


def test_a_landmark_of_ones_own_is_data_only(ablated) -> None:
    rule = LandmarkRule(
        name="heart_top",
        meaning="upper end of the heart",
        attempts=(
            Attempt(
                method="top", organs=("heart",), error_mm=5.0, inferred=False, how="the heart", source="X"
            ),
        ),
    )
    found = find_landmarks(OrganView(organs_of(ablated)), [rule], {}).found["heart_top"]
    grid = ablated.volume.grid
    planes = np.flatnonzero(ablated.organs["heart"].voxels.any(axis=(1, 2)))
    assert found.point_mm[2] == pytest.approx(grid.plane_positions_mm[planes[-1]] + COARSE[2] / 2)
