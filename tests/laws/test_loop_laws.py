"""Laws of loops: dead ends, exclusive or and keyholes come to what plain polygons say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.loops import Loop, LoopNote, section_from_loops

Points = npt.NDArray[np.float64]


@st.composite
def stars(draw: st.DrawFn, low: float = 8.0, high: float = 14.0) -> Points:
    """A simple polygon, seen whole from the origin, with radii within limits."""
    radii = draw(st.lists(st.floats(low, high), min_size=3, max_size=24))
    turn = np.linspace(0.0, 2.0 * np.pi, len(radii), endpoint=False) + draw(st.floats(0.0, 6.3))
    return np.array(radii)[:, None] * np.c_[np.cos(turn), np.sin(turn)]


def begun(ring: Points, start: int, *, backwards: bool) -> Points:
    ring = np.roll(ring, start, axis=0)
    return ring[::-1] if backwards else ring


places = st.tuples(st.floats(-25.0, 25.0), st.floats(-25.0, 25.0))


@given(
    stars(),
    st.integers(0, 23),
    st.one_of(st.just(0.0), st.floats(0.05, 0.95)),
    st.lists(places, min_size=1, max_size=3),
    st.integers(0, 30),
    st.booleans(),
)
def test_a_dead_end_never_changes_the_area(
    ring: Points, edge: int, share: float, way: list[tuple[float, float]], start: int, backwards: bool
) -> None:
    """From a corner or from within an edge, straight or bent, wherever it leads."""
    edge %= len(ring)
    base = ring[edge] + share * (ring[(edge + 1) % len(ring)] - ring[edge])
    spike = np.vstack([base, way, way[-2::-1], base] if len(way) > 1 else [base, way, base])
    spiked = np.vstack([ring[: edge + (share > 0)], spike, ring[edge + 1 :]])
    polygon, _ = section_from_loops([Loop(points=begun(spiked, start, backwards=backwards))])
    assert polygon.area == pytest.approx(shapely.Polygon(ring).area, abs=1e-6)


@given(
    stars(),
    st.lists(st.floats(0.2, 0.97), max_size=4),
    st.permutations(range(5)),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_exclusive_or_of_nested_rings_is_even_odd(
    ring: Points, shrinks: list[float], order: list[int], backwards: list[bool]
) -> None:
    scales = np.cumprod([1.0, *shrinks])
    rings = [begun(scale * ring, 0, backwards=back) for scale, back in zip(scales, backwards, strict=False)]
    rings = [rings[k] for k in order if k < len(rings)]
    usual, told = section_from_loops([Loop(points=one) for one in rings])
    exclusive, notes = section_from_loops([Loop(points=one, xor=True) for one in rings])
    assert shapely.symmetric_difference(usual, exclusive).area == pytest.approx(0.0, abs=1e-6)
    assert notes == told


@given(
    stars(),
    stars(1.5, 3.0),
    st.tuples(st.integers(0, 23), st.integers(0, 23), st.integers(0, 50)),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_keyhole_is_the_polygon_with_the_hole(
    outer: Points, inner: Points, starts: tuple[int, int, int], backwards: tuple[bool, bool, bool]
) -> None:
    """Whatever way the rings and the whole run, wherever they begin and whatever the bridge crosses."""
    truth = shapely.Polygon(outer).difference(shapely.Polygon(inner))
    rings = [
        begun(ring, k, backwards=back)
        for ring, k, back in zip((outer, inner), starts, backwards, strict=False)
    ]
    keyhole = np.vstack([*(np.vstack([ring, ring[:1]]) for ring in rings)])
    polygon, notes = section_from_loops([Loop(points=begun(keyhole, starts[2], backwards=backwards[2]))])
    assert shapely.symmetric_difference(polygon, truth).area == pytest.approx(0.0, abs=1e-6)
    assert notes == {LoopNote.KEYHOLE: 1}
