"""Patients, studies, UIDs and Hounsfield units of a series: one of each, and what else is told or refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest

from pipeline.core.errors import SeriesError
from pipeline.core.report import Severity
from pipeline.read import ReadOptions, load_roles, read_case, take_inventory
from pipeline.read.case import LoadedCase
from tests.dicom_maker import CtSpec, MadeCt, RoiSpec, circles, make_ct, make_structure_set
from tests.seg_maker import SegmentSpec, grid_of, make_seg

Change = Callable[[pydicom.Dataset], None]


def made(folder: Path) -> MadeCt:
    ct = make_ct(folder / "ct", CtSpec(size=(36, 30, 16)))
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-T", circles(ct, radius_mm=8.0, points=60))])
    return ct


def change(files: Sequence[Path], edit: Change) -> None:
    for file in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(file)
            edit(dataset)
            dataset.save_as(file)


def setting(keyword: str, value: object) -> Change:
    return lambda dataset: setattr(dataset, keyword, value)


def without(*keywords: str) -> Change:
    def edit(dataset: pydicom.Dataset) -> None:
        for keyword in keywords:
            delattr(dataset, keyword)

    return edit


def read(folder: Path) -> LoadedCase:
    return read_case(folder, ReadOptions(), load_roles())


def told(folder: Path) -> dict[str, Severity]:
    return {one.code: one.severity for one in read(folder).case.findings}


def test_nothing_on_a_clean_case(tmp_path: Path) -> None:
    made(tmp_path)
    assert told(tmp_path) == {}
    assert not read(tmp_path).is_of_two_patients


def test_a_structure_set_of_another_patient_is_a_stop(tmp_path: Path) -> None:
    made(tmp_path)
    change([tmp_path / "rs.dcm"], setting("PatientID", "OTHER-999"))
    assert told(tmp_path) == {"PATIENT_DIFFERS": Severity.STOP}
    assert read(tmp_path).is_of_two_patients
    (finding,) = read(tmp_path).case.findings
    assert "OTHER-999" not in finding.message + finding.where


def test_a_structure_set_of_another_study_is_told(tmp_path: Path) -> None:
    made(tmp_path)
    change([tmp_path / "rs.dcm"], setting("StudyInstanceUID", "1.2.3"))
    assert told(tmp_path) == {"STUDY_DIFFERS": Severity.WARNING}


def test_a_structure_set_without_a_patient_is_nobody_elses(tmp_path: Path) -> None:
    made(tmp_path)
    change([tmp_path / "rs.dcm"], setting("PatientID", ""))
    assert told(tmp_path) == {}


def test_a_segmentation_of_another_patient_is_a_stop(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(36, 30, 16)))
    block = np.zeros(grid_of(ct).shape, dtype=bool)
    block[4:9, 10:18, 12:20] = True
    make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV-N", block)])
    assert "PATIENT_DIFFERS" not in told(tmp_path)
    change([tmp_path / "seg.dcm"], setting("PatientID", "OTHER-999"))
    assert told(tmp_path)["PATIENT_DIFFERS"] is Severity.STOP


@pytest.mark.parametrize(
    "keyword, what",
    [("PatientID", "patient changes within"), ("StudyInstanceUID", "study changes within")],
)
def test_a_slice_of_another_patient_or_study_is_refused(tmp_path: Path, keyword: str, what: str) -> None:
    ct = made(tmp_path)
    change(ct.files[3:4], setting(keyword, "1.2.3"))
    with pytest.raises(SeriesError, match=what) as caught:
        read(tmp_path)
    assert ct.files[3].name in caught.value.where
    assert "1.2.3" not in str(caught.value)
    assert take_inventory(tmp_path, ReadOptions()).refusal is not None


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("count", [1, 16])
def test_slices_without_uids_are_refused(tmp_path: Path, keyword: str, count: int) -> None:
    ct = made(tmp_path)
    change(ct.files[:count], setting(keyword, ""))
    with pytest.raises(SeriesError, match=rf"CT slices without a {keyword}.*none in {count} of 16"):
        read(tmp_path)


def test_slices_with_one_uid_are_refused(tmp_path: Path) -> None:
    ct = made(tmp_path)
    change(ct.files[4:6], setting("SOPInstanceUID", "1.2.3.4"))
    with pytest.raises(SeriesError, match=r"several CT slices with one SOPInstanceUID.*the same in 2 files"):
        read(tmp_path)


@pytest.mark.parametrize("gone", ["RescaleIntercept", "RescaleSlope", "RescaleIntercept RescaleSlope"])
def test_a_series_that_does_not_say_its_hounsfield_units(tmp_path: Path, gone: str) -> None:
    ct = made(tmp_path)
    change(ct.files, without(*gone.split()))
    assert told(tmp_path) == {"CT_RESCALE_MISSING": Severity.STOP}


def test_one_slice_that_does_not_is_refused(tmp_path: Path) -> None:
    ct = made(tmp_path)
    change(ct.files[5:6], without("RescaleIntercept"))
    with pytest.raises(SeriesError, match=r"CT slices without rescaling.*none in 1 of 16") as caught:
        read(tmp_path)
    assert ct.files[5].name in caught.value.where


@pytest.mark.parametrize("unit, codes", [("HU", set()), ("US", {"CT_NOT_IN_HU"})])
def test_another_unit_than_hounsfield_is_told(tmp_path: Path, unit: str, codes: set[str]) -> None:
    ct = made(tmp_path)
    change(ct.files, setting("RescaleType", unit))
    assert told(tmp_path).keys() == codes
