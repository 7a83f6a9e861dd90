"""Organs from structure sets: which ROIs are taken, and what is told or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.anatomy import OrganSource
from pipeline.core.errors import StructureError
from pipeline.core.report import Severity
from pipeline.read import OrganInput, read_organs
from tests.dicom_maker import COSINES, CtSpec, RoiSpec, make_ct, make_structure_set
from tests.read.organ_scenes import (
    LEFT,
    MIDDLE,
    NAMES,
    RIGHT,
    SPEC,
    UP,
    codes,
    message,
    of_plan,
    plan,
    read,
    ring,
)


class TestStructureSet:
    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_the_patients_left_in_every_position(self, position: str, tmp_path: Path) -> None:
        spec = CtSpec(size=(40, 40, 8), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0, 0, 0), position=position)
        made = make_ct(tmp_path / "ct", spec)
        rois = [
            RoiSpec("Lung L", ring(made, LEFT)),
            RoiSpec("Lung-Right", ring(made, RIGHT)),
            RoiSpec("Kidney_R", ring(made, LEFT)),
            RoiSpec("Spinal cord", ring(made, MIDDLE)),
        ]
        on, structure_set = plan(tmp_path, made, rois)
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(organs) == {"lung_left", "lung_right", "lungs", "kidney_right", "spinal_cord"}
        mask = organs["lung_left"]
        k, j, i = np.nonzero(mask.voxels)
        centre = on.to_patient(np.column_stack([i, j, k])).mean(axis=0)
        assert centre == pytest.approx((30, 0, 0), abs=0.5)
        assert mask.volume_cc == pytest.approx(np.pi * 14**2 * 24 / 1000, rel=0.04)
        wrong = message(organs, "ORGAN_ON_WRONG_SIDE")
        assert wrong.startswith(
            "organ kidney_right: structure set (ROI 'Kidney_R' of file rs.dcm) is called right"
        )
        assert "lies 30 mm to the left of the spinal cord" in wrong

    def test_what_is_no_organ(self, tmp_path: Path) -> None:
        organs = of_plan(
            tmp_path,
            ("Heart", "ORGAN", MIDDLE),
            ("heart_old", "ORGAN", LEFT),
            ("Trachea", "MARKER", LEFT),
            ("PTV-1", "ORGAN", LEFT),
            ("Liver", "PTV", LEFT),
        )
        assert set(organs) == {"heart"}
        assert organs.by_name["heart"].source is OrganSource.STRUCTURE_SET
        assert organs.by_name["heart"].detail == "ROI 'Heart' of file rs.dcm"
        assert message(organs, "ORGAN_NAMES_UNKNOWN") == (
            "structure set 'plan': Not the name of an organ that rt-targets knows: heart_old."
        )

    def test_a_lesion_is_no_organ(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, made, [RoiSpec("anastomosis", ring(made, LEFT))])
        given = OrganInput(grid=on, structure_set=structure_set, lesions=frozenset({"GTV", "anastomosis"}))
        assert not len(read_organs(given, NAMES))

    def test_two_names_of_one_organ(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Herz", "ORGAN", LEFT), ("Heart", "ORGAN", MIDDLE))
        assert organs.by_name["heart"].detail == "ROI 'Heart' of file rs.dcm"
        assert codes(organs) == {"ORGAN_SEVERAL_NAMES": Severity.INFO}

    def test_one_name_given_twice_is_ambiguous(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Heart", "ORGAN", LEFT), ("HEART", "ORGAN", MIDDLE))
        assert not len(organs)
        assert codes(organs) == {"ORGAN_NAME_AMBIGUOUS": Severity.WARNING}

    def test_the_external_contour_is_the_body_whatever_its_name(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Rand", "EXTERNAL", MIDDLE), ("BODY", "ORGAN", LEFT))
        assert organs.by_name["body"].detail == "ROI 'Rand' of file rs.dcm"

    def test_only_wanted_rois_are_read(self, tmp_path: Path) -> None:
        organs = of_plan(
            tmp_path, ("Heart", "", MIDDLE), ("Lung L", "", LEFT), ("Lung R", "", RIGHT), wanted=["heart"]
        )
        assert set(organs) == {"heart"}

    def test_rois_that_cannot_be_used(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        loops = ring(made, LEFT)
        on, structure_set = plan(
            tmp_path,
            made,
            [
                RoiSpec("Trachea", [[[0, 0, loops[3][0, 2]]]], kinds="POINT"),
                RoiSpec("Liver", ring(made, LEFT), frame_uid="1.2.3"),
                RoiSpec("Spleen", ring(made, LEFT), number=77),
                RoiSpec("Stomach", ring(made, LEFT), number=77),
                RoiSpec("Heart", [loop + UP for loop in loops]),
                RoiSpec("Aorta", [*ring(made, LEFT, slices=[1, 2, 5]), loops[3] + UP]),
            ],
        )
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(organs) == {"aorta"}
        reasons = message(organs, "ORGAN_ROI_NOT_USED")
        assert "ROI Trachea: The ROI was not used as an organ: it has no closed contour" in reasons
        assert "ROI Liver: The ROI was not used as an organ: it is drawn in another frame" in reasons
        assert "its number 77 is given to several ROIs" in reasons
        assert "lie off the CT's slices" in message(organs, "ORGAN_OFF_SLICES")
        assert message(organs, "ORGAN_INCOMPLETE").endswith("left out of the organ: 1.")
        assert "No contour on 2 slices" in message(organs, "ORGAN_SLICE_MISSING")

    def test_broken_contours_are_told(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, made, [RoiSpec("Heart", ring(made, LEFT))])
        item = structure_set.file.header.ROIContourSequence[1].ContourSequence[0]
        item.ContourData = item.ContourData[:-1]
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert "contour data cannot be read" in message(organs, "ORGAN_ROI_NOT_USED")


class TestStructureSetAsAnatomy:
    def test_a_file_and_a_folder(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, ct, [])
        rois = [RoiSpec("BODY", ring(ct, MIDDLE, 60)), RoiSpec("Oesophagus", ring(ct, MIDDLE))]
        make_structure_set(tmp_path / "more" / "organs.dcm", ct, rois)
        for path in (tmp_path / "more", tmp_path / "more" / "organs.dcm"):
            given = OrganInput(grid=on, structure_set=structure_set, anatomy=path)
            organs = read_organs(given, NAMES)
            assert set(organs) == {"body", "esophagus"}
            assert organs.by_name["esophagus"].source is OrganSource.MASKS
            assert organs.by_name["esophagus"].detail == "ROI 'Oesophagus' of file organs.dcm"
        make_structure_set(tmp_path / "more" / "again.dcm", ct, rois)
        with pytest.raises(StructureError, match=r"several structure sets.*got: 2 DICOM files"):
            read(tmp_path / "more", on=on)

    def test_one_of_another_ct(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, _ = plan(tmp_path, ct, [])
        path = tmp_path / "organs.dcm"
        make_structure_set(
            path, ct, [RoiSpec("Heart", ring(ct, LEFT))], frame_uid="1.2.3", series_uid="1.2.4"
        )
        with pytest.raises(StructureError, match=r"structure set belongs to another CT.*got: 1.2.3"):
            read(path, on=on)
        # The series named, or no frame to compare with (a CT from NIfTI): used.
        make_structure_set(path, ct, [RoiSpec("Heart", ring(ct, LEFT))], frame_uid="1.2.3")
        series = OrganInput(grid=on, anatomy=path, ct_series=ct.spec.series_uid)
        assert set(read_organs(series, NAMES)) == {"heart"}

    def test_one_that_does_not_fit(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, _ = plan(tmp_path, ct, [])
        loops = [loop + UP for loop in ring(ct, LEFT)]
        make_structure_set(tmp_path / "organs.dcm", ct, [RoiSpec("Heart", loops)])
        with pytest.raises(
            StructureError, match=r"structure set does not fit the CT.*got: .*off the CT's slices"
        ):
            read(tmp_path / "organs.dcm", on=on)


def test_an_organ_drawn_on_every_second_slice_is_bridged(tmp_path: Path) -> None:
    made = make_ct(tmp_path / "ct", SPEC)
    on, structure_set = plan(
        tmp_path,
        made,
        [
            RoiSpec("Heart", ring(made, LEFT, slices=[1, 3, 5])),
            RoiSpec("Liver", ring(made, MIDDLE, slices=[1, 2, 3, 4, 5])),
        ],
    )
    organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
    heart, liver = (
        np.flatnonzero(organs[name].voxels.any(axis=(1, 2))).tolist() for name in ("heart", "liver")
    )
    assert heart == liver
    assert len(heart) == 5
    counts = np.count_nonzero(organs["heart"].voxels, axis=(1, 2))[heart]
    assert counts.min() > 0.97 * counts.max()
    assert message(organs, "ORGAN_SLICE_MISSING").endswith("It was bridged there.")
