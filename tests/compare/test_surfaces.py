"""Distances of surfaces: closed forms, laws, and SimpleITK's distance maps."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import shapely
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from shapely.geometry import MultiPolygon

from pipeline.compare import SurfaceDistances, surface_distances
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon
from tests.cases import POSITIONS, disc, grid_of

MIDDLE = (-31.7, 12.4, 208.3)  # off the origin, and between voxels


def grid(position: str = "HFS", spacing: tuple[float, float, float] = (1.2, 0.9, 3.0)) -> Grid:
    size = tuple(round(90 / mm) for mm in spacing)
    return grid_of(position, size=size, spacing=spacing, centre=MIDDLE)


def ball(of: Grid, radius: float, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Contours:
    u, v, w = (a + b + 0.3 for a, b in zip(MIDDLE, shift, strict=True))
    sections = {}
    for k, height in enumerate(of.plane_positions_mm):
        square = radius**2 - (height - w) ** 2
        if square > 0:
            sections[k] = disc(u, v, math.sqrt(square))
    return Contours(grid=of, sections=sections)


def block(of: Grid, shift: float = 0.0) -> Contours:
    u, v, _ = MIDDLE
    section = MultiPolygon([shapely.box(u - 15 + shift, v - 10, u + 15 + shift, v + 10)])
    return Contours(grid=of, sections=dict.fromkeys(range(10, 20), section))


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [(1.2, 0.9, 3.0), (1.0, 1.0, 1.0)])
def test_a_ball_in_a_ball_lies_six_mm_inside_it(spacing) -> None:
    of = grid(spacing=spacing)
    got = surface_distances(ball(of, 18), ball(of, 24))
    # Slices cut a ball's poles off, by up to half a slice.
    for value in (got.mean_mm, got.hd95_mm, got.signed_mean_mm):
        assert value == pytest.approx(6.0, abs=0.12)
    assert got.hausdorff_mm == pytest.approx(6.0, abs=0.3)
    assert (got.one.signed_mm < 0).all(), "inside"
    assert (got.other.signed_mm > 0).all(), "outside"
    assert got.dice(5.6) < 0.1
    assert got.dice(6.4) == 1.0
    assert got.one.area_mm2.sum() == pytest.approx(4 * math.pi * 18**2, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("shift", [(5.0, 0.0, 0.0), (0.0, -3.0, 0.0), (0.0, 0.0, 6.0), (2.0, -3.0, 3.0)])
def test_a_ball_that_was_moved(shift) -> None:
    radius, moved = 20.0, float(np.linalg.norm(shift))

    def apart(cosine: float) -> float:
        """Of a point of the first ball at an angle to the shift, from the second ball."""
        return math.sqrt(radius**2 + moved**2 - 2 * radius * moved * cosine) - radius

    got = surface_distances(ball(grid(), radius), ball(grid(), radius, shift))
    assert got.mean_mm == pytest.approx(quad(lambda c: abs(apart(c)), -1, 1)[0] / 2, abs=0.1)
    assert got.signed_mean_mm == pytest.approx(quad(apart, -1, 1)[0] / 2, abs=0.06)
    assert got.hausdorff_mm == pytest.approx(moved, abs=0.3)
    # Of a ball's surface equal shares have equal cosines: 5 % lie at cosines beyond 0.95 in size.
    assert got.hd95_mm == pytest.approx(abs(apart(0.95)), abs=0.25)
    near = quad(lambda c: float(abs(apart(c)) <= 2.0), -1, 1, limit=200)[0] / 2
    assert got.dice(2.0) == pytest.approx(near, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("position", POSITIONS)
def test_the_same_patient_in_every_position(position: str) -> None:
    spacing = (1.2, 0.9, 3.0) if POSITIONS[position][0] else (0.9, 1.2, 3.0)
    shift = (4.0, -2.0, 0.0)
    whole = grid(spacing=(1.2, 0.9, 3.0))
    turned = grid_of(position, size=tuple(round(90 / mm) for mm in spacing), spacing=spacing, centre=MIDDLE)
    one, other = (surface_distances(ball(of, 14), ball(of, 17, shift)) for of in (whole, turned))
    for name in ("mean_mm", "signed_mean_mm", "hd95_mm", "hausdorff_mm"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=0.02), name


@pytest.mark.slow
@settings(max_examples=6)
@given(shift=st.floats(-20, 20))
def test_laws(shift: float) -> None:
    of = grid()
    one, other = block(of), block(of, shift)
    there, back = surface_distances(one, other, pitch_mm=1.0), surface_distances(other, one, pitch_mm=1.0)
    assert there.mean_mm == pytest.approx(back.mean_mm, abs=1e-6)
    assert there.hd95_mm == pytest.approx(back.hd95_mm, abs=1e-6)
    assert 0 <= there.mean_mm <= there.hausdorff_mm + 1e-9
    assert there.hd95_mm <= there.hausdorff_mm + 1e-9
    assert there.hausdorff_mm == pytest.approx(abs(shift), abs=0.7)  # the pitch cuts corners
    assert there.dice(0.5) <= there.dice(3.0) <= there.dice(1e3) == 1.0
    same = surface_distances(one, one)
    assert same.hausdorff_mm == pytest.approx(0.0, abs=1e-5)
    assert same.dice(0.001) == 1.0


def test_simpleitk_on_fine_voxels() -> None:
    """Its distances are those of voxel centres: half a voxel of 0.5 mm is what they may differ by."""
    of = grid(spacing=(0.5, 0.5, 1.5))
    one, other = block(of), ball(of, 15, (9.0, 3.0, -20.0))
    got = surface_distances(one, other)
    a, b = (_image(c) for c in (one, other))
    judge = sitk.HausdorffDistanceImageFilter()
    judge.Execute(a, b)
    assert got.hausdorff_mm == pytest.approx(judge.GetHausdorffDistance(), abs=1.0)
    means = []
    for mine, its in ((a, b), (b, a)):
        away = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(its, False, False, True))
        rim = sitk.GetArrayFromImage(sitk.LabelContour(mine, True)) > 0
        means.append(np.abs(away[rim]))
    assert got.mean_mm == pytest.approx(float(np.concatenate(means).mean()), abs=0.5)


def test_what_cannot_be_compared() -> None:
    of = grid()
    with pytest.raises(GeometryError, match="without contours"):
        surface_distances(block(of), Contours(grid=of, sections={}))
    elsewhere = dataclasses.replace(of, origin_mm=(1.0, 2.0, 3.0))
    with pytest.raises(GeometryError, match="two grids"):
        surface_distances(block(of), Contours(grid=elsewhere, sections=block(of).sections))
    with pytest.raises(GeometryError, match="tolerance"):
        surface_distances(block(of), block(of)).dice(-1.0)


def test_a_percentile_counts_area_not_pieces() -> None:
    got = surface_distances(block(grid()), block(grid(), 3.0))
    part = dataclasses.replace(
        got.one, signed_mm=np.array([1.0, -2.0, 3.0]), area_mm2=np.array([50.0, 44.0, 6.0])
    )
    assert [part.percentile_mm(p) for p in (0.0, 50.0, 94.0, 95.0, 100.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]
    whole = SurfaceDistances(one=part, other=part)
    assert whole.mean_mm == pytest.approx((50 + 88 + 18) / 100)
    assert whole.dice(2.0) == pytest.approx(0.94)


def _image(contours: Contours) -> sitk.Image:
    from pipeline.core.raster import contours_to_mask

    image = sitk.GetImageFromArray(contours_to_mask(contours).voxels.astype("uint8"))
    image.SetSpacing(contours.grid.spacing_mm)
    return image


@pytest.mark.parametrize("thin", [0.3, 0.7])
def test_parts_thinner_than_the_lattice_are_seen(thin: float) -> None:
    on = grid()
    one = ball(on, 12.0)
    u, v, _ = (a + 0.3 for a in MIDDLE)
    middle = sorted(one.sections)[2:6]
    spur = shapely.box(u + 11.0, v, u + 37.0, v + thin)
    other = Contours(
        grid=on,
        sections={k: as_multipolygon(s.union(spur)) if k in middle else s for k, s in one.sections.items()},
    )
    assert surface_distances(one, other).hausdorff_mm == pytest.approx(25.0, abs=1.0)
    alone = Contours(grid=on, sections={k: MultiPolygon([spur]) for k in middle})
    assert surface_distances(alone, alone).hausdorff_mm < 1e-3


def test_a_structure_lies_on_itself_without_any_tolerance() -> None:
    one = ball(grid(), 12.0)
    assert surface_distances(one, one).dice(0.0) == 1.0
