"""Structure sets: every attribute, exact places, refusals, and files that appear whole or not at all."""

from __future__ import annotations

import copy
import sys
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import ImplicitVRLittleEndian
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.write import items, rtstruct, write_rtstruct
from pipeline.write.header import plain_text
from tests.write.samples import AXES, context, four_rois, make_grid, ring, roi, sphere, two_parts, write_ct


def written(path: Path, rois, told) -> Dataset:
    write_rtstruct(path, rois, told)
    return pydicom.dcmread(path)


def sections_of(file: Dataset, name: str, grid: Grid) -> dict[int, MultiPolygon]:
    """Polygons by slice as an even-odd reader fills them; z against the grid's planes."""
    (number,) = [item.ROINumber for item in file.StructureSetROISequence if item.ROIName == name]
    (item,) = [item for item in file.ROIContourSequence if item.ReferencedROINumber == number]
    found: dict[int, MultiPolygon] = {}
    for contour in item.ContourSequence:
        points = grid.frame.from_patient(np.array(contour.ContourData, dtype=float).reshape(-1, 3))
        k = int(np.abs(grid.plane_positions_mm - points[0, 2]).argmin())
        assert np.abs(points[:, 2] - grid.plane_positions_mm[k]).max() < 0.002
        ring_ = Polygon(points[:, :2])
        found[k] = found[k].symmetric_difference(ring_) if k in found else ring_
    return found


# ------------------------------------------------------------------------------------------------- attributes


def test_patient_and_study_are_the_ct_s(structure_set, headers):
    for keyword in (
        "PatientName",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "StudyDescription",
        "AccessionNumber",
        "ReferringPhysicianName",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "SpecificCharacterSet",
    ):
        assert structure_set[keyword].value == headers[0][keyword].value, keyword


def test_who_made_it_and_when(structure_set):
    assert structure_set.Manufacturer == "rt-targets"
    assert structure_set.OperatorsName == ""
    assert "InstitutionName" not in structure_set
    assert structure_set.SoftwareVersions
    assert structure_set.StructureSetDate == structure_set.SeriesDate == "20240506"
    assert structure_set.StructureSetTime == "070809"
    meta = structure_set.file_meta
    assert meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert meta.ImplementationClassUID != pydicom.uid.PYDICOM_IMPLEMENTATION_UID
    assert meta.MediaStorageSOPInstanceUID == structure_set.SOPInstanceUID


def test_it_is_a_draft(structure_set):
    assert structure_set.StructureSetLabel == "DRAFT IFI"
    assert structure_set.ApprovalStatus == "UNAPPROVED"
    assert structure_set.StructureSetDescription == "rt-targets 1.2.3, protocol p"


def test_the_chain_of_references(structure_set, headers):
    (frame,) = structure_set.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    assert frame.FrameOfReferenceUID == headers[0].FrameOfReferenceUID
    assert study.ReferencedSOPInstanceUID == headers[0].StudyInstanceUID
    assert series.SeriesInstanceUID == headers[0].SeriesInstanceUID
    images = [item.ReferencedSOPInstanceUID for item in series.ContourImageSequence]
    assert images == [header.SOPInstanceUID for header in headers]
    (source,) = structure_set.PredecessorStructureSetSequence
    assert source.ReferencedSOPInstanceUID == "1.2.3.4.5"
    place = {header.SOPInstanceUID: header.ImagePositionPatient[2] for header in headers}
    for item in structure_set.ROIContourSequence:
        for contour in item.ContourSequence:
            (image,) = contour.ContourImageSequence
            assert image.ReferencedSOPClassUID == headers[0].SOPClassUID
            assert set(contour.ContourData[2::3]) == {place[image.ReferencedSOPInstanceUID]}


def test_rois_observations_and_contours_belong_together(structure_set, grid):
    structures = structure_set.StructureSetROISequence
    observations = structure_set.RTROIObservationsSequence
    assert [item.ROIName for item in structures] == ["GTV-T", "GTV-N", "CTV", "PTV"]
    assert [item.RTROIInterpretedType for item in observations] == ["GTV", "GTV", "CTV", "PTV"]
    numbers = [item.ROINumber for item in structures]
    assert numbers == [1, 2, 3, 4]
    assert [item.ReferencedROINumber for item in observations] == numbers
    assert [item.ReferencedROINumber for item in structure_set.ROIContourSequence] == numbers
    assert {str(item.ROIInterpreter) for item in observations} == {""}
    assert structures[2].ROIDescription == "GTV + 7 mm, less the airway"
    assert {item.ROIGenerationAlgorithm for item in structures} == {"AUTOMATIC"}
    assert float(structures[2].ROIVolume) == pytest.approx(ring(grid).volume_cc, rel=1e-3)
    assert structure_set.ROIContourSequence[0].ROIDisplayColor == [255, 128, 0]


