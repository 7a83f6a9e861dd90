"""What a folder of real life holds, and what must not pass in silence or be told in full."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.case import Case, LesionKind
from pipeline.core.errors import SeriesError, StructureError
from pipeline.core.report import Severity
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from pipeline.read.dicom_index import index_folder
from tests.dicom_maker import COSINES, CtSpec, RoiSpec, circles, make_ct, make_structure_set


def load(folder: Path, **options: object) -> Case:
    return read_case(folder, ReadOptions(**options), load_roles()).case


def codes(case: Case) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in case.findings}


@pytest.mark.parametrize("position", sorted(COSINES))
def test_a_position_that_agrees_with_the_cosines_is_no_doubt(position: str, tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(position=position))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    assert "PATIENT_POSITION_DIFFERS" not in codes(load(tmp_path))


def test_a_position_that_contradicts_the_cosines_must_be_decided(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(position="HFS", cosines=COSINES["FFS"]))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    case = load(tmp_path)
    assert codes(case)["PATIENT_POSITION_DIFFERS"] is Severity.STOP
    (message,) = [f.message for f in case.findings if f.code == "PATIENT_POSITION_DIFFERS"]
    assert "marked HFS" in message
    assert "those of FFS" in message


@pytest.mark.parametrize(
    "spacing, drawn, bridged",
    [(3.0, (4, 5, 7), True), (3.0, (4, 5, 9), False), (10.0, (4, 7), False), (0.6, (4, 9), True)],
)
def test_lost_slices_are_told_with_what_was_done(
    spacing: float, drawn: tuple[int, ...], bridged: bool, tmp_path: Path
) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(24, 20, 14), spacing_mm=(2.0, 2.5, spacing)))
    make_structure_set(
        tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0, slices=drawn), "GTV")]
    )
    (message,) = [f.message for f in load(tmp_path).findings if f.code == "GTV_SLICE_MISSING"]
    assert ("targets go on there" in message) is bridged
    assert ("Too far to be bridged" in message) is not bridged


def test_two_loops_drawn_one_in_the_other_must_be_decided(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    loops = [*circles(ct, radius_mm=10.0), *circles(ct, radius_mm=9.0, center_mm=(5.3, -10.0))]
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", loops, "GTV")])
    assert codes(load(tmp_path))["CONTOUR_DRAWN_TWICE_OR_HOLE"] is Severity.STOP


# ------------------------------------------------------------------------------------------------ identities


def test_identities_in_labels_names_and_broken_files_are_blotted_out(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    rois = [
        RoiSpec("GTV Secret^Person", circles(ct, radius_mm=8.0), "GTV"),
        RoiSpec("GTV-old ID-4711", [], "GTV"),
    ]
    make_structure_set(tmp_path / "rs.dcm", ct, rois, label="ID-4711 plan")
    broken = tmp_path / "secret_person_secret.dcm"
    shutil.copy(ct.files[0], broken)
    broken.write_bytes(broken.read_bytes()[:450])
    choice = (GtvChoice(roi_name="GTV Secret^Person", kind=LesionKind.TUMOUR),)
    case = load(tmp_path, gtv=choice)
    told = " ".join(f"{f.where} {f.message}" for f in case.findings) + case.lesions[0].source_roi
    for secret in ("secret", "person", "id-4711"):
        assert secret not in told.lower()
    assert case.lesions[0].source_roi == "GTV ***^***"
    assert "file ***_***_***.dcm" in told


# ---------------------------------------------------------------------------------------------------- files


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    shutil.copy(tmp_path / "rs.dcm", tmp_path / ".rs.dcm")
    (tmp_path / ".trash").mkdir()
    shutil.copy(ct.files[0], tmp_path / ".trash" / "x.dcm")
    case = load(tmp_path)
    assert case.source.files[0].name == "rs.dcm"
    assert "FILE_COPIES" not in codes(case)


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "elsewhere" / "ct")
    export = tmp_path / "export"
    export.mkdir()
    make_structure_set(export / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    (export / "one").symlink_to(tmp_path / "elsewhere" / "ct", target_is_directory=True)
    (export / "two").symlink_to(tmp_path / "elsewhere" / "ct", target_is_directory=True)
    (export / "circle").symlink_to(export, target_is_directory=True)
    case = load(export)
    assert case.volume.grid.size[2] == len(ct.files)
    assert "FILE_COPIES" not in codes(case)


def test_an_empty_slice_is_a_slice_that_cannot_be_read(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    loops = circles(ct, radius_mm=8.0, slices=range(4))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", loops, "GTV")])
    ct.files[-1].write_bytes(b"")
    with pytest.raises(SeriesError, match=rf"CT slice cannot be read.*{ct.files[-1].name}"):
        load(tmp_path)
    ct.files[2].write_bytes(b"")
    with pytest.raises(SeriesError, match=rf"slices are missing.*{ct.files[2].name}"):
        load(tmp_path)


def test_a_structure_set_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    make_structure_set(tmp_path / "plan.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    path = tmp_path / "plan.dcm"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StructureError, match=r"no structure set.*files that cannot be read: plan\.dcm"):
        load(tmp_path)


def test_archives_are_told(tmp_path: Path) -> None:
    make_ct(tmp_path / "ct")
    (tmp_path / "structures.zip").write_bytes(b"PK\3\4" + bytes(200))
    assert index_folder(tmp_path).archives == 1
    with pytest.raises(StructureError, match="1 of them archives: unpack them first"):
        load(tmp_path)


def test_packed_masks_are_no_archives(tmp_path: Path) -> None:
    make_ct(tmp_path / "ct")
    (tmp_path / "aorta.nii.gz").write_bytes(b"\x1f\x8b" + bytes(200))
    assert (index_folder(tmp_path).others, index_folder(tmp_path).archives) == (1, 0)


def test_archives_alone_are_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "ct.tar.xz").write_bytes(bytes(200))
    with pytest.raises(SeriesError, match=r"archives, to be unpacked first: ct\.tar\.xz"):
        load(tmp_path)


def test_a_folder_of_localizers_says_so(tmp_path: Path) -> None:
    make_ct(tmp_path / "ct", CtSpec(size=(8, 8, 1), image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")))
    with pytest.raises(SeriesError, match=r"no CT series.*got: 1 CT localizer \(no series of slices\)"):
        load(tmp_path)


def test_series_of_several_patients_are_told_to_be_so(tmp_path: Path) -> None:
    for number in (1, 2):
        ct = make_ct(tmp_path / f"ct{number}", CtSpec(patient=(f"Doe^{number}", f"id {number}")))
        make_structure_set(
            tmp_path / f"rs{number}.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=6.0), "GTV")]
        )
    with pytest.raises(
        SeriesError, match="several CT series that could be meant, of 2 patients by their IDs"
    ):
        load(tmp_path)


def test_nothing_of_the_image_is_lost_by_reading_beside_the_contours(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(hu=lambda points: np.round(points @ [1.0, 2.0, 3.0])))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV")])
    volume = load(tmp_path).volume
    point = volume.grid.to_patient([[3, 4, 2]])[0]
    assert volume.hu[2, 4, 3] == pytest.approx(round(float(point @ [1.0, 2.0, 3.0])), abs=1)
