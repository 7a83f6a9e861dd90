"""Landmarks from masks against what the phantom knows, and what is told where a mask is missing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.landmarks import METHODS, find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Attempt, LandmarkRule, Landmarks, Organs
from pipeline.core.volume import Mask
from pipeline.phantom import PatientPosition, Reconstruction
from pipeline.read.landmark_rules import load_landmark_rules
from tests.anatomy.organs_of import mirrored_name, organs, organs_of
from tests.phantoms import COARSE, coarse

RULES = load_landmark_rules()
NAMES = {rule.name for rule in RULES}
ROUTES = tuple(Reconstruction)
COHORT = [
    pytest.param(seed, marks=() if seed < 3 else pytest.mark.slow if seed < 6 else pytest.mark.cohort)
    for seed in range(30)
]


def found_in(patient: Organs, stated=()) -> Landmarks:
    return find_landmarks(OrganView(patient), RULES, dict(stated))


def test_the_atlas_has_the_landmarks_of_the_output_contract() -> None:
    phantom = coarse(reconstruction=Reconstruction.NATIVE)
    assert set(phantom.landmarks) == NAMES


@pytest.mark.parametrize("seed", COHORT)
def test_every_landmark_is_seen_within_a_slice(seed: int) -> None:
    phantom = coarse(seed=seed, reconstruction=ROUTES[seed % 3], lesions=())
    landmarks = found_in(organs_of(phantom))
    assert landmarks.missing == {}
    for name, landmark in landmarks.found.items():
        assert not landmark.inferred, name
        assert landmark.point_mm[2] == pytest.approx(phantom.landmarks[name][2], abs=COARSE[2]), name


@pytest.mark.slow
@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0, 5.0])
def test_levels_do_not_depend_on_the_slices(slice_mm: float) -> None:
    phantom = coarse(spacing_mm=(2.0, 2.0, slice_mm), reconstruction=Reconstruction.NATIVE, lesions=())
    for name, landmark in found_in(organs_of(phantom)).found.items():
        # Half a slice, and what a dome's or a disc's slope makes of 2 mm pixels.
        allowed = slice_mm / 2.0 + 1.5
        assert landmark.point_mm[2] == pytest.approx(phantom.landmarks[name][2], abs=allowed), name


@pytest.mark.slow
@pytest.mark.parametrize("position", list(PatientPosition))
def test_the_same_patient_in_every_position(position: PatientPosition) -> None:
    lying = found_in(organs_of(coarse(position=position, reconstruction=Reconstruction.NATIVE))).found
    supine = found_in(organs_of(coarse(reconstruction=Reconstruction.NATIVE))).found
    assert lying.keys() == supine.keys()
    for name, landmark in lying.items():
        assert landmark.point_mm == pytest.approx(supine[name].point_mm, abs=1e-6), name


def test_the_mirrored_patient_has_the_mirrored_landmarks() -> None:
    patient = organs_of(coarse(reconstruction=Reconstruction.NATIVE))
    flipped = {
        mirrored_name(name): Mask(grid=patient.grid, voxels=patient[name].voxels[:, :, ::-1])
        for name in patient
    }
    # The landmark is of the left vein, which crosses the midline: its mirror image keeps its name.
    one, other = "brachiocephalic_vein_left", "brachiocephalic_vein_right"
    flipped[one], flipped[other] = flipped[other], flipped[one]
    middle = patient.grid.to_patient([[(patient.grid.size[0] - 1) / 2.0, 0, 0]])[0, 0]
    own, other = found_in(patient).found, found_in(organs(patient.grid, flipped)).found
    for name, landmark in own.items():
        x, y, z = landmark.point_mm
        # Both claviculae of a phantom end at one level: either may be the higher one.
        x = other[name].point_mm[0] if name == "clavicular_head_top" else 2 * middle - x
        assert other[name].point_mm == pytest.approx((x, y, z), abs=1e-6), name


# ------------------------------------------------------------------------------------------- what is missing


@pytest.fixture(scope="module")
def ablated():
    """One phantom, each organ left out in turn."""
    return coarse(reconstruction=Reconstruction.NATIVE, lesions=())


@pytest.fixture(scope="module")
def whole(ablated) -> Organs:
    return organs_of(ablated)


USED = sorted({organ for rule in RULES for attempt in rule.attempts for organ in attempt.organs})


@pytest.mark.parametrize("organ", USED)
def test_leaving_out_an_organ_gives_the_next_attempt_with_a_note(ablated, whole, organ: str) -> None:
    rest = Organs(grid=whole.grid, by_name={k: v for k, v in whole.by_name.items() if k != organ})
    of_all = found_in(whole).found
    landmarks = found_in(rest)
    for name, reason in landmarks.missing.items():
        assert name == "carina" or "carina" in reason
    for name, landmark in landmarks.found.items():
        if landmark.inferred:
            assert landmark.notes, name
            assert landmark.error_mm >= of_all[name].error_mm, name
            away = abs(landmark.point_mm[2] - ablated.landmarks[name][2])
            assert away <= 2 * landmark.error_mm + COARSE[2], (name, away)


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


def test_every_method_of_the_table_is_used_by_the_atlas() -> None:
    used = {attempt.method for rule in RULES for attempt in rule.attempts}
    assert used <= set(METHODS)
    assert set(METHODS) - used == {"top"}, "for landmarks of one's own"


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