def test_no_private_attributes(structure_set):
    private = [element for element in structure_set.iterall() if element.tag.is_private]
    assert private == []


@pytest.fixture(scope="module")
def plain(grid, headers, tmp_path_factory):
    return written(tmp_path_factory.mktemp("plain") / "rs.dcm", four_rois(grid), context(headers))


def test_the_same_again_later_has_the_same_uids(tmp_path, grid, headers, plain):
    told = context(headers, moment=datetime(2025, 1, 2, 3, 4, 5))
    again = written(tmp_path / "a.dcm", four_rois(grid), told)
    assert again.SOPInstanceUID == plain.SOPInstanceUID
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID
    assert again.SeriesInstanceUID == plain.SeriesInstanceUID != again.SOPInstanceUID
    assert again.StructureSetDate != plain.StructureSetDate
    assert "PredecessorStructureSetSequence" not in again
    assert again.SeriesNumber != headers[0].SeriesNumber


def _moved(rois):
    first, *others = rois
    sections = {k: translate(section, 0.01, 0.0) for k, section in first.contours.sections.items()}
    return [replace(first, contours=Contours(grid=first.contours.grid, sections=sections)), *others]


@pytest.mark.parametrize(
    "rois, more",
    [
        (_moved, {}),
        (lambda rois: rois[:3], {}),
        (lambda rois: [rois[1], rois[0], *rois[2:]], {}),
        (lambda rois: [replace(rois[0], name="GTV-X"), *rois[1:]], {}),
        (lambda rois: [replace(rois[0], description="other"), *rois[1:]], {}),
        (lambda rois: [replace(rois[0], colour=(1, 2, 3)), *rois[1:]], {}),
        (lambda rois: rois, {"label": "DRAFT ENI"}),
        (lambda rois: rois, {"description": "rt-targets 1.2.3, protocol q"}),
        (lambda rois: rois, {"software_version": "9.9"}),
    ],
    ids=["contour", "fewer", "order", "name", "description", "colour", "arm", "protocol", "version"],
)
def test_whatever_else_it_says_gives_other_uids(tmp_path, grid, headers, plain, rois, more):
    again = written(tmp_path / "a.dcm", rois(four_rois(grid)), context(headers, **more))
    assert again.SOPInstanceUID != plain.SOPInstanceUID
    assert again.SeriesInstanceUID != plain.SeriesInstanceUID


def test_another_ct_or_source_gives_other_uids(tmp_path, grid, headers, plain, structure_set):
    other = changed(headers, SOPInstanceUID="1.2.3.4")
    again = written(tmp_path / "a.dcm", four_rois(grid), context(other))
    assert len({one.SOPInstanceUID for one in (again, plain, structure_set)}) == 3


def test_a_frame_of_reference_that_the_ct_lacks_is_one_for_all_of_its_structure_sets(tmp_path, grid, headers):
    bare = changed(headers, FrameOfReferenceUID=None)
    one = written(tmp_path / "a.dcm", four_rois(grid), context(bare))
    other = written(tmp_path / "b.dcm", four_rois(grid)[:2], context(bare, label="DRAFT ENI"))
    assert one.FrameOfReferenceUID == other.FrameOfReferenceUID


def test_uids_and_texts_that_were_asked_for(tmp_path, grid, headers):
    told = context(headers, sop_instance_uid="1.2.9", series_uid="1.2.10", series_description="two ×")
    again = written(tmp_path / "a.dcm", four_rois(grid), told)
    assert (again.SOPInstanceUID, again.SeriesInstanceUID) == ("1.2.9", "1.2.10")
    assert again.SeriesDescription == "two x"


def changed(headers, **values) -> tuple[Dataset, ...]:
    first = copy.deepcopy(headers[0])
    for keyword, value in values.items():
        if value is None:
            del first[keyword]
        else:
            setattr(first, keyword, value)
    return (first, *headers[1:])


