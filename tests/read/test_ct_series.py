"""CT series: slices placed by position, and everything wrong with them named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import SeriesError
from pipeline.read.ct_pixels import read_volume
from pipeline.read.ct_series import CtSeries, PlacedSeries, find_ct_series, place_series, series_facts
from pipeline.read.dicom_index import index_folder
from tests.dicom_maker import COSINES, CtSpec, axes_of, make_ct


def only_series(folder: Path) -> CtSeries:
    (series,) = find_ct_series(index_folder(folder))
    return series


def placed(folder: Path, spec: CtSpec, leave_out: tuple[int, ...] = ()) -> PlacedSeries:
    make_ct(folder, spec, leave_out=leave_out)
    return place_series(only_series(folder))


def refusal(folder: Path, spec: CtSpec, leave_out: tuple[int, ...] = ()) -> SeriesError:
    make_ct(folder, spec, leave_out=leave_out)
    series = only_series(folder)
    with pytest.raises(SeriesError) as caught:
        place_series(series)
    assert next(problem.what for problem in series_facts(series).problems) == caught.value.what
    assert f"CT series {series.uid}" in caught.value.where
    assert "Secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("position", sorted(COSINES))
def test_every_position_gives_the_grid_that_was_written(tmp_path: Path, position: str) -> None:
    spec = CtSpec(position=position, size=(8, 6, 4))
    ct = make_ct(tmp_path, spec)
    found = place_series(only_series(tmp_path))
    assert found.grid.size == (8, 6, 4)
    assert found.grid.spacing_mm == pytest.approx((2.0, 2.5, 3.0))
    assert found.grid.axes == pytest.approx(np.column_stack(axes_of(spec)))
    assert found.grid.frame_of_reference == spec.frame_uid
    assert found.grid.to_patient([(0, 0, k) for k in range(4)]) == pytest.approx(ct.origins)
    assert [one.file.sop_uid for one in found.slices] == list(ct.sop_uids)


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDL", "FFDR"])
def test_pixels_stay_where_they_are_in_the_patient(tmp_path: Path, position: str) -> None:
    def hu(points: np.ndarray) -> np.ndarray:
        return np.round(points @ np.array([3.0, 5.0, 7.0]))

    volume, _ = read_volume(placed(tmp_path, CtSpec(position=position, size=(8, 6, 4), hu=hu)))
    index = np.array([(i, j, k) for i in range(8) for j in range(6) for k in range(4)])
    values = volume.hu[index[:, 2], index[:, 1], index[:, 0]]
    assert values == pytest.approx(hu(volume.grid.to_patient(index)), abs=1)


def test_oblique_cosines_are_kept(tmp_path: Path) -> None:
    angle = np.radians(10)
    cosines = (np.cos(angle), np.sin(angle), 0.0, -np.sin(angle), np.cos(angle), 0.0)
    grid = placed(tmp_path, CtSpec(cosines=tuple(float(c) for c in cosines))).grid
    assert grid.frame.obliquity_deg == pytest.approx(10, abs=1e-6)


@given(st.lists(st.floats(-0.04, 0.04), min_size=6, max_size=6))
def test_rounded_positions_are_no_unevenness(
    tmp_path_factory: pytest.TempPathFactory, jitter: list[float]
) -> None:
    along = tuple(3.0 * k + off for k, off in enumerate(jitter))
    found = placed(tmp_path_factory.mktemp("ct"), CtSpec(size=(4, 4, 6), along_mm=along))
    assert found.grid.slice_spacing_mm == pytest.approx(3.0, abs=0.02)


def test_localizers_are_set_aside(tmp_path: Path) -> None:
    spec = CtSpec()
    make_ct(tmp_path / "a", spec)
    scout = CtSpec(
        series_uid=spec.series_uid,
        size=(8, 8, 1),
        image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"),
        cosines=(0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    )
    make_ct(tmp_path / "b", scout)
    make_ct(tmp_path / "c", CtSpec(size=(8, 8, 1), image_type=scout.image_type))
    series = only_series(tmp_path)
    assert (len(series.files), series.localizers) == (6, 1)
    assert place_series(series).grid.size[2] == 6


def test_missing_slices(tmp_path: Path) -> None:
    error = refusal(tmp_path, CtSpec(size=(4, 4, 9)), leave_out=(3, 4, 6))
    assert error.what == "slices are missing in the CT series"
    assert error.expected == "a slice every 3 mm"
    assert error.got == "3 missing, between 34.00 and 43.00 mm, 43.00 and 49.00 mm"
    assert "export the whole series" in error.todo


def test_uneven_slices(tmp_path: Path) -> None:
    error = refusal(tmp_path, CtSpec(size=(4, 4, 6), along_mm=(0, 3, 6, 9, 13, 17)))
    assert error.what == "CT slices are unevenly spaced"
    assert error.got == "3 mm (3 times), 4 mm (2 times)"
    assert "evenly spaced" in error.todo


def test_one_slice_off_by_a_third_is_uneven(tmp_path: Path) -> None:
    assert "uneven" in refusal(tmp_path, CtSpec(size=(4, 4, 6), along_mm=(0, 3, 6, 10, 12, 15))).what


def test_tilted_gantry(tmp_path: Path) -> None:
    lean = (0.0, float(np.tan(np.radians(12))), 0.0)
    error = refusal(tmp_path, CtSpec(lean=lean))
    assert error.what == "CT series with a tilted gantry"
    assert error.got == "a stack that leans by 12.0 degrees"
    assert "untilted" in error.todo


def test_tilted_and_uneven_are_told_together(tmp_path: Path) -> None:
    error = refusal(tmp_path, CtSpec(lean=(0.0, 0.2, 0.0), along_mm=(0, 3, 6, 9, 13, 17)))
    assert "also: CT slices are unevenly spaced" in error.got


def test_several_slices_at_one_position(tmp_path: Path) -> None:
    error = refusal(tmp_path, CtSpec(size=(4, 4, 6), along_mm=(0, 3, 3, 6, 9, 12)))
    assert error.what == "several CT slices at one position"


def test_a_slice_shifted_sideways(tmp_path: Path) -> None:
    ct = make_ct(tmp_path, CtSpec())
    _edit(ct.files[3], ImagePositionPatient=[value + 4.0 * (n == 0) for n, value in enumerate(ct.origins[3])])
    with pytest.raises(SeriesError, match=r"shifted sideways.*4\.0 mm"):
        place_series(only_series(tmp_path))


def test_a_single_slice(tmp_path: Path) -> None:
    assert refusal(tmp_path, CtSpec(size=(4, 4, 1))).what == "CT series of a single slice"


@pytest.mark.parametrize(
    "change, what",
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.99619, 0.08716]}, "orientation changes"),
        ({"Rows": 10, "Columns": 48}, "image size changes"),
        ({"PixelSpacing": [2.6, 2.0]}, "pixel spacing changes"),
        ({"FrameOfReferenceUID": "1.2.3"}, "frame of reference changes"),
    ],
)
def test_a_series_that_changes(tmp_path: Path, change: dict[str, object], what: str) -> None:
    ct = make_ct(tmp_path)
    _edit(ct.files[2], **change)
    with pytest.raises(SeriesError, match=what):
        place_series(only_series(tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": [1, 0, 0, 0, 2, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 1]},
        {"PixelSpacing": [0, 1]},
        {"PixelSpacing": None},
    ],
)
def test_a_slice_without_geometry(tmp_path: Path, change: dict[str, object]) -> None:
    ct = make_ct(tmp_path)
    _edit(ct.files[2], **change)
    series = only_series(tmp_path)
    with pytest.raises(SeriesError, match="without a readable geometry") as caught:
        place_series(series)
    assert ct.files[2].name in caught.value.where
    assert series_facts(series).problems


def test_a_coronal_series_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, CtSpec(cosines=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0)))
    assert error.what == "series is not axial"


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize(
    "archive, also",
    [("GE_tilt_nonuniform", True), ("Philips_S21610_tilt-18.5_plus_localizer", False)],
)
def test_real_tilted_series(unpacked, archive: str, also: bool) -> None:  # type: ignore[no-untyped-def]
    folder = unpacked(f"tilted-ct/{archive}.tar.xz")
    with pytest.raises(SeriesError, match="tilted gantry") as caught:
        place_series(only_series(folder))
    assert "18.5 degrees" in caught.value.got
    assert ("unevenly" in caught.value.got) is also


def _edit(path: Path, **elements: object) -> None:
    header = pydicom.dcmread(path)
    for keyword, value in elements.items():
        if value is None:
            delattr(header, keyword)
        else:
            setattr(header, keyword, value)
    header.save_as(path)
