"""Organs from mask files and label maps: which are taken, and what is told or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.anatomy import OrganSource
from pipeline.core.errors import InputError, StructureError, UsageError
from pipeline.core.report import Severity
from tests.dicom_maker import COSINES, make_ct
from tests.phantoms import coarse
from tests.read.organ_scenes import (
    LEFT,
    MIDDLE,
    NOTHING,
    RIGHT,
    SPEC,
    STORAGES,
    ball,
    codes,
    grid,
    message,
    read,
    write,
)


class TestMaskFolder:
    def test_files_are_organs_by_name(self, tmp_path: Path) -> None:
        write(tmp_path / "Lung_L.nii.gz", ball(LEFT))
        write(tmp_path / "heart.nrrd", ball(MIDDLE))
        write(tmp_path / "spleen.nii.gz", NOTHING)
        write(tmp_path / "pancreas.nii.gz", NOTHING)
        write(tmp_path / "bed.nii.gz", ball(MIDDLE))
        (tmp_path / "notes.txt").write_text("not an image")
        organs = read(tmp_path)
        assert set(organs) == {"lung_left", "heart"}
        assert np.array_equal(organs["lung_left"].voxels, ball(LEFT))
        told = organs.by_name["lung_left"]
        assert (told.source, told.detail) == (OrganSource.MASKS, "file Lung_L.nii.gz")
        assert codes(organs) == {"ORGAN_EMPTY": Severity.INFO, "ORGAN_NAMES_UNKNOWN": Severity.INFO}
        assert "not there: pancreas, spleen." in message(organs, "ORGAN_EMPTY")
        assert "knows: bed." in message(organs, "ORGAN_NAMES_UNKNOWN")

    def test_only_wanted_files_are_opened(self, tmp_path: Path) -> None:
        write(tmp_path / "heart.nii.gz", ball(MIDDLE))
        (tmp_path / "liver.nii.gz").write_bytes(b"no image at all")
        assert set(read(tmp_path, ["Heart"])) == {"heart"}
        with pytest.raises(InputError, match=r"image cannot be read; where: file liver.nii.gz"):
            read(tmp_path)
        with pytest.raises(UsageError, match="no organ of this name"):
            read(tmp_path, ["hart attack"])

    @pytest.mark.parametrize("storage", STORAGES)
    def test_every_storage_is_the_same_patient(self, storage: str, tmp_path: Path) -> None:
        voxels = ball((21.0, -9.0, 5.0)) | ball((-30.0, 20.0, -8.0), 8.0)
        write(tmp_path / "heart.nii.gz", voxels, storage=storage)
        found = read(tmp_path)["heart"].voxels
        assert np.array_equal(found, voxels)
        assert found.flags.c_contiguous

    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_every_patient_position(self, position: str, tmp_path: Path) -> None:
        i, j = np.array(COSINES[position][:3]), np.array(COSINES[position][3:])
        on = grid(tuple(np.column_stack([i, j, np.cross(i, j)]).ravel()))
        write(tmp_path / "lung_left.nii.gz", ball(LEFT, on=on), on=on, storage="RAS")
        write(tmp_path / "kidney_left.nii.gz", ball(RIGHT, on=on), on=on, storage="LPS")
        write(tmp_path / "vertebrae_T4.nii.gz", ball(MIDDLE, on=on), on=on)
        organs = read(tmp_path, on=on)
        assert np.array_equal(organs["lung_left"].voxels, ball(LEFT, on=on))
        assert "organ kidney_left: " in message(organs, "ORGAN_ON_WRONG_SIDE")
        assert codes(organs).keys() == {"ORGAN_ON_WRONG_SIDE"}

    def test_two_files_of_one_organ(self, tmp_path: Path) -> None:
        write(tmp_path / "body.nii.gz", ball(MIDDLE, 30))
        write(tmp_path / "skin.nii.gz", ball(LEFT))
        write(tmp_path / "heart.nii.gz", ball(MIDDLE))
        write(tmp_path / "Heart.nrrd", ball(LEFT))
        organs = read(tmp_path)
        assert set(organs) == {"body"}
        assert "body: 'body', 'skin'. 'body' was used" in message(organs, "ORGAN_SEVERAL_NAMES")
        assert "None was used" in message(organs, "ORGAN_NAME_AMBIGUOUS")
        assert codes(organs)["ORGAN_NAME_AMBIGUOUS"] is Severity.WARNING

    def test_lobes_make_the_lung(self, tmp_path: Path) -> None:
        upper, lower = ball(LEFT, 8.0), ball((40.0, 0.0, -9.0), 8.0)
        write(tmp_path / "lung_upper_lobe_left.nii.gz", upper)
        write(tmp_path / "lung_lower_lobe_left.nii.gz", lower)
        write(tmp_path / "lung_upper_lobe_right.nii.gz", ball(RIGHT))
        write(tmp_path / "lung_lower_lobe_right.nii.gz", NOTHING)
        organs = read(tmp_path, ["lung_left", "lung_right"])
        assert np.array_equal(organs["lung_left"].voxels, upper | lower)
        assert organs.by_name["lung_left"].detail == "union of lung_upper_lobe_left, lung_lower_lobe_left"
        assert "lung_right" not in organs  # nothing is said about its middle lobe
        write(tmp_path / "lung_middle_lobe_right.nii.gz", NOTHING)
        organs = read(tmp_path, ["lungs"])
        assert np.array_equal(organs["lungs"].voxels, upper | lower | ball(RIGHT))
        assert organs.by_name["lung_right"].detail == "union of lung_upper_lobe_right"

    def test_a_lung_that_was_given_is_not_made(self, tmp_path: Path) -> None:
        write(tmp_path / "lung_left.nii.gz", ball(LEFT))
        (tmp_path / "lung_upper_lobe_left.nii.gz").write_bytes(b"is not opened")
        (tmp_path / "lung_lower_lobe_left.nii.gz").write_bytes(b"is not opened")
        assert read(tmp_path, ["lung_left"]).by_name["lung_left"].detail == "file lung_left.nii.gz"

    def test_a_rind_is_no_body(self, tmp_path: Path) -> None:
        write(tmp_path / "Skin.nii.gz", ball(MIDDLE, 30) & ~ball(MIDDLE, 26))
        organs = read(tmp_path)
        assert not len(organs)
        assert "was not used as the body" in message(organs, "BODY_IS_A_RIND")

    @pytest.mark.slow
    def test_the_phantom(self, tmp_path: Path) -> None:
        made = coarse()
        for name in ("lung_upper_lobe_left", "trachea", "vertebrae_T4", "aorta", "rib_right_3"):
            write(tmp_path / f"{name}.nii.gz", made.organs[name].voxels, on=made.volume.grid, storage="RAS")
        organs = read(tmp_path, on=made.volume.grid)
        assert len(organs) == 5
        assert not organs.findings
        assert all(np.array_equal(organs[name].voxels, made.organs[name].voxels) for name in organs)


class TestLabelMap:
    LABELS = np.where(ball(LEFT), 3, np.where(ball(RIGHT), 7, np.where(ball(MIDDLE), 9, 0)))

    def write(self, folder: Path, name: str = "seg.nii.gz", storage: str = "") -> Path:
        return write(folder / name, self.LABELS, storage=storage)

    @pytest.mark.parametrize("storage", ["LPS", "RAS", "SLP"])
    def test_labels_by_their_names(self, storage: str, tmp_path: Path) -> None:
        path = self.write(tmp_path, storage=storage)
        table = {"3": "lung_left", "7": "Lung_R", "9": "couch", "11": "spleen"}
        (tmp_path / "seg.json").write_text(json.dumps(table))
        organs = read(path)
        assert set(organs) == {"lung_left", "lung_right", "lungs"}
        assert np.array_equal(organs["lung_right"].voxels, ball(RIGHT) & ~ball(LEFT))
        assert organs.by_name["lung_right"].detail == "file seg.nii.gz, label 7 'Lung_R'"
        assert codes(organs) == {"ORGAN_EMPTY": Severity.INFO, "ORGAN_NAMES_UNKNOWN": Severity.INFO}

    def test_beside_other_masks_in_a_folder(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        (tmp_path / "seg.json").write_text('{"9": "esophagus"}')
        write(tmp_path / "heart.nii.gz", ball(LEFT))
        assert set(read(tmp_path)) == {"esophagus", "heart"}

    def test_a_label_map_without_names(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        with pytest.raises(
            StructureError, match=r"label map without names; where: file seg.nii.gz.*seg.json"
        ):
            read(path)

    def test_a_label_map_under_an_organs_name(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "lungs.nii.gz")
        with pytest.raises(StructureError, match=r"label map without names.*values from 3 to 9"):
            read(path)
        (tmp_path / "lungs.json").write_text('{"3": "lung_left"}')
        assert set(read(path)) == {"lung_left"}
        with pytest.raises(StructureError, match=r"label map named as one organ.*got: labels lung_left"):
            read(tmp_path)

    def test_one_organ_in_one_file(self, tmp_path: Path) -> None:
        assert set(read(write(tmp_path / "Oesophagus.nrrd", ball(MIDDLE) * 255))) == {"esophagus"}


class TestRefusals:
    def test_another_grid(self, tmp_path: Path) -> None:
        write(tmp_path / "heart.nii.gz", ball(MIDDLE)[:, :, 1:])
        with pytest.raises(StructureError, match=r"mask lies on another grid.*heart.nii.gz.*resample"):
            read(tmp_path)

    def test_no_such_path(self, tmp_path: Path) -> None:
        with pytest.raises(StructureError, match=r"no such file or folder; where: --anatomy absent"):
            read(tmp_path / "absent")

    def test_a_folder_without_masks(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing here that could be read")
        with pytest.raises(StructureError, match=r"no organ masks; .*got: neither"):
            read(tmp_path)

    def test_a_folder_without_organs(self, tmp_path: Path) -> None:
        write(tmp_path / "GTV.nii.gz", ball(MIDDLE))
        with pytest.raises(
            StructureError, match=r"no organ that rt-targets knows.*got: GTV.*atlas/organs.yaml"
        ):
            read(tmp_path)

    def test_a_file_of_another_kind(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.txt"
        file.write_text("nothing that could be read as anatomy")
        with pytest.raises(
            StructureError, match=r"anatomy cannot be read.*masks.*RTSTRUCT.*got: another file"
        ):
            read(file)

    def test_a_ct_slice(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path, SPEC)
        with pytest.raises(StructureError, match=r"anatomy cannot be read.*got: a DICOM file of modality CT"):
            read(ct.files[0])

    def test_a_broken_dicom_file(self, tmp_path: Path) -> None:
        (tmp_path / "rs.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0\x16\0UI" + b"\xff" * 40)
        with pytest.raises(StructureError, match="anatomy cannot be read"):
            read(tmp_path / "rs.dcm")
