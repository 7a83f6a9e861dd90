"""`rt-targets inspect`: what is there, what would be used, what is wrong; nothing is written."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from tests import made_case


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    return made_case.write_dicom(tmp_path_factory.mktemp("dicom"))


def call(*words: object):
    return CliRunner().invoke(app, ["inspect", *map(str, words)])


def test_series_structures_roles_and_use_are_told(dicom):
    before = sorted(dicom.rglob("*"))
    result = call(dicom)
    assert result.exit_code == 0
    assert "(24 slices of 64 x 64, every 3 mm), pixels 2 x 2 mm, HFS" in result.stdout
    # A part of the patient's name in the label is blotted out.
    assert "Structures 'DRAFT ***', file rs.dcm" in result.stdout
    (row,) = [line.split() for line in result.stdout.splitlines() if line.endswith("  GTV-T")]
    assert row[1:5] == ["GTV-T", "GTV", "5", "5"]
    assert "A run would use CT " in result.stdout
    assert "GTV-T from ROI 'GTV-T'" in result.stdout
    assert "1 not DICOM" in result.stdout
    assert made_case.PATIENT_NAME not in result.stdout
    assert sorted(dicom.rglob("*")) == before


def test_a_choice_that_is_missing_is_told_as_an_error(tmp_path):
    dicom = made_case.write_dicom(tmp_path, roi_name="mass")
    result = call(dicom)
    assert result.exit_code == 1
    assert "A run would stop:\n" in result.stdout
    assert "--gtv" in result.stdout
    assert "GTV-T from ROI 'mass'" in call(dicom, "--gtv", "mass=GTV-T").stdout


def test_without_a_structure_set_nothing_is_usable(dicom, tmp_path):
    shutil.copytree(dicom / "ct", tmp_path / "ct")
    result = call(tmp_path)
    assert result.exit_code == 1
    assert "no structure set" in result.stdout
    assert "(24 slices" in result.stdout


def test_a_missing_slice_is_told(dicom, tmp_path):
    shutil.copytree(dicom, tmp_path / "in")
    (tmp_path / "in" / "ct" / "CT.0012.dcm").unlink()
    result = call(tmp_path / "in")
    assert result.exit_code == 1
    assert "problem: " in result.stdout
    assert "missing" in result.stdout


def test_a_folder_without_anything_is_told(tmp_path):
    result = call(tmp_path)
    assert result.exit_code == 1
    assert "CT: none" in result.stdout


def test_a_structure_set_that_cannot_be_read_is_told(dicom, tmp_path):
    shutil.copytree(dicom, tmp_path / "in")
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"\0" * 200)
    result = call(tmp_path / "in", "--structures", broken)
    assert "broken.dcm\n  problem: " in result.stdout
    assert "A run would stop:" in result.stdout


def test_a_ct_file_and_its_masks_are_told(tmp_path):
    ct, masks = made_case.write_nifti(tmp_path)
    result = call(ct, "--masks", masks)
    assert result.exit_code == 0
    assert "A run would use CT ct.nii.gz with masks" in result.stdout
    assert call(ct).exit_code == 1


def test_input_that_is_not_there_is_an_error(tmp_path):
    result = call(tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "no such file or folder" in result.stderr


def test_wrong_use_is_told(dicom):
    result = call(dicom, "--gtv", "mass")
    assert result.exit_code == 2
    assert "--gtv" in result.stderr
