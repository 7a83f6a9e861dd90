"""What volumes share with the conduit, by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pipeline.check import check_conduit
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Severity
from pipeline.core.volume import Mask
from pipeline.targets import build_ifi
from tests.cases import POSITIONS, case_of, disc, grid_of, plan_of


@pytest.mark.parametrize("position", POSITIONS)
def test_the_left_half_of_every_volume(position: str) -> None:
    grid = grid_of(position)
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(12, 18)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    indices = np.argwhere(np.ones(grid.shape, dtype=bool))[:, ::-1]
    left = grid.frame.from_patient(grid.to_patient(indices))[:, 0].reshape(grid.shape) > 20
    (told,) = check_conduit(targets, Mask(grid=grid, voxels=left))
    assert (told.code, told.severity, told.where) == ("SHARED_WITH_CONDUIT", Severity.INFO, "ifi")
    figures = dict(re.findall(r"([A-Z0-9-]+) (\d+\.\d) cc", told.message))
    assert list(figures) == ["GTV-N1", "PGTV", "CTV", "PTV"]
    for name, cc in figures.items():
        whole = contours_to_mask(targets[name].contours).volume_cc
        assert float(cc) == pytest.approx(whole / 2, rel=0.06)


def test_nothing_where_nothing_is_shared() -> None:
    grid = grid_of()
    case = case_of(grid, [{14: disc(20, -35, 5)}])
    targets = build_ifi(case, plan=plan_of(), organs={})
    assert check_conduit(targets, Mask(grid=grid, voxels=np.zeros(grid.shape, dtype=bool))) == ()
