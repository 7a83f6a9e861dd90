"""Overlap by hand, by law, and against SimpleITK."""

from __future__ import annotations

import dataclasses

import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, box

from pipeline.compare import overlap
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.raster import contours_to_mask
from tests.cases import POSITIONS, disc, grid_of


def bar(shift: float = 0.0, *, first: int = 10, position: str = "HFS") -> Contours:
    section = MultiPolygon([box(shift, -40, shift + 30, -30)])
    return Contours(grid=grid_of(position), sections=dict.fromkeys(range(first, first + 5), section))


@pytest.mark.parametrize("position", POSITIONS)
def test_a_shifted_box(position: str) -> None:
    got = overlap(bar(position=position), bar(10.0, first=11, position=position))
    # 20 of 30 mm on four of five slices
    assert got.dice == pytest.approx(20 * 4 / (30 * 5))
    assert got.one_cc == pytest.approx(30 * 10 * 15 / 1000)
    assert got.common_cc == pytest.approx(20 * 10 * 12 / 1000)


@given(shift=st.floats(-40, 40), first=st.integers(5, 14))
def test_laws(shift: float, first: int) -> None:
    one, other = bar(), bar(shift, first=first)
    assert overlap(one, other).dice == pytest.approx(overlap(other, one).dice)
    assert 0 <= overlap(one, other).dice <= 1 + 1e-9
    assert overlap(other, other).dice == pytest.approx(1)


def test_simpleitk_on_voxels() -> None:
    one, other = (
        Contours(grid=grid_of(), sections={k: disc(u, -35, 20) for k in range(10, 15)}) for u in (0, 8)
    )
    judge = sitk.LabelOverlapMeasuresImageFilter()
    images = [sitk.GetImageFromArray(contours_to_mask(c).voxels.astype("uint8")) for c in (one, other)]
    judge.Execute(*images)
    # Voxels of about 1 mm on outlines of 20 mm: rounding evens out along the outline.
    assert overlap(one, other).dice == pytest.approx(judge.GetDiceCoefficient(), abs=0.01)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(GeometryError, match="without contours"):
        overlap(bar(), Contours(grid=grid_of(), sections={}))
    elsewhere = dataclasses.replace(grid_of(), origin_mm=(1.0, 2.0, 3.0))
    with pytest.raises(GeometryError, match="two grids"):
        overlap(bar(), Contours(grid=elsewhere, sections=bar().sections))
