"""Parts that a lattice may miss gain half a pitch, and nothing else does."""

from __future__ import annotations

import pytest
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.thin import widened_where_thin
from tests.closed_forms import make_grid

PITCH = 0.8
BODY = shapely.box(-10.0, -8.0, 10.0, 8.0)


def contours(*parts: shapely.Polygon) -> Contours:
    joined = shapely.union_all(parts)
    return Contours(grid=make_grid(), sections={3: MultiPolygon(shapely.get_parts(joined).tolist())})


def test_what_is_wide_enough_stays_as_it_is() -> None:
    drawn = contours(BODY, shapely.box(10.0, -1.0, 16.0, 1.0))
    assert widened_where_thin(drawn, PITCH) is drawn


def test_a_spur_gains_half_a_pitch_on_either_side() -> None:
    spur = shapely.box(10.0, 2.0, 18.0, 2.6)
    wide = widened_where_thin(contours(BODY, spur), PITCH).sections[3]
    middle = shapely.box(12.0, -8.0, 16.0, 8.0).intersection(wide)
    assert middle.bounds == pytest.approx((12.0, 2.0 - PITCH / 2, 16.0, 2.6 + PITCH / 2), abs=0.01)
    assert wide.covers(BODY)
    beyond = wide.difference(spur.buffer(PITCH / 2 + 0.01)).difference(BODY)
    assert beyond.area == pytest.approx(0.0, abs=1e-6)


def test_other_slices_stay() -> None:
    drawn = contours(BODY, shapely.box(10.0, 2.0, 18.0, 2.6))
    both = Contours(grid=drawn.grid, sections={**drawn.sections, 5: MultiPolygon([BODY])})
    widened = widened_where_thin(both, PITCH)
    assert widened.sections[5].equals(MultiPolygon([BODY]))
    assert not widened.sections[3].equals(both.sections[3])
