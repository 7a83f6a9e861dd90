"""DICOM segmentations: the voxels of each ROI, for our own reader and for highdicom's, in every position."""

from __future__ import annotations

import warnings
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.raster import contours_to_mask
from pipeline.core.volume import Volume
from pipeline.read.dicom_index import index_folder
from pipeline.read.segmentation import read_segmentation
from pipeline.write import CtIdentity, seg, write_ct_series, write_rtstruct, write_segmentation
from pipeline.write.rtstruct import Algorithm
from tests.interop import judges
from tests.write.samples import AXES, context, four_rois, make_grid, roi, sphere, write_ct


@pytest.fixture(scope="module")
def segmentation(grid: Grid, headers: tuple[Dataset, ...], tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("seg") / "seg.dcm"
    write_segmentation(path, four_rois(grid), context(headers))
    return path


@pytest.mark.parametrize("position", sorted(AXES))
def test_our_reader_finds_every_voxel_in_every_position(position: str, tmp_path: Path) -> None:
    grid = make_grid(position)
    headers = write_ct(tmp_path / "ct", grid)
    (tmp_path / "seg").mkdir()
    write_segmentation(tmp_path / "seg" / "seg.dcm", four_rois(grid), context(headers))
    (file,) = index_folder(tmp_path / "seg").files
    found = read_segmentation(file, grid)
    assert [one.label for one in found.segments] == ["GTV-T", "GTV-N", "CTV", "PTV"]
    for segment, wanted in zip(found.segments, four_rois(grid), strict=True):
        mask, beyond = found.mask(segment.number)
        assert beyond == 0
        assert np.array_equal(mask.voxels, contours_to_mask(wanted.contours).voxels), segment.label


def test_highdicom_reads_the_same_volume_at_the_same_place(segmentation: Path, grid: Grid) -> None:
    read = highdicom.seg.segread(segmentation)
    for number, wanted in enumerate(four_rois(grid), start=1):
        volume = read.get_volume(segment_numbers=[number], combine_segments=True)
        points = np.argwhere(np.asarray(volume.array) > 0)
        theirs = volume.map_indices_to_reference(points)
        k, j, i = np.nonzero(contours_to_mask(wanted.contours).voxels)
        ours = grid.to_patient(np.column_stack([i, j, k]))
        assert len(theirs) == len(ours)
        assert np.sort(theirs, axis=0) == pytest.approx(np.sort(ours, axis=0), abs=1e-3)


def test_what_a_segment_says(segmentation: Path) -> None:
    back = pydicom.dcmread(segmentation)
    ctv = back.SegmentSequence[2]
    assert (ctv.SegmentLabel, ctv.SegmentDescription) == ("CTV", "GTV + 7 mm, less the airway")
    assert ctv.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Clinical target volume"
    assert ctv.SegmentAlgorithmType == "AUTOMATIC"
    assert [one.SegmentedPropertyTypeCodeSequence[0].CodeValue for one in back.SegmentSequence] == [
        "228791009",
        "228791009",
        "228792002",
        "228793007",
    ]
    assert back.ContentLabel == "DRAFT_IFI"
    assert back.SegmentationType == "BINARY"


def test_one_drawn_by_hand_names_no_algorithm(
    grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path
) -> None:
    drawn = roi("GTV-T", sphere(grid, 16), "GTV", algorithm=Algorithm.MANUAL)
    write_segmentation(tmp_path / "s.dcm", [drawn], context(headers))
    (segment,) = pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence  # one segment, which all frames share
    assert segment.SegmentAlgorithmType == "MANUAL"
    assert "SegmentationAlgorithmIdentificationSequence" not in segment


def test_a_single_frame(grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path) -> None:
    whole = sphere(grid, 16)
    k = whole.slices[len(whole.slices) // 2]
    only = Contours(grid=grid, sections={k: whole.sections[k]})
    write_segmentation(tmp_path / "s.dcm", [roi("GTV", only, "GTV")], context(headers))
    back = pydicom.dcmread(tmp_path / "s.dcm")
    assert back.NumberOfFrames == 1
    assert back.pixel_array.sum() == contours_to_mask(only).voxels.sum()


def test_patient_study_and_place_are_the_ct_s(segmentation: Path, headers: tuple[Dataset, ...]) -> None:
    back = pydicom.dcmread(segmentation)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert back[keyword].value == headers[0][keyword].value
    assert back.SeriesInstanceUID != headers[0].SeriesInstanceUID


def test_empty_slices_are_not_stored(segmentation: Path, grid: Grid) -> None:
    frames = sum(int(contours_to_mask(one.contours).voxels.any(axis=(1, 2)).sum()) for one in four_rois(grid))
    back = pydicom.dcmread(segmentation)
    assert back.NumberOfFrames == frames
    assert len(back.PixelData) <= frames * grid.size[0] * grid.size[1] / 8 + 2


def test_the_same_again_has_the_same_uids(segmentation: Path, grid, headers, tmp_path: Path) -> None:
    first = pydicom.dcmread(segmentation)
    write_segmentation(tmp_path / "again.dcm", four_rois(grid), context(headers))
    again = pydicom.dcmread(tmp_path / "again.dcm")
    assert again.SOPInstanceUID == first.SOPInstanceUID == again.file_meta.MediaStorageSOPInstanceUID
    assert again.SeriesInstanceUID == first.SeriesInstanceUID
    write_segmentation(tmp_path / "other.dcm", four_rois(grid)[:3], context(headers))
    assert pydicom.dcmread(tmp_path / "other.dcm").SOPInstanceUID != first.SOPInstanceUID


@pytest.mark.interop
def test_the_validator_finds_no_error(segmentation: Path, program) -> None:
    assert judges.errors_of_dciodvfy(program("dciodvfy"), segmentation) == []


def test_what_the_ct_lacks_is_no_hindrance(grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path) -> None:
    bare = []
    for header in headers:
        one = Dataset()
        one.update(header)
        for keyword in ("PatientName", "StudyID", "AccessionNumber", "FrameOfReferenceUID"):
            if keyword in one:
                del one[keyword]
        bare.append(one)
    write_segmentation(tmp_path / "s.dcm", four_rois(grid), context(tuple(bare)))
    back = pydicom.dcmread(tmp_path / "s.dcm")
    assert (back.StudyID, back.AccessionNumber) == ("", "")
    assert "StudyID" not in bare[0], "the headers are not changed"


def relabelled(
    folder: Path, grid: Grid, elements: dict[str, object], *, implicit: bool
) -> tuple[Dataset, ...]:
    """Headers of a CT that says this of its patient, as read from files."""
    write_ct(folder, grid)
    headers = []
    for path in sorted(folder.iterdir()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            slice_ = pydicom.dcmread(path)
            for keyword, value in elements.items():
                setattr(slice_, keyword, value)
            syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
            slice_.file_meta.TransferSyntaxUID = syntax
            slice_.save_as(path, implicit_vr=implicit, little_endian=True)
            headers.append(pydicom.dcmread(path, stop_before_pixels=True))
    return tuple(headers)


ODD = {
    "japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce",
    },
    "sex": {"PatientSex": "X"},
    "time": {"StudyTime": "1200000"},
    "long": {"PatientID": "A" * 80, "StudyID": "S" * 30},
    "weight": {"PatientWeight": "", "PatientAge": "65"},
}


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_odd_headers_are_no_hindrance_and_stay_as_they_are(
    odd: str, implicit: bool, grid: Grid, tmp_path: Path
) -> None:
    headers = relabelled(tmp_path / "ct", grid, ODD[odd], implicit=implicit)
    write_segmentation(tmp_path / "s.dcm", four_rois(grid), context(headers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back, ct = pydicom.dcmread(tmp_path / "s.dcm"), pydicom.dcmread(tmp_path / "ct" / "CT.0001.dcm")
        for keyword in ODD[odd]:
            assert back[keyword].value == ct[keyword].value, keyword


def test_what_the_library_refuses_is_told_in_words(
    grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Dataset:
        raise ValueError("no such thing")

    monkeypatch.setattr(seg, "_dataset", refuse)
    with pytest.raises(OutputError, match=r"no segmentation can be made.*s\.dcm.*no such thing"):
        write_segmentation(tmp_path / "s.dcm", four_rois(grid), context(headers))
    assert list(tmp_path.iterdir()) == []


# A method, or the code of one, is demanded where identity was removed; one of them is too long.
REMOVED = [
    {"PatientIdentityRemoved": "YES"},
    {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "by hand"},
]


@pytest.mark.interop
@pytest.mark.parametrize("removed", REMOVED, ids=["bare", "with method"])
def test_of_a_ct_without_identity_the_validator_finds_no_error(
    removed: dict[str, object], grid: Grid, tmp_path: Path, program
) -> None:
    headers = relabelled(tmp_path / "ct", grid, removed, implicit=False)
    write_segmentation(tmp_path / "s.dcm", four_rois(grid), context(headers))
    write_rtstruct(tmp_path / "rs.dcm", four_rois(grid), context(headers))
    made = CtIdentity(seed="x", source=headers[0])
    write_ct_series(tmp_path / "made", Volume(grid=grid, hu=np.zeros(grid.shape, dtype=np.int16)), made)
    validator = program("dciodvfy")
    for path in (tmp_path / "s.dcm", tmp_path / "rs.dcm", tmp_path / "made" / "CT.0001.dcm"):
        assert judges.errors_of_dciodvfy(validator, path) == [], path.name
        assert ("PatientIdentityRemoved" in pydicom.dcmread(path)) == (len(removed) == 2)


# ------------------------------------------------------------------------------------------------- refusals


def test_nothing_to_write(grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path) -> None:
    empty = roi("GTV", Contours(grid=grid, sections={}), "GTV")
    for rois in ([], [empty]):
        with pytest.raises(OutputError, match="no voxel to be written"):
            write_segmentation(tmp_path / "s.dcm", rois, context(headers))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_reads_back_wrong_is_not_kept(
    grid: Grid, headers: tuple[Dataset, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = seg._dataset

    def shifted(rois, stack, slices, told):
        return made(rois, np.roll(stack, 1, axis=2), slices, told)

    monkeypatch.setattr(seg, "_dataset", shifted)
    with pytest.raises(OutputError, match="reads back wrong"):
        write_segmentation(tmp_path / "s.dcm", four_rois(grid), context(headers))
    assert list(tmp_path.iterdir()) == []
