"""The lattice: planes that meet slices, growing, joining."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.lattice import Lattice, even_steps
from pipeline.core.margin import Margin
from tests.closed_forms import make_grid


def _lattice(**changes: object) -> Lattice:
    values: dict[str, object] = {
        "grid": make_grid(size=(10, 10, 8), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0.0, 0.0, 50.0)),
        "pitch_mm": 0.5,
        "steps_per_slice": 6,
        "start": (-4, 2, 5),
        "size": (11, 12, 20),
    }
    return Lattice(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.5, 3.0, 5.0, 10.0])
@pytest.mark.parametrize("pitch", [0.25, 0.3, 0.5, 0.6, 1.0])
def test_steps_are_the_least_even_number_that_is_fine_enough(spacing: float, pitch: float) -> None:
    steps = even_steps(spacing, pitch)
    assert steps % 2 == 0
    assert spacing / steps <= pitch * (1 + 1e-6)
    assert steps == 2 or spacing / (steps - 2) > pitch


@pytest.mark.parametrize("flip_k", [False, True])
def test_planes_meet_the_slices(flip_k: bool) -> None:
    grid = make_grid(size=(10, 10, 8), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0, 0, 50.0), flip_k=flip_k)
    lattice = _lattice(grid=grid, start=(0, 0, -20))
    _, _, w0 = lattice.origin_mm
    for k, w in enumerate(grid.plane_positions_mm):
        plane = lattice.plane_of_slice(k)
        assert w0 + plane * lattice.plane_pitch_mm == pytest.approx(w)
        assert lattice.slice_of_plane(plane) == k


def test_measures() -> None:
    lattice = _lattice()
    assert lattice.shape == (20, 12, 11)
    assert lattice.pitches_mm == (0.5, 0.5, 0.5)
    assert lattice.origin_mm == pytest.approx((-2.0, 1.0, 39.5 + 2.5))


def test_padding_holds_the_margin_on_the_right_sides() -> None:
    inner = _lattice()
    outer = inner.padded(Margin(left=5, right=1, anterior=2, posterior=3, superior=4, inferior=6))
    grown_low = np.array(inner.origin_mm) - np.array(outer.origin_mm)
    assert grown_low == pytest.approx(np.array([1, 2, 6]) + 1.0)
    high = [s + n for s, n in zip(inner.start, inner.size, strict=True)]
    outer_high = [s + n for s, n in zip(outer.start, outer.size, strict=True)]
    assert [(b - a) * 0.5 for a, b in zip(high, outer_high, strict=True)] == [6.0, 4.0, 5.0]


def test_joining_holds_both() -> None:
    one, other = _lattice(), _lattice(start=(0, -3, 30), size=(3, 4, 5))
    joined = one.joined(other)
    field = np.zeros(joined.shape)
    field[one.offset_in(joined)] += 1
    field[other.offset_in(joined)] += 1
    assert field.sum() == np.prod(one.size) + np.prod(other.size)
    assert joined.start == (-4, -3, 5)


def test_other_pitches_and_grids_do_not_join() -> None:
    with pytest.raises(GeometryError, match=r"different lattices; expected: pitch 0.5 mm.*got: pitch 0.6 mm"):
        _lattice().joined(_lattice(pitch_mm=0.6))
    with pytest.raises(GeometryError, match="different lattices"):
        _lattice().joined(_lattice(grid=make_grid()))
