"""Looking a target up by its name."""

from __future__ import annotations

import pytest
from shapely.geometry import MultiPolygon, box

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.targets import Target, TargetKind, TargetSet
from tests.cases import grid_of


def test_by_name() -> None:
    empty = Contours(grid=grid_of(), sections={})
    ptv = Target(name="PTV", kind=TargetKind.PTV, contours=empty, recipe="CTV + 5 mm")
    targets = TargetSet(arm="ifi", targets=(ptv,))
    assert targets["PTV"] is ptv
    with pytest.raises(GeometryError, match="no such target; expected: PTV; got: CTV"):
        targets["CTV"]


def test_targets_on_different_grids_are_refused() -> None:
    sections = {1: MultiPolygon([box(0, 0, 5, 5)])}
    targets = tuple(
        Target(
            name=name,
            kind=TargetKind.PGTV,
            contours=Contours(grid=grid_of(centre=(0, 0, z)), sections=sections),
            recipe="",
        )
        for name, z in (("PGTV", 0.0), ("CTV", 9.0))
    )
    with pytest.raises(GeometryError, match="targets lie on different grids; where: ifi"):
        TargetSet(arm="ifi", targets=targets)
