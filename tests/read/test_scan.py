"""A CT that may come without lesions, and without a structure set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.case import LesionKind
from pipeline.core.errors import InputError, SeriesError, StructureError, UsageError
from pipeline.read import GtvChoice, LoadedScan, ReadOptions, load_roles, read_case, read_scan
from tests import made_case
from tests.dicom_maker import CtSpec, RoiSpec, circles, make_ct, make_structure_set

ROLES = load_roles()


def load(path: Path, **options: object) -> LoadedScan:
    return read_scan(path, ReadOptions(**options), ROLES)  # type: ignore[arg-type]


def codes(scan: LoadedScan) -> set[str]:
    return {finding.code for finding in scan.findings}


def with_rois(folder: Path, *names: str) -> Path:
    ct = make_ct(folder / "ct")
    rois = [RoiSpec(name, circles(ct, radius_mm=8, slices=[1, 2, 3])) for name in names]
    make_structure_set(folder / "rs.dcm", ct, rois)
    return folder


def test_a_series_alone_is_a_scan(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(hu=30.0, position="FFS"))
    scan = load(tmp_path)
    assert scan.lesions == ()
    assert scan.structure_set is None
    assert scan.structure_header is None
    assert scan.findings == ()
    assert (scan.volume.hu == 30).all()
    assert [header.SOPInstanceUID for header in scan.headers] == list(ct.sop_uids)
    assert scan.source.series_uid == ct.spec.series_uid
    assert scan.source.patient_position == "FFS"
    assert scan.source.structure_set_uid == ""
    assert scan.source.files == ()


def test_lesions_are_read_as_a_case_has_them(tmp_path: Path) -> None:
    with_rois(tmp_path, "GTV-N", "Cord")
    scan, case = load(tmp_path), read_case(tmp_path, ReadOptions(keep_structures=False), ROLES).case
    assert [lesion.name for lesion in scan.lesions] == ["GTV-N"]
    assert scan.lesions[0].contours.volume_cc == case.lesions[0].contours.volume_cc
    assert scan.source == case.source
    assert np.array_equal(scan.volume.hu, case.volume.hu)


def test_of_case_keeps_everything(tmp_path: Path) -> None:
    loaded = read_case(with_rois(tmp_path, "GTV-N"), ReadOptions(), ROLES)
    scan = LoadedScan.of_case(loaded)
    assert scan.volume is loaded.case.volume
    assert scan.lesions == loaded.case.lesions
    assert scan.structure_header is loaded.structure_header
    assert scan.headers is loaded.headers


@pytest.mark.parametrize("names", [("Cord",), ("GTV-1", "GTV-2")])
def test_lesions_that_names_do_not_tell_are_left_out_and_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    scan = load(with_rois(tmp_path, *names))
    assert scan.lesions == ()
    assert scan.structure_set is not None
    (finding,) = [one for one in scan.findings if one.code == "LESIONS_NOT_KNOWN"]
    assert "--gtv" in finding.message


def test_named_lesions_must_be_there(tmp_path: Path) -> None:
    with_rois(tmp_path, "mass")
    named = load(tmp_path, gtv=(GtvChoice(roi_name="mass", kind=LesionKind.NODE),))
    assert [lesion.source_roi for lesion in named.lesions] == ["mass"]
    with pytest.raises(StructureError, match="no ROI of this name"):
        load(tmp_path, gtv=(GtvChoice(roi_name="node", kind=LesionKind.NODE),))
    (tmp_path / "rs.dcm").unlink()
    with pytest.raises(StructureError, match="no structure set belongs to the CT"):
        load(tmp_path, gtv=(GtvChoice(roi_name="mass", kind=LesionKind.NODE),))


def test_a_structure_set_of_another_series_is_left_aside_and_told(tmp_path: Path) -> None:
    other = with_rois(tmp_path / "other", "GTV-T")
    make_ct(tmp_path / "in" / "ct")
    shutil.copy(other / "rs.dcm", tmp_path / "in" / "rs.dcm")
    scan = load(tmp_path / "in")
    assert scan.structure_set is None
    assert codes(scan) == {"STRUCTURE_SET_OF_ANOTHER_SERIES"}
    with pytest.raises(StructureError, match="belongs to another CT series"):
        load(tmp_path / "in", structures=tmp_path / "in" / "rs.dcm")


def test_several_series_must_be_told_apart(tmp_path: Path) -> None:
    one, two = make_ct(tmp_path / "one"), make_ct(tmp_path / "two")
    with pytest.raises(SeriesError, match=r"several CT series that could be meant.*expected: one series;"):
        load(tmp_path)
    assert load(tmp_path, ct_series=two.spec.series_uid).source.series_uid == two.spec.series_uid
    make_structure_set(tmp_path / "rs.dcm", one, [RoiSpec("GTV", circles(one, radius_mm=8, slices=[1, 2]))])
    assert load(tmp_path).source.series_uid == one.spec.series_uid


def test_a_broken_slice_is_told(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct")
    whole = ct.files[2].read_bytes()
    ct.files[2].write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SeriesError):
        load(tmp_path)


def test_a_ct_file_needs_no_masks(tmp_path: Path) -> None:
    ct, masks = made_case.write_nifti(tmp_path)
    scan = load(ct)
    assert (scan.lesions, scan.headers, scan.source.kind) == ((), (), "files")
    assert scan.volume.grid.size == made_case.GRID.size
    assert [lesion.name for lesion in load(ct, masks=masks).lesions] == ["GTV-T"]
    with pytest.raises(StructureError, match="no masks were given"):
        load(ct, gtv=(GtvChoice(roi_name="GTV-T", kind=LesionKind.NODE),))
    with pytest.raises(UsageError, match="does not apply"):
        load(ct, structures=ct)


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(SeriesError, match="no CT series"):
        load(tmp_path)
