"""Organs of public patients: XiO and ARIA structure sets, mask folders, TotalSegmentator's label map."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from pipeline.core.anatomy import OrganSource
from pipeline.core.errors import StructureError
from pipeline.read import OrganInput, load_organ_names, read_organs
from pipeline.read.dicom_index import index_folder
from pipeline.read.image_case import read_ct_image
from pipeline.read.selection import select

pytestmark = [pytest.mark.real, pytest.mark.slow]

NAMES = load_organ_names()
ANATOMY = "lung1-002/anatomy"


def chosen(folder):
    with pydicom.config.disable_value_validation():
        return select(index_folder(folder), ct_series=None, structures=None)


@pytest.fixture(scope="module")
def xio(unpacked):
    return chosen(unpacked("lung1-002/ct-and-xio-plan.tar.xz"))


@pytest.fixture(scope="module")
def aria(unpacked):
    return chosen(unpacked("lung1-001/ct-and-aria-rtstruct.tar.xz"))


def codes(organs):
    return {finding.code for finding in organs.findings}


def test_rois_of_xio(xio) -> None:
    given = OrganInput(grid=xio.placed.grid, structure_set=xio.structure_set, lesions=frozenset({"GTV-1"}))
    organs = read_organs(given, NAMES)
    assert set(organs) == {
        "body", "esophagus", "heart", "lung_left", "lung_right", "lungs", "spinal_cord",
    }  # fmt: skip
    assert organs["heart"].volume_cc == pytest.approx(1069, rel=0.01)
    assert organs["body"].volume_cc == pytest.approx(20018, rel=0.01)
    assert codes(organs) == {"ORGAN_NAMES_UNKNOWN"}  # the ROI called contrast


def test_rois_of_aria(aria) -> None:
    given = OrganInput(grid=aria.placed.grid, structure_set=aria.structure_set, lesions=frozenset({"GTV-1"}))
    organs = read_organs(given, NAMES)
    assert set(organs) == {"lung_left", "lung_right", "lungs", "spinal_cord"}
    assert not organs.findings


def test_a_structure_set_whose_uids_lead_elsewhere(aria, real_data) -> None:
    given = OrganInput(grid=aria.placed.grid, anatomy=real_data / "lung1-001" / "xio-rtstruct" / "RS.dcm")
    with pytest.raises(StructureError, match="structure set belongs to another CT"):
        read_organs(given, NAMES)


def test_drawn_and_segmented_organs_of_one_patient(xio, real_data) -> None:
    given = OrganInput(
        grid=xio.placed.grid,
        structure_set=xio.structure_set,
        lesions=frozenset({"GTV-1"}),
        anatomy=real_data / ANATOMY,
    )
    organs = read_organs(given, NAMES)
    assert len(organs) == 42
    drawn = {name for name, one in organs.by_name.items() if one.source is OrganSource.STRUCTURE_SET}
    assert drawn == {"body", "esophagus", "heart", "lung_left", "lung_right", "lungs", "spinal_cord"}
    assert not codes(organs) - {"ORGAN_NAMES_UNKNOWN"}


def test_a_folder_of_masks_voxel_for_voxel(xio, real_data) -> None:
    folder = real_data / ANATOMY
    organs = read_organs(OrganInput(grid=xio.placed.grid, anatomy=folder), NAMES)
    theirs = sum(int(sitk.GetArrayFromImage(sitk.ReadImage(path)).sum()) for path in folder.glob("*.nii.gz"))
    assert sum(int(np.count_nonzero(organs[name].voxels)) for name in organs if name != "lungs") == theirs


def test_totalsegmentators_own_label_map(real_data) -> None:
    folder = real_data / "totalsegmentator-abdomen"
    _, volume = read_ct_image(folder / "example_ct.nii.gz")
    path = folder / "example_seg_fast_force_split.nii.gz"
    organs = read_organs(OrganInput(grid=volume.grid, anatomy=path), NAMES)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(path))
    assert len(set(np.unique(labels)) - {0}) == len(organs) - len({"lung_left", "lung_right", "lungs"})
    assert np.count_nonzero(organs["aorta"].voxels) == np.count_nonzero(labels == 52)
    assert organs.by_name["liver"].detail == f"file {path.name}, label 5 'liver'"
    assert organs["kidney_left"].volume_cc > 50
    assert codes(organs) == {"ORGAN_EMPTY"}
    assert set(read_organs(OrganInput(grid=volume.grid, anatomy=path), NAMES, wanted=["Liver"])) == {"liver"}
