"""A leaning or uneven CT on an even grid: the same patient, told, and refused where it would be made up."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy.ndimage import map_coordinates
from shapely.geometry import MultiPolygon, box

from pipeline.check import check_targets
from pipeline.core.case import Case
from pipeline.core.errors import SeriesError
from pipeline.core.grid import Grid
from pipeline.core.planes import ScannedPlanes, count_lost
from pipeline.read import LoadedCase, ReadOptions, load_roles, read_case, read_scan
from pipeline.targets import build_ifi
from tests.cases import plan_of
from tests.dicom_maker import CtSpec, RoiSpec, axes_of, make_ct, make_structure_set
from tests.leaning_ct import CENTRE, RADIUS, ball_loops, hu, made, spec


def read(folder: Path) -> LoadedCase:
    return read_case(folder, ReadOptions(resample=True), load_roles())


def centroid(case: Case) -> np.ndarray:
    contours = case.lesions[0].contours
    levels = contours.grid.plane_positions_mm
    areas = np.array([section.area for section in contours.sections.values()])
    flat = np.array([(s.centroid.x, s.centroid.y, levels[k]) for k, s in contours.sections.items()])
    return contours.grid.frame.to_patient([areas @ flat / areas.sum()])[0]


@pytest.mark.parametrize("kind", ["uneven", "tilted", "sheared"])
@pytest.mark.parametrize("position", ["HFS", "HFP", "FFS", "FFP", "HFDL", "FFDR"])
def test_the_ball_stays_where_it_is(kind: str, position: str, tmp_path: Path) -> None:
    folder, _ = made(tmp_path, spec(kind, position))
    case = read(folder).case
    grid, contours = case.volume.grid, case.lesions[0].contours
    # Along the patient an uneven stack ends half a gap beyond its outermost contours, and gaps differ.
    off = np.abs(centroid(case) - CENTRE)
    assert (off <= [0.25, 0.25, 0.3 if kind == "uneven" else 0.25]).all()
    assert contours.volume_cc == pytest.approx(
        4 / 3 * math.pi * RADIUS**3 / 1000, rel=0.02
    )  # chords of a ball
    assert abs(grid.axes[2, 2]) == pytest.approx(1.0)
    # Voxels of the ball are those inside its contours, but for the rim.
    points = grid.to_patient(np.argwhere(case.volume.hu > 400)[:, ::-1])
    assert np.linalg.norm(points - CENTRE, axis=1).max() < RADIUS + 2.5
    assert points.mean(axis=0) == pytest.approx(CENTRE, abs=0.7)


@pytest.mark.parametrize("kind", ["uneven", "tilted", "sheared"])
def test_hounsfield_units_are_those_of_the_place(kind: str, tmp_path: Path) -> None:
    """A slope is kept by linear interpolation wherever the series was."""
    folder, _ = made(tmp_path, spec(kind))
    volume = read(folder).case.volume
    index = np.argwhere(volume.hu > -1024)
    points = volume.grid.to_patient(index[:, ::-1])
    away = np.linalg.norm(points - CENTRE, axis=1) > RADIUS + 6
    found = volume.hu[tuple(index[away].T)]
    assert found == pytest.approx(2.0 * points[away, 0] + 3.0 * points[away, 2], abs=1.2)
    assert away.sum() > 0.55 * volume.hu.size, "of a leaning stack the corners are air"


def test_planes_that_stay_keep_their_outlines(tmp_path: Path) -> None:
    """The end planes of an uneven stack are planes of the grid, and what is drawn there stays."""
    ct = make_ct(tmp_path / "ct", spec("uneven"))
    square = np.array([[0, -20], [12, -20], [12, -10], [0, -10]], dtype=float)
    loops = [np.column_stack([square, np.full(4, w)]) for w in ct.heights[:4]]
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV-N", loops)])
    case = read(tmp_path).case
    grid, contours = case.volume.grid, case.lesions[0].contours
    assert grid.plane_positions_mm[[0, -1]] == pytest.approx(ct.heights[[0, -1]], abs=0.001)
    drawn = MultiPolygon([box(0, -20, 12, -10)])
    assert contours.sections[0].normalize().equals_exact(drawn.normalize(), 1e-6)
    # 12 x 10 mm between the planes as well, but for the corners that a lattice cuts.
    assert [s.area for s in contours.sections.values()] == pytest.approx(
        [120.0] * len(contours.slices), rel=0.01
    )


def test_dirt_is_told_with_the_heights_that_it_was_drawn_at(tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", spec("uneven"))
    top = ct.heights[-2]
    ring = np.array([[0, -20, top], [12, -20, top], [12, -10, top]])
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV-N", [*ball_loops(ct), ring, ring])])
    (told,) = [one for one in read(tmp_path).case.findings if one.code == "CONTOUR_DUPLICATE"]
    assert told.message.endswith(f"at {top:.2f} mm.")


def test_it_is_told_with_its_figures(tmp_path: Path) -> None:
    folder, _ = made(tmp_path, spec("tilted"))
    loaded = read(folder)
    (told,) = [one for one in loaded.case.findings if one.code == "CT_RESAMPLED"]
    assert told.severity == "warning"
    assert "leans by 18.5 degrees" in told.message
    assert loaded.headers == ()
    assert loaded.resampled_from is not None
    uneven, _ = made(tmp_path / "uneven", spec("uneven"))
    (told,) = [one for one in read(uneven).case.findings if one.code == "CT_RESAMPLED"]
    assert "unevenly spaced" in told.message
    assert "2.00 to 4.00 mm apart" in told.message


def test_an_even_series_is_left_alone(tmp_path: Path) -> None:
    folder, _ = made(tmp_path, CtSpec(size=(50, 44, 20), spacing_mm=(2.0, 2.4, 3.0), hu=hu))
    plain = read_case(folder, ReadOptions(), load_roles())
    asked = read(folder)
    assert asked.resampled_from is None
    assert asked.case.volume.grid == plain.case.volume.grid
    assert np.array_equal(asked.case.volume.hu, plain.case.volume.hu)
    assert asked.case.lesions[0].contours.sections == plain.case.lesions[0].contours.sections


def test_without_being_asked_it_stops_and_names_the_option(tmp_path: Path) -> None:
    for kind in ("uneven", "tilted", "sheared"):
        folder, _ = made(tmp_path / kind, spec(kind))
        with pytest.raises(SeriesError) as caught:
            read_case(folder, ReadOptions(), load_roles())
        assert "--resample" in caught.value.todo


@pytest.mark.parametrize(
    "along, what",
    [
        ((0, 3, 6, 9, 18, 21, 24, 27), "slices are missing"),
        # One slice left out, and one gap of 3.4 mm.
        ((0, 3, 6, 9.4, 12.4, 18.4, 21.4, 24.4), "1 missing, between"),
        ((0, 3, 6, 9, 16.4, 19.5, 22.4, 25.5), "too wide to resample over"),
        ((0, 3, 6, 6, 9, 13, 16, 19), "several CT slices at one position"),
    ],
)
def test_what_would_be_made_up_is_refused_all_the_same(along, what: str, tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(size=(50, 44, len(along)), along_mm=along))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV-N", ball_loops(ct))])
    with pytest.raises(SeriesError, match=what):
        read(tmp_path)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("archive", ["GE_tilt_nonuniform", "Philips_S21610_tilt-18.5_plus_localizer"])
def test_heads_of_leaning_scanners_stand_upright(unpacked, archive: str) -> None:  # type: ignore[no-untyped-def]
    """Pixels of the scanner's slices lie where their own tags say, on a grid along the table."""
    folder = unpacked(f"tilted-ct/{archive}.tar.xz")
    scan = read_scan(folder, ReadOptions(resample=True), load_roles())
    volume = scan.volume
    assert np.allclose(np.abs(volume.grid.axes), np.eye(3), atol=1e-6)
    (told,) = [one for one in scan.findings if one.code == "CT_RESAMPLED"]
    assert "leans by 18.5 degrees" in told.message
    headers = [pydicom.dcmread(path, force=True) for path in sorted(folder.rglob("*")) if path.is_file()]
    axial = [one for one in headers if "AXIAL" in one.get("ImageType", ())]
    axial.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    shifts = [np.zeros(3), *(6.0 * np.eye(3)), *(-6.0 * np.eye(3))]
    apart = np.zeros(len(shifts))
    hu = np.clip(volume.hu, -1000, 1000).astype(np.float32)
    for dataset in axial[4:-4:6]:
        points, stored = _pixels(dataset)
        for number, by_mm in enumerate(shifts):
            index = volume.grid.to_index(points + by_mm)
            found = map_coordinates(hu, index[:, ::-1].T, order=1, cval=-1000)
            apart[number] += np.abs(found - np.clip(stored, -1000, 1000)).mean()
    assert shifts[int(apart.argmin())].tolist() == [0, 0, 0], "where the tags say, and nowhere beside it"
    assert apart.min() < 0.8 * np.delete(apart, apart.argmin()).min()


