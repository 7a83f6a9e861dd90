"""Airway, lungs and bone on public planning CTs."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from pipeline.core.case import LesionKind
from pipeline.core.volume import Volume
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from tests.anatomy.overlap import dice, found_in, mean_x_mm

pytestmark = [pytest.mark.real, pytest.mark.slow]
GTV = (GtvChoice(roi_name="GTV-1", kind=LesionKind.TUMOUR),)


def ct_of(folder: Path) -> Volume:
    options = ReadOptions(gtv=GTV, keep_structures=False)
    return read_case(folder, options, load_roles()).case.volume


@pytest.fixture(scope="module")
def enhanced(unpacked):
    volume = ct_of(unpacked("lung1-002/ct-and-xio-plan.tar.xz"))
    return volume, found_in(volume)


@pytest.fixture(scope="module")
def plain(unpacked):
    volume = ct_of(unpacked("lung1-001/ct-and-aria-rtstruct.tar.xz"))
    return volume, found_in(volume)


@pytest.fixture(scope="module")
def drawn(real_data):
    """A mask of LUNG1-002 by name, in the order of the CT."""

    def read(name: str) -> np.ndarray:
        path = real_data / "lung1-002" / "anatomy" / f"{name}.nii.gz"
        if not path.is_file():
            pytest.skip(f"the real data has no {path.name}")
        return np.asarray(nib.load(path).dataobj).T > 0

    return read


def test_carina_and_trachea_with_contrast(enhanced, drawn) -> None:
    volume, (airway, _, _) = enhanced
    assert airway.carina_mm[2] == pytest.approx(49.6, abs=3.0)
    assert np.abs(np.array(airway.carina_mm[:2]) - (-1.5, 3.9)).max() < 4.0
    trachea = drawn("trachea")
    # The drawing stops under the cricoid, ours at the glottis.
    top = np.flatnonzero(trachea.any(axis=(1, 2)))[-1] + 1
    above = volume.grid.plane_positions_mm[:top] > 49.6
    assert dice(airway.trachea.voxels[:top][above], trachea[:top][above]) > 0.95
    assert dice(airway.trachea.voxels, trachea) > 0.9
    assert mean_x_mm(airway.bronchi_right) < -10 < 10 < mean_x_mm(airway.bronchi_left)


def test_lungs_beside_a_tumour(enhanced, drawn) -> None:
    _, (_, lungs, _) = enhanced
    assert dice(lungs.left.voxels, drawn("lung_left")) > 0.97
    assert dice(lungs.right.voxels, drawn("lung_right")) > 0.96


def test_bone_with_contrast(enhanced, drawn) -> None:
    _, (_, _, bone) = enhanced
    for name in ("vertebrae_T2", "vertebrae_T7", "vertebrae_T12", "clavicula_left", "clavicula_right"):
        assert bone.voxels[drawn(name)].mean() > 0.85, name
    for name in ("aorta", "heart", "superior_vena_cava", "kidney_left", "kidney_right", "liver"):
        assert bone.voxels[drawn(name)].mean() < 0.03, name


def test_a_deviated_trachea_beside_a_shrunken_lung(plain) -> None:
    _, (airway, lungs, bone) = plain
    # Read by eye: two lumens from the slice at z = -429.5 down.
    assert airway.carina_mm[2] == pytest.approx(-428.0, abs=3.0)
    assert 28 < airway.trachea.volume_cc < 36
    assert 2000 < lungs.left.volume_cc < 2350
    assert 2700 < lungs.right.volume_cc < 3000
    assert 1100 < bone.volume_cc < 1500


@pytest.mark.parametrize("patient", [1, 2, 3, 4])
def test_a_crop_without_trachea_has_no_airway(unpacked, patient) -> None:
    folder = unpacked("lung1-crops/radiomics_phantom_dicom.tar.xz") / "radiomics_phantom_dicom"
    airway, _, bone = found_in(ct_of(folder / f"pat_{patient}"))
    assert airway is None
    assert bone.voxels.any()
