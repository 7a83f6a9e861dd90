"""The region envelopes: gaps that close, gaps that do not, and the neck."""

from __future__ import annotations

import math

import pytest
import shapely
from shapely.geometry import MultiPolygon

from pipeline.targets.envelope import Envelope
from pipeline.targets.sections import height
from tests.anatomy.places import Box
from tests.targets.elective_patients import GRID, Patient

EVERYWHERE = MultiPolygon([shapely.box(-200, -200, 200, 200)])


def slice_at(w: float) -> int:
    return round((w - height(GRID, 0)) / 3.0)


def area(boxes: dict[str, Box], w: float, gap: float = 10.0, section: MultiPolygon = EVERYWHERE) -> float:
    k = slice_at(w)
    envelope = Envelope(Patient(lesions=(), boxes=boxes).stations(), gap)
    return sum(part.area for part in envelope.clipped({k: section}).values())


@pytest.mark.parametrize("gap, closed", [(4.0, True), (19.5, True), (20.5, False), (30.0, False)])
def test_gaps_up_to_twice_the_figure_close(gap: float, closed: bool) -> None:
    boxes = {"2R": ((-30, -10), (-20, 20), (0, 30)), "2L": ((-10 + gap, 10 + gap), (-20, 20), (0, 30))}
    drawn = 2 * 20 * 40
    # A disc of 10 mm dips into the two mouths of the gap, by the segment whose chord is the gap.
    half = gap / 2
    if closed:
        dip = 100 * math.asin(half / 10) - half * math.sqrt(100 - half**2)
        # The lattice of 0.5 mm cuts the corners that the disc leans on: it lies up to so much deeper.
        deeper = 2 * 0.6 * gap
        assert drawn + gap * 40 - 2 * dip - deeper - 1 < area(boxes, 1.5) < drawn + gap * 40 - 2 * dip + 1
    else:
        assert area(boxes, 1.5) == pytest.approx(drawn, rel=0.003)


def test_it_grows_into_gaps_only() -> None:
    boxes = {"2R": ((-30, -10), (-20, 20), (0, 30))}
    assert area(boxes, 1.5) == pytest.approx(800, rel=0.003)
    # The corner of two neighbours is rounded with the radius of the gap.
    boxes["2L"] = ((-10, 30), (0, 20), (0, 30))
    assert area(boxes, 1.5) == pytest.approx(800 + 800 + 100 * (1 - math.pi / 4), rel=0.004)


def test_what_is_asked_for_near_one_side_sees_what_closes_the_gap_there() -> None:
    boxes = {"2R": ((-30, -10), (-20, 20), (0, 30)), "2L": ((9, 30), (-20, 20), (0, 30))}
    small = MultiPolygon([shapely.box(-9.5, -2, -7.5, 2)])  # deep in a gap of 19 mm
    assert area(boxes, 1.5, section=small) == pytest.approx(8.0, abs=1e-6)


def test_there_is_nothing_between_stations_that_lie_above_each_other() -> None:
    boxes = {"2R": ((-30, -10), (-20, 20), (30, 60)), "7": ((-30, -10), (-20, 20), (-30, 0))}
    assert area(boxes, 15.0) == 0.0
    assert area(boxes, 1.5) == 0.0
    assert area(boxes, -1.5) > 0.0


def test_region_one_is_open_upwards_and_no_other() -> None:
    boxes = {"1R": ((-30, -10), (-20, 20), (0, 30)), "1L": ((-5, 10), (-20, 20), (0, 21))}
    both = area(boxes, 19.5)
    assert both == pytest.approx(20 * 40 + 15 * 40 + 5 * 40, rel=0.01)
    # Each room goes on by its own highest section, also beyond the scan: a lower one keeps its side open.
    for w in (28.5, 31.5, 60.0, 150.0):
        assert area(boxes, w) == pytest.approx(both, rel=0.004)
    assert area(boxes, -1.5) == 0.0
    assert area({"2R": boxes["1R"]}, 31.5) == 0.0
    assert area({}, 31.5) == 0.0


def test_the_neck_is_found_on_slices_in_the_opposite_order() -> None:
    boxes = {"1R": ((-30, -10), (-20, 20), (0, 30))}
    patient = Patient(lesions=(), boxes=boxes, position="FFS")
    envelope = Envelope(patient.stations(), 10.0)
    found = envelope.clipped(dict.fromkeys(range(-5, 65), EVERYWHERE))
    levels = sorted(round(height(patient.grid, k), 3) for k in found)
    assert levels[0] == 1.5
    assert levels[-1] == pytest.approx(103.5)