def _pixels(dataset: pydicom.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Where some pixels of a slice lie by its tags (LPS mm), and their Hounsfield units."""
    row, column = np.split(np.array(dataset.ImageOrientationPatient, dtype=float), 2)
    down, right = np.mgrid[30:480:6, 30:480:6].reshape(2, -1)
    points = np.array(dataset.ImagePositionPatient, dtype=float)
    points = points + np.outer(right * float(dataset.PixelSpacing[1]), row)
    points = points + np.outer(down * float(dataset.PixelSpacing[0]), column)
    hu = dataset.pixel_array[down, right] * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    return points, hu


@pytest.mark.slow
def test_a_part_drawn_between_wide_slices_is_kept(tmp_path: Path) -> None:
    """A small part on one of a stretch of fine slices would fall between slices as wide as the others."""
    along = (0, 3, 6, 9, 12, *(12 + 1.25 * n for n in range(1, 9)), 25, 28, 31, 34, 37, 40, 43, 46)
    of = CtSpec(size=(50, 44, len(along)), spacing_mm=(2.0, 2.4, 3.0), along_mm=along)
    for n in range(5, 13):
        folder = tmp_path / str(n)
        ct = make_ct(folder / "ct", of)
        angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
        around = np.column_stack([6 * np.cos(angles), 6 * np.sin(angles), np.zeros(60)])
        main, small = np.array([-20.0, 0.0, 0.0]), np.array([25.0, 10.0, 0.0])
        loops = [around + main + [0, 0, ct.heights[k]] for k in (1, 2, 3)]
        make_structure_set(
            folder / "rs.dcm", ct, [RoiSpec("GTV-N", [*loops, around + small + [0, 0, ct.heights[n]]])]
        )
        case = read(folder).case
        assert any(len(s.geoms) and s.bounds[2] > 20 for s in case.lesions[0].contours.sections.values()), n
        assert "GTV_PART_LOST" not in {one.code for one in case.findings}


def test_parts_that_no_slice_meets_are_counted() -> None:
    origins = np.array([[0.0, 0.0, h] for h in (0.0, 3.0, 3.5, 6.5, 9.5)])
    planes = ScannedPlanes(origins_mm=origins, row=np.array([1.0, 0, 0]), column=np.array([0, 1.0, 0]))
    grid = Grid(
        size=(40, 40, 4),
        spacing_mm=(1.0, 1.0, 3.1),
        origin_mm=(0, 0, 0),
        direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
    )
    drawn = {1: MultiPolygon([box(2, 2, 12, 12)]), 2: MultiPolygon([box(2, 2, 12, 12), box(25, 25, 30, 30)])}
    kept = {1: MultiPolygon([box(2, 2, 12, 12)])}
    assert count_lost(drawn, kept, planes, grid) == 1
    assert count_lost(drawn, {1: MultiPolygon([box(2, 2, 12, 12), box(24, 24, 31, 31)])}, planes, grid) == 0
    assert count_lost(drawn, {}, planes, grid) == 3


@pytest.mark.parametrize("kind", ["uneven", "tilted"])
def test_slices_that_were_not_drawn_are_told_as_on_an_even_series(kind: str, tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", spec(kind))
    make_structure_set(tmp_path / "rs.dcm", ct, [RoiSpec("GTV-N", ball_loops(ct)[::2])])
    (told,) = (one for one in read(tmp_path).case.findings if one.code == "GTV_SLICE_MISSING")
    assert "from contour to contour" in told.message


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uneven", "tilted", "sheared"])
def test_the_end_of_what_was_scanned_is_the_end(kind: str, tmp_path: Path) -> None:
    def codes(low: int, high: int) -> set[str]:
        folder = tmp_path / f"{low}-{high}"
        ct = make_ct(folder / "ct", spec(kind))
        i, j, _ = axes_of(ct.spec)
        angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
        ring = 8 * (np.outer(np.cos(angles), i) + np.outer(np.sin(angles), j))
        middles = [origin + 50 * i + 50 * j for origin in ct.origins[low:high]]
        make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-N", [ring + middle for middle in middles])])
        case = read(folder).case
        targets = build_ifi(case, plan=plan_of(), organs={})
        return {one.code for one in (*targets.findings, *check_targets(case, targets))}

    last = 21
    assert {"GTV_AT_SCAN_END", "CUT_BY_SCAN_END"} <= codes(last - 4, last)
    assert {"GTV_AT_SCAN_END", "CUT_BY_SCAN_END"} <= codes(0, 4)
    near = codes(last - 6, last - 2)
    assert "GTV_AT_SCAN_END" not in near
    assert "CUT_BY_SCAN_END" in near
    assert not {"GTV_AT_SCAN_END", "CUT_BY_SCAN_END"} & codes(8, 12)
