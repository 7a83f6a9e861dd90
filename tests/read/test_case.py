"""A folder of DICOM to a case: what is taken, what is refused, what is told."""

from __future__ import annotations

import copy
import shutil
import struct
from pathlib import Path

import numpy as np
import pydicom
import pytest

from pipeline.core.case import Case, LesionKind
from pipeline.core.errors import InputError, SeriesError, StructureError
from pipeline.core.report import Severity
from pipeline.read import GtvChoice, LoadedCase, ReadOptions, load_roles, read_case
from tests.dicom_maker import (
    COSINES,
    CtSpec,
    MadeCt,
    RoiSpec,
    box,
    circles,
    make_ct,
    make_structure_set,
    on_slice,
    save,
)

ROLES = load_roles()


def load(folder: Path, **options: object) -> LoadedCase:
    return read_case(folder, ReadOptions(**options), ROLES)  # type: ignore[arg-type]


def case_of(folder: Path, loops: list[np.ndarray], **roi: object) -> Case:
    """A CT and a structure set with one GTV."""
    ct = make_ct(folder / "ct")
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV", loops, **roi)])  # type: ignore[arg-type]
    return load(folder).case


def codes(case: Case) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in case.findings}


def simple(folder: Path, spec: CtSpec | None = None) -> MadeCt:
    ct = make_ct(folder / "ct", spec)
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8, slices=[1, 2, 3]))])
    return ct


