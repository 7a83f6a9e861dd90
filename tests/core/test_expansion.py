"""Growing, shrinking and joining solids, the cases that closed_forms does not hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.expansion import contract, difference, expand, grown_within, intersection, union
from pipeline.core.lattice import Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid, solid_from_contours
from tests import oracles
from tests.closed_forms import make_grid

GRID = make_grid(size=(110, 100, 40), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0.4, 0.7, -200.0))
W = GRID.plane_positions_mm
A, B = oracles.circle(6.0, (-12.0, 0.1)), oracles.circle(5.0, (12.0, 3.2))
UNEQUAL = Margin(left=6.0, right=8.0, anterior=7.0, posterior=5.0, superior=13.0, inferior=11.0)

Prism = tuple[Polygon, range]


def _stack(sections: Mapping[int, Sequence[Polygon]]) -> Contours:
    return Contours(grid=GRID, sections={k: MultiPolygon(list(v)) for k, v in sections.items()})


def _prisms(*prisms: Prism) -> Contours:
    every = sorted({k for _, slices in prisms for k in slices})
    return _stack({k: [polygon for polygon, slices in prisms if k in slices] for k in every})


def _z_range(slices: range) -> tuple[float, float]:
    return float(W[slices[0]] - 1.5), float(W[slices[-1]] + 1.5)


def _truth(prisms: Sequence[Prism], margins: Sequence[Margin]) -> dict[int, BaseGeometry]:
    axes = [margin.as_tuple() for margin in margins]
    found = {
        k: shapely.union_all(
            [oracles.prism_section(polygon, _z_range(slices), axes, float(w)) for polygon, slices in prisms]
        )
        for k, w in enumerate(W)
    }
    return {k: section for k, section in found.items() if section.area > 0}


def _assert_close(solid: Solid, truth: Mapping[int, BaseGeometry], *, percent: float) -> None:
    measured = solid.contours().sections
    assert set(measured) == set(truth)
    expected = sum(section.area for section in truth.values())
    assert sum(section.area for section in measured.values()) == pytest.approx(expected, rel=percent / 100.0)
    missed = sum(measured[k].symmetric_difference(truth[k]).area for k in truth)
    assert missed < 2.5 * percent / 100.0 * expected


@pytest.mark.parametrize("margins", [(Margin.uniform(5.0),), (UNEQUAL,), (UNEQUAL, Margin.uniform(5.0))])
def test_side_by_side_parts_that_end_on_different_slices(margins: tuple[Margin, ...]) -> None:
    prisms = [(A, range(10, 20)), (B, range(14, 25))]
    solid = solid_from_contours(_prisms(*prisms))
    for margin in margins:
        solid = expand(solid, margin)
    _assert_close(solid, _truth(prisms, margins), percent=0.2)


@pytest.mark.parametrize("margin_mm, holes", [(1.0, 1), (3.0, 1), (5.0, 0)])
def test_a_hole_with_an_island_closes_from_both_sides(margin_mm: float, holes: int) -> None:
    ring = Polygon(
        oracles.circle(20.0, vertices=90).exterior.coords, [oracles.circle(12.0, vertices=90).exterior.coords]
    )
    prisms = [(ring, range(17, 20)), (oracles.circle(4.0), range(17, 20))]
    grown = expand(solid_from_contours(_prisms(*prisms)), Margin.uniform(margin_mm))
    _assert_close(grown, _truth(prisms, [Margin.uniform(margin_mm)]), percent=0.5)
    section = grown.contours().sections[18]
    assert sum(len(part.interiors) for part in section.geoms) == holes


@pytest.mark.parametrize("radius", [1.0, 2.0])
def test_a_speck_on_one_slice(radius: float) -> None:
    prisms = [(oracles.circle(radius, (0.37, 0.21)), range(20, 21))]
    grown = expand(solid_from_contours(_prisms(*prisms)), Margin.uniform(5.0))
    _assert_close(grown, _truth(prisms, [Margin.uniform(5.0)]), percent=0.4)


@pytest.mark.parametrize("slices", [range(4), range(36, 40)])
def test_past_the_scans_end_the_solid_is_whole_and_the_contours_are_cut(slices: range) -> None:
    grown = expand(solid_from_contours(_prisms((A, slices))), UNEQUAL)
    _assert_close(grown, _truth([(A, slices)], [UNEQUAL]), percent=0.2)
    whole = oracles.prism_volume(A, 12.0, [UNEQUAL.as_tuple()]) / 1000.0
    assert grown.volume_cc == pytest.approx(whole, rel=0.003)
    outside = [k for k in grown.slice_sections() if not 0 <= k < 40]
    assert outside
    assert grown.contours().volume_cc < whole


@pytest.mark.parametrize("per_slice", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("margin_mm", [5.0, 12.0])
def test_a_cone_grows_along_its_normal(per_slice: float, margin_mm: float) -> None:
    slices = np.arange(15, 20)
    radii = 3.0 + per_slice * np.arange(4, -1, -1)
    grid = make_grid(size=(140, 140, 40), spacing_mm=(1.0, 1.0, 3.0))
    w = grid.plane_positions_mm
    sections = {int(k): MultiPolygon([oracles.circle(r)]) for k, r in zip(slices, radii, strict=True)}
    grown = expand(solid_from_contours(Contours(grid=grid, sections=sections)), Margin.uniform(margin_mm))
    radius = oracles.grown_radius(w[slices], radii, 3.0, margin=margin_mm, z=w)
    measured = grown.contours().sections
    assert set(measured) == set(np.flatnonzero(radius > 0))
    for k, section in measured.items():
        assert oracles.outline_distance(section, oracles.circle(radius[k])) < 0.1


def test_a_splitting_part_against_the_union_of_its_grown_planes() -> None:
    trunk, legs = (
        oracles.rectangle(14.0, 4.0),
        (oracles.circle(3.5, (-10.0, 0.0)), oracles.circle(3.5, (10.0, 0.0))),
    )
    solid = solid_from_contours(_stack({18: [trunk], 19: [trunk], 20: legs, 21: legs}), pitch_mm=0.4)
    lattice, margin = solid.lattice, Margin.uniform(4.0)
    planes = [
        (lattice.origin_mm[2] + plane * lattice.plane_pitch_mm, solid.section(plane))
        for plane in range(lattice.size[2])
        if not solid.section(plane).is_empty
    ]
    grown = expand(solid, margin).contours().sections
    for k in (17, 19, 20, 22):
        truth = oracles.union_of_grown_sections(planes, margin.as_tuple(), float(W[k]))
        assert grown[k].symmetric_difference(truth).area < 0.015 * truth.area


@pytest.mark.parametrize(
    "shape, spread_mm", [(oracles.rectangle(10.0, 8.0, (0.33, 0.41)), 0.62), (oracles.circle(8.0), 0.62)]
)
@pytest.mark.parametrize(
    "margin",
    [
        Margin(left=5, right=0, anterior=0, posterior=0, superior=0, inferior=0),
        Margin(left=5, right=0, anterior=5, posterior=5, superior=5, inferior=5),
        Margin(left=0, right=0, anterior=0, posterior=0, superior=7, inferior=0),
        Margin(left=7, right=7, anterior=0, posterior=7, superior=12.3, inferior=12.3),
    ],
    ids=str,
)
def test_a_margin_of_0_leaves_that_side_within_one_lattice_pitch(
    shape: Polygon, spread_mm: float, margin: Margin
) -> None:
    slices = range(15, 22)
    grown = expand(solid_from_contours(_prisms((shape, slices))), margin).contours().sections
    for k, truth in _truth([(shape, slices)], [margin]).items():
        assert oracles.outline_distance(grown[k], truth) < spread_mm


@pytest.mark.parametrize("shape", [oracles.rectangle(10.0, 8.0, (0.33, 0.41)), oracles.circle(8.0)])
def test_a_side_without_margin_is_not_pushed_out(shape: Polygon) -> None:
    slices = range(15, 22)
    to_the_left = Margin(left=5, right=0, anterior=0, posterior=0, superior=0, inferior=0)
    grown = expand(solid_from_contours(_prisms((shape, slices))), to_the_left).contours()
    truth = sum(section.area for section in _truth([(shape, slices)], [to_the_left]).values())
    assert sum(section.area for section in grown.sections.values()) == pytest.approx(truth, rel=0.01)


@pytest.mark.parametrize("margin_mm", [0.1, 0.3, 0.5, 1.0])
def test_margins_below_the_lattice_pitch_are_kept(margin_mm: float) -> None:
    disc, slices = oracles.circle(12.0, (0.33, 0.41)), range(15, 22)
    grown = expand(solid_from_contours(_prisms((disc, slices))), Margin.uniform(margin_mm))
    for k in slices:
        expected = oracles.circle(12.0 + margin_mm, (0.33, 0.41))
        assert oracles.outline_distance(grown.contours().sections[k], expected) < 0.15


def test_no_margin_and_nothing_to_grow_change_nothing() -> None:
    solid = solid_from_contours(_prisms((A, range(10, 12))))
    assert expand(solid, Margin.uniform(0.0)) is solid
    assert contract(solid, Margin.uniform(0.0)) is solid
    nothing = contract(solid, Margin.uniform(9.0))
    assert nothing.is_empty
    assert expand(nothing, Margin.uniform(5.0)) is nothing
    assert contract(nothing, Margin.uniform(5.0)) is nothing


@pytest.mark.slow
def test_the_largest_margin() -> None:
    grid = make_grid(size=(10, 10, 60), spacing_mm=(1.0, 1.0, 5.0))
    contours = Contours(grid=grid, sections={30: MultiPolygon([oracles.circle(20.0)])})
    wide = expand(solid_from_contours(contours, pitch_mm=1.25), Margin.uniform(100.0))
    assert wide.bounds_mm()[:4] == pytest.approx((-120.0, 120.0, -120.0, 120.0), abs=0.02)
    expected = oracles.prism_volume(oracles.circle(20.0), 5.0, [oracles.uniform(100.0)]) / 1000.0
    assert wide.volume_cc == pytest.approx(expected, rel=0.002)


def test_contracting_moves_each_side_by_its_own_margin() -> None:
    box = oracles.rectangle(15.0, 14.0, (0.3, 0.4))
    margin = Margin(left=2.0, right=5.0, anterior=3.0, posterior=1.5, superior=6.0, inferior=4.0)
    smaller = contract(solid_from_contours(_prisms((box, range(12, 24)))), margin)
    low, high = _z_range(range(12, 24))
    expected = (-14.7 + 5.0, 15.3 - 2.0, -13.6 + 3.0, 14.4 - 1.5, low + 4.0, high - 6.0)
    assert smaller.bounds_mm() == pytest.approx(expected, abs=0.02)
    truth = shapely.box(expected[0], expected[2], expected[1], expected[3])
    for k, section in smaller.contours().sections.items():
        assert expected[4] <= W[k] <= expected[5]
        assert section.area == pytest.approx(truth.area, rel=0.005)
    assert smaller.volume_cc == pytest.approx(truth.area * (expected[5] - expected[4]) / 1000.0, rel=0.01)


def test_contracting_a_cylinder() -> None:
    disc, slices = oracles.circle(15.0, (0.3, 0.4)), range(12, 24)
    smaller = contract(solid_from_contours(_prisms((disc, slices))), Margin.uniform(5.0))
    assert smaller.volume_cc == pytest.approx(math.pi * 100.0 * 26.0 / 1000.0, rel=0.005)
    back = expand(smaller, Margin.uniform(5.0))
    assert back.bounds_mm() == pytest.approx(
        solid_from_contours(_prisms((disc, slices))).bounds_mm(), abs=0.05
    )


@pytest.mark.parametrize(
    "operation, planar",
    [
        (union, shapely.union),
        (intersection, shapely.intersection),
        (difference, shapely.difference),
    ],
    ids=["union", "intersection", "difference"],
)
def test_set_operations_against_the_plane(
    operation: Callable[[Solid, Solid], Solid], planar: Callable[..., BaseGeometry]
) -> None:
    one, other = oracles.circle(12.0, (-4.0, 0.3)), oracles.circle(9.0, (6.0, 2.0))
    joined = operation(
        solid_from_contours(_prisms((one, range(10, 18))), pitch_mm=0.5),
        solid_from_contours(_prisms((other, range(12, 22))), pitch_mm=0.5),
    )
    for k in range(9, 23):
        truth = planar(one if 10 <= k < 18 else Polygon(), other if 12 <= k < 22 else Polygon())
        measured = joined.contours().sections.get(k, MultiPolygon())
        assert measured.symmetric_difference(truth).area <= 0.01 * truth.area


def test_a_flat_end_stays_flat_through_set_operations() -> None:
    tall = solid_from_contours(_prisms((A, range(10, 20))), pitch_mm=0.5)
    short = solid_from_contours(_prisms((A.buffer(4.0), range(8, 14))), pitch_mm=0.5)
    rest = difference(tall, short)
    # What a flat end is cut off from ends within the plane next to it.
    assert W[13] + 1.5 <= rest.bounds_mm()[4] <= W[13] + 1.5 + rest.lattice.plane_pitch_mm
    height = rest.volume_cc * 1000.0 / A.area
    assert 18.0 - rest.lattice.plane_pitch_mm <= height <= 18.05
    assert intersection(tall, short).volume_cc == pytest.approx(A.area * 12.0 / 1000.0, rel=0.01)


def test_solids_of_different_pitch_do_not_meet() -> None:
    one, other = (solid_from_contours(_prisms((A, range(10, 12))), pitch_mm=p) for p in (0.4, 0.5))
    for operation in (union, intersection, difference):
        with pytest.raises(GeometryError, match="different lattices"):
            operation(one, other)


def test_a_flat_end_beside_a_part_that_goes_on_ends_on_its_plane() -> None:
    far = oracles.circle(5.0, (32.0, 0.0))  # brings the other part's columns into the lattice
    longer = solid_from_contours(_prisms((A, range(10, 20)), (far, range(10, 20))), pitch_mm=0.6)
    ending = solid_from_contours(_prisms((B, range(10, 14))), pitch_mm=0.6)
    for together in (
        union(longer, ending),
        solid_from_contours(_prisms((A, range(10, 20)), (B, range(10, 14)))),
    ):
        u = round((12.0 - together.lattice.origin_mm[0]) / together.lattice.pitch_mm)
        v = round((3.2 - together.lattice.origin_mm[1]) / together.lattice.pitch_mm)
        column = together.field[:, v, u]
        last = int(np.flatnonzero(column > 0).max())
        end = last + column[last] / (column[last] - column[last + 1])
        height = together.lattice.origin_mm[2] + end * together.lattice.plane_pitch_mm
        assert height == pytest.approx(W[13] + 1.5, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.tuples(*(st.just(0.0) | st.floats(0.5, 4.0) for _ in range(6))))
def test_growing_within_a_lattice_is_growing_where_the_margin_fits(
    seed: int, lengths: tuple[float, ...]
) -> None:
    left, right, posterior, anterior, superior, inferior = lengths
    margin = Margin(
        left=left,
        right=right,
        posterior=posterior,
        anterior=anterior,
        superior=superior,
        inferior=inferior,
    )
    grid = make_grid(size=(40, 40, 12), spacing_mm=(1.0, 1.0, 3.0))
    window = Lattice(grid=grid, pitch_mm=1.0, steps_per_slice=2, start=(-3, -3, 6), size=(6, 6, 4))
    outer = window.padded(margin.mirrored())
    # Not closed at the border of the lattice: what is asked of the window must not depend on it.
    field = np.random.default_rng(seed).normal(-0.8, 1.0, outer.shape).astype(np.float32)
    if margin.largest == 0.0:
        return
    whole = expand(Solid(lattice=outer, field=field), margin)
    found = grown_within(field, outer, margin)[window.offset_in(outer)]
    wanted = whole.field[window.offset_in(whole.lattice)]
    assert np.array_equal(found > 0, wanted > 0)
    near = np.abs(wanted) < 0.9 * min(length for length in lengths if length > 0)
    assert found[near] == pytest.approx(wanted[near], abs=1e-5)
