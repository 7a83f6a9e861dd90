"""Contour stacks as solids: the convention between and beyond slices, sections, volume, extents."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.rules import Ends
from pipeline.core.solid import FAR, Solid, default_pitch_mm, solid_from_contours
from tests import oracles
from tests.closed_forms import make_grid

GRID = make_grid(size=(90, 80, 40), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0.4, 0.7, -200.0))
W = GRID.plane_positions_mm
A, B = oracles.circle(6.0, (-12.0, 0.1)), oracles.circle(5.0, (12.0, 3.2))


def _stack(sections: Mapping[int, Polygon | tuple[Polygon, ...]]) -> Contours:
    parts = {k: value if isinstance(value, tuple) else (value,) for k, value in sections.items()}
    return Contours(grid=GRID, sections={k: MultiPolygon(list(v)) for k, v in parts.items()})


def _at(solid: Solid, w: float) -> MultiPolygon:
    """The section at a height that is a lattice plane."""
    plane = (w - solid.lattice.origin_mm[2]) / solid.lattice.plane_pitch_mm
    assert plane == pytest.approx(round(plane), abs=1e-6)
    return solid.section(round(plane))


def test_contours_come_back_from_their_solid() -> None:
    ring = Polygon(oracles.circle(18.0).exterior.coords, [oracles.circle(11.0, (1.0, 0.5)).exterior.coords])
    island = oracles.circle(4.0, (0.2, 0.3))
    contours = _stack({15: (ring, island), 16: (ring, island), 17: (A, B)})
    back = solid_from_contours(contours).contours()
    assert back.slices == (15, 16, 17)
    for k, section in contours.sections.items():
        assert oracles.outline_distance(back.sections[k], section) < 0.02
        assert [len(p.interiors) for p in back.sections[k].geoms].count(1) == (k < 17)


def test_half_a_slice_beyond_the_ends() -> None:
    solid = solid_from_contours(_stack({15: A, 16: A}))
    assert _at(solid, W[16] + 1.5).area == pytest.approx(A.area, rel=0.002)
    assert _at(solid, W[16] + 1.5 + solid.lattice.plane_pitch_mm).is_empty
    assert solid.bounds_mm() == pytest.approx((-18.0, -6.0, -5.9, 6.1, W[15] - 1.5, W[16] + 1.5), abs=0.02)
    assert solid.volume_cc == pytest.approx(A.area * 6.0 / 1000.0, rel=0.002)


def test_tapered_ends_shrink_to_the_innermost_point() -> None:
    solid = solid_from_contours(_stack({15: A, 16: A}), ends=Ends.TAPERED)
    assert _at(solid, W[16]).area == pytest.approx(A.area, rel=0.002)
    halfway = oracles.circle(3.0)
    steps = solid.lattice.steps_per_slice
    assert steps % 4 == 0, "a plane lies a quarter of a slice above"
    assert _at(solid, W[16] + 0.75).area == pytest.approx(halfway.area, rel=0.05)
    cone = A.area * 1.5 / 3.0
    assert solid.volume_cc == pytest.approx((A.area * 3.0 + 2 * cone) / 1000.0, rel=0.02)


def test_linear_between_slices() -> None:
    small = oracles.circle(3.0, (-12.0, 0.1))
    solid = solid_from_contours(_stack({15: A, 16: small}))
    middle = _at(solid, (W[15] + W[16]) / 2)
    assert oracles.outline_distance(middle, oracles.circle(4.5, (-12.0, 0.1))) < 0.02


@pytest.mark.parametrize("empty, bridged", [(1, True), (2, True), (3, False), (4, False)])
def test_up_to_two_empty_slices_are_bridged(empty: int, bridged: bool) -> None:
    solid = solid_from_contours(_stack({10: A, 11: A, 12 + empty: A}))
    slices = solid.contours().slices
    between = tuple(range(12, 12 + empty))
    assert slices == (10, 11, *(between if bridged else ()), 12 + empty)


def test_side_by_side_parts_end_each_on_their_own_slice() -> None:
    solid = solid_from_contours(_stack({10: A, 11: (A, B), 12: (A, B), 13: B}))
    top, step = _at(solid, W[12] + 1.5), solid.lattice.plane_pitch_mm
    assert oracles.outline_distance(top, MultiPolygon([A, B])) < 0.02
    assert oracles.outline_distance(_at(solid, W[12] + 1.5 + step), B) < 0.02
    assert oracles.outline_distance(_at(solid, W[11] - 1.5 - step), A) < 0.02
    assert solid.volume_cc == pytest.approx((3 * A.area + 3 * B.area) * 3.0 / 1000.0, rel=0.003)


def test_a_part_that_splits_stays_connected() -> None:
    trunk = oracles.rectangle(18.0, 4.0)
    legs = (oracles.circle(4.0, (-13.0, 0.0)), oracles.circle(4.0, (13.0, 0.0)))
    solid = solid_from_contours(_stack({10: trunk, 11: trunk, 12: legs, 13: legs}))
    middle = _at(solid, W[11] + 1.5)
    assert middle.area > sum(leg.area for leg in legs)
    assert _at(solid, W[12]).area == pytest.approx(sum(leg.area for leg in legs), rel=0.005)
    # The legs did not end at the fork: nothing of the trunk goes on half a slice under them.
    assert middle.area < trunk.area


def test_parts_linked_in_a_chain_are_one_group() -> None:
    below = (
        oracles.circle(4.0, (-9.0, 0.0)),
        oracles.circle(4.0, (0.0, 0.0)),
        oracles.circle(4.0, (30.0, 0.0)),
    )
    above = (oracles.rectangle(8.0, 3.0, (-4.5, 0.0)), oracles.circle(4.0, (30.0, 0.0)))
    solid = solid_from_contours(_stack({10: below, 11: above}))
    assert len(_at(solid, W[11]).geoms) == 2
    reverse = solid_from_contours(_stack({10: above, 11: below}))
    assert reverse.volume_cc == pytest.approx(solid.volume_cc, rel=1e-3)


def test_parts_that_only_touch_do_not_belong_together() -> None:
    beside = shapely.affinity.translate(oracles.rectangle(5.0, 5.0), 10.0, 0.0)
    solid = solid_from_contours(_stack({10: oracles.rectangle(5.0, 5.0), 11: beside}))
    assert solid.volume_cc == pytest.approx(2 * 100.0 * 3.0 / 1000.0, rel=0.01)


def test_shifted_discs_without_overlap_are_slabs() -> None:
    discs = {15 + n: oracles.circle(5.0, (11.0 * n - 22.0, 0.0)) for n in range(5)}
    solid = solid_from_contours(_stack(discs))
    assert solid.volume_cc == pytest.approx(5 * math.pi * 25.0 * 3.0 / 1000.0, rel=0.005)
    assert solid.contours().volume_cc == pytest.approx(solid.volume_cc, rel=0.005)


@pytest.mark.parametrize("k", [0, 39])
def test_at_the_scans_end_the_solid_goes_on_outside(k: int) -> None:
    solid = solid_from_contours(_stack({k: A}))
    assert solid.contours().slices == (k,)
    assert solid.slice_sections().keys() == {k}
    assert solid.volume_cc == pytest.approx(A.area * 3.0 / 1000.0, rel=0.003)
    low, high = solid.bounds_mm()[4:]
    assert (low, high) == pytest.approx((W[k] - 1.5, W[k] + 1.5), abs=1e-3)


def test_volume_knows_where_the_surface_lies_between_planes() -> None:
    # A cone of 20 mm: plane by plane the section shrinks strongly.
    radii = {10 + n: 20.0 - 4.0 * n for n in range(5)}
    solid = solid_from_contours(_stack({k: oracles.circle(r) for k, r in radii.items()}))
    frusta = sum(
        math.pi / 3.0 * 3.0 * (a * a + a * b + b * b)
        for a, b in zip(list(radii.values())[:-1], list(radii.values())[1:], strict=True)
    )
    ends = math.pi * 1.5 * (20.0**2 + 4.0**2)
    assert solid.volume_cc == pytest.approx((frusta + ends) / 1000.0, rel=0.003)


@pytest.mark.parametrize("radius, pitch", [(1.0, 0.25), (7.0, 0.3), (9.0, 0.4), (11.0, 0.5), (30.0, 0.6)])
def test_small_lesions_get_a_finer_lattice(radius: float, pitch: float) -> None:
    assert default_pitch_mm(_stack({10: oracles.circle(radius)})) == pitch


def test_no_section_outside_the_lattice_or_where_it_is_empty() -> None:
    solid = solid_from_contours(_stack({15: A}))
    assert solid.section(-1).is_empty
    assert solid.section(solid.lattice.size[2]).is_empty
    assert solid.section(0).is_empty


def test_an_empty_solid() -> None:
    lattice = solid_from_contours(_stack({15: A})).lattice
    empty = Solid(lattice=lattice, field=np.full(lattice.shape, FAR, dtype=np.float32))
    assert empty.is_empty
    assert empty.contours().is_empty
    assert empty.volume_cc == 0.0
    with pytest.raises(GeometryError, match="no extents"):
        empty.bounds_mm()


def test_a_solid_that_fills_its_lattice_has_the_lattices_extents() -> None:
    lattice = solid_from_contours(_stack({15: A})).lattice
    full = Solid(lattice=lattice, field=np.ones(lattice.shape, dtype=np.float32))
    low, high = full.bounds_mm()[4:]
    assert high - low == pytest.approx((lattice.size[2] - 1) * lattice.plane_pitch_mm)


def test_no_contours_and_a_wrong_field_are_refused() -> None:
    with pytest.raises(GeometryError, match="no contours to make a solid of"):
        solid_from_contours(Contours(grid=GRID, sections={}))
    lattice = solid_from_contours(_stack({15: A})).lattice
    with pytest.raises(
        GeometryError, match=r"does not fit its lattice; expected: shape .* got: shape \(1, 2, 3\)"
    ):
        Solid(lattice=lattice, field=np.zeros((1, 2, 3), dtype=np.float32))


def test_the_field_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        solid_from_contours(_stack({15: A})).field[0, 0, 0] = 1.0
