from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import GeometryError
from pipeline.phantom.shapes import (
    All,
    AnyOf,
    Box,
    Column,
    Ellipsoid,
    HalfSpace,
    Tube,
    above,
    below,
    mirrored,
)

AXIS = np.arange(-30.0, 30.1, 0.5) + 0.13  # off the shapes' own corners
STEP = 0.125  # cubic millimetres of one sample


def sampled(shape, axis=AXIS):
    x, y, z = axis[None, None, :], axis[None, :, None], axis[:, None, None]
    found = shape.inside(*(np.asarray(a, dtype=np.float32) for a in (x, y, z)))
    return np.broadcast_to(found, (len(axis),) * 3)


COLUMN = Column(knots=((-20, 1, 2, 8, 6, 7, 5), (20, 1, 2, 8, 6, 7, 5)))
BENT = Tube(knots=((-10, 0, -10), (0, 5, 0), (12, 0, 8)), radius_mm=(4.0, 3.0, 5.0))
BALL = Ellipsoid(centre=(1, -2, 3), axes_mm=(12, 6, 8), along=(1, 1, 0.5))
SHAPES = {
    "column": COLUMN,
    "tube": BENT,
    "ellipsoid": BALL,
    "box": Box(bounds=((-5, -6, -7), (5, 6, 7))),
    "all": All(of=(BALL, above(0.0)), without=(BENT,)),
    "any": AnyOf(of=(BALL, BENT)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_lies_outside_the_bounds(name):
    shape = SHAPES[name]
    k, j, i = np.nonzero(sampled(shape))
    assert len(k) > 500
    points = np.stack([AXIS[i], AXIS[j], AXIS[k]], axis=1)
    low, high = np.array(shape.bounds)
    assert (points >= low - 1e-4).all()
    assert (points <= high + 1e-4).all()


def test_volumes_are_those_of_the_formulas():
    ellipse = np.pi * (8 + 6) / 2 * (7 + 5) / 2 * 40  # four quarter ellipses
    assert sampled(COLUMN).sum() * STEP == pytest.approx(ellipse, rel=0.02)
    assert sampled(BALL).sum() * STEP == pytest.approx(4 / 3 * np.pi * 12 * 6 * 8, rel=0.02)
    straight = Tube(knots=((0, 0, -10), (0, 0, 10)), radius_mm=5.0)
    assert sampled(straight).sum() * STEP == pytest.approx(np.pi * 25 * 20 + 4 / 3 * np.pi * 125, rel=0.02)


def test_a_column_takes_left_and_front_by_patient_directions():
    mask = sampled(COLUMN)
    _, j, i = np.nonzero(mask)
    assert AXIS[i].max() == pytest.approx(1 + 8, abs=0.6)
    assert AXIS[i].min() == pytest.approx(1 - 6, abs=0.6)
    assert AXIS[j].min() == pytest.approx(2 - 7, abs=0.6)
    assert AXIS[j].max() == pytest.approx(2 + 5, abs=0.6)


def test_a_tube_knows_its_ends_and_its_section():
    k = np.nonzero(sampled(BENT))[0]
    assert AXIS[k].min() == pytest.approx(BENT.lowest[2], abs=0.6)
    assert AXIS[k].max() == pytest.approx(BENT.highest[2], abs=0.6)


def test_an_arch_knows_where_its_section_grows_large():
    arch = Tube(knots=((-15, 0, -10), (-8, 0, 1), (0, 2, 4), (8, 0, 1), (15, 0, -10)), radius_mm=6.0)
    x, y, z = arch.top_with_area(60.0)
    assert arch.highest[:2] == (x, y)
    fine = np.arange(-20, 20, 0.1, dtype=np.float32)
    section = arch.inside(fine[None, None, :], fine[None, :, None], np.full((1, 1, 1), z, dtype=np.float32))
    assert section.sum() * 0.01 == pytest.approx(60, rel=0.1)


def test_a_section_that_a_tube_never_has_is_an_error():
    with pytest.raises(GeometryError, match="no section of that area near the top of a tube; got: 9000 mm2"):
        BENT.top_with_area(9000)


def test_half_spaces_bound_only_along_axes():
    assert above(4.0).bounds[0][2] == 4.0
    assert below(-3.0).bounds[1][2] == -3.0
    slanted = HalfSpace(normal=(1, 1, 0), offset=0)
    assert slanted.bounds[0][0] < -1000


@pytest.mark.slow
def test_set_operations():
    both, either = sampled(All(of=(BALL, BENT))), sampled(AnyOf(of=(BALL, BENT)))
    np.testing.assert_array_equal(both, sampled(BALL) & sampled(BENT))
    np.testing.assert_array_equal(either, sampled(BALL) | sampled(BENT))
    np.testing.assert_array_equal(sampled(All(of=(BALL,), without=(BENT,))), sampled(BALL) & ~sampled(BENT))


@given(st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=1, max_size=5))
def test_mirroring_twice_is_nothing(points):
    assert mirrored(mirrored(points)) == tuple(points)
    assert all(a[0] == -b[0] for a, b in zip(points, mirrored(points), strict=True))


@pytest.mark.parametrize("mm", [-1.0, 2.0])
def test_a_grown_tube_has_another_radius(mm):
    assert BENT.grown(mm).lowest[2] == pytest.approx(BENT.lowest[2] - mm, abs=0.5)


def test_every_corner_of_a_box_is_its_own():
    box = SHAPES["box"]
    for corner in product((-4.9, 4.9), (-5.9, 5.9), (-6.9, 6.9)):
        assert box.inside(*(np.array(value, dtype=np.float32) for value in corner))
