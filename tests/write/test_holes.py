"""Holes by keyhole and by exclusive or: the same area for who knows them, in every patient position."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import rotate, translate
from shapely.geometry import MultiPolygon, Polygon, box

from pipeline.core.case import LesionKind
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.loops import Loop, sections_from_loops
from pipeline.core.rules import Holes
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from pipeline.write import write_rtstruct
from pipeline.write.holes import XOR, keyholed, rings_of
from tests.write.samples import AXES, context, make_grid, ring, roi, two_parts, write_ct

BODY = box(-20.0, -15.0, 25.0, 18.0)
LEFT, RIGHT, HIGH = box(-12.0, -4.0, -6.0, 5.0), box(4.0, -3.0, 9.0, 6.0), box(-5.0, 9.0, 3.0, 14.0)


def oriented(polygon: Polygon) -> Polygon:
    return shapely.orient_polygons(polygon)


def read_back(points: np.ndarray) -> MultiPolygon:
    return sections_from_loops({0: [Loop(points=points, xor=False)]}).polygons[0]


@pytest.mark.parametrize(
    "holes",
    [[], [LEFT], [RIGHT], [LEFT, RIGHT], [LEFT, RIGHT, HIGH], [box(-20.0, 0.0, -14.0, 4.0).buffer(-1e-9)]],
    ids=["none", "left", "right", "two", "three", "along the edge"],
)
def test_one_ring_with_the_area_of_shell_less_holes(holes: list[Polygon]) -> None:
    polygon = oriented(Polygon(BODY.exterior, [hole.exterior for hole in holes]))
    points = keyholed(polygon)
    assert Polygon(points).area == pytest.approx(polygon.area, abs=0.01)
    assert np.any(points != np.roll(points, 1, axis=0), axis=1).all(), "no point twice in a row"
    assert read_back(points).symmetric_difference(polygon).area == pytest.approx(0.0, abs=0.05)


def test_a_channel_goes_to_what_is_nearest() -> None:
    """The right hole is 3 mm from the middle one, and that 4 mm from the shell: no channel crosses a hole."""
    middle, far = box(17.0, -3.0, 21.0, 3.0), box(9.0, -3.0, 14.0, 3.0)
    polygon = oriented(Polygon(BODY.exterior, [far.exterior, middle.exterior]))
    ring_ = Polygon(keyholed(polygon)).exterior
    channels = ring_.length - polygon.length
    assert channels == pytest.approx(2 * (3.0 + 4.0), abs=0.01)


def test_a_hole_that_touches_the_shell_needs_no_channel() -> None:
    corner = Polygon([(-20.0, 0.0), (-15.0, -3.0), (-15.0, 3.0)])
    polygon = oriented(Polygon(BODY.exterior, [corner.exterior]))
    ring_ = Polygon(keyholed(polygon))
    assert ring_.area == pytest.approx(polygon.area, abs=1e-6)
    assert ring_.exterior.length == pytest.approx(polygon.length, abs=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.floats(1.0, 3.4)), min_size=1, max_size=12,
             unique_by=lambda cell: cell[:2]),
    st.floats(0.0, 360.0),
)  # fmt: skip
def test_any_number_of_round_holes_anywhere(cells: list[tuple[int, int, float]], turned: float) -> None:
    """Holes in a lattice of 7 mm, each in its own cell, however the whole is turned."""
    discs = [translate(shapely.Point(0, 0).buffer(r, 8), 7.0 * i + 4, 7.0 * j + 4) for i, j, r in cells]
    polygon = rotate(Polygon(box(0, 0, 44, 37).exterior, [one.exterior for one in discs]), turned, (0, 0))
    polygon = oriented(shapely.transform(polygon, lambda points: np.round(points, 3)))
    points = keyholed(polygon)
    assert Polygon(points).area == pytest.approx(polygon.area, rel=1e-4)
    assert read_back(points).symmetric_difference(polygon).area <= 1e-3 * polygon.area


def test_only_an_roi_with_holes_is_xor() -> None:
    grid = make_grid("HFS")
    assert {one.geometric_type for one in rings_of(ring(grid), Holes.XOR)} == {XOR}
    assert {one.geometric_type for one in rings_of(two_parts(grid), Holes.XOR)} == {"CLOSED_PLANAR"}
    assert len(rings_of(ring(grid), Holes.KEYHOLE)) == 2 * len(ring(grid).sections), "shell, and island"


@pytest.mark.parametrize("position", sorted(AXES))
@pytest.mark.parametrize("holes", list(Holes))
def test_our_reader_finds_the_same_structure(holes: Holes, position: str, tmp_path: Path) -> None:
    grid = make_grid(position)
    headers = write_ct(tmp_path / "ct", grid)
    shapes = {"GTV-T": ring(grid), "GTV-N": two_parts(grid)}
    rois = [roi(name, contours, "GTV") for name, contours in shapes.items()]
    write_rtstruct(tmp_path / "rs.dcm", rois, context(headers, holes=holes))
    gtv = tuple(GtvChoice(roi_name=name, kind=LesionKind.TUMOUR) for name in shapes)
    options = ReadOptions(structures=tmp_path / "rs.dcm", gtv=gtv)
    case = read_case(tmp_path / "ct", options, load_roles()).case
    for lesion in case.lesions:
        assert _apart(lesion.contours, shapes[lesion.source_roi]) <= 2e-3, lesion.source_roi


def test_the_types_that_are_written(tmp_path: Path, grid: Grid, headers: tuple[pydicom.Dataset, ...]) -> None:
    rois = [roi("CTV", ring(grid), "CTV"), roi("PTV", two_parts(grid), "PTV")]
    for holes, types in ((Holes.XOR, {XOR}), (Holes.KEYHOLE, {"CLOSED_PLANAR"})):
        path = tmp_path / f"{holes}.dcm"
        write_rtstruct(path, rois, context(headers, holes=holes))
        ctv, ptv = pydicom.dcmread(path).ROIContourSequence
        assert {str(one.ContourGeometricType) for one in ctv.ContourSequence} == types
        assert {str(one.ContourGeometricType) for one in ptv.ContourSequence} == {"CLOSED_PLANAR"}


def _apart(one: Contours, other: Contours) -> float:
    """Area by which two structures differ, as a share."""
    assert one.slices == other.slices
    differing = sum(one.sections[k].symmetric_difference(other.sections[k]).area for k in one.sections)
    return differing / sum(section.area for section in other.sections.values())
