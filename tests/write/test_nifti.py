"""Masks as NIfTI: the same voxels at the same place, for a reader that is not ours."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.core.errors import OutputError
from pipeline.core.volume import Mask
from pipeline.write import nifti
from pipeline.write.nifti import write_masks
from tests.write.samples import AXES, make_grid


def one_voxel(grid, i, j, k):
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[k, j, i] = True
    return Mask(grid=grid, voxels=voxels)


@pytest.mark.parametrize("position", AXES)
def test_simpleitk_finds_the_voxel_where_the_grid_has_it(tmp_path, position):
    grid = make_grid(position, size=(7, 5, 4))
    (path,) = write_masks(tmp_path / "masks", {"GTV-T": one_voxel(grid, 5, 1, 2)})
    image = sitk.ReadImage(str(path))  # SimpleITK speaks LPS, and takes the axes from the file
    assert sitk.GetArrayFromImage(image)[2, 1, 5] == 1
    assert sitk.GetArrayFromImage(image).sum() == 1
    place = image.TransformIndexToPhysicalPoint((5, 1, 2))
    assert place == pytest.approx(grid.to_patient([[5, 1, 2]])[0], abs=1e-3)
    assert image.GetSpacing() == pytest.approx(grid.spacing_mm, abs=1e-5)


def test_both_codes_say_scanner_and_values_are_one_byte(tmp_path, grid):
    (path,) = write_masks(tmp_path, {"PTV": one_voxel(grid, 1, 2, 3)})
    header = nibabel.load(path).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    assert header.get_data_dtype() == np.uint8
    assert header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b", "C:"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, grid, name):
    with pytest.raises(OutputError, match="cannot be a file name"):
        write_masks(tmp_path / "masks", {name: one_voxel(grid, 0, 0, 0)})
    assert not (tmp_path / "masks").exists()


def test_a_mask_that_reads_back_wrong_is_not_kept(tmp_path, grid, monkeypatch):
    wrong = nifti.nifti_image(grid, one_voxel(grid, 0, 0, 0).voxels.view(np.uint8))
    monkeypatch.setattr(nifti, "nifti_image", lambda grid, voxels: wrong)
    with pytest.raises(OutputError, match="reads back wrong") as caught:
        write_masks(tmp_path, {"PTV": Mask(grid=grid, voxels=np.ones(grid.shape, dtype=bool))})
    assert caught.value.got == "1 voxels"
    assert list(tmp_path.iterdir()) == []


def test_a_mask_at_another_place_is_not_kept(tmp_path, grid, monkeypatch):
    mask = one_voxel(grid, 3, 3, 3)
    moved = nifti.nifti_image(make_grid(spacing=(0.9, 1.1, 3.1)), mask.voxels.view(np.uint8))
    monkeypatch.setattr(nifti, "nifti_image", lambda grid, voxels: moved)
    with pytest.raises(OutputError, match="another position"):
        write_masks(tmp_path, {"PTV": mask})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path, grid):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_masks(tmp_path / "file" / "masks", {"PTV": one_voxel(grid, 0, 0, 0)})
