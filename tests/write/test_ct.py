"""CT series that we make: every position, exact places, pixels, and nothing half-written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.volume import Volume
from pipeline.write import CtIdentity, ct, write_ct_series
from pipeline.write.ct import patient_position
from tests.write.samples import AXES, IDENTITY, make_grid

SMALL = (7, 5, 4)


def noise(grid: Grid) -> Volume:
    hu = np.random.default_rng(1).integers(-1024, 3000, grid.shape, dtype=np.int16)
    return Volume(grid=grid, hu=hu)


@pytest.mark.parametrize("position", AXES)
def test_another_reader_finds_every_voxel_in_its_place(tmp_path, position):
    grid = make_grid(position, size=SMALL)
    volume = noise(grid)
    headers = write_ct_series(tmp_path / "ct", volume, IDENTITY)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "ct")))
    image = reader.Execute()
    assert headers[0].PatientPosition == position
    assert image.GetSpacing() == pytest.approx(grid.spacing_mm)
    for index in ((0, 0, 0), (6, 1, 3), (2, 4, 1)):
        place = grid.to_patient([index])[0]
        i, j, k = index
        found = image.TransformPhysicalPointToIndex(place.tolist())
        assert image[found] == volume.hu[k, j, i]


@pytest.mark.parametrize("upside_down", [False, True])
def test_headers_come_in_the_order_of_k(tmp_path, upside_down):
    grid = make_grid(size=SMALL)
    if upside_down:  # k runs against the normal of rows and columns
        turned = np.diag([1.0, 1.0, -1.0])
        grid = replace(
            grid,
            direction=tuple(turned.ravel().tolist()),
            origin_mm=tuple(grid.to_patient([[0, 0, 3]])[0].tolist()),
        )
    headers = write_ct_series(tmp_path / "ct", noise(grid), IDENTITY)
    for k, header in enumerate(headers):
        assert header.ImagePositionPatient == pytest.approx(grid.to_patient([[0, 0, k]])[0])
        assert "PixelData" not in header


def test_pixels_are_hu_rounded(tmp_path):
    grid = make_grid(size=(2, 1, 1))
    hu = np.array([[[-1000.6, 40.4]]])
    write_ct_series(tmp_path / "ct", Volume(grid=grid, hu=hu), IDENTITY)
    (path,) = (tmp_path / "ct").iterdir()
    file = pydicom.dcmread(path)
    assert (file.RescaleSlope, file.RescaleIntercept) == (1, 0)
    assert file.pixel_array.tolist() == [[-1001, 40]]


def test_spacing_is_rows_then_columns(headers):
    assert headers[0].PixelSpacing == [1.1, 0.9]
    assert (headers[0].Rows, headers[0].Columns) == (80, 96)
    assert headers[0].SliceThickness == 3


def test_awkward_figures_fit_sixteen_characters(tmp_path):
    third = 1 / 3
    grid = make_grid(size=(3, 3, 2), spacing=(third, 0.9765625, 2 / 3))
    headers = write_ct_series(tmp_path / "ct", noise(grid), IDENTITY)
    # pydicom writes what it cannot check; its own reader would warn, and a warning is an error here.
    for path in sorted((tmp_path / "ct").iterdir()):
        file = pydicom.dcmread(path)
        values = [*file.ImagePositionPatient, *file.PixelSpacing, file.SliceThickness]
        assert max(len(str(value)) for value in values) <= 16
    assert headers[1].ImagePositionPatient == pytest.approx(grid.to_patient([[0, 0, 1]])[0], abs=1e-9)


def test_the_same_seed_gives_the_same_uids_and_another_others(tmp_path):
    grid = make_grid(size=SMALL)

    def uids(name: str, identity: CtIdentity) -> list[str]:
        headers = write_ct_series(tmp_path / name, noise(grid), identity)
        first = headers[0]
        kept = [first.StudyInstanceUID, first.SeriesInstanceUID, *(h.SOPInstanceUID for h in headers)]
        assert len(set(kept)) == len(kept)
        return kept

    first = uids("a", IDENTITY)
    assert uids("b", IDENTITY) == first
    assert not set(uids("c", replace(IDENTITY, seed="other"))) & set(first)


@pytest.mark.parametrize(
    "other",
    [
        {"spacing_mm": (0.9, 1.1, 2.5)},
        {"origin_mm": (30.0, 0.0, 0.0)},
        {"direction": (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)},
    ],
    ids=["spacing", "origin", "direction"],
)
def test_the_same_pixels_elsewhere_have_uids_of_their_own(tmp_path, other):
    grid = replace(make_grid(size=SMALL), frame_of_reference="", spacing_mm=(0.9, 1.1, 3.0))
    moved = replace(grid, **other)
    volume = noise(grid)
    first = write_ct_series(tmp_path / "a", volume, IDENTITY)
    second = write_ct_series(tmp_path / "b", replace(volume, grid=moved), IDENTITY)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        mine = {str(header[keyword].value) for header in first}
        assert not mine & {str(header[keyword].value) for header in second}, keyword


def test_the_frame_of_reference_is_the_grid_s_or_a_new_one(tmp_path):
    grid = make_grid(size=SMALL)
    assert write_ct_series(tmp_path / "a", noise(grid), IDENTITY)[0].FrameOfReferenceUID == "1.2.3.4"
    bare = replace(grid, frame_of_reference="")
    assert write_ct_series(tmp_path / "b", noise(bare), IDENTITY)[0].FrameOfReferenceUID.startswith("1.2.826")


@pytest.mark.parametrize("value", [-40000.0, 40000.0, float("nan"), float("inf")])
def test_hu_that_do_not_fit_are_refused(tmp_path, value):
    grid = make_grid(size=(1, 1, 2))
    hu = np.array([[[0.0]], [[value]]])
    with pytest.raises(OutputError, match=r"HU cannot be stored.*-32768 to 32767"):
        write_ct_series(tmp_path / "ct", Volume(grid=grid, hu=hu), IDENTITY)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused_and_untouched(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        write_ct_series(tmp_path, noise(make_grid(size=SMALL)), IDENTITY)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("error, raised", [(OSError(28, "full"), OutputError), (KeyboardInterrupt(),) * 2])
def test_nothing_is_left_when_a_slice_fails(tmp_path, monkeypatch, existed, error, raised):
    write, done = ct._write_slice, []

    def fail_third(folder, header, pixels):
        done.append(header)
        if len(done) == 3:
            raise error
        return write(folder, header, pixels)

    monkeypatch.setattr(ct, "_write_slice", fail_third)
    out = tmp_path / "ct"
    if existed:
        out.mkdir()
    with pytest.raises(raised if isinstance(raised, type) else type(raised)):
        write_ct_series(out, noise(make_grid(size=SMALL)), IDENTITY)
    assert list(tmp_path.rglob("*")) == ([out] if existed else [])


def test_a_slice_that_reads_back_wrong_is_not_kept(tmp_path, monkeypatch):
    wrong = pydicom.Dataset()
    wrong.PixelData = b"\1\2"
    monkeypatch.setattr(ct.pydicom, "dcmread", lambda path: wrong)
    with pytest.raises(OutputError, match="reads back wrong"):
        write_ct_series(tmp_path / "ct", noise(make_grid(size=SMALL)), IDENTITY)
    assert list(tmp_path.iterdir()) == []


def test_a_slightly_turned_grid_has_the_nearest_position():
    angle = np.radians(8)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    grid = replace(make_grid(size=SMALL), direction=(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0))
    assert patient_position(grid) == "HFS"
