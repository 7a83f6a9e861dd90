"""Lesions from a DICOM segmentation: the same patient as from contours, in every position."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest

from pipeline.core.case import LesionKind
from pipeline.core.errors import SeriesError, StructureError, UsageError
from pipeline.core.raster import contours_to_mask
from pipeline.read import GtvChoice, LoadedCase, ReadOptions, load_roles, read_case, read_scan, take_inventory
from tests.dicom_maker import COSINES, CtSpec, MadeCt, RoiSpec, make_ct, make_structure_set
from tests.seg_maker import SegmentSpec, grid_of, make_seg

CENTRE = np.array([9.0, -16.0, 43.0])


def voxels(ct: MadeCt, radius: float = 9.0, centre: np.ndarray = CENTRE) -> np.ndarray:
    """A ball on the CT's grid, off the middle."""
    grid = grid_of(ct)
    k, j, i = np.indices(grid.shape).reshape(3, -1)
    away = np.linalg.norm(grid.to_patient(np.column_stack([i, j, k])) - centre, axis=1)
    return (away < radius).reshape(grid.shape)


def made(folder: Path, position: str = "HFS", **seg: object) -> MadeCt:
    ct = make_ct(folder / "ct", CtSpec(position=position, size=(36, 30, 16)))
    segments = [SegmentSpec("GTV-N", voxels(ct)), SegmentSpec("heart", voxels(ct, 5.0, CENTRE + 15))]
    make_seg(folder / "seg.dcm", ct, segments, **seg)
    return ct


def read(folder: Path, **options: object) -> LoadedCase:
    return read_case(folder, ReadOptions(**options), load_roles())


@pytest.mark.parametrize("position", sorted(COSINES))
def test_the_segment_is_the_lesion(position: str, tmp_path: Path) -> None:
    ct = made(tmp_path, position)
    loaded = read(tmp_path)
    (lesion,) = loaded.case.lesions
    assert (lesion.name, lesion.kind, lesion.source_roi) == ("GTV-N", LesionKind.NODE, "GTV-N")
    wanted = voxels(ct)
    assert np.array_equal(contours_to_mask(lesion.contours).voxels, wanted)
    volume = wanted.sum() * lesion.contours.grid.voxel_volume_mm3 / 1000
    assert lesion.contours.volume_cc == pytest.approx(volume, rel=0.002)
    assert len(loaded.headers) == 16
    assert loaded.structure_set is None
    assert [one.role for one in loaded.case.source.files] == ["segmentation"]


def test_a_segmentation_that_is_named_goes_before_the_structure_set(tmp_path: Path) -> None:
    ct = made(tmp_path)
    square = np.array([[0, -20, 0], [10, -20, 0], [10, -10, 0], [0, -10, 0]], dtype=float)
    loops = [square + np.array([0, 0, w]) for w in ct.heights[5:8]]
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV-T", loops)])
    assert read(tmp_path).case.lesions[0].name == "GTV-T"
    named = read(tmp_path, structures=tmp_path / "seg.dcm")
    assert named.case.lesions[0].name == "GTV-N"
    (unread,) = (one for one in named.case.findings if one.code == "STRUCTURE_SET_NOT_USED")
    assert "rs.dcm" in unread.where
    assert "--anatomy" in unread.message
    scan = read_scan(tmp_path, ReadOptions(structures=tmp_path / "seg.dcm"), load_roles())
    assert scan.lesions[0].name == "GTV-N"


def test_the_user_says_which_segment_is_the_lesion(tmp_path: Path) -> None:
    made(tmp_path)
    choice = GtvChoice(roi_name="heart", kind=LesionKind.TUMOUR)
    (lesion,) = read(tmp_path, gtv=(choice,)).case.lesions
    assert (lesion.name, lesion.source_roi) == ("GTV-T", "heart")


def test_inspect_tells_what_would_be_used(tmp_path: Path) -> None:
    made(tmp_path)
    found = take_inventory(tmp_path, ReadOptions())
    assert found.refusal is None
    assert found.use is not None
    assert found.use.lesions == (("GTV-N", "GTV-N"),)
    assert "segmentation of 2 segments" in found.use.structure_set


