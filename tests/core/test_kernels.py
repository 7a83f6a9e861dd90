"""The compiled loops, against plain numpy and shapely, and against themselves uncompiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core import kernels
from pipeline.core.kernels import UNREACHED
from tests import oracles

Array = npt.NDArray[np.float64]

SHAPE = shapely.affinity.translate(
    MultiPolygon(
        [
            Polygon([(0, 0), (9, 1), (11, 8), (4, 5), (1, 9)], [[(3, 2), (5, 2), (4, 4)]]),
            oracles.circle(1.7, (10.0, 2.2), vertices=20).difference(oracles.rectangle(9.1, 1.2)),
        ]
    ).buffer(0),
    2.3,
    1.6,
)


def _segments(shape: shapely.Geometry) -> Array:
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(shape))]
    return np.vstack([np.hstack([ring[:-1], ring[1:]]) for ring in rings])


def _points(rows: int, columns: int) -> npt.NDArray[np.object_]:
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(shapely.points(x, y))


@pytest.mark.parametrize("compiled", [True, False])
def test_filling_is_point_in_polygon(compiled: bool) -> None:
    fill = kernels.fill_even_odd if compiled else kernels.fill_even_odd.py_func
    assert np.array_equal(fill(_segments(SHAPE), 14, 16), shapely.contains(SHAPE, _points(14, 16)))


def test_filling_on_lattice_lines_counts_each_edge_once() -> None:
    square = _segments(shapely.box(2, 3, 6, 5))
    assert kernels.fill_even_odd(square, 9, 9).sum() == 4 * 2
    beyond = _segments(shapely.box(-5, -5, 20, 20))
    assert kernels.fill_even_odd(beyond, 9, 9).all()


@pytest.mark.parametrize("compiled", [True, False])
def test_signed_distance_is_exact(compiled: bool) -> None:
    compute = kernels.signed_distance if compiled else kernels.signed_distance.py_func
    found = compute(_segments(SHAPE), 14, 16, 100.0)
    points = _points(14, 16)
    distance = shapely.distance(SHAPE.boundary, points)
    assert found == pytest.approx(np.where(shapely.contains(SHAPE, points), distance, -distance), abs=1e-5)


def test_signed_distance_is_cut_at_its_limit() -> None:
    found = kernels.signed_distance(_segments(oracles.rectangle(1, 1, (2.5, 2.5))), 30, 30, 4.0)
    assert found.min() == -4.0
    assert found[2, 2] == pytest.approx(0.5)


@pytest.mark.parametrize("compiled", [True, False])
def test_segments_in_boxes(compiled: bool) -> None:
    boxes_of, to_box, to_segments = (
        one if compiled else one.py_func for one in (kernels._boxes, kernels._to_box, kernels._to_segments)
    )
    # A staircase of 20 steps: a dozen in the first box, the rest in the second.
    x = np.arange(21.0)
    segments = np.column_stack([x[:-1], x[:-1] / 2, x[1:], x[1:] / 2])
    boxes = boxes_of(segments)
    np.testing.assert_array_equal(boxes, [[0, 0, 12, 6], [12, 6, 20, 10]])
    assert [to_box(boxes[0], *point) for point in ((5.0, 3.0), (-3.0, -4.0), (14.0, 2.0))] == [0, 25, 4]
    assert to_segments(segments, 0, 0.0, -2.0, 100.0) == pytest.approx(4.0)
    assert to_segments(segments, 1, 20.0, 13.0, 100.0) == pytest.approx(9.0)
    assert to_segments(segments, 1, 0.0, 0.0, 1.5) == 1.5, "never more than what is known already"


@pytest.mark.parametrize("compiled", [True, False])
def test_distance_to_a_segment(compiled: bool) -> None:
    squared = kernels._to_segment if compiled else kernels._to_segment.py_func
    segment = np.array([1.0, 1.0, 5.0, 1.0])
    assert squared(segment, 3.0, 4.0) == 9.0
    assert squared(segment, 8.0, 5.0) == 25.0
    assert squared(segment, -2.0, 1.0) == 9.0
    assert squared(np.array([2.0, 2.0, 2.0, 2.0]), 5.0, 6.0) == 25.0


@pytest.mark.parametrize("compiled", [True, False])
def test_along_a_line_from_the_crossing(compiled: bool) -> None:
    along = kernels.along_line if compiled else kernels.along_line.py_func
    # Inside at 2 and 3; crossings at 1.75 and 3.5.
    line = np.array([-9.0, -3.0, 1.0, 2.0, -2.0, -6.0, -7.0], dtype=np.float32)
    out = np.empty((1, 7, 1), dtype=np.float32)
    along(line.reshape(1, 7, 1), 2.0, 4.0, out)
    up = [((n - 3.5) / 2.0) ** 2 for n in (4, 5, 6)]
    down = [((1.75 - n) / 4.0) ** 2 for n in (0, 1)]
    assert out[0, :, 0] == pytest.approx([*down, 0.0, 0.0, *up])
    along(line.reshape(1, 7, 1), 2.0, 0.0, out)
    assert out[0, :2, 0].tolist() == [UNREACHED, UNREACHED]


@pytest.mark.parametrize("compiled", [True, False])
def test_one_way_only_lowers(compiled: bool) -> None:
    one_way = kernels._one_way if compiled else kernels._one_way.py_func
    line = np.array([-1.0, 1.0, -1.0, -1.0, 1.0, -1.0], dtype=np.float32)
    out = np.array([7.0, 7.0, 0.01, 7.0, 7.0, 7.0], dtype=np.float32)
    one_way(line, 1.0, out)
    assert out == pytest.approx([7.0, 0.0, 0.01, 2.25, 0.0, 0.25])


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("up, down", [(2.5, 1.2), (0.0, 3.0), (1.0, 0.0), (0.0, 0.0)])
def test_spread_is_the_least_sum(compiled: bool, up: float, down: float) -> None:
    spread = kernels.spread if compiled else kernels.spread.py_func
    rng = np.random.default_rng(3)
    source = np.where(rng.random((2, 9, 3)) < 0.5, rng.random((2, 9, 3)), UNREACHED).astype(np.float32)
    source[0, 4] = UNREACHED
    out = np.full_like(source, UNREACHED)
    spread(source, up, down, out)
    expected = np.full_like(source, UNREACHED)
    for n in range(9):
        for m in range(9):
            margin = up if n > m else down
            if n != m and margin == 0.0:
                continue
            cost = ((n - m) / margin) ** 2 if n != m else 0.0
            expected[:, n] = np.minimum(expected[:, n], source[:, m] + cost)
    reached = expected <= 1.0
    assert out[reached] == pytest.approx(expected[reached], abs=1e-5)
    assert np.all(out >= expected - 1e-5)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("up, down", [(2.5, 1.2), (0.0, 3.0), (1.0, 0.0), (0.0, 0.0)])
def test_rows_are_lines_turned(compiled: bool, up: float, down: float) -> None:
    along = kernels.along_rows if compiled else kernels.along_rows.py_func
    spread = kernels.spread_rows if compiled else kernels.spread_rows.py_func
    field = np.random.default_rng(5).normal(size=(6, 11)).astype(np.float32)
    out, turned = np.empty_like(field), np.empty((6, 11, 1), dtype=np.float32)
    along(field, up, down, out)
    kernels.along_line(field[:, :, None], up, down, turned)
    assert out == pytest.approx(turned[:, :, 0], rel=1e-4, abs=1e-5)
    source = np.where(field > 0.3, np.abs(field), UNREACHED).astype(np.float32)
    source[2] = UNREACHED
    out[:], turned[:] = UNREACHED, UNREACHED
    spread(source, up, down, out)
    kernels.spread(source[:, :, None], up, down, turned)
    assert out == pytest.approx(turned[:, :, 0], rel=1e-4, abs=1e-5)


def test_the_parts_of_the_loops_uncompiled() -> None:
    lines = np.array([[1.0], [-1.0]], dtype=np.float32)
    crossing, out = np.full(1, -1.0, dtype=np.float32), np.full(1, 9.0, dtype=np.float32)
    kernels._step.py_func(lines, 0, -1, 2.0, crossing, out)
    assert out.tolist() == [0.0]
    kernels._step.py_func(lines, 1, 2, 2.0, crossing, out)
    assert crossing.tolist() == [-1.0]
    out[:] = 9.0
    kernels._step.py_func(lines, 1, 0, 2.0, crossing, out)
    assert crossing.tolist() == [0.5]
    assert out == pytest.approx([0.0625])
    kernels._step.py_func(lines, 1, 0, 0.0, crossing, out)
    assert out == pytest.approx([0.0625])
    steps = [float(kernels._squared_step.py_func(shift, 2.0, 4.0)) for shift in (-4, 0, 4)]
    assert steps == [1.0, 0.0, 4.0]


def test_where_nothing_can_be_kept_on_disk_loops_are_compiled_all_the_same(monkeypatch) -> None:
    compile_ = kernels.numba.njit

    def njit(*, nogil: bool, cache: bool = False):
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return compile_(nogil=nogil)

    monkeypatch.setattr(kernels.numba, "njit", njit)
    twice = kernels.compiled(lambda x: 2 * x)
    assert twice(21) == 42
