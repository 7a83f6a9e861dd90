"""Slivers, slits and specks against areas reckoned by hand."""

from __future__ import annotations

import math

import pytest
import shapely
from shapely.geometry import MultiPolygon, box

from pipeline.core.raster import as_multipolygon
from pipeline.targets.smoothing import slits_closed, slivers_removed, specks_removed
from tests.cases import disc, grid_of

# What the polygon of a quarter circle with 8 or 16 segments lacks of its area, for radii up to 1 mm.
ROUND = 0.03
WIDE = box(0, 0, 40, 20)


def area_of(sections: dict[int, MultiPolygon]) -> float:
    return sum(section.area for section in sections.values())


def multi(*parts: shapely.Geometry) -> MultiPolygon:
    return as_multipolygon(shapely.union_all(parts))


class TestSlivers:
    @pytest.mark.parametrize("width, stays", [(0.5, False), (1.9, False), (2.1, True), (6.0, True)])
    def test_a_tongue_goes_below_two_millimetres_and_stays_above(self, width: float, stays: bool) -> None:
        tongue = box(40, 5, 60, 5 + width)
        found = slivers_removed({3: multi(WIDE, tongue)}, {}, 2.0)
        # Where it stays its end is rounded with 1 mm; where it goes a foot of less than that stays.
        left = found[3].intersection(box(41, -5, 70, 30)).area
        assert left == pytest.approx(19 * width - 2 * (1 - math.pi / 4) if stays else 0.0, abs=ROUND)

    def test_what_is_left_lies_in_what_there_was(self) -> None:
        drawn = multi(WIDE, box(40, 5, 60, 6), disc(70, 10, 3), box(0, 20, 1.5, 40), disc(50, 30, 0.9))
        found = slivers_removed({3: drawn}, {}, 2.0)[3]
        assert found.difference(drawn).area < 1e-9
        # The box, but for its corners rounded with 1 mm, and the disc of 3 mm; nothing of the rest but the
        # feet of the two tongues.
        expected = 800 - 4 * (1 - math.pi / 4) + math.pi * 9
        assert expected - ROUND - 0.05 < found.area < expected + 1.0

    def test_a_disc_of_the_width_is_all_or_nothing(self) -> None:
        assert slivers_removed({0: disc(5, 5, 0.98)}, {}, 2.0) == {}
        kept = slivers_removed({0: disc(5, 5, 1.05)}, {}, 2.0)[0]
        assert kept.area == pytest.approx(math.pi * 1.05**2, rel=0.02)

    def test_a_bridge_between_two_parts_goes_and_the_parts_stay(self) -> None:
        dumbbell = multi(box(0, 0, 20, 20), box(20, 9, 40, 10.5), box(40, 0, 60, 20))
        found = slivers_removed({0: dumbbell}, {}, 2.0)[0]
        assert len(found.geoms) == 2
        assert found.intersection(box(21, 0, 39, 20)).area == 0.0

    def test_never_what_is_kept(self) -> None:
        thin = MultiPolygon([box(40, 5, 60, 5.4)])
        found = slivers_removed({3: multi(WIDE, thin), 4: thin}, {3: thin, 4: thin, 9: thin}, 2.0)
        assert sorted(found) == [3, 4]
        for k in found:
            assert thin.difference(found[k]).area < 1e-9
        assert found[4].area == pytest.approx(thin.area, abs=1e-9)

    def test_a_width_of_nothing_takes_nothing(self) -> None:
        drawn = multi(WIDE, box(40, 5, 60, 5.1))
        assert slivers_removed({3: drawn}, {}, 0.0)[3].symmetric_difference(drawn).area < 1e-9


