"""Looking a target up by its name."""

from __future__ import annotations

import pytest

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
