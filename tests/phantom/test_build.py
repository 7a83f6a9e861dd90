import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.phantom.build import LEVELS_MM, draw_build

CARINA = (-2.0, 7.0, -140.0)


def build(seed=0, **sizes):
    sizes = {"height": None, "girth": None, **sizes}
    return draw_build(np.random.default_rng(seed), carina_mm=CARINA, **sizes)


@given(
    seed=st.integers(0, 500),
    point=st.tuples(st.floats(-180, 180), st.floats(-110, 120), st.floats(-250, 130)),
)
def test_the_map_to_the_patient_can_be_undone(seed, point):
    body = build(seed)
    x, y, z = body.to_patient([point])[0]
    back_z = body.template_z(np.array([z]))
    back_x, back_y = body.template_across(np.array([x]), np.array([y]), back_z)
    assert (back_x[0, 0], back_y[0, 0], back_z[0]) == pytest.approx(point, abs=1e-6)


@given(seed=st.integers(0, 500))
def test_patients_differ_within_bounds(seed):
    body = build(seed)
    assert 0.85 <= body.height <= 1.15
    assert 0.85 <= body.girth <= 1.15
    levels = body.to_patient([(0, 0, z) for z in LEVELS_MM])[:, 2]
    assert (np.diff(levels) > 0).all()


def test_a_stated_size_leaves_the_rest_of_the_patient_alone():
    drawn, stated = build(4), build(4, height=1.1)
    assert stated.height == 1.1
    assert (stated.girth, stated.stretch, stated.kyphosis_mm) == (
        drawn.girth,
        drawn.stretch,
        drawn.kyphosis_mm,
    )


def test_the_carina_stays_where_it_was_put():
    assert build(3).to_patient([(0, 0, 0)])[0, 2] == CARINA[2]
