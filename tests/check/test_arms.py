"""The elective volume against the involved field of the same case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from shapely.affinity import translate
from shapely.geometry import box

from pipeline.check import check_arms
from pipeline.core.contour import Contours
from pipeline.core.raster import as_multipolygon
from pipeline.core.targets import TargetSet
from pipeline.targets import build_ifi
from tests.cases import case_of, disc, grid_of, plan_of


@pytest.fixture(scope="module")
def field() -> TargetSet:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    return build_ifi(case, plan=plan_of(), organs={})


def elective(field: TargetSet, dx: float) -> TargetSet:
    """The same volumes moved, as if of the other arm."""
    ctv = field["CTV"]
    moved = {k: translate(section, dx) for k, section in ctv.contours.sections.items()}
    contours = Contours(grid=ctv.contours.grid, sections=moved)
    targets = tuple(replace(t, contours=contours) if t is ctv else t for t in field.targets)
    return replace(field, arm="eni", targets=targets)


def test_one_that_holds_it_and_one_arm_alone_are_fine(field: TargetSet) -> None:
    assert check_arms((field, elective(field, 0.0))) == ()
    assert check_arms((field,)) == ()


def test_what_lies_outside_is_told_in_cc_and_slices(field: TargetSet) -> None:
    (told,) = check_arms((field, elective(field, 500.0)))
    ctv = field["CTV"].contours
    assert (told.code, told.where) == ("ENI_WITHOUT_IFI", "eni.CTV")
    assert told.message.startswith(f"{ctv.volume_cc:.2f} cc of the IFI arm's CTV lie outside it")
    levels = ctv.grid.plane_positions_mm[list(ctv.slices)]
    assert f"on {len(ctv.slices)} slices, at {levels.min():.2f} to {levels.max():.2f} mm" in told.message


@pytest.mark.parametrize("cc, told", [(0.04, False), (0.06, True)])
def test_what_outlines_differ_by_is_not_told(field: TargetSet, cc: float, told: bool) -> None:
    ctv = field["CTV"]
    bite = 1000.0 * cc / ctv.contours.grid.slice_spacing_mm
    bitten = dict(ctv.contours.sections)
    whole = bitten[14]
    west, south, _, north = whole.bounds
    reach = next(
        mm
        for mm in np.arange(0.0, 20.0, 0.001)
        if whole.intersection(box(west - 1, south - 1, west + mm, north + 1)).area >= bite
    )
    bitten[14] = as_multipolygon(whole.difference(box(west - 1, south - 1, west + reach, north + 1)))
    assert whole.area - bitten[14].area == pytest.approx(bite, rel=0.02)
    contours = Contours(grid=ctv.contours.grid, sections=bitten)
    targets = tuple(replace(t, contours=contours) if t is ctv else t for t in field.targets)
    found = check_arms((field, replace(field, arm="eni", targets=targets)))
    assert [one.code for one in found] == ["ENI_WITHOUT_IFI"] * told
    level = ctv.contours.grid.plane_positions_mm[14]
    assert not told or f"on 1 slices, at {level:.2f} mm" in found[0].message
