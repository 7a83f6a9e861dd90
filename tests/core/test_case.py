"""A case holds together: at least one lesion, and one grid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from tests.cases import case_of, disc, grid_of


def test_a_case_without_a_lesion_is_refused() -> None:
    with pytest.raises(GeometryError, match="case without a lesion"):
        case_of(grid_of(), [])


def test_a_lesion_on_another_grid_is_refused() -> None:
    case = case_of(grid_of(), [{14: disc(20, -35, 10)}])
    other = Contours(grid=grid_of(centre=(40.0, -35.0, 121.0)), sections=case.lesions[0].contours.sections)
    with pytest.raises(GeometryError, match="contours lie on another grid than the CT; where: GTV-N1"):
        replace(case, lesions=(replace(case.lesions[0], contours=other),))
