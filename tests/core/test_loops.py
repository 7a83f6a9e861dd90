"""Raw loops to polygons: each kind of dirt has a defined result."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.loops import Loop, LoopNote, section_from_loops, sections_from_loops, without_specks
from tests import oracles
from tests.cases import disc, grid_of


def square(side: float, at: tuple[float, float] = (0.0, 0.0)) -> list[tuple[float, float]]:
    """Counter-clockwise square around a point."""
    h, (x, y) = side / 2, at
    return [(x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h)]


def circle(
    radius: float, at: tuple[float, float] = (0.0, 0.0), *, clockwise: bool = False
) -> list[tuple[float, float]]:
    """120 points around a point, from the left on; a clockwise one begins there, too."""
    turn = np.linspace(0.0, 2 * np.pi, 120, endpoint=False) * (-1 if clockwise else 1)
    return [(at[0] + radius * float(np.cos(t)), at[1] + radius * float(np.sin(t))) for t in turn]


def area_of(points: list[tuple[float, float]]) -> float:
    return float(shapely.Polygon(points).area)


def loop(points: list[tuple[float, float]], *, xor: bool = False) -> Loop:
    return Loop(points=np.array(points, dtype=float).reshape(-1, 2), xor=xor)


def section(*loops: list[tuple[float, float]]) -> tuple[float, dict[LoopNote, int]]:
    polygon, notes = section_from_loops([loop(one) for one in loops])
    assert shapely.is_valid(polygon)
    return polygon.area, dict(notes)


def test_a_clean_loop_is_kept_without_a_note() -> None:
    assert section(square(10)) == (100.0, {})


def test_a_loop_closed_in_so_many_words_is_clean() -> None:
    assert section([*square(10), square(10)[0]]) == (100.0, {})


def test_repeated_points_are_dropped() -> None:
    a, b, c, d = square(10)
    assert section([a, a, b, b, b, c, d, d]) == (100.0, {LoopNote.REPEATED_POINTS: 1})


@pytest.mark.parametrize("points", [[], [(0, 0)], [(0, 0), (5, 0)], [(0, 0), (5, 0), (5, 0), (0, 0)]])
def test_loops_of_fewer_than_three_points_are_dropped(points: list[tuple[float, float]]) -> None:
    area, notes = section(points)
    assert area == 0
    assert notes[LoopNote.TOO_FEW_POINTS] == 1


def test_points_on_a_line_enclose_nothing() -> None:
    area, notes = section([(0, 0), (5, 0), (10, 0)])
    assert area == 0
    assert LoopNote.SPECK in notes


def test_duplicates_are_counted_once_whatever_their_start_and_sense() -> None:
    ring = square(10)
    assert section(ring, ring[2:] + ring[:2], ring[::-1]) == (100.0, {LoopNote.DUPLICATE: 2})


def test_loops_that_nearly_coincide_are_counted_once() -> None:
    area, notes = section(square(10), square(9.9))
    assert area == pytest.approx(100.0)
    assert notes == {LoopNote.DUPLICATE: 1}


def test_a_thin_wall_is_no_duplicate() -> None:
    area, notes = section(square(100), square(98))
    assert area == pytest.approx(100**2 - 98**2)
    assert notes == {LoopNote.THIN_WALL: 1}


def test_a_loop_inside_another_is_a_hole_and_one_inside_the_hole_an_island() -> None:
    area, notes = section(square(4), square(20), square(10))
    assert area == pytest.approx(400 - 100 + 16)
    assert notes == {LoopNote.HOLE: 1}


def test_a_hole_that_touches_the_outline_is_a_hole() -> None:
    area, _ = section(square(20), square(6, at=(7.0, 0.0)))
    assert area == pytest.approx(400 - 36)


def test_a_hole_that_sticks_out_by_rounding_is_a_hole() -> None:
    area, notes = section(square(20), square(6, at=(7.05, 0.0)))
    assert area == pytest.approx(400 - 36, abs=0.4)
    assert notes == {LoopNote.HOLE: 1}


@pytest.mark.parametrize("shift", [10.6, 11.2, 11.8])
def test_a_loop_that_sticks_out_is_joined_however_little_of_it_does(shift: float) -> None:
    # 1 to 6 % of the smaller circle's area; taken as a hole it would cost a quarter of the lesion.
    large, small = oracles.circle(20.0), oracles.circle(10.0, (shift, 0.0))
    loops = [Loop(points=np.array(one.exterior.coords)[:-1]) for one in (large, small)]
    joined, notes = section_from_loops(loops)
    assert joined.area == pytest.approx(large.union(small).area, rel=1e-6)
    assert notes == {LoopNote.OVERLAP: 1}


def test_loops_that_partly_overlap_are_joined() -> None:
    area, notes = section(square(10), square(10, at=(5.0, 0.0)))
    assert area == pytest.approx(150)
    assert notes == {LoopNote.OVERLAP: 1}


def test_a_hole_in_two_overlapping_loops_stays_a_hole() -> None:
    area, notes = section(square(20), square(20, at=(10.0, 0.0)), square(4, at=(5.0, 0.0)))
    assert area == pytest.approx(600 - 16)
    assert notes == {LoopNote.OVERLAP: 1, LoopNote.HOLE: 1}


def test_a_chain_of_overlaps_is_joined_into_one() -> None:
    polygon, notes = section_from_loops([loop(square(10, at=(x, 0.0))) for x in (0.0, 16.0, 8.0)])
    assert polygon.area == pytest.approx(260)
    assert len(polygon.geoms) == 1
    assert notes[LoopNote.OVERLAP] == 2


def test_neighbours_that_touch_are_no_overlap() -> None:
    assert section(square(10), square(10, at=(10.0, 0.0))) == (200.0, {})


def test_xor_loops_cancel_where_they_overlap() -> None:
    polygon, notes = section_from_loops(
        [loop(square(10), xor=True), loop(square(10, at=(5.0, 0.0)), xor=True)]
    )
    assert polygon.area == pytest.approx(100)
    assert notes == {}


def test_an_xor_hole_is_a_hole() -> None:
    polygon, notes = section_from_loops([loop(square(20), xor=True), loop(square(10), xor=True)])
    assert polygon.area == pytest.approx(300)
    assert notes == {LoopNote.HOLE: 1}


@pytest.mark.parametrize(
    "radius, shift, left, told",
    [
        (11.95, 0.0, area_of(circle(12)), LoopNote.DUPLICATE),
        (12.0, 0.05, area_of(circle(12)), LoopNote.DUPLICATE),
        (11.7, 0.0, area_of(circle(12)) - area_of(circle(11.7)), LoopNote.THIN_WALL),
        (12.0, 0.5, 24.0, LoopNote.THIN_WALL),  # two crescents
    ],
)
def test_an_xor_loop_drawn_again_is_told(radius: float, shift: float, left: float, told: LoopNote) -> None:
    loops = [loop(circle(12), xor=True), loop(circle(radius, at=(shift, 0.0)), xor=True)]
    polygon, notes = section_from_loops(loops)
    assert polygon.area == pytest.approx(left, abs=0.1)
    assert notes == {told: 1}


def test_an_xor_loop_leaves_the_others_alone() -> None:
    usual = [loop(circle(12)), loop(circle(12, at=(10.0, 0.0)))]
    alone, _ = section_from_loops(usual)
    polygon, notes = section_from_loops([*usual, loop(circle(3, at=(40.0, 0.0)), xor=True)])
    assert polygon.area == pytest.approx(alone.area + area_of(circle(3)))
    assert notes == {LoopNote.OVERLAP: 1}


def test_what_comes_of_xor_loops_is_joined_with_the_others() -> None:
    """The XOR hole is a hole of the XOR loop alone."""
    loops = [loop(square(20), xor=True), loop(square(10), xor=True), loop(square(12, at=(1.0, 0.0)))]
    polygon, notes = section_from_loops(loops)
    assert polygon.area == pytest.approx(400)
    assert notes == {LoopNote.HOLE: 1, LoopNote.OVERLAP: 1}


def test_an_xor_loop_on_a_usual_one_counts_once() -> None:
    polygon, notes = section_from_loops([loop(square(20)), loop(square(20), xor=True)])
    assert polygon.area == pytest.approx(400)
    assert notes == {LoopNote.DUPLICATE: 1}


@pytest.mark.parametrize("turn", [1, -1])
def test_a_keyhole_is_opened_whichever_way_its_hole_runs(turn: int) -> None:
    outer, hole = square(20), square(10)[::turn]
    start = hole[0]
    keyhole = [outer[0], *outer[1:], outer[0], start, *hole[1:], start]
    polygon, notes = section_from_loops([loop(keyhole)])
    assert polygon.area == pytest.approx(300)
    assert len(polygon.geoms[0].interiors) == 1
    assert notes == {LoopNote.KEYHOLE: 1}


def test_a_keyhole_whose_bridge_does_not_quite_close_is_opened() -> None:
    outer, hole = square(20), square(10)[::-1]
    (x, y), (a, b) = outer[0], hole[0]
    keyhole = [*outer, (x, y + 0.002), (a, b), *hole[1:], (a + 0.002, b)]
    polygon, _ = section_from_loops([loop(keyhole)])
    assert polygon.area == pytest.approx(300, abs=0.1)


@pytest.mark.parametrize("width", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("back", [1, 9])
@pytest.mark.parametrize("start", [0, 60, -1])
def test_a_keyhole_with_a_narrow_channel_is_opened(
    width: float, clockwise: bool, back: int, start: int
) -> None:
    """Both ways of the channel have points of their own, and the loop begins anywhere."""
    outer, hole = circle(12), circle(5, clockwise=clockwise)
    way = np.linspace((5.0, -width), (12.0, -width), back + 1).tolist()
    keyhole = [*outer, outer[0], *hole, *map(tuple, way)]
    polygon, notes = section_from_loops([loop([*keyhole[start:], *keyhole[:start]])])
    assert polygon.area == pytest.approx(area_of(outer) - area_of(hole), abs=0.02 + 7.0 * width)
    assert [len(part.interiors) for part in polygon.geoms] == [1]
    assert {LoopNote.KEYHOLE: 1}.items() <= notes.items()
    assert LoopNote.SPECK not in notes


def test_lines_that_run_wide_apart_are_no_channel() -> None:
    """Of one sense, and 0.3 mm apart: a pen that went around twice."""
    outer, hole = circle(12), circle(5)
    area, notes = section([*outer, outer[0], *hole, (5.0, -0.3), (12.0, -0.3)])
    assert area == pytest.approx(area_of(outer), abs=7 * 0.3)
    assert notes == {LoopNote.SELF_CROSSING: 1}


@pytest.mark.parametrize("clockwise", [(False, False, False), (True, False, True), (True, True, True)])
def test_a_loop_of_many_keyholes_is_opened(clockwise: tuple[bool, ...]) -> None:
    """One hole on the way to the next, and an island in the last."""
    first, second, island = (
        circle(r, at=(x, 0.0), clockwise=turn)
        for (r, x), turn in zip([(4, -8), (4, 4), (1.5, 4)], clockwise, strict=True)
    )
    inner = [*second, second[0], *island, island[0]]
    outer = circle(15)
    keyhole = [*outer, outer[0], *inner, second[0], *first, first[0], second[0]]
    area, notes = section(keyhole)
    assert area == pytest.approx(area_of(outer) - 2 * area_of(first) + area_of(island), abs=1e-6)
    assert notes == {LoopNote.KEYHOLE: 1}


def test_parts_joined_by_a_line_are_parts() -> None:
    left, right = square(10), square(8, at=(20.0, 0.0))
    area, notes = section([*left, left[0], *right, right[0]])
    assert area == pytest.approx(164)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_a_loop_that_goes_around_again_a_bit_further_in_is_told() -> None:
    """As two loops that leave a thin wall are."""
    area, notes = section([*circle(12), circle(12)[0], *circle(11), circle(11)[0]])
    assert area == pytest.approx(area_of(circle(12)) - area_of(circle(11)))
    assert notes == {LoopNote.THIN_WALL: 1}


@pytest.mark.parametrize("clockwise", [True, False])
def test_a_loop_that_goes_across_and_around_again_counts_once(clockwise: bool) -> None:
    ring, again = circle(12), circle(12, clockwise=clockwise)
    area, notes = section([*ring, ring[0], *again[60:], *again[:61]])
    assert area == pytest.approx(area_of(ring))
    assert notes == {LoopNote.DUPLICATE: 1}


SPIKES = [[(18.0, 0.0)], [(6.0, 0.0)], [(18.0, 0.0), (20.0, 5.0), (18.0, 0.0)], [(-18.0, 1.0)]]


@pytest.mark.parametrize("spike", SPIKES)
@pytest.mark.parametrize("start", [0, 1, 119, 240])
def test_a_loop_traced_twice_with_a_spike_keeps_its_area(
    spike: list[tuple[float, float]], start: int
) -> None:
    ring = circle(12)
    twice = [*ring, ring[0], *spike, *ring, ring[0], *spike]
    area, notes = section([*twice[start:], *twice[:start]])
    assert area == pytest.approx(area_of(ring), abs=1e-6)
    assert notes == {LoopNote.SELF_CROSSING: 1}


@pytest.mark.parametrize("spike", [(16.0, -10.0), (3.0, -5.0), (-20.0, 30.0)])
def test_a_curl_with_a_spike_tears_no_hole(spike: tuple[float, float]) -> None:
    curl = [(-10, -10), (10, -10), spike, (10, -10), (10, 10), (-2, 10), (-2, 6), (2, 6), (2, 11), (-10, 11)]
    area, notes = section(curl)
    assert area == pytest.approx(400 + 12)
    assert notes == {LoopNote.SELF_CROSSING: 1}


@pytest.mark.parametrize("back", [12.0, 11.97])
def test_a_loop_gone_around_forth_and_back_does_not_vanish(back: float) -> None:
    area, notes = section([*circle(12), circle(12)[0], *circle(back, clockwise=True)[1:]])
    assert area == pytest.approx(area_of(circle(12)), abs=0.1)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_a_spike_that_does_not_quite_close_is_no_speck() -> None:
    ring = circle(12)
    area, notes = section([ring[0], (-15.0, 0.3), (12.0, 0.02), *ring[1:]])
    assert area == pytest.approx(area_of(ring), abs=0.3)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_a_figure_of_eight_keeps_both_lobes() -> None:
    area, notes = section([(0, 0), (10, 10), (10, 0), (0, 10)])
    assert area == pytest.approx(50)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_a_curl_of_the_pen_tears_no_hole() -> None:
    # Counter-clockwise; the curl at the top is wound around twice.
    curl = [(-10, -10), (10, -10), (10, 10), (-2, 10), (-2, 6), (2, 6), (2, 11), (-10, 11)]
    polygon, notes = section_from_loops([loop(curl)])
    assert polygon.area == pytest.approx(400 + 12)
    assert all(not part.interiors for part in polygon.geoms)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_a_spike_is_cut_off() -> None:
    a, b, c, d = square(10)
    area, notes = section([a, b, (9, 0), b, c, d])
    assert area == pytest.approx(100)
    assert notes == {LoopNote.SELF_CROSSING: 1}


def test_specks_are_dropped_as_loops_and_as_holes() -> None:
    area, notes = section(square(10), square(1, at=(20.0, 0.0)), square(1))
    assert area == 100
    assert notes == {LoopNote.SPECK: 2}


def test_a_speck_that_is_left_of_a_crossing_is_dropped() -> None:
    bow = [(0, 0), (10, 10), (10, 0), (0, 0.5), (-1, 0.5), (-1, 0)]
    polygon, notes = section_from_loops([loop(bow)])
    assert len(polygon.geoms) == 1
    assert notes[LoopNote.SPECK] == 1


def test_a_small_hole_made_by_a_keyhole_is_filled() -> None:
    outer, hole = square(20), square(1)[::-1]
    polygon, notes = section_from_loops([loop([*outer, outer[0], hole[0], *hole[1:], hole[0]])])
    assert polygon.area == pytest.approx(400)
    assert notes[LoopNote.SPECK] == 1


def test_sections_keep_slices_apart_and_name_those_that_came_to_nothing() -> None:
    found = sections_from_loops(
        {7: [loop(square(1))], 3: [loop(square(10)), loop(square(10))], 5: [loop(square(4))]}
    )
    assert {k: p.area for k, p in found.polygons.items()} == {3: 100.0, 5: 16.0}
    assert found.emptied == (7,)
    assert found.totals == {LoopNote.DUPLICATE: 1, LoopNote.SPECK: 1}
    assert 5 not in found.notes


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=12),
    st.integers(0, 11),
    st.booleans(),
)
def test_start_and_sense_of_a_loop_do_not_matter(
    points: list[tuple[float, float]], start: int, backwards: bool
) -> None:
    ring = points[start % len(points) :] + points[: start % len(points)]
    ring = ring[::-1] if backwards else ring
    first, _ = section_from_loops([loop(points)])
    second, _ = section_from_loops([loop(ring)])
    assert shapely.is_valid(first)
    # Points nearer than the welding tolerance may be taken for one another.
    assert second.area == pytest.approx(first.area, abs=4.0)


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30), st.floats(2, 20)), max_size=6))
def test_any_squares_give_a_valid_section_inside_their_union(
    squares: list[tuple[float, float, float]],
) -> None:
    loops = [square(side, at=(x, y)) for x, y, side in squares]
    polygon, _ = section_from_loops([loop(one) for one in loops])
    union = shapely.union_all([shapely.Polygon(one) for one in loops])
    assert shapely.is_valid(polygon)
    assert polygon.difference(union.buffer(1e-6)).area < 1e-3


def test_contours_lose_parts_and_holes_that_are_specks() -> None:
    grid = grid_of()
    node, click = disc(20, -35, 10), disc(50, -35, 0.7)  # 1.5 mm2
    holed = MultiPolygon([node.geoms[0].difference(disc(20, -35, 0.7))])
    both = MultiPolygon([*node.geoms, *click.geoms])
    kept, dropped = without_specks(Contours(grid=grid, sections={3: click, 4: both, 5: node, 6: holed}))
    assert kept.slices == (4, 5, 6)
    assert dropped == {3: 1, 4: 1, 6: 1}
    for section_ in kept.sections.values():
        assert section_.area == pytest.approx(node.area)
    clean = Contours(grid=grid, sections={5: node})
    assert without_specks(clean) == (clean, {})
