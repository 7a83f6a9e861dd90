"""Images that contours name: absent, or on another plane than the contour's own."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from pipeline.core.report import Finding, Severity
from pipeline.read import ReadOptions, load_roles, read_case
from tests.dicom_maker import COSINES, CtSpec, MadeCt, RoiSpec, circles, make_ct, make_structure_set


def made(folder: Path, position: str = "HFS") -> MadeCt:
    ct = make_ct(folder / "ct", CtSpec(position=position))
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-T", circles(ct, radius_mm=8, slices=[1, 2, 3]))])
    return ct


def name_images(folder: Path, *uids: str) -> None:
    """Let the first contours name these images."""
    dataset = pydicom.dcmread(folder / "rs.dcm")
    for item, uid in zip(dataset.ROIContourSequence[0].ContourSequence, uids, strict=False):
        image = pydicom.Dataset()
        image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
        item.ContourImageSequence = [image]
    dataset.save_as(folder / "rs.dcm")


def told(folder: Path) -> list[Finding]:
    found = read_case(folder, ReadOptions(), load_roles()).case.findings
    return [one for one in found if one.code.startswith("CONTOUR_IMAGES")]


@pytest.mark.parametrize("position", sorted(COSINES))
def test_images_on_the_contours_planes_are_fine(position: str, tmp_path: Path) -> None:
    ct = made(tmp_path, position)
    name_images(tmp_path, *ct.sop_uids[1:4])
    assert told(tmp_path) == []


@pytest.mark.parametrize("position", sorted(COSINES))
def test_images_on_other_planes_are_told(position: str, tmp_path: Path) -> None:
    ct = made(tmp_path, position)
    name_images(tmp_path, ct.sop_uids[2], ct.sop_uids[2], ct.sop_uids[2])
    (finding,) = told(tmp_path)
    assert (finding.code, finding.severity, finding.where) == (
        "CONTOUR_IMAGES_DIFFER",
        Severity.WARNING,
        "ROI GTV-T",
    )
    assert finding.message.startswith("2 of its contours")


def test_images_that_the_ct_lacks_are_told_apart(tmp_path: Path) -> None:
    ct = made(tmp_path)
    name_images(tmp_path, "1.2.3", "1.2.4", ct.sop_uids[0])
    assert [one.code for one in told(tmp_path)] == ["CONTOUR_IMAGES_ABSENT", "CONTOUR_IMAGES_DIFFER"]
