"""Contours hold valid polygons on slices that exist."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon, box

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from tests.closed_forms import make_grid

GRID = make_grid(size=(20, 20, 5), spacing_mm=(1.0, 1.0, 3.0))
SQUARE = MultiPolygon([box(0, 0, 10, 10)])


def test_slices_ascend_and_volume_is_area_times_spacing() -> None:
    contours = Contours(grid=GRID, sections={3: SQUARE, 1: SQUARE})
    assert contours.slices == (1, 3)
    assert contours.volume_cc == pytest.approx(2 * 100.0 * 3.0 / 1000.0)
    assert not contours.is_empty


def test_a_hole_counts_off() -> None:
    ring = MultiPolygon([Polygon(box(0, 0, 10, 10).exterior, [box(2, 2, 4, 4).exterior])])
    assert Contours(grid=GRID, sections={0: ring}).volume_cc == pytest.approx(96.0 * 3.0 / 1000.0)


def test_a_single_polygon_is_taken_as_several() -> None:
    given = {0: box(0, 0, 1, 1)}
    assert isinstance(Contours(grid=GRID, sections=given).sections[0], MultiPolygon)  # type: ignore[arg-type]


def test_nothing_is_an_empty_structure() -> None:
    empty = Contours(grid=GRID, sections={})
    assert empty.is_empty
    assert empty.slices == ()
    assert empty.volume_cc == 0.0


def test_the_mapping_is_read_only() -> None:
    with pytest.raises(TypeError):
        Contours(grid=GRID, sections={0: SQUARE}).sections[1] = SQUARE  # type: ignore[index]


@pytest.mark.parametrize("k", [-1, 5])
def test_a_slice_that_the_scan_lacks_is_refused(k: int) -> None:
    with pytest.raises(GeometryError, match=rf"does not have; expected: slice 0 to 4; got: slice {k}"):
        Contours(grid=GRID, sections={k: SQUARE})


def test_invalid_and_empty_sections_are_refused() -> None:
    bow_tie = MultiPolygon([Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])])
    with pytest.raises(GeometryError, match=r"not a valid polygon; where: slice 2; got: Self-intersection"):
        Contours(grid=GRID, sections={2: bow_tie})
    with pytest.raises(GeometryError, match="got: empty"):
        Contours(grid=GRID, sections={2: MultiPolygon()})


def test_thinning_drops_points_on_lines_and_moves_none_by_more_than_the_tolerance() -> None:
    grid = make_grid(size=(60, 60, 5), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0.0, 0.0, 0.0))
    circle = shapely.Point(3.0, -2.0).buffer(12.0, quad_segs=100)
    box = shapely.box(-20.0, -20.0, -15.0, -10.0).segmentize(0.5)
    made = Contours(grid=grid, sections={1: MultiPolygon([circle, box])})
    thin = made.thinned(0.05)
    assert len(shapely.get_coordinates(thin.sections[1])) < 0.2 * len(
        shapely.get_coordinates(made.sections[1])
    )
    assert shapely.hausdorff_distance(thin.sections[1].boundary, made.sections[1].boundary) <= 0.05
    assert thin.volume_cc == pytest.approx(made.volume_cc, rel=0.005)
    assert thin.slices == made.slices