def test_what_the_ct_lacks_is_there_but_empty(tmp_path, grid, headers):
    missing = ("PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "PatientBirthDate")
    bare = changed(headers, **dict.fromkeys((*missing, "SpecificCharacterSet", "SeriesNumber")))
    file = written(tmp_path / "a.dcm", four_rois(grid), context(bare))
    for keyword in missing:
        assert file[keyword].is_empty, keyword
    assert "SpecificCharacterSet" not in file
    assert "PatientAge" not in file


@pytest.mark.parametrize(
    "character_set, name",
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 144", "Иванов^Пётр"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 192", "Strauß^Ægir"),
    ],
)
def test_names_in_any_character_set_stay_byte_for_byte(tmp_path, grid, headers, character_set, name):
    told = changed(headers, SpecificCharacterSet=character_set, PatientName=name)
    told[0].save_as(tmp_path / "ct.dcm", implicit_vr=False, little_endian=True)
    as_read = pydicom.dcmread(tmp_path / "ct.dcm", force=True)
    raw = as_read.get_item("PatientName").value
    file = written(tmp_path / "a.dcm", four_rois(grid), context((as_read, *headers[1:])))
    assert file.get_item("PatientName").value == raw
    assert file.PatientName == name


def test_bytes_that_the_character_set_does_not_allow_are_not_touched(tmp_path, grid, headers):
    told = changed(headers, SpecificCharacterSet=None, PatientName="X")
    told[0].save_as(tmp_path / "ct.dcm", implicit_vr=False, little_endian=True)
    broken = (tmp_path / "ct.dcm").read_bytes().replace(b"PN\x02\x00X ", b"PN\x02\x00\xfc\xe4")
    (tmp_path / "ct.dcm").write_bytes(broken)
    as_read = pydicom.dcmread(tmp_path / "ct.dcm", force=True)
    write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context((as_read, *headers[1:])))
    assert pydicom.dcmread(tmp_path / "a.dcm").get_item("PatientName").value == b"\xfc\xe4"


@pytest.mark.parametrize("method", [None, "by hand"])
def test_removal_of_identity_is_told_with_its_method_or_not_at_all(tmp_path, grid, headers, method):
    more = {"DeidentificationMethod": method} if method else {}
    told = changed(headers, PatientIdentityRemoved="YES", **more)
    file = written(tmp_path / "a.dcm", four_rois(grid), context(told))
    assert ("PatientIdentityRemoved" in file) is bool(method)
    assert file.get("DeidentificationMethod") == method


@pytest.mark.parametrize(
    "text, plain",
    [
        ("7 mm × 12–15 mm", "7 mm x 12-15 mm"),
        ("Größe ≥ 5\nmm", "Grosse >= 5 mm"),
        ("a\\b", "a/b"),
        ("東京", "??"),
        ("x" * 20, "x" * 13 + "..."),
    ],
)
def test_our_texts_are_plain(text, plain):
    assert plain_text(text, longest=16) == plain


# ------------------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("position", AXES)
@pytest.mark.parametrize("spacing", [(0.9, 1.1, 3.0), (1.4, 0.7, 1.3)])
def test_shapes_come_back_in_every_position(tmp_path, position, spacing):
    grid = make_grid(position, spacing=spacing)
    rois = [
        roi("ball", sphere(grid, 16)),
        roi("node", sphere(grid, 5)),
        roi("tube", ring(grid)),
        roi("two", two_parts(grid)),
    ]
    file = written(tmp_path / "a.dcm", rois, context(write_ct(tmp_path / "ct", grid)))
    for one in rois:
        found = sections_of(file, one.name, grid)
        assert found.keys() == one.contours.sections.keys()
        for k, section in one.contours.sections.items():
            assert found[k].symmetric_difference(section).area < 0.002 * section.area + 0.01
            assert found[k].hausdorff_distance(section) < 0.052


def test_an_oblique_series_keeps_its_planes(tmp_path):
    angle = np.radians(12)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    tilted = replace(make_grid(), direction=(1.0, 0.0, 0.0, 0.0, c, -s, 0.0, s, c))
    headers = write_ct(tmp_path / "ct", tilted)
    w = tilted.plane_positions_mm
    middle = tilted.frame.from_patient(tilted.to_patient([[47, 40, 9]]))[0]
    shape = sphere(tilted, 15, (middle[0], middle[1], w[9]))
    file = written(tmp_path / "a.dcm", [roi("ball", shape)], context(headers))
    found = sections_of(file, "ball", tilted)
    for k, section in shape.sections.items():
        assert found[k].symmetric_difference(section).area < 0.002 * section.area
    heights = file.ROIContourSequence[0].ContourSequence[3].ContourData[2::3]
    assert max(heights) - min(heights) > 5


