"""A leaning or uneven CT on an even grid: the same patient, told, and refused where it would be made up."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.case import Case
from pipeline.core.errors import SeriesError
from pipeline.read import LoadedCase, ReadOptions, load_roles, read_case, read_scan
from tests.dicom_maker import CtSpec, MadeCt, RoiSpec, axes_of, make_ct, make_structure_set

CENTRE = np.array([9.3, -14.2, 42.7])  # of the ball, off the middle of the volume
RADIUS = 14.0
UNEVEN = (0, 3, 6, 9, 11, 13, 15, 19, 22, 25, 28, 31, 34.5, 38, 41, 44, 47, 50, 53, 56, 59)
ANGLE = math.radians(18.5)


def hu(points: np.ndarray) -> np.ndarray:
    """Water with a ball of bone, and a slope from left to right and from foot to head."""
    inside = np.linalg.norm(points - CENTRE, axis=1) < RADIUS
    return np.where(inside, 700.0, 2.0 * points[:, 0] + 3.0 * points[:, 2])


def ball_loops(ct: MadeCt) -> list[np.ndarray]:
    """Circles where the ball meets the planes of the slices, however they lie."""
    i, j, k = axes_of(ct.spec)
    loops = []
    for origin in ct.origins:
        off = float((CENTRE - origin) @ k)
        if abs(off) < RADIUS:
            r = math.sqrt(RADIUS**2 - off**2)
            angles = np.linspace(0, 2 * math.pi, 120, endpoint=False)
            middle = CENTRE - off * k
            loops.append(middle + r * (np.outer(np.cos(angles), i) + np.outer(np.sin(angles), j)))
    return loops


def spec(kind: str, position: str = "HFS") -> CtSpec:
    """`uneven`; `tilted`: images lean and the table moves along the patient; `sheared`: the stack leans."""
    common = {"size": (50, 44, 21), "spacing_mm": (2.0, 2.4, 3.0), "center_mm": (5.0, -10.0, 40.0), "hu": hu}
    if kind == "uneven":
        return CtSpec(**common, position=position, along_mm=UNEVEN)
    i, j, k = axes_of(CtSpec(position=position))
    if kind == "sheared":
        return CtSpec(**common, position=position, lean=tuple(0.2 * j))
    down = math.cos(ANGLE) * j + math.sin(ANGLE) * k
    lean = tuple(math.tan(ANGLE) * down)
    return CtSpec(**common, position=position, cosines=(*i, *down), lean=lean)


def made(folder: Path, of: CtSpec) -> tuple[Path, MadeCt]:
    ct = make_ct(folder / "ct", of)
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-N", ball_loops(ct))])
    return folder, ct


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
    assert centroid(case) == pytest.approx(CENTRE, abs=0.25)
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
    """The first plane of an uneven stack is one of the grid: its outlines are those that were drawn."""
    folder, ct = made(tmp_path, spec("uneven"))
    case = read(folder).case
    heights, grid = ct.heights, case.volume.grid
    shared = [k for k, w in enumerate(grid.plane_positions_mm) if np.abs(heights - w).min() < 0.005]
    assert {0, grid.size[2] - 1} <= set(shared)
    for k, section in case.lesions[0].contours.sections.items():
        off = abs(grid.plane_positions_mm[k] - CENTRE[2])
        # A flat end goes on for half a gap, and no circle is as large there.
        circle = max(0.0, math.pi * (RADIUS**2 - off**2))
        if RADIUS - off < 3.0:
            continue
        assert section.area == pytest.approx(circle, rel=0.06, abs=8.0), k


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
    """The grid runs along the table, and mirrored in its middle plane the head covers itself."""
    scan = read_scan(unpacked(f"tilted-ct/{archive}.tar.xz"), ReadOptions(resample=True), load_roles())
    assert np.allclose(np.abs(scan.volume.grid.axes), np.eye(3), atol=1e-6)
    (told,) = [one for one in scan.findings if one.code == "CT_RESAMPLED"]
    assert "leans by 18.5 degrees" in told.message
    bone = scan.volume.hu > 500
    middle = round(float(np.argwhere(bone)[:, 2].mean()))
    reach = min(middle, bone.shape[2] - middle)
    here = bone[:, :, middle - reach : middle + reach]
    whole = here | here[:, :, ::-1]
    assert np.count_nonzero(whole) < 2.0 * np.count_nonzero(here)
