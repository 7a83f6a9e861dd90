"""Copies of a source structure set: its ROIs keep every byte, the new ones stand behind them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.core.case import LesionKind
from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError, StructureError
from pipeline.core.rules import Holes
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_again, read_case
from pipeline.read.dicom_index import read_dicom
from pipeline.read.structure_set import StructureSet, read_structure_set
from pipeline.write import appended, write_appended, write_rtstruct
from pipeline.write.readback import same_bytes
from tests.write.samples import AXES, context, four_rois, make_grid, ring, roi, sphere, two_parts, write_ct

SEQUENCES = ("StructureSetROISequence", "ROIContourSequence", "RTROIObservationsSequence")
LABEL = "DRAFT IFI+SOURCE"
Change = Callable[[Dataset], object]


def structure_set_of(path: Path) -> StructureSet:
    file = read_dicom(path)
    assert file is not None
    return read_structure_set(file)


def saved(dataset: Dataset, path: Path, syntax: str = ImplicitVRLittleEndian) -> Path:
    dataset.file_meta.TransferSyntaxUID = syntax
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a value that was made odd on purpose
        dataset.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    return path


@pytest.fixture
def source(tmp_path, grid, headers) -> Path:
    """A structure set with the ROIs GTV-T, GTV-N, CTV, PTV, numbered 1 to 4."""
    write_rtstruct(tmp_path / "source.dcm", four_rois(grid), context(headers, description="of another"))
    return tmp_path / "source.dcm"


def changed(source: Path, change: Change, syntax: str = ImplicitVRLittleEndian) -> Path:
    dataset = pydicom.dcmread(source)
    change(dataset)
    return saved(dataset, source, syntax)


def new_rois(grid):
    return [roi("PGTV", sphere(grid, 20)), roi("CTV", ring(grid), "CTV")]


def append(source: Path, rois, headers, **more):
    read = structure_set_of(source)
    told = context(headers, label=LABEL, predecessor=read.file.header, **more)
    out = source.parent / "out.dcm"
    findings = write_appended(out, rois, told, partial(read_again, read))
    return pydicom.dcmread(out), findings


def flat(item: Dataset) -> list[tuple[str, bytes]]:
    """Every element of an item as its place and its bytes; sequences element by element."""
    found = []
    for tag in sorted(item.keys()):
        element = item.get_item(tag)
        if not tag.is_private and dictionary_VR(tag) == "SQ":
            for number, one in enumerate(item[tag].value):
                found += [(f"{tag}/{number}/{place}", value) for place, value in flat(one)]
        else:
            assert isinstance(element, RawDataElement) or element.is_empty, tag
            found.append((str(tag), element.value or b""))
    return found


# ---------------------------------------------------------------------------------------- what was there


def _odd(dataset: Dataset) -> None:
    """Blanks, letters beyond ASCII, numbers in odd forms, and elements of a vendor."""
    dataset.SpecificCharacterSet = "ISO_IR 100"
    item = dataset.StructureSetROISequence[1]
    raw = RawDataElement(
        pydicom.tag.Tag("ROIName"), "LO", 12, "Lünge li    ".encode("latin-1"), 0, True, True
    )
    item[raw.tag] = raw
    block = item.private_block(0x3287, "A vendor", create=True)
    block.add_new(1, "LO", "mine ")
    nested = Dataset()
    nested.ROIName = "inner"
    block.add_new(2, "SQ", [nested])
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    text = b"1.50\\+02.0\\3e1\\4\\5\\30.000 \\7\\8.\\30 "
    tag = pydicom.tag.Tag("ContourData")
    contour[tag] = RawDataElement(tag, "DS", len(text), text, 0, True, True)
    for one in (dataset, item, contour):
        one.set_original_encoding(True, True, "latin-1")


def _odd_without_bytes_that_pydicom_would_write_anew(dataset: Dataset) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.StructureSetROISequence[1].ROIName = "Lünge li"
    block = dataset.StructureSetROISequence[1].private_block(0x3287, "A vendor", create=True)
    block.add_new(1, "LO", "mine")
    nested = Dataset()
    nested.ROIName = "inner"
    block.add_new(2, "SQ", [nested])


@pytest.mark.parametrize(
    "change, syntax",
    [
        (_odd, ImplicitVRLittleEndian),
        (_odd_without_bytes_that_pydicom_would_write_anew, ExplicitVRLittleEndian),
        (lambda _: None, ImplicitVRLittleEndian),
        (lambda _: None, ExplicitVRLittleEndian),
    ],
    ids=["implicit-odd", "explicit-odd", "implicit", "explicit"],
)
def test_the_rois_of_the_source_keep_every_byte(source, grid, headers, change: Change, syntax: str):
    changed(source, change, syntax)
    before, bytes_before = pydicom.dcmread(source), source.read_bytes()
    after, _ = append(source, new_rois(grid), headers)
    assert after.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    for keyword in SEQUENCES:
        assert len(after[keyword].value) == len(before[keyword].value) + 2
        for one, other in zip(before[keyword].value, after[keyword].value, strict=False):
            if syntax == ImplicitVRLittleEndian:
                assert flat(one) == flat(other)
            assert same_bytes(one, other)
    contours = [item.ContourSequence for item in before.ROIContourSequence]
    again = [item.ContourSequence for item in after.ROIContourSequence]
    for one, other in zip(contours, again, strict=False):
        assert [c.get_item("ContourData").value for c in one] == [
            c.get_item("ContourData").value for c in other
        ]
    assert source.read_bytes() == bytes_before


def test_items_of_an_implicit_source_stand_in_the_copy_as_they_were_encoded(source, grid, headers):
    data, (copy, _) = source.read_bytes(), append(source, new_rois(grid), headers)
    written = Path(copy.filename).read_bytes()
    for keyword in SEQUENCES:
        length = len(pydicom.dcmread(source).get_item(keyword).value)
        head = pydicom.tag.Tag(keyword)
        start = data.index(head.group.to_bytes(2, "little") + head.element.to_bytes(2, "little")) + 8
        assert data[start : start + length] in written


def test_sequences_that_an_archive_turned_unknown_are_copied(source, grid, headers):
    """As happens to sequences of more than 64 kB on their way through explicit VR."""
    dataset = pydicom.dcmread(source)
    contours = pydicom.dcmread(source).get_item("ROIContourSequence").value
    assert len(contours) > 0xFFFF
    saved(dataset, source, ExplicitVRLittleEndian)
    dataset = pydicom.dcmread(source)
    dataset.ROIContourSequence = []
    tag = pydicom.tag.Tag("ROIContourSequence")
    dataset[tag] = RawDataElement(tag, "UN", len(contours), contours, 0, False, True)
    saved(dataset, source, ExplicitVRLittleEndian)
    assert b"\x06\x30\x39\x00UN" in source.read_bytes()
    after, _ = append(source, new_rois(grid), headers)
    assert contours in Path(after.filename).read_bytes()


@pytest.mark.parametrize("position", sorted(AXES))
def test_our_reader_finds_the_old_and_the_new_in_every_position(position: str, tmp_path):
    grid = make_grid(position)
    headers = write_ct(tmp_path / "ct", grid)
    old, new = [roi("GTV-T", sphere(grid, 16), "GTV")], [roi("CTV", ring(grid)), roi("PTV", two_parts(grid))]
    write_rtstruct(tmp_path / "source.dcm", old, context(headers))
    append(tmp_path / "source.dcm", new, headers, holes=Holes.KEYHOLE)
    gtv = tuple(GtvChoice(roi_name=one.name, kind=LesionKind.TUMOUR) for one in (*old, *new))
    options = ReadOptions(structures=tmp_path / "out.dcm", gtv=gtv)
    lesions = {one.source_roi: one for one in read_case(tmp_path / "ct", options, load_roles()).case.lesions}
    for one in (*old, *new):
        assert lesions[one.name].contours.volume_cc == pytest.approx(one.contours.volume_cc, rel=2e-3)


# ---------------------------------------------------------------------------------------- what is new


def test_new_rois_are_numbered_after_the_highest_number_wherever_it_stands(source, grid, headers):
    def renumber(dataset: Dataset) -> None:
        for keyword, number in zip(SEQUENCES, ("ROI", "ReferencedROI", "ReferencedROI"), strict=True):
            setattr(dataset[keyword].value[1], f"{number}Number", 17)
        dataset.RTROIObservationsSequence[0].ObservationNumber = 40
        dataset.RTROIObservationsSequence[2].ObservationNumber = None

    changed(source, renumber)
    after, _ = append(source, new_rois(grid), headers)
    assert [item.ROINumber for item in after.StructureSetROISequence] == [1, 17, 3, 4, 41, 42]
    assert [item.ReferencedROINumber for item in after.ROIContourSequence] == [1, 17, 3, 4, 41, 42]
    assert [item.ReferencedROINumber for item in after.RTROIObservationsSequence] == [1, 17, 3, 4, 41, 42]
    assert [item.ObservationNumber for item in after.RTROIObservationsSequence][-2:] == [41, 42]
    frames = {item.ReferencedFrameOfReferenceUID for item in after.StructureSetROISequence}
    assert frames == {headers[0].FrameOfReferenceUID}


def test_without_a_number_left_nothing_is_written(source, grid, headers):
    changed(source, lambda made: setattr(made.RTROIObservationsSequence[0], "ObservationNumber", 2**31 - 2))
    with pytest.raises(OutputError, match="no ROI number is left"):
        append(source, new_rois(grid), headers)
    assert not (source.parent / "out.dcm").exists()
    append(source, new_rois(grid)[:1], headers)


def test_a_name_that_is_taken_gets_the_first_free_number_and_is_told(source, grid, headers):
    def rename(dataset: Dataset) -> None:
        names = ("ctv ", "CTV_2", "GTV", "a name that's lon")
        for item, name in zip(dataset.StructureSetROISequence, names, strict=True):
            item.ROIName = name
        dataset.StructureSetROISequence[3].ROIName = "ANAMEOFSIXTEEN_N"

    changed(source, rename)
    rois = [
        roi("CTV", ring(grid), "CTV"),
        roi("CTV_3", ring(grid), "CTV"),
        roi("AnameOfSixteen_n", sphere(grid, 9)),
        roi("PTV", two_parts(grid)),
    ]
    after, findings = append(source, rois, headers)
    names = [item.ROIName for item in after.StructureSetROISequence]
    assert names[4:] == ["CTV_4", "CTV_3", "AnameOfSixteen_2", "PTV"]
    labels = [item.ROIObservationLabel for item in after.RTROIObservationsSequence[4:]]
    assert labels == names[4:]
    assert [(one.code, one.where) for one in findings] == [
        ("ROI_NAME_TAKEN", f"{LABEL}, CTV"),
        ("ROI_NAME_TAKEN", f"{LABEL}, AnameOfSixteen_n"),
    ]
    assert "CTV_4" in findings[0].message


def test_no_name_is_told_when_none_is_taken(source, grid, headers):
    assert append(source, [roi("PGTV", sphere(grid, 20))], headers)[1] == ()


# ---------------------------------------------------------------------------------------- whose it is


def test_it_is_a_draft_of_ours_whatever_the_source_was(source, grid, headers):
    def approve(dataset: Dataset) -> None:
        dataset.ApprovalStatus = "APPROVED"
        dataset.ReviewDate, dataset.ReviewTime, dataset.ReviewerName = "20200101", "101010", "Doctor^A"
        dataset.StationName, dataset.InstitutionName, dataset.OperatorsName = "ONE", "Clinic", "Some^Body"
        dataset.DigitalSignaturesSequence = []

    changed(source, approve, ExplicitVRLittleEndian)
    before = pydicom.dcmread(source)
    after, _ = append(source, new_rois(grid), headers, description="new ones")
    assert (after.ApprovalStatus, after.StructureSetLabel, after.Manufacturer) == (
        "UNAPPROVED",
        LABEL,
        "rt-targets",
    )
    gone = ("ReviewDate", "ReviewTime", "ReviewerName", "StationName", "InstitutionName")
    assert not any(keyword in after for keyword in (*gone, "DigitalSignaturesSequence"))
    assert after.OperatorsName == ""
    assert after.StructureSetDescription == "new ones"
    (predecessor,) = after.PredecessorStructureSetSequence
    assert predecessor.ReferencedSOPInstanceUID == before.SOPInstanceUID != after.SOPInstanceUID
    assert after.SeriesInstanceUID != before.SeriesInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert after.file_meta.MediaStorageSOPClassUID == before.SOPClassUID
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert after[keyword].value == before[keyword].value


def test_what_every_structure_set_must_have_is_filled_in(source, grid, headers):
    def strip(dataset: Dataset) -> None:
        for keyword in ("AccessionNumber", "FrameOfReferenceUID", "PositionReferenceIndicator"):
            delattr(dataset, keyword)
        del dataset.RTROIObservationsSequence

    changed(source, strip)
    after, _ = append(source, new_rois(grid), headers)
    assert after.AccessionNumber == after.PositionReferenceIndicator == ""
    assert after.FrameOfReferenceUID == headers[0].FrameOfReferenceUID
    assert [item.ReferencedROINumber for item in after.RTROIObservationsSequence] == [5, 6]


def test_the_same_again_later_has_the_same_uids_and_anything_else_others(source, grid, headers):
    first, _ = append(source, new_rois(grid), headers)
    later, _ = append(source, new_rois(grid), headers, moment=datetime(2025, 1, 2))
    fewer, _ = append(source, new_rois(grid)[:1], headers)
    changed(source, lambda made: setattr(made.StructureSetROISequence[0], "ROIName", "other"))
    other, _ = append(source, new_rois(grid), headers)
    assert later.SOPInstanceUID == first.SOPInstanceUID
    assert later.SeriesInstanceUID == first.SeriesInstanceUID
    assert len({one.SOPInstanceUID for one in (first, fewer, other)}) == 3
    assert len({one.SeriesInstanceUID for one in (first, fewer, other)}) == 3


# ---------------------------------------------------------------------------------------- what it refers to


def _images(dataset: Dataset, series_uid: str) -> list[str]:
    return [
        image.ReferencedSOPInstanceUID
        for frame in dataset.ReferencedFrameOfReferenceSequence
        for study in frame.RTReferencedStudySequence
        for series in study.RTReferencedSeriesSequence
        if series.SeriesInstanceUID == series_uid
        for image in series.ContourImageSequence
    ]


def _series(dataset: Dataset) -> Dataset:
    study = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    return study.RTReferencedSeriesSequence[0]


def _frame(dataset: Dataset) -> Dataset:
    return dataset.ReferencedFrameOfReferenceSequence[0]


@pytest.mark.parametrize(
    "change, frames, studies",
    [
        (lambda made: None, 1, 1),
        (lambda made: _series(made).ContourImageSequence.__delitem__(slice(3, None)), 1, 1),
        (lambda made: delattr(_series(made), "ContourImageSequence"), 1, 1),
        (lambda made: setattr(_series(made), "SeriesInstanceUID", "1.2.3"), 1, 2),
        (lambda made: delattr(_frame(made), "RTReferencedStudySequence"), 1, 1),
        (lambda made: setattr(_frame(made), "FrameOfReferenceUID", "1.2.9"), 2, 2),
        (lambda made: delattr(made, "ReferencedFrameOfReferenceSequence"), 1, 1),
    ],
    ids=["whole", "some images", "no images", "another series", "no study", "another frame", "nothing"],
)
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_the_ct_is_referred_to_with_every_image(source, grid, headers, change, frames, studies, syntax):
    changed(source, change, syntax)
    after, _ = append(source, new_rois(grid), headers)
    images = list(dict.fromkeys(_images(after, headers[0].SeriesInstanceUID)))
    assert images == [header.SOPInstanceUID for header in headers]
    assert len(after.ReferencedFrameOfReferenceSequence) == frames
    assert (
        sum(len(one.RTReferencedStudySequence) for one in after.ReferencedFrameOfReferenceSequence) == studies
    )


# ---------------------------------------------------------------------------------------- refusals


def test_big_endian_is_refused(source):
    dataset = pydicom.dcmread(source)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ContourData beyond 64 kB
        pydicom.dcmwrite(source, dataset, implicit_vr=False, little_endian=False)
    with pytest.raises(StructureError, match="big endian") as caught:
        read_again(structure_set_of(source))
    assert "--append-to-source" in caught.value.todo


@pytest.mark.parametrize("what", ["gone", "another", "no DICOM"])
def test_a_source_that_is_not_what_it_was_is_refused(source, what: str):
    read = structure_set_of(source)
    if what == "gone":
        source.unlink()
    elif what == "another":
        changed(source, lambda made: setattr(made, "SOPInstanceUID", "1.2.3"))
    else:
        source.write_text("some text", encoding="utf-8")
    with pytest.raises(StructureError, match="cannot be read again"):
        read_again(read)


@pytest.mark.parametrize(
    "change",
    [
        lambda made: setattr(made.StructureSetROISequence[0], "ROIName", "spoilt"),
        lambda made: delattr(made.ROIContourSequence[1], "ROIDisplayColor"),
        lambda made: made.ROIContourSequence[0].ContourSequence.pop(),
        lambda made: setattr(made.RTROIObservationsSequence[4], "ReferencedROINumber", 3),
        lambda made: made.StructureSetROISequence.pop(),
        lambda made: _series(made).ContourImageSequence.pop(),
        lambda made: delattr(made, "ROIContourSequence"),
        lambda made: delattr(made.ROIContourSequence[4], "ContourSequence"),
    ],
    ids=["name", "colour", "contours", "number", "lost", "image", "no contours", "empty"],
)
def test_a_copy_that_reads_back_wrong_is_not_kept(source, grid, headers, monkeypatch, change: Change):
    plain = appended._refer_to_ct

    def spoilt(dataset: Dataset, ours: Dataset) -> None:
        plain(dataset, ours)
        change(dataset)

    monkeypatch.setattr(appended, "_refer_to_ct", spoilt)
    with pytest.raises(OutputError, match="reads back wrong"):
        append(source, new_rois(grid), headers)
    assert [path.name for path in source.parent.iterdir()] == ["source.dcm"]


def test_rois_that_cannot_be_written_are_refused(source, grid, headers):
    for wrong in ([], [replace(new_rois(grid)[0], contours=Contours(grid=grid, sections={}))]):
        with pytest.raises(OutputError, match="cannot be written as a structure set"):
            append(source, wrong, headers)
    assert [path.name for path in source.parent.iterdir()] == ["source.dcm"]
