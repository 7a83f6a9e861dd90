"""Grown prisms and spheres against their exact Minkowski sums, contours in to contours out."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid, solid_from_contours
from tests import oracles
from tests.closed_forms import CASES, PTV, PrismCase, judge, make_grid


@lru_cache(maxsize=2)
def _grown(case: PrismCase) -> dict[str, Solid]:
    gtv = solid_from_contours(case.contours())
    ctv = expand(gtv, case.ctv)
    return {"GTV": gtv, "PGTV": expand(gtv, Margin.uniform(5.0)), "CTV": ctv, "PTV": expand(ctv, PTV)}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_prisms_keep_area_outline_and_end_slices(case: PrismCase) -> None:
    for target, solid in _grown(case).items():
        errors = judge(case, target, solid.contours().sections)
        assert abs(errors.volume_percent) < 1.0, (target, errors)
        assert errors.outline_mm < 0.5, (target, errors)
        assert errors.wrong_slices == (), (target, errors)


@pytest.mark.parametrize("name", ["node-5mm-on-3mm", "cylinder-20mm-on-2.5mm-hfdr", "unequal-opposites-hfdl"])
def test_round_lesions_are_far_better_than_the_tolerance(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    for target, solid in _grown(case).items():
        errors = judge(case, target, solid.contours().sections)
        assert abs(errors.volume_percent) < 0.15, (target, errors)
        assert errors.outline_mm < 0.03, (target, errors)


# Half a slice and the margin together are whole slices: the truth just touches a slice plane. Common: 5 mm
# slices with 12.5 mm, 2 mm slices with 5 mm. The closed solid meets that slice in its own outline.
@pytest.mark.parametrize(
    "spacing, margin",
    [
        (5.0, Margin.axial(horizontal=7.0, craniocaudal=12.5)),
        (2.0, Margin.uniform(5.0)),
        (1.0, Margin.axial(horizontal=6.0, craniocaudal=12.5)),
        (4.0, Margin.axial(horizontal=8.0, craniocaudal=10.0)),
    ],
)
@pytest.mark.parametrize("half", [6.0, (20.0, 9.0)])
def test_an_expansion_that_ends_exactly_on_a_slice_is_drawn_there(
    spacing: float, margin: Margin, half: float | tuple[float, float]
) -> None:
    case = PrismCase(
        name="tie",
        half_mm=half,
        planes=2,
        spacing_mm=(1.0, 1.0, spacing),
        ctv=margin,
        centre_mm=(0.3, 0.2, -640.33),
    )
    sections = expand(solid_from_contours(case.contours()), margin).contours().sections
    lesion = case.lesion_slices()
    beyond = round((spacing / 2.0 + margin.superior) / spacing)
    assert (min(sections), max(sections)) == (lesion[0] - beyond, lesion[-1] + beyond)
    for end in (min(sections), max(sections)):
        assert sections[end].area == pytest.approx(case.outline().area, rel=0.02)


def test_a_slice_just_past_the_end_stays_empty() -> None:
    case = PrismCase(
        name="past",
        half_mm=(15.0, 12.0),
        planes=2,
        spacing_mm=(1.0, 1.0, 2.013),
        ctv=Margin.uniform(5.0),
    )
    slices = expand(solid_from_contours(case.contours()), case.ctv).contours().slices
    lesion = case.lesion_slices()
    assert (slices[0], slices[-1]) == (lesion[0] - 2, lesion[-1] + 2), "the tip is 0.033 mm below the third"


# The solid of a sphere's contours on 3 mm slices (a plane through the centre, flat ends), grown.
@pytest.mark.parametrize("radius", [5.0, 15.0])
@pytest.mark.parametrize("offset", [0.0, 1.1])
@pytest.mark.parametrize("margin_mm", [5.0, 12.0])
def test_grown_contour_stack_of_a_sphere(radius: float, offset: float, margin_mm: float) -> None:
    grid = make_grid(size=(70, 64, 31), spacing_mm=(1.0, 1.0, 3.0), centre_mm=(0.2, 0.3, offset))
    z = np.array(grid.plane_positions_mm)
    drawn = np.flatnonzero(np.abs(z) < radius - 0.05)
    radii = np.sqrt(radius**2 - z[drawn] ** 2)
    contours = Contours(
        grid=grid,
        sections={
            int(k): MultiPolygon([oracles.circle(r, vertices=720)]) for k, r in zip(drawn, radii, strict=True)
        },
    )
    measured = expand(solid_from_contours(contours), Margin.uniform(margin_mm)).contours()
    truth = oracles.grown_radius(z[drawn], radii, 3.0, margin=margin_mm, z=z)
    assert measured.volume_cc * 1000.0 == pytest.approx((np.pi * truth**2).sum() * 3.0, rel=0.005)
    for k in measured.slices:
        section = measured.sections[k]
        assert oracles.outline_distance(section, oracles.circle(truth[k], vertices=720)) < 0.1


def test_what_a_sphere_on_3mm_slices_differs_from_the_ideal_one() -> None:
    # The figures of the documentation: how much larger the contour stack with flat ends comes out.
    def excess(radius: float, offset: float) -> float:
        planes = np.arange(-30.0, 31.0, 3.0) + offset
        drawn = planes[np.abs(planes) < radius - 0.05]
        radii = np.sqrt(radius**2 - drawn**2)
        truth = oracles.grown_radius(drawn, radii, 3.0, margin=5.0, z=planes)
        ideal = 4.0 / 3.0 * np.pi * (radius + 5.0) ** 3
        return float(100.0 * ((np.pi * truth**2).sum() * 3.0 / ideal - 1.0))

    offsets = (0.0, 0.5, 1.0, 1.5)
    small, large = ([excess(radius, offset) for offset in offsets] for radius in (5.0, 15.0))
    assert [round(value, 1) for value in small] == [13.0, 12.3, 10.3, 7.8]
    assert [round(value, 1) for value in large] == [3.3, 1.9, 2.4, 2.6]