class TestGoodInput:
    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_the_patient_is_the_same_in_every_position(self, tmp_path: Path, position: str) -> None:
        ct = make_ct(tmp_path / "ct", CtSpec(position=position, size=(40, 36, 6)))
        loops = box(ct, low=(-4.0, -20.0), high=(11.0, 3.0), slices=[2])
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV-T", loops)])
        case = load(tmp_path).case
        (lesion,) = case.lesions
        (k,) = lesion.contours.slices
        assert lesion.contours.sections[k].bounds == pytest.approx((-4, -20, 11, 3))
        assert case.volume.grid.plane_positions_mm[k] == pytest.approx(ct.heights[2])
        assert lesion.contours.volume_cc == pytest.approx(15 * 23 * 3 / 1000)
        assert case.source.patient_position == position

    def test_a_mixed_folder(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        other = make_ct(tmp_path / "other")
        header = pydicom.dcmread(other.files[0])
        header.SOPClassUID, header.Modality = "1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE"
        save(tmp_path / "dose", header)
        (tmp_path / "notes.txt").write_text("not DICOM, and longer than a preamble. " * 10)
        (tmp_path / "empty.txt").touch()
        shutil.copy(ct.files[0], tmp_path / "copy of a slice")
        loaded = load(tmp_path)
        assert [str(h.SOPInstanceUID) for h in loaded.headers] == list(ct.sop_uids)
        assert not any("PixelData" in header for header in loaded.headers)
        assert loaded.case.source.series_uid == ct.spec.series_uid
        assert loaded.case.source.study_uid == ct.spec.study_uid
        assert codes(loaded.case) == {"FILE_COPIES": Severity.INFO}
        assert loaded.structure_header is not None
        assert "ROIContourSequence" in loaded.structure_header

    def test_bare_data_sets_are_read(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        for file in ct.files:
            header = pydicom.dcmread(file)
            bare = pydicom.Dataset(header)
            bare.save_as(file, implicit_vr=True, little_endian=True)
        assert load(tmp_path).case.volume.grid.size == ct.spec.size

    def test_nothing_of_the_patient_is_in_the_case(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        shutil.move(tmp_path / "rs.dcm", tmp_path / "RS.secret_person.ID-4711.dcm")
        case = load(tmp_path).case
        told = repr((case.source, case.findings))
        for secret in ct.spec.patient[0].split("^"):
            assert secret.lower() not in told.lower()
        assert case.source.files[0].name == "RS.***_***.***.dcm"

    def test_structures_can_be_left_out(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        rois = [
            RoiSpec("Heart", circles(ct, radius_mm=9), "ORGAN"),
            RoiSpec("GTV", circles(ct, radius_mm=5)),
            RoiSpec("Iso", [[(0, 0, 40)]], "ISOCENTER", kinds="POINT"),
            RoiSpec("Empty", []),
        ]
        make_structure_set(tmp_path / "rs", ct, rois)
        (heart,) = load(tmp_path).case.structures
        assert (heart.name, heart.interpreted_type, len(heart.contours.slices)) == ("Heart", "ORGAN", 6)
        assert load(tmp_path, keep_structures=False).case.structures == ()

    def test_rois_are_matched_by_number(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        rois = [
            RoiSpec("GTV", circles(ct, radius_mm=5), number=7),
            RoiSpec("Heart", circles(ct, radius_mm=9), number=3),
        ]
        header = make_structure_set(tmp_path / "rs", ct, rois)
        header.ROIContourSequence = list(reversed(header.ROIContourSequence))
        save(tmp_path / "rs", header)
        case = load(tmp_path).case
        width = (
            case.lesions[0].contours.sections[0].bounds[2] - case.lesions[0].contours.sections[0].bounds[0]
        )
        assert width == pytest.approx(10)

    @pytest.mark.parametrize("points", [1000, 29, 36])
    @pytest.mark.parametrize("coloured", [True, False])
    def test_sequences_turned_unknown_are_read(self, points: int, coloured: bool, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        header = make_structure_set(
            tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=8, points=points))]
        )
        for item in header.ROIContourSequence:
            if not coloured and "ROIDisplayColor" in item:
                del item.ROIDisplayColor
        # What stands in an element of unknown VR has implicit VR, where bytes of a length may look like a VR.
        save(tmp_path / "rs", header, implicit=True)
        element = pydicom.dcmread(tmp_path / "rs").get_item("ROIContourSequence")
        assert element is not None
        save(tmp_path / "rs", header, implicit=False)
        content, tag = (tmp_path / "rs").read_bytes(), struct.pack("<HH", 0x3006, 0x0039)
        start = content.index(tag + b"SQ")
        (length,) = struct.unpack("<L", content[start + 8 : start + 12])
        unknown = tag + b"UN\0\0" + struct.pack("<L", len(element.value)) + element.value
        (tmp_path / "rs").write_bytes(content[:start] + unknown + content[start + 12 + length :])
        area = points / 2 * np.sin(2 * np.pi / points) * 64
        assert load(tmp_path).case.lesions[0].contours.volume_cc == pytest.approx(area * 18 / 1000, rel=1e-3)

    def test_a_choice_of_series(self, tmp_path: Path) -> None:
        first, second = simple(tmp_path / "a"), simple(tmp_path / "b")
        with pytest.raises(SeriesError, match=r"several CT series.*--ct-series") as caught:
            load(tmp_path)
        assert first.spec.series_uid in caught.value.got
        assert "(6 slices of 24 x 20, every 3 mm)" in caught.value.got
        assert "patients" not in caught.value.what
        assert (
            load(tmp_path, ct_series=second.spec.series_uid).case.source.series_uid == second.spec.series_uid
        )
        with pytest.raises(SeriesError, match="no CT series of the chosen UID"):
            load(tmp_path, ct_series="1.2.3")

    def test_a_choice_of_structure_set(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        make_structure_set(
            tmp_path / "rs2.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=4))], label="second"
        )
        with pytest.raises(StructureError, match=r"several structure sets.*'plan'.*'second'.*--structures"):
            load(tmp_path)
        case = load(tmp_path, structures=tmp_path / "rs2.dcm").case
        assert len(case.lesions[0].contours.slices) == 6

    def test_lesions_of_both_kinds(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        rois = [RoiSpec(name, circles(ct, radius_mm=5)) for name in ("GTVn 1", "GTV-N 2", "GTV ")]
        make_structure_set(tmp_path / "rs", ct, rois)
        found = [(one.name, one.kind, one.source_roi) for one in load(tmp_path).case.lesions]
        assert found == [
            ("GTV-T", LesionKind.TUMOUR, "GTV"),
            ("GTV-N1", LesionKind.NODE, "GTVn 1"),
            ("GTV-N2", LesionKind.NODE, "GTV-N 2"),
        ]
        chosen = load(tmp_path, gtv=(GtvChoice(roi_name="gtvN 1", kind=LesionKind.TUMOUR),)).case
        assert [(one.name, one.source_roi) for one in chosen.lesions] == [("GTV-T", "GTVn 1")]


class TestBadInput:
    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file or folder"):
            load(tmp_path / "nowhere")

    def test_no_ct(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        for file in ct.files:
            file.unlink()
        with pytest.raises(SeriesError, match=r"no CT series.*got: 1 RTSTRUCT"):
            load(tmp_path)

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(SeriesError, match=r"no CT series.*no DICOM file and no image"):
            load(tmp_path)

    def test_enhanced_ct(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        for file in ct.files:
            header = pydicom.dcmread(file)
            header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
            save(file, header)
        with pytest.raises(SeriesError, match=r"multi-frame.*classic form"):
            load(tmp_path)

    def test_no_structure_set(self, tmp_path: Path) -> None:
        make_ct(tmp_path)
        with pytest.raises(StructureError, match=r"no structure set.*got: 6 CT.*--structures"):
            load(tmp_path)

    def test_a_bad_ct_is_told_before_a_missing_structure_set(self, tmp_path: Path) -> None:
        make_ct(tmp_path, CtSpec(lean=(0.0, 0.3, 0.0)))
        with pytest.raises(SeriesError, match="tilted"):
            load(tmp_path)

    def test_structure_set_of_another_series(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(
            tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5))], series_uid="1.2.3"
        )
        with pytest.raises(StructureError, match=r"belongs to another CT series.*same frame") as caught:
            load(tmp_path)
        assert ct.spec.series_uid in caught.value.expected
        assert "1.2.3" in caught.value.got

    def test_empty_gtv(self, tmp_path: Path) -> None:
        with pytest.raises(StructureError, match=r"GTV without contours.*ROI 'GTV'"):
            case_of(tmp_path, [])

    @pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR"])
    def test_gtv_without_closed_contours(self, tmp_path: Path, kind: str) -> None:
        with pytest.raises(StructureError, match=f"GTV without closed contours.*1 {kind}"):
            case_of(tmp_path, [np.array([(0, 0, 38.5), (9, 0, 38.5), (9, 9, 38.5)])], kinds=kind)

    def test_gtv_of_degenerate_contours(self, tmp_path: Path) -> None:
        with pytest.raises(StructureError, match=r"GTV without closed contours.*1 contours without area"):
            case_of(tmp_path, [np.array([(0, 0, 38.5), (9, 0, 38.5)])])

    def test_gtv_of_specks(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=0.5))])
        with pytest.raises(StructureError, match="specks only"):
            load(tmp_path)

    @pytest.mark.parametrize("index", [-1, 6, 40])
    def test_gtv_above_or_below_the_ct(self, tmp_path: Path, index: int) -> None:
        ct = make_ct(tmp_path / "ct")
        loops = circles(ct, radius_mm=5, slices=[2, index])
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", loops)])
        with pytest.raises(StructureError, match="GTV outside the CT") as caught:
            load(tmp_path)
        assert caught.value.expected == "contours on slices from 32.50 to 47.50 mm"
        assert caught.value.got == f"contours at {32.5 + 3 * index:.2f} mm"

    def test_gtv_beside_the_ct(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(
            tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5, center_mm=(200, 0)))]
        )
        with pytest.raises(StructureError, match=r"GTV outside the CT.*beyond the edges"):
            load(tmp_path)

    def test_gtv_between_slices(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        loops = [ring + np.array([0, 0, 1.5]) for ring in circles(ct, radius_mm=5, slices=[1, 2])]
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", loops)])
        with pytest.raises(StructureError, match=r"between the CT slices.*at 37\.00, 40\.00 mm"):
            load(tmp_path)

    def test_oblique_gtv(self, tmp_path: Path) -> None:
        loop = np.array([(0, -10, 35.5), (10, -10, 38.5), (10, 0, 38.5), (0, 0, 35.5)])
        with pytest.raises(StructureError, match="not parallel"):
            case_of(tmp_path, [loop])

    def test_broken_contour_data(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        header = make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=5))])
        header.ROIContourSequence[0].ContourSequence[0].ContourData = ["1", "2"]
        save(tmp_path / "rs.dcm", header)
        with pytest.raises(StructureError, match=r"contour data cannot be read.*'GTV'"):
            load(tmp_path)

    def test_an_roi_number_given_twice(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        rois = [RoiSpec(name, circles(ct, radius_mm=5), number=1) for name in ("GTV", "Heart")]
        make_structure_set(tmp_path / "rs", ct, rois)
        with pytest.raises(StructureError, match="number given twice"):
            load(tmp_path)

    def test_gtv_of_another_frame(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5), frame_uid="1.2.3")])
        with pytest.raises(StructureError, match=r"another frame of reference.*got: 1\.2\.3"):
            load(tmp_path)

    def test_an_unreadable_slice_in_the_middle(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        _break(ct.files[2])
        with pytest.raises(SeriesError, match=f"slices are missing.*cannot be read: {ct.files[2].name}"):
            load(tmp_path)

    def test_an_unreadable_slice_at_the_end(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        _break(ct.files[-1])
        with pytest.raises(SeriesError, match=f"CT slice cannot be read.*{ct.files[-1].name}"):
            load(tmp_path)

    def test_an_unreadable_file_that_is_no_slice_is_a_warning(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        shutil.copy(ct.files[0], tmp_path / "other")
        _break(tmp_path / "other")
        assert codes(load(tmp_path).case) == {"FILE_UNREADABLE": Severity.WARNING}

    @pytest.mark.parametrize(
        "content, message",
        [(b"text", "not a structure set.*not DICOM"), (None, "no such file")],
    )
    def test_structures_option_that_names_something_else(
        self, tmp_path: Path, content: bytes | None, message: str
    ) -> None:
        simple(tmp_path)
        if content is not None:
            (tmp_path / "x").write_bytes(content)
        with pytest.raises(StructureError, match=message):
            load(tmp_path, structures=tmp_path / "x")

    def test_structures_option_that_names_a_slice(self, tmp_path: Path) -> None:
        ct = simple(tmp_path)
        with pytest.raises(StructureError, match=r"not a structure set.*modality CT"):
            load(tmp_path, structures=ct.files[0])

    def test_a_single_dicom_file_as_input(self, tmp_path: Path) -> None:
        with pytest.raises(SeriesError, match="a folder of DICOM files"):
            load(simple(tmp_path).files[0])


class TestDoubts:
    def test_a_slice_missing_in_the_middle_of_a_gtv(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(
            tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5, slices=[0, 1, 4, 5]))]
        )
        (finding,) = load(tmp_path).case.findings
        assert (finding.code, finding.severity) == ("GTV_SLICE_MISSING", Severity.WARNING)
        assert "2 slices" in finding.message
        assert "at 38.50, 41.50 mm" in finding.message

    def test_dirt_is_told_with_its_slices(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        (ring,) = circles(ct, radius_mm=8, slices=[2])
        loops = [ring, ring, on_slice(ct, [(0, 0)], 3), *circles(ct, radius_mm=8, slices=[3])]
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", loops, "ORGAN")])
        case = load(tmp_path).case
        assert codes(case) == {
            "CONTOUR_DUPLICATE": Severity.WARNING,
            "CONTOUR_TOO_FEW_POINTS": Severity.INFO,
            "GTV_TYPE": Severity.INFO,
        }
        assert any("counted once: 1, at 38.50 mm" in finding.message for finding in case.findings)
        assert case.lesions[0].contours.volume_cc == pytest.approx(np.pi * 64 * 6 / 1000, rel=0.01)

    def test_a_gtv_over_the_edge_of_the_image_stops(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        edge = ct.spec.center_mm[0] + ct.spec.size[0] * ct.spec.spacing_mm[0] / 2
        loops = circles(ct, radius_mm=6, center_mm=(edge, -10.0))
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", loops)])
        (finding,) = load(tmp_path).case.findings
        assert (finding.code, finding.severity) == ("GTV_BEYOND_IMAGE", Severity.STOP)
        assert "50.0 %" in finding.message

    def test_image_references_that_resolve_nowhere(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        gone = [f"1.2.{n}" for n in range(6)]
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5))], image_uids=gone)
        assert set(codes(load(tmp_path).case)) == {"REFERENCED_IMAGES_ABSENT", "CONTOUR_IMAGES_ABSENT"}

    def test_another_frame_of_reference_where_series_and_planes_agree(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5))], frame_uid="1.2.3")
        assert codes(load(tmp_path).case) == {"FRAME_OF_REFERENCE_DIFFERS": Severity.WARNING}

    def test_a_structure_set_that_names_images_only(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        make_structure_set(tmp_path / "rs", ct, [RoiSpec("GTV", circles(ct, radius_mm=5))], series_uid="")
        assert codes(load(tmp_path).case) == {"SERIES_REFERENCE_MISSING": Severity.WARNING}

    def test_names(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        names = ["GTV", "GTV boost", "Heart", "HEART ", "a,b"]
        header = make_structure_set(
            tmp_path / "rs", ct, [RoiSpec(name, circles(ct, radius_mm=5)) for name in names]
        )
        orphan = copy.deepcopy(header.ROIContourSequence[0])
        orphan.ReferencedROINumber = 99
        header.ROIContourSequence.append(orphan)
        save(tmp_path / "rs", header)
        case = load(tmp_path).case
        assert codes(case) == {
            "GTV_NOT_USED": Severity.WARNING,
            "ROI_NAMES_ALIKE": Severity.WARNING,
            "CONTOURS_WITHOUT_ROI": Severity.INFO,
        }
        assert [one.name for one in case.structures] == ["GTV boost", "Heart", "HEART", "a,b"]

    def test_structures_off_the_slices_are_told(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct")
        rois = [
            RoiSpec("GTV", circles(ct, radius_mm=5)),
            RoiSpec("Body", circles(ct, radius_mm=9, slices=[0, 7])),
        ]
        header = make_structure_set(tmp_path / "rs", ct, rois)
        assert codes(load(tmp_path).case) == {"STRUCTURE_INCOMPLETE": Severity.INFO}
        header.ROIContourSequence[1].ContourSequence[0].ContourData = ["1", "2"]
        save(tmp_path / "rs", header)
        case = load(tmp_path).case
        assert (codes(case), case.structures) == ({"STRUCTURE_INCOMPLETE": Severity.INFO}, ())


@pytest.mark.real
@pytest.mark.slow
class TestRealFolders:
    def test_lung1_002_mixed_with_plan_and_dose(self, unpacked) -> None:  # type: ignore[no-untyped-def]
        case = load(unpacked("lung1-002/ct-and-xio-plan.tar.xz")).case
        (gtv,) = case.lesions
        assert (gtv.name, gtv.source_roi) == ("GTV-T", "GTV-1")
        assert gtv.contours.volume_cc == pytest.approx(358.7, abs=0.1)
        volumes = {one.name: one.contours.volume_cc for one in case.structures}
        # The planning system's own figures; its Lung L (3542.7) counts coincident contours over again.
        assert volumes["CTV-1"] == pytest.approx(545.0, abs=0.1)
        assert volumes["Patient"] == pytest.approx(20022.1, abs=1)
        assert volumes["Lung L"] == pytest.approx(1964.5, abs=1)
        assert {"CONTOUR_IMAGES_ABSENT", "GTV_TYPE"} <= set(codes(case))

    def test_lung1_001(self, unpacked) -> None:  # type: ignore[no-untyped-def]
        case = load(unpacked("lung1-001/ct-and-aria-rtstruct.tar.xz")).case
        assert case.lesions[0].contours.volume_cc == pytest.approx(156.35, abs=0.1)
        assert case.volume.grid.size == (512, 512, 134)

    def test_a_structure_set_with_lost_links(self, real_data: Path, unpacked) -> None:  # type: ignore[no-untyped-def]
        folder = unpacked("lung1-001/ct-and-aria-rtstruct.tar.xz")
        with pytest.raises(StructureError, match="belongs to another CT series"):
            load(folder, structures=real_data / "lung1-001" / "xio-rtstruct" / "RS.dcm")


def _break(path: Path) -> None:
    """Cut a file off inside its header."""
    path.write_bytes(path.read_bytes()[:450])
