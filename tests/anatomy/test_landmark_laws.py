"""What holds for the landmarks of any patient: mirrored, on other slices, stored otherwise, less known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.level_checks import check_levels
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Landmarks, Organs
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from pipeline.phantom import PatientPosition, Phantom, PhantomOptions, Reconstruction, make_phantom
from pipeline.read.landmark_rules import load_landmark_rules
from tests.anatomy.organs_of import PARTS, mirrored_name, organs, organs_of
from tests.phantoms import COARSE, coarse

pytestmark = pytest.mark.slow

RULES = load_landmark_rules()
ROUTES = tuple(Reconstruction)
# Ten patients of each route.
COHORT = [pytest.param(seed, marks=() if seed < 6 else pytest.mark.cohort) for seed in range(30)]
# A mask of voxel centres ends up to half a slice before or behind the organ: no finder can know better.
# Pixels of 2 to 2.5 mm take a little of a dome besides.
OF_PIXELS_MM = 0.1


def found_in(patient: Organs) -> Landmarks:
    return find_landmarks(OrganView(patient), RULES, {})


def on_slices(slice_mm: float, seed: int, shift_mm: float) -> Phantom:
    options = PhantomOptions(
        seed=seed,
        reconstruction=ROUTES[seed % 3],
        spacing_mm=(2.0, 2.0, slice_mm),
        grid_shift_mm=(0.0, 0.0, shift_mm),
        lesions=(),
        noise_hu=0.0,
    )
    return make_phantom(options)


def assert_within_half_a_slice(phantom: Phantom) -> Landmarks:
    landmarks = found_in(organs_of(phantom))
    assert landmarks.missing == {}
    off = {
        name: one.point_mm[2] - phantom.landmarks[name][2]
        for name, one in landmarks.found.items()
        if not one.inferred
    }
    assert len(off) == 13
    half = phantom.volume.grid.slice_spacing_mm / 2.0 + OF_PIXELS_MM
    assert {name: mm for name, mm in off.items() if abs(mm) > half} == {}
    return landmarks


# ---------------------------------------------------------------------------------------------------- slices


@pytest.mark.parametrize("seed", COHORT)
def test_levels_lie_within_half_a_slice_and_fit_each_other(seed: int) -> None:
    phantom = coarse(seed=seed, reconstruction=ROUTES[seed % 3], lesions=())
    landmarks = assert_within_half_a_slice(phantom)
    assert check_levels(OrganView(organs_of(phantom)), landmarks) == ()


@pytest.mark.parametrize(
    "slice_mm, seed, shift_mm",
    [
        (3.0, 0, 1.0),
        (2.0, 1, 0.7),
        *(
            pytest.param(slice_mm, seed, part * slice_mm, marks=pytest.mark.cohort)
            for slice_mm in (1.0, 2.0, 3.0, 5.0)
            for seed in range(3)
            for part in (0.0, 1 / 3, 2 / 3)
        ),
    ],
)
def test_levels_do_not_depend_on_the_slices(slice_mm: float, seed: int, shift_mm: float) -> None:
    assert_within_half_a_slice(on_slices(slice_mm, seed, shift_mm))


# ------------------------------------------------------------------------------------------ sides and storage


@pytest.fixture(scope="module")
def native() -> Organs:
    return organs_of(coarse(reconstruction=Reconstruction.NATIVE, lesions=()))


def test_the_mirrored_patient_has_the_mirrored_landmarks(native: Organs) -> None:
    flipped = {
        mirrored_name(name): Mask(grid=native.grid, voxels=native[name].voxels[:, :, ::-1]) for name in native
    }
    # The landmark is of the left vein, which crosses the midline: its mirror image keeps its name.
    one, other = "brachiocephalic_vein_left", "brachiocephalic_vein_right"
    flipped[one], flipped[other] = flipped[other], flipped[one]
    middle = native.grid.to_patient([[(native.grid.size[0] - 1) / 2.0, 0, 0]])[0, 0]
    own, there = found_in(native).found, found_in(organs(native.grid, flipped)).found
    assert len(own) == 13
    for name, landmark in own.items():
        x, y, z = landmark.point_mm
        # Both claviculae of a phantom end at one level: either may be the higher one.
        x = there[name].point_mm[0] if name == "clavicular_head_top" else 2 * middle - x
        assert there[name].point_mm == pytest.approx((x, y, z), abs=1e-6), name


def stored(patient: Organs, *, flips: Iterable[int], turned: bool) -> Organs:
    """The same masks with image axes i, j, k reversed, or columns and rows exchanged."""
    axes, size, spacing = patient.grid.axes, list(patient.grid.size), list(patient.grid.spacing_mm)
    corner = [0, 0, 0]
    for axis in flips:
        corner[axis] = size[axis] - 1
        axes[:, axis] *= -1
    origin = patient.grid.to_patient([corner])[0]
    if turned:
        axes = axes[:, [1, 0, 2]]
        size[0], size[1], spacing[0], spacing[1] = size[1], size[0], spacing[1], spacing[0]
    grid = Grid(
        size=tuple(size),
        spacing_mm=tuple(spacing),
        origin_mm=tuple(origin.tolist()),
        direction=tuple(axes.ravel().tolist()),
    )
    backwards = tuple(slice(None, None, -1 if axis in flips else 1) for axis in (2, 1, 0))
    masks = {}
    for name in patient:
        voxels = patient[name].voxels[backwards]
        masks[name] = Mask(grid=grid, voxels=np.swapaxes(voxels, 1, 2) if turned else voxels)
    return organs(grid, masks)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "flips", [(), (0, 1), (2,), (0,), (0, 1, 2)], ids=["LPS", "RAS", "LPI", "RPS", "RAI"]
)
def test_the_same_patient_however_stored(native: Organs, flips: tuple[int, ...], turned: bool) -> None:
    other = found_in(stored(native, flips=flips, turned=turned))
    own = found_in(native)
    assert other.found.keys() == own.found.keys()
    for name, landmark in other.found.items():
        assert landmark.point_mm == pytest.approx(own.found[name].point_mm, abs=0.01), name


@pytest.mark.parametrize("position", list(PatientPosition))
def test_the_same_patient_in_every_position(native: Organs, position: PatientPosition) -> None:
    lying = coarse(position=position, reconstruction=Reconstruction.NATIVE, lesions=())
    own, there = found_in(native).found, found_in(organs_of(lying)).found
    assert there.keys() == own.keys()
    for name, landmark in there.items():
        assert landmark.point_mm == pytest.approx(own[name].point_mm, abs=0.01), name


# ------------------------------------------------------------------------------------------- what is missing


@pytest.fixture(scope="module")
def whole(native: Organs) -> Landmarks:
    return found_in(native)


FIRST = {organ: rule.name for rule in RULES for organ in rule.attempts[0].organs}
USED = sorted({organ for rule in RULES for attempt in rule.attempts for organ in attempt.organs})
# Tell the body of a vertebra, whatever the rule.
BEHIND_THE_RULES = ("spinal_cord", "vertebrae_body")
# One of several, or one that only says where to look: without it the landmark is still seen.
SEEN_WITHOUT = {
    "clavicula_left", "clavicula_right", "main_bronchi",
    *(f"vertebrae_T{n}" for n in (2, 3, 4, 9, 10, 11, 12)),
}  # fmt: skip


@pytest.mark.parametrize("organ", [*USED, *BEHIND_THE_RULES])
def test_leaving_out_an_organ_gives_the_next_attempt_with_a_note(native, whole, organ: str) -> None:
    truth = coarse(reconstruction=Reconstruction.NATIVE, lesions=()).landmarks
    rest = Organs(grid=native.grid, by_name={k: v for k, v in native.by_name.items() if k != organ})
    landmarks = found_in(rest)
    for reason in landmarks.missing.values():
        assert organ in reason or "is not known" in reason or "not seen there" in reason
    changed = set(landmarks.missing)
    for name, landmark in landmarks.found.items():
        if landmark.how != whole.found[name].how:
            changed.add(name)
            assert landmark.notes, name
            assert landmark.error_mm >= whole.found[name].error_mm, name
        away = abs(landmark.point_mm[2] - truth[name][2])
        assert away <= (2 * landmark.error_mm if landmark.inferred else landmark.error_mm) + COARSE[2], name
    if organ in native and organ in FIRST and organ not in SEEN_WITHOUT:
        assert FIRST[organ] in changed


def test_what_no_rule_names_changes_nothing(native, whole) -> None:
    kept = {*USED, *BEHIND_THE_RULES}
    others = [name for name in native if name not in kept]
    assert len(others) > 60
    rest = Organs(grid=native.grid, by_name={k: v for k, v in native.by_name.items() if k in kept})
    assert found_in(rest).found == whole.found


@pytest.mark.cohort
def test_every_organ_of_a_patient_left_out_by_itself(native, whole) -> None:
    for organ in native:
        rest = Organs(grid=native.grid, by_name={k: v for k, v in native.by_name.items() if k != organ})
        landmarks = found_in(rest)
        assert len(landmarks.found) + len(landmarks.missing) == 13
        if organ not in {*USED, *BEHIND_THE_RULES}:
            assert landmarks.found == whole.found, organ


def test_the_parts_that_rules_look_at_are_offered(native) -> None:
    assert set(PARTS) <= set(native)
