"""The compiled loops, against plain numpy and shapely, and against themselves uncompiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.core import kernels
from pipeline.core.kernels import UNREACHED

Array = npt.NDArray[np.float64]


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
