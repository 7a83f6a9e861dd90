"""The parts of the registration, each with an answer known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.core.grid import Grid
from pipeline.core.reference import OrganFit, RegistrationQuality
from pipeline.core.report import Severity
from pipeline.core.volume import Mask, Volume
from pipeline.register.channel import GROUPS, common_organs, inside, signed_distance
from pipeline.register.coarse import block_grid, block_means, coarse_patient
from pipeline.register.images import longer
from pipeline.register.measures import organ_fits
from pipeline.register.move import WarpField, move_labels
from pipeline.register.quality import label_findings, quality_findings
from pipeline.register.sides import mirrored_gain, side_findings
from pipeline.register.start import start_from_bodies, start_from_organs
from tests.anatomy.organs_of import organs
from tests.register.atlases import (
    ball,
    centroid,
    dice,
    mirrored,
    no_organs,
    patient,
    reference,
    slab,
    truth,
    used_organs,
)

pytestmark = pytest.mark.slow

GRID = Grid(
    size=(40, 36, 30),
    spacing_mm=(2.0, 2.0, 3.0),
    origin_mm=(-40.0, -36.0, -45.0),
    direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
)
# Feet first, columns to the patient's right: rows and columns run the other way too.
TURNED = replace(GRID, origin_mm=(40.0, -36.0, 45.0), direction=(-1, 0, 0, 0, 1, 0, 0, 0, -1))
GOOD = RegistrationQuality(
    organs={"aorta": OrganFit(dice=0.9, distance_mm=1.0)},
    body_dice=0.95,
    correlation=0.95,
    mutual_information=1.2,
    overlap=1.0,
    mirrored_gain=-0.1,
    folded=0.0,
)


def blob(grid: Grid) -> Volume:
    """A cylinder of water in air."""
    i = np.arange(grid.size[0])[None, None] - 20
    j = np.arange(grid.size[1])[None, :, None] - 18
    hu = np.where(i**2 + j**2 < 15**2, 0, -1000) * np.ones((grid.size[2], 1, 1), dtype=int)
    return Volume(grid=grid, hu=hu.astype(np.int16))


def test_block_means_by_hand():
    values = np.arange(12, dtype=np.int16).reshape(2, 2, 3)
    assert block_means(values, (2, 2, 1)).tolist() == [[[2.0, 3.5]], [[8.0, 9.5]]]
    assert block_means(values, (3, 2, 2)).tolist() == [[[5.5]]]


@pytest.mark.parametrize("grid", [GRID, TURNED])
def test_blocks_lie_where_their_voxels_lie(grid):
    """A ball's centroid on the blocks is nearly that on the voxels, and its volume the same."""
    mask = ball(grid, np.array([3.0, -5.0, 7.0]), 14.0)
    factors = (3, 2, 2)
    share, blocks = block_means(mask.voxels.view(np.uint8), factors), block_grid(grid, factors)
    where = np.argwhere(share > 0)
    middle = np.average(blocks.to_patient(where[:, ::-1]), axis=0, weights=share[share > 0])
    assert np.allclose(middle, centroid(mask), atol=0.1)
    assert share.sum() * np.prod(factors) == pytest.approx(np.count_nonzero(mask.voxels))


def test_longer_repeats_the_ends():
    values, grid = longer(np.arange(30)[:, None, None] * np.ones((1, 36, 40)), GRID, 7.0)
    assert grid.size == (40, 36, 36)
    assert grid.origin_mm == (-40.0, -36.0, -54.0)
    assert values[:4, 0, 0].tolist() == [0, 0, 0, 0]
    assert values[-4:, 0, 0].tolist() == [29, 29, 29, 29]


def test_distance_of_a_half_space():
    """Voxels of 2 mm along rows: surfaces lie half-way between voxels, and the image's ends are none."""
    share = np.zeros(GRID.shape, dtype=np.float32)
    share[:, 10:, :] = 1.0
    distance = signed_distance(share, GRID, clip_mm=7.0)
    assert distance[0, 6:14, 0].tolist() == [7.0, 5.0, 3.0, 1.0, -1.0, -3.0, -5.0, -7.0]
    assert (distance == distance[0]).all()


def test_distance_of_nothing_and_of_everything():
    assert (signed_distance(np.zeros(GRID.shape, np.float32), GRID, clip_mm=9.0) == 9.0).all()
    assert (signed_distance(np.ones(GRID.shape, np.float32), GRID, clip_mm=9.0) == -9.0).all()