def test_fractions_count_from_half_and_it_is_told(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(36, 30, 16)))
    whole = voxels(ct)
    fractions = np.where(whole, 0.7, np.where(voxels(ct, 12.0), 0.3, 0.0))
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", fractions)], kind="FRACTIONAL")
    case = read(tmp_path).case
    assert np.array_equal(contours_to_mask(case.lesions[0].contours).voxels, whole)
    assert "SEGMENTATION_THRESHOLD" in {one.code for one in case.findings}


def test_a_slice_without_the_lesion_is_told(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(36, 30, 16)))
    torn = voxels(ct)
    torn[int(np.flatnonzero(torn.any(axis=(1, 2))).mean())] = False
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", torn)])
    assert "GTV_SLICE_MISSING" in {one.code for one in read(tmp_path).case.findings}


def test_a_stray_voxel_is_no_part_of_a_lesion(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(72, 60, 16), spacing_mm=(1.0, 1.0, 3.0)))
    clean = voxels(ct)
    stray = clean.copy()
    k = int(np.flatnonzero(clean.any(axis=(1, 2)))[0])
    assert not clean[k, :4, :4].any()
    stray[k, 2, 2] = True  # 1 mm2
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", stray)])
    case = read(tmp_path).case
    assert np.array_equal(contours_to_mask(case.lesions[0].contours).voxels, clean)
    (told,) = (one for one in case.findings if one.code == "CONTOUR_SPECK")
    assert told.message.startswith("Specks below 2 mm² dropped: 1, at ")
    alone = np.zeros_like(clean)
    alone[k, 2, 2] = True
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", alone)])
    with pytest.raises(StructureError, match="GTV made of specks only"):
        read(tmp_path)


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(36, 30, 16)))
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("heart", voxels(ct))])
    with pytest.raises(StructureError, match=r"no GTV among the ROIs.*'heart'"):
        read(tmp_path)
    none = np.zeros_like(voxels(ct))
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", none), SegmentSpec("heart", voxels(ct))])
    with pytest.raises(StructureError, match="GTV segment is empty"):
        read(tmp_path)
    make_seg(tmp_path / "other.dcm", ct, [SegmentSpec("GTV-N", voxels(ct))])
    with pytest.raises(StructureError, match=r"several segmentations.*--structures"):
        read(tmp_path)
    elsewhere = make_ct(tmp_path / "elsewhere" / "ct", CtSpec(size=(36, 30, 16)))
    make_seg(tmp_path / "of_other.dcm", elsewhere, [SegmentSpec("GTV-N", voxels(elsewhere))])
    with pytest.raises(SeriesError, match="segmentation belongs to another CT series"):
        read(tmp_path, structures=tmp_path / "of_other.dcm", ct_series=ct.spec.series_uid)


def test_for_stations_one_that_is_not_named_is_told_and_not_read(tmp_path: Path) -> None:
    made(tmp_path)
    scan = read_scan(tmp_path, ReadOptions(), load_roles())
    assert scan.lesions == ()
    assert [one.where for one in scan.findings if one.code == "SEGMENTATION_NOT_READ"] == ["file seg.dcm"]


def test_a_series_that_needs_resampling_is_refused_with_its_own_reason(tmp_path: Path) -> None:
    ct = made(tmp_path)
    for place in ct.files:
        header = pydicom.dcmread(place)
        x, y, z = (float(value) for value in header.ImagePositionPatient)
        header.ImagePositionPatient = [x, y + 0.2 * z, z]
        header.save_as(place)
    with pytest.raises(UsageError, match="cannot be brought onto other slices"):
        read(tmp_path, resample=True)
    with pytest.raises(SeriesError, match="tilted"):
        read(tmp_path)


def test_references_that_are_no_sequence_are_told(tmp_path: Path) -> None:
    made(tmp_path)
    path = tmp_path / "seg.dcm"
    content = path.read_bytes()
    start = content.find(struct.pack("<HH", 0x0008, 0x1115) + b"SQ")
    (length,) = struct.unpack("<L", content[start + 8 : start + 12])
    text = struct.pack("<HH", 0x0008, 0x1115) + b"LO" + struct.pack("<H", 8) + b"garbage!"
    path.write_bytes(content[:start] + text + content[start + 12 + length :])
    with pytest.raises(StructureError, match=r"segmentation cannot be read.*seg\.dcm"):
        read(tmp_path)