def test_z_is_the_text_of_the_tag_and_numbers_are_short(tmp_path, grid, headers):
    odd = []
    for k, header in enumerate(headers):
        other = copy.deepcopy(header)
        other.ImagePositionPatient[2] = f"{float(header.ImagePositionPatient[2]) + 0.00004:.5f}"
        other.InstanceNumber = k + 1
        odd.append(other)
    file = written(tmp_path / "a.dcm", [roi("ball", sphere(grid, 12))], context(tuple(odd)))
    tags = {header.SOPInstanceUID: str(header.ImagePositionPatient[2]) for header in odd}
    for contour in file.ROIContourSequence[0].ContourSequence:
        texts = contour.get_item("ContourData").value.decode().strip().split("\\")
        image = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
        assert {text.strip() for text in texts[2::3]} == {tags[image]}
        assert max(map(len, texts)) <= 16
        assert all(len(text.partition(".")[2]) == 3 for text in (*texts[::3], *texts[1::3]))


def test_a_z_that_is_too_long_for_ds_is_cut_to_sixteen_characters(tmp_path, grid, headers):
    long = []
    for header in headers:
        other = copy.deepcopy(header)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is too long is the point
            other.ImagePositionPatient[2] = f"{float(header.ImagePositionPatient[2]):.17f}"
        long.append(other)
    with pydicom.config.disable_value_validation():
        file = written(tmp_path / "a.dcm", [roi("ball", sphere(grid, 12))], context(tuple(long)))
    texts = file.ROIContourSequence[0].ContourSequence[0].get_item("ContourData").value.split(b"\\")
    assert max(map(len, texts)) <= 16


def test_specks_are_told(tmp_path, grid, headers):
    section = MultiPolygon([box(0, 0, 9, 9), box(12, 0, 13, 1)])
    contours = Contours(grid=grid, sections={3: section, 4: section})
    (finding,) = write_rtstruct(tmp_path / "a.dcm", [roi("PTV", contours)], context(headers))
    assert finding.code == "SPECKS_NOT_WRITTEN"
    assert finding.where == "PTV"
    assert "2 slices (k 3 to 4)" in finding.message
    assert "2.00 mm2" in finding.message
    assert finding.severity is Severity.WARNING  # 1 of 82 mm2
    assert "1.2 % of the volume" in finding.message
    large = MultiPolygon([box(0, 0, 20, 20), box(22, 0, 23, 1)])
    contours = Contours(grid=grid, sections={3: large})
    (finding,) = write_rtstruct(tmp_path / "b.dcm", [roi("PTV", contours)], context(headers))
    assert finding.severity is Severity.INFO  # 1 of 401 mm2


# ------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "names, told",
    [
        (("PTV", "ptv"), "differ in more than case"),
        (("A name that is too long",), "16 ASCII characters"),
        (("PTV-ü",), "16 ASCII characters"),
        (("",), "16 ASCII characters"),
        (("PTV ",), "16 ASCII characters"),
        (("a\\b",), "16 ASCII characters"),
        ((), "at least one ROI"),
    ],
)
def test_names_that_cannot_be_written(tmp_path, grid, headers, names, told):
    rois = [roi(name, sphere(grid, 12)) for name in names]
    with pytest.raises(OutputError, match=told):
        write_rtstruct(tmp_path / "a.dcm", rois, context(headers))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["IFI", "DRAFT of something long", "DRAFT ü", ""])
def test_labels_that_cannot_be_written(tmp_path, grid, headers, label):
    with pytest.raises(OutputError, match="the word DRAFT"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers, label=label))


def test_an_unknown_type_is_refused(tmp_path, grid, headers):
    with pytest.raises(OutputError, match=r"type of PTV; expected: GTV, CTV, PTV"):
        write_rtstruct(tmp_path / "a.dcm", [roi("PTV", sphere(grid, 9), "PGTV")], context(headers))