class TestSlits:
    @pytest.mark.parametrize("gap, closed", [(0.3, True), (0.95, True), (1.05, False), (3.0, False)])
    def test_a_gap_closes_below_its_width_and_stays_above(self, gap: float, closed: bool) -> None:
        drawn = MultiPolygon([box(0, 0, 20, 10), box(20 + gap, 0, 40, 10)])
        found = slits_closed({7: drawn}, 1.0)[7]
        # Closed but for the mouths at both ends: a disc of 1 mm dips into them by r - sqrt(r2 - (gap / 2)2).
        dips = 2 * gap * (0.5 - math.sqrt(0.25 - gap**2 / 4)) if closed else 0.0
        if closed:
            assert len(found.geoms) == 1
            assert gap * 10 - dips - ROUND <= found.area - drawn.area <= gap * 10
        else:
            assert found.area == pytest.approx(drawn.area, abs=1e-6)

    def test_growth_is_within_half_the_width_and_only_in_notches(self) -> None:
        corner = MultiPolygon([box(0, 0, 30, 10).union(box(0, 0, 10, 30))])
        found = slits_closed({0: corner}, 1.0)[0]
        assert corner.buffer(0.5).covers(found)
        assert corner.convex_hull.buffer(1e-6).covers(found)
        # One corner that turns inward, rounded with a radius of half the width.
        assert found.area - corner.area == pytest.approx(0.25 * (1 - math.pi / 4), abs=0.005)
        for convex in (MultiPolygon([WIDE]), disc(3, 4, 12)):
            grown = slits_closed({0: convex}, 1.0)[0]
            assert grown.difference(convex).area < 1e-6
            assert convex.difference(grown).area == 0.0

    def test_a_hole_narrower_than_the_width_closes(self) -> None:
        drawn = multi(WIDE.difference(box(5, 5, 15, 5.8)).difference(box(25, 5, 30, 10)))
        found = slits_closed({0: drawn}, 1.0)[0]
        (part,) = found.geoms
        (hole,) = part.interiors
        # The wide hole keeps its size but for its corners.
        assert shapely.Polygon(hole).area == pytest.approx(25 - 4 * 0.25 * (1 - math.pi / 4), abs=0.02)


class TestSpecks:
    GRID = grid_of(spacing=(1.0, 1.0, 2.0))

    def test_what_hangs_together_over_slices_counts_as_one(self) -> None:
        # 20 mm2 on 2 mm are 0.04 cc a slice: five of them are 0.2 cc, four are not.
        small = MultiPolygon([box(0, 0, 5, 4)])
        apart = MultiPolygon([box(30, 30, 35, 34)])
        enough = dict.fromkeys(range(5), small)
        too_few = dict.fromkeys(range(8, 12), small)
        beside = dict.fromkeys(range(2, 6), apart)
        sections = {
            k: multi(*(s[k] for s in (enough, too_few, beside) if k in s))
            for k in sorted({*enough, *too_few, *beside})
        }
        found = specks_removed(sections, {}, 0.2, self.GRID)
        assert sorted(found) == [0, 1, 2, 3, 4]
        assert area_of(found) == pytest.approx(5 * 20)

    def test_parts_that_part_and_meet_again_are_one(self) -> None:
        fork = {
            0: MultiPolygon([box(0, 0, 30, 2)]),
            1: MultiPolygon([box(0, 0, 2, 2), box(28, 0, 30, 2)]),
            2: MultiPolygon([box(0, 0, 2, 2), box(28, 0, 30, 2)]),
            3: MultiPolygon([box(0, 0, 30, 2)]),
        }
        whole = area_of(fork) * 2 / 1000
        assert specks_removed(fork, {}, whole - 1e-9, self.GRID).keys() == fork.keys()
        assert specks_removed(fork, {}, whole + 1e-3, self.GRID) == {}

    def test_a_gap_of_one_slice_parts_them(self) -> None:
        small = MultiPolygon([box(0, 0, 5, 4)])
        assert specks_removed(dict.fromkeys((0, 1, 2, 4, 5, 6), small), {}, 0.2, self.GRID) == {}

    def test_never_what_meets_a_gtv(self) -> None:
        small = MultiPolygon([box(0, 0, 5, 4)])
        sections = {4: small, 5: small, 9: small}
        found = specks_removed(sections, {5: disc(1, 1, 0.5), 9: disc(30, 30, 1)}, 0.2, self.GRID)
        assert sorted(found) == [4, 5]