def test_groups_count_members_that_both_have():
    volume = blob(GRID)
    one = organs(
        GRID, {f"vertebrae_T{n}": ball(GRID, np.array([0, 0, 6.0 * n - 30]), 8.0) for n in (2, 4, 6)}
    )
    other = organs(GRID, {name: one[name] for name in ("vertebrae_T4", "vertebrae_T6")})
    coarse = coarse_patient(volume)
    common = common_organs(coarse, one, coarse, other)
    assert list(common.patient) == ["vertebrae"]
    assert np.array_equal(common.patient["vertebrae"], common.reference["vertebrae"])
    assert inside(common.patient["vertebrae"]).any()


def test_opposite_walls_weigh_against_each_other():
    assert GROUPS["lung_left"].weight == -GROUPS["lung_right"].weight


@pytest.mark.parametrize("grid", [GRID, TURNED])
@pytest.mark.parametrize("its_grid", [GRID, TURNED])
def test_a_shift_moves_labels_by_itself(grid, its_grid):
    shift = np.array([4.0, -2.0, 3.0])
    patient_, its = coarse_patient(blob(grid)), coarse_patient(blob(its_grid))
    warp = WarpField(sitk.TranslationTransform(3, shift.tolist()), patient_)
    at = np.array([1.0, 2.0, -4.0])
    labels = {"7": ball(its_grid, at, 10.0), "far": ball(its_grid, np.array([39.0, 35.0, 44.0]), 3.0)}
    found, lost = move_labels(labels, warp, patient=patient_, reference=its, grid=grid)
    assert np.allclose(centroid(found["7"]), at - shift, atol=0.2)
    assert dice(found["7"], ball(grid, at - shift, 10.0)) > 0.97
    assert np.allclose(warp.jacobian, 1.0)
    assert set(found) | set(lost) == {"7", "far"}


def test_labels_off_the_ct_are_told():
    one = coarse_patient(blob(GRID))
    warp = WarpField(sitk.TranslationTransform(3, [500.0, 0.0, 0.0]), one)
    label = {"7": ball(GRID, np.zeros(3), 10.0)}
    found, lost = move_labels(label, warp, patient=one, reference=one, grid=GRID)
    assert found == {}
    assert "outside the CT" in lost["7"]


def test_neighbours_stay_apart():
    """Two halves of a ball moved by part of a voxel fill the ball and share nothing."""
    whole = ball(GRID, np.zeros(3), 12.0)
    left = whole.voxels.copy()
    left[:, :, :20] = False
    halves = {"L": Mask(grid=GRID, voxels=left), "R": Mask(grid=GRID, voxels=whole.voxels & ~left)}
    one = coarse_patient(blob(GRID))
    warp = WarpField(sitk.TranslationTransform(3, [0.7, 0.0, 0.0]), one)
    moved_halves, _ = move_labels(halves, warp, patient=one, reference=one, grid=GRID)
    moved_whole, _ = move_labels({"all": whole}, warp, patient=one, reference=one, grid=GRID)
    one_half, other = moved_halves["L"].voxels, moved_halves["R"].voxels
    assert not (one_half & other).any()
    assert np.count_nonzero(moved_whole["all"].voxels & ~(one_half | other)) == 0


def test_a_fold_is_seen():
    transform = sitk.AffineTransform(3)
    transform.SetMatrix([-1.0, 0, 0, 0, 1, 0, 0, 0, 2])
    assert np.allclose(WarpField(transform, coarse_patient(blob(GRID))).jacobian, -2.0)


@pytest.mark.parametrize("shift_mm", [0.0, 4.0])
def test_the_distance_between_surfaces_is_the_shift(shift_mm):
    """Two thick slabs, one of them 4 mm off along the rows."""
    volume = blob(GRID)
    coarse = coarse_patient(volume)
    slabs = []
    for start in (16.0, 16.0 + shift_mm):
        voxels = np.zeros(GRID.shape, dtype=bool)
        voxels[:, int(start / 2) : int(start / 2) + 10] = True
        slabs.append(organs(GRID, {"aorta": Mask(grid=GRID, voxels=voxels)}))
    common = common_organs(coarse, slabs[0], coarse, slabs[1])
    everywhere = np.ones(coarse.grid.shape, dtype=bool)
    fit = organ_fits(common, coarse, coarse, sitk.TranslationTransform(3), everywhere)["aorta"]
    assert fit.distance_mm == pytest.approx(shift_mm, abs=0.5)
    assert fit.dice == pytest.approx(1.0 - shift_mm / 20.0, abs=0.02)


# --------------------------------------------------------------------------------------- the start, the sides


