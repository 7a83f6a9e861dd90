"""Airway, lungs and bone from Hounsfield units on the phantom, whose masks are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from pipeline.anatomy.airway import find_airway
from pipeline.anatomy.lungs import find_lungs
from pipeline.anatomy.tissue import find_body
from pipeline.core.volume import Volume
from pipeline.phantom import PatientPosition, PhantomOptions, Reconstruction
from tests.anatomy.overlap import dice, found, found_in, mean_x_mm, share_in
from tests.cases import grid_of
from tests.phantoms import COARSE, coarse, phantom

pytestmark = pytest.mark.slow

QUICK = ("HFS", "FFP", "HFDL")
POSITIONS = {position: PhantomOptions(spacing_mm=COARSE, position=position) for position in PatientPosition}
PATIENTS = [
    PhantomOptions(spacing_mm=(2.5, 2.5, 3.0), seed=1, reconstruction=Reconstruction.NATIVE),
    PhantomOptions(spacing_mm=(2.5, 2.5, 3.0), seed=2, reconstruction=Reconstruction.POSTERIOR),
    PhantomOptions(spacing_mm=(2.5, 2.5, 3.0), seed=3, reconstruction=Reconstruction.RETROSTERNAL),
]
MORE = [
    *(options for position, options in POSITIONS.items() if position not in QUICK),
    PhantomOptions(spacing_mm=(2.5, 2.5, 3.0), seed=6, contrast=False, noise_hu=40.0),
    PhantomOptions(spacing_mm=(2.2, 2.2, 4.0), seed=4, reconstruction=Reconstruction.NATIVE, couch=False),
    PhantomOptions(spacing_mm=(1.5, 1.5, 1.5), seed=7, reconstruction=Reconstruction.NATIVE),
    PhantomOptions(spacing_mm=(0.98, 0.98, 3.0), seed=8, reconstruction=Reconstruction.POSTERIOR),
    PhantomOptions(spacing_mm=(1.2, 1.2, 5.0), seed=9, reconstruction=Reconstruction.RETROSTERNAL),
]
EVERY = [
    *(POSITIONS[PatientPosition(position)] for position in QUICK),
    *PATIENTS,
    *(pytest.param(options, marks=pytest.mark.cohort) for options in MORE),
]


@pytest.fixture(scope="module", params=EVERY, ids=lambda o: f"{o.position}-{o.seed}-{o.spacing_mm}")
def options(request: pytest.FixtureRequest) -> PhantomOptions:
    """Of module scope, so that all tests of one patient run after another."""
    return request.param


def test_carina_lies_where_the_trachea_divides(options: PhantomOptions) -> None:
    airway, _, _ = found(options)
    assert airway is not None
    error = np.array(airway.carina_mm) - np.array(phantom(options).landmarks["carina"])
    assert abs(error[2]) <= options.spacing_mm[2] / 2 + 1.0
    assert np.abs(error[:2]).max() <= 2.5


def test_trachea_and_bronchi_are_those_of_the_patient(options: PhantomOptions) -> None:
    patient, (airway, _, _) = phantom(options), found(options)
    assert airway is not None
    carina = patient.landmarks["carina"]
    trachea = patient.organs["trachea"].voxels
    above = patient.volume.grid.plane_positions_mm > carina[2]
    assert dice(airway.trachea.voxels[above], trachea[above]) > 0.95
    assert dice(airway.trachea.voxels, trachea) > 0.92
    assert share_in(airway.lumen, patient.parts["main_bronchi"]) > 0.95
    assert mean_x_mm(airway.bronchi_right) + 10 < carina[0] < mean_x_mm(airway.bronchi_left) - 10
    lumen = airway.lumen.voxels
    true_lumen = patient.parts["lung_airways"].voxels | trachea
    assert np.count_nonzero(lumen & ~true_lumen) < 0.06 * np.count_nonzero(lumen)


def test_lungs_are_the_lobes(options: PhantomOptions) -> None:
    patient, (_, lungs, _) = phantom(options), found(options)
    assert lungs is not None
    assert dice(lungs.left.voxels, patient.parts["lung_left"].voxels) > 0.97
    assert dice(lungs.right.voxels, patient.parts["lung_right"].voxels) > 0.97
    assert not (lungs.left & lungs.right).voxels.any()


def test_bone_is_the_skeleton_and_no_blood(options: PhantomOptions) -> None:
    patient, (_, _, bone) = phantom(options), found(options)
    # What the slice thickness blurs into soft tissue is no cortex any more.
    dense = patient.volume.hu > 200
    skeleton = np.zeros(patient.volume.grid.shape, dtype=bool)
    for name in patient.organs:
        if name.startswith(("vertebrae", "rib", "clavicula", "scapula", "humerus")) or name == "sternum":
            organ = patient.organs[name].voxels
            skeleton |= organ
            cortex = organ & dense
            if np.count_nonzero(cortex) * patient.volume.grid.voxel_volume_mm3 > 400:
                assert np.count_nonzero(bone.voxels & cortex) > 0.85 * np.count_nonzero(cortex), name
    assert np.count_nonzero(bone.voxels & skeleton & dense) > 0.97 * np.count_nonzero(skeleton & dense)
    assert np.count_nonzero(bone.voxels & ~skeleton) < 0.06 * np.count_nonzero(bone.voxels)
    for name in ("aorta", "heart", "superior_vena_cava", "kidney_left", "liver"):
        assert share_in(bone, patient.organs[name]) < 0.03, name
    assert share_in(bone, patient.organs["spinal_cord"]) < 0.05


def test_a_mirrored_patient_has_mirrored_organs() -> None:
    patient = coarse(seed=3)
    airway, lungs, bone = found(patient.options)
    turned = Volume(grid=patient.volume.grid, hu=np.ascontiguousarray(patient.volume.hu[:, :, ::-1]))
    other, mirrored, frame = found_in(turned)
    assert airway is not None
    assert other is not None
    assert lungs is not None
    assert mirrored is not None
    pairs = [
        (airway.trachea, other.trachea),
        (airway.bronchi_left, other.bronchi_right),
        (airway.bronchi_right, other.bronchi_left),
        (lungs.left, mirrored.right),
        (lungs.right, mirrored.left),
        (bone, frame),
    ]
    for one, two in pairs:
        assert dice(one.voxels, two.voxels[:, :, ::-1]) > 0.99


def test_positions_differ_only_in_how_they_are_stored() -> None:
    one, two = (found(PhantomOptions(spacing_mm=COARSE, position=p))[0] for p in ("HFS", "FFDR"))
    assert one is not None
    assert two is not None
    assert two.carina_mm == pytest.approx(one.carina_mm, abs=0.1)
    assert two.trachea.volume_cc == pytest.approx(one.trachea.volume_cc)


@pytest.mark.parametrize("reconstruction", list(Reconstruction))
def test_a_gullet_full_of_gas_is_neither_airway_nor_lung(reconstruction: Reconstruction) -> None:
    patient = phantom(PhantomOptions(spacing_mm=(2.0, 2.0, 3.0), seed=5, reconstruction=reconstruction))
    hu = patient.volume.hu.copy()
    organs = [patient.organs[name].voxels for name in ("esophagus", "stomach")]
    gas = binary_erosion(organs[0] | organs[1], iterations=2)
    hu[gas] = -1000
    volume = replace(patient.volume, hu=hu)
    airway, lungs, _ = found_in(volume)
    assert airway is not None
    assert lungs is not None
    assert abs(airway.carina_mm[2] - patient.landmarks["carina"][2]) <= 2.5
    assert not airway.lumen.voxels[gas].any()
    assert np.count_nonzero((lungs.left | lungs.right).voxels[gas]) < 0.01 * np.count_nonzero(gas)


def test_lungs_without_airway_keep_their_sides() -> None:
    patient = coarse(seed=1)
    lungs = find_lungs(patient.volume, find_body(patient.volume), None)
    assert lungs is not None
    assert dice(lungs.left.voxels, patient.parts["lung_left"].voxels) > 0.95
    assert dice(lungs.right.voxels, patient.parts["lung_right"].voxels) > 0.95


def test_a_single_lung_is_given_to_its_side() -> None:
    patient = coarse(seed=1)
    hu = patient.volume.hu.copy()
    hu[binary_erosion(patient.parts["lung_right"].voxels | patient.parts["lung_airways"].voxels)] = 40
    hu[patient.parts["lung_right"].voxels] = 40
    volume = replace(patient.volume, hu=hu)
    lungs = find_lungs(volume, find_body(volume), None)
    assert lungs is not None
    assert not lungs.right.voxels.any()
    assert dice(lungs.left.voxels, patient.parts["lung_left"].voxels) > 0.95


@pytest.mark.parametrize("inside_hu", [-1000, 0, 60])
def test_nothing_where_there_is_no_patient(inside_hu: int) -> None:
    grid = grid_of(size=(100, 100, 40), spacing=(3.0, 3.0, 4.0))
    hu = np.full(grid.shape, -1000, dtype=np.int16)
    hu[:, 20:80, 20:80] = inside_hu
    airway, lungs, bone = found_in(Volume(grid=grid, hu=hu))
    assert airway is None
    assert lungs is None
    assert not bone.voxels.any()


def test_a_tube_of_air_that_does_not_divide_is_no_airway() -> None:
    patient = coarse(seed=1)
    carina = patient.landmarks["carina"][2]
    kept = np.flatnonzero(patient.volume.grid.plane_positions_mm > carina + 10)
    first, count = int(kept[0]), len(kept)
    grid = replace(
        patient.volume.grid,
        size=(*patient.volume.grid.size[:2], count),
        origin_mm=tuple(patient.volume.grid.to_patient([(0, 0, first)])[0].tolist()),
    )
    volume = Volume(grid=grid, hu=patient.volume.hu[first : first + count])
    assert find_airway(volume, find_body(volume)) is None


def test_bright_blood_is_no_bone() -> None:
    patient = phantom(PhantomOptions(spacing_mm=(2.0, 2.0, 3.0), seed=5))
    hu = patient.volume.hu.copy()
    vessels = ("heart", "aorta", "superior_vena_cava", "pulmonary_artery", "pulmonary_vein")
    for name in vessels:
        hu[patient.organs[name].voxels] += 220
    _, _, bone = found_in(replace(patient.volume, hu=hu))
    assert share_in(bone, patient.organs["heart"]) < 0.03
    assert share_in(bone, patient.organs["aorta"]) < 0.1
    assert share_in(bone, patient.organs["vertebrae_T6"]) > 0.75


@pytest.mark.slow
def test_noise_does_not_join_blood_to_bone() -> None:
    patient = phantom(PhantomOptions(spacing_mm=(1.2, 1.2, 3.0), seed=4, noise_hu=60.0))
    airway, _, bone = found(patient.options)
    assert airway is not None
    assert abs(airway.carina_mm[2] - patient.landmarks["carina"][2]) <= 2.5
    for name in ("heart", "aorta", "kidney_left"):
        assert share_in(bone, patient.organs[name]) < 0.03, name
    assert share_in(bone, patient.organs["vertebrae_T6"]) > 0.75