@pytest.mark.parametrize("sections", [{}, {3: box(0, 0, 1, 1)}])
def test_an_empty_roi_is_refused(tmp_path, grid, headers, sections):
    empty = roi("PTV", Contours(grid=grid, sections=sections))
    with pytest.raises(OutputError, match="where: PTV"):
        write_rtstruct(tmp_path / "a.dcm", [empty], context(headers))
    assert list(tmp_path.iterdir()) == []


def test_headers_that_do_not_fit_the_grid_are_refused(tmp_path, grid, headers):
    with pytest.raises(OutputError, match="17 slices; got: 18"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers[1:]))
    with pytest.raises(OutputError, match="slice positions of the CT"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers[::-1]))


def test_without_rt_utils_the_message_says_what_to_install(tmp_path, grid, headers, monkeypatch):
    monkeypatch.setitem(sys.modules, "rt_utils.ds_helper", None)  # what an import that fails leaves
    with pytest.raises(OutputError, match=r"rt-utils cannot be loaded.*opencv-python-headless"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers))
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------------------------- damage, disk


def damage(change):
    """A `_dataset` whose result is changed before it is saved."""
    build = rtstruct._dataset

    def damaged(rois, cleaned, told):
        dataset = build(rois, cleaned, told)
        change(dataset)
        return dataset

    return damaged


def lose_last_contour(dataset):
    del dataset.ROIContourSequence[0].ContourSequence[-1]


def shrink(dataset):
    for contour in dataset.ROIContourSequence[0].ContourSequence:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        points[:, 0] = points[:, 0].mean() + 0.99 * (points[:, 0] - points[:, 0].mean())
        items._put(contour, "ContourData", "DS", "\\".join(f"{value:.3f}" for value in points.ravel()))


def off_plane(dataset):
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = [*contour.ContourData[:2], contour.ContourData[2] + 0.1, *contour.ContourData[3:]]


def lose_a_point(dataset):
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = contour.ContourData[:-3]


def fill_hole(dataset):
    del dataset.ROIContourSequence[2].ContourSequence[1]


def rename(dataset):
    dataset.StructureSetROISequence[1].ROIName = "other"


def swap_numbers(dataset):
    dataset.RTROIObservationsSequence[0].ReferencedROINumber = 4


def other_image(dataset):
    contour = dataset.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"


def other_frame(dataset):
    dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "1.2.3"


def other_study(dataset):
    dataset.StudyInstanceUID = "1.2.3"


def no_contours(dataset):
    del dataset.ROIContourSequence


@pytest.mark.parametrize(
    "change, told",
    [
        (lose_last_contour, "slices of GTV-T"),
        (shrink, "volume of GTV-T"),
        (off_plane, "mm off it"),
        (lose_a_point, "slice 4"),
        (fill_hole, "volume of CTV"),
        (rename, "ROI names"),
        (swap_numbers, "ROI numbers of observations"),
        (other_image, "complete structure set"),
        (other_frame, "frame of reference of the ROIs"),
        (other_study, "where: study"),
        (no_contours, "complete structure set"),
    ],
)
def test_a_file_that_reads_back_wrong_is_not_kept(tmp_path, grid, headers, monkeypatch, change, told):
    monkeypatch.setattr(rtstruct, "_dataset", damage(change))
    path = tmp_path / "a.dcm"
    path.write_text("earlier")
    with pytest.raises(OutputError, match=f"reads back wrong.*{told}"):
        write_rtstruct(path, four_rois(grid), context(headers))
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fails_leaves_nothing(tmp_path, grid, headers, monkeypatch):
    def half(self, path, **more):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pydicom.dataset.FileDataset, "save_as", half)
    with pytest.raises(OutputError, match="No space left"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers))
    assert list(tmp_path.iterdir()) == []


def test_a_file_cut_short_is_not_kept(tmp_path, grid, headers, monkeypatch):
    save = pydicom.dataset.FileDataset.save_as

    def cut(self, path, **more):
        save(self, path, **more)
        Path(path).write_bytes(Path(path).read_bytes()[:-300])

    monkeypatch.setattr(pydicom.dataset.FileDataset, "save_as", cut)
    with pytest.raises(OutputError, match="reads back wrong"):
        write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers))
    assert list(tmp_path.iterdir()) == []


def test_the_headers_are_not_changed(tmp_path, grid, headers):
    before = [header.to_json() for header in headers]
    write_rtstruct(tmp_path / "a.dcm", four_rois(grid), context(headers))
    assert [header.to_json() for header in headers] == before