@pytest.mark.parametrize("its_slices", [slice(None), slice(35, None)])
def test_the_start_is_near(its_slices):
    one, other = patient(seed=1), patient(seed=2)
    short = slab(reference(other), its_slices)
    here, there = coarse_patient(one.volume), coarse_patient(short.volume)
    common = common_organs(here, used_organs(one), there, short.organs)
    wanted = np.mean([truth(other)[name] - truth(one)[name] for name in short.labels], axis=0)
    assert np.linalg.norm(np.array(start_from_organs(common, here, there)) - wanted) < 20.0
    assert np.linalg.norm(np.array(start_from_bodies(here, there)) - wanted) < 35.0


def test_nothing_whole_gives_no_start():
    coarse = coarse_patient(blob(GRID))
    pole = np.zeros(GRID.shape, dtype=bool)
    pole[:, 10:20, 10:20] = True
    whole = organs(GRID, {"aorta": Mask(grid=GRID, voxels=pole)})
    assert start_from_organs(common_organs(coarse, whole, coarse, whole), coarse, coarse) is None


@pytest.mark.parametrize("slices", [slice(None), slice(40, None)])
def test_a_mirrored_ct_fits_better_mirrored_back(slices):
    one = coarse_patient(patient(seed=1).volume)
    sound = slab(reference(patient(seed=2), with_organs=False), slices)
    for volume, sense in ((sound.volume, -1.0), (mirrored(sound).volume, 1.0)):
        other = coarse_patient(volume)
        assert sense * mirrored_gain(one, other, start_from_bodies(one, other)) > 0.01


def test_lungs_and_labels_on_the_wrong_side_are_told():
    sound = reference(patient(seed=2))
    turned = mirrored(sound)
    assert not list(side_findings({"patient": sound.organs}, sound.labels))
    found = list(side_findings({"patient": turned.organs}, turned.labels))
    assert {one.code for one in found} == {"ATLAS_SIDES_FLIPPED"}
    assert all(one.severity is Severity.STOP for one in found)
    assert {"patient", "label 1R", "label SCV_R"} <= {one.where for one in found}
    assert not list(side_findings({"none": no_organs(GRID)}, {"7": ball(GRID, np.zeros(3))}))


# ------------------------------------------------------------------------------------------------ the verdict


def test_a_good_registration_has_no_findings():
    assert not list(quality_findings(GOOD, "atlas x"))
    assert not list(label_findings([], [], "atlas x"))


@pytest.mark.parametrize(
    "change, code, severity",
    [
        ({"organs": {"aorta": OrganFit(dice=0.7, distance_mm=1.0)}}, "ATLAS_FIT_POOR", Severity.WARNING),
        ({"organs": {"aorta": OrganFit(dice=0.5, distance_mm=1.0)}}, "ATLAS_FIT_FAILED", Severity.STOP),
        ({"organs": {"aorta": OrganFit(dice=0.9, distance_mm=5.0)}}, "ATLAS_FIT_POOR", Severity.WARNING),
        ({"organs": {"aorta": OrganFit(dice=0.9, distance_mm=9.0)}}, "ATLAS_FIT_FAILED", Severity.STOP),
        ({"body_dice": 0.8}, "ATLAS_FIT_POOR", Severity.WARNING),
        ({"correlation": 0.7}, "ATLAS_FIT_FAILED", Severity.STOP),
        ({"mirrored_gain": 0.02}, "ATLAS_SIDES_FLIPPED", Severity.STOP),
        ({"mirrored_gain": -0.005}, "ATLAS_SIDES_UNSURE", Severity.WARNING),
        ({"overlap": 0.1}, "ATLAS_OTHER_BODY_PART", Severity.STOP),
        ({"folded": 0.02}, "ATLAS_FOLDED", Severity.WARNING),
    ],
)
def test_each_limit(change, code, severity):
    (found,) = quality_findings(replace(GOOD, **change), "atlas x")
    assert (found.code, found.severity, found.where) == (code, severity, "atlas x")


def test_a_limit_says_expected_and_got():
    (found,) = quality_findings(
        replace(GOOD, organs={"aorta": OrganFit(dice=0.9, distance_mm=9.0)}), "atlas x"
    )
    assert "surfaces is 9.00 mm, expected at most 8 mm. Do not use these stations." in found.message


def test_labels_lost_and_cut_are_named():
    found = list(label_findings(["7"], ["15", "16"], "atlas x"))
    assert [one.code for one in found] == ["ATLAS_LABELS_LOST", "ATLAS_LABELS_CUT"]
    assert "15, 16" in found[1].message
