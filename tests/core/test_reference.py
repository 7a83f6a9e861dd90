from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.anatomy import Organs
from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid
from pipeline.core.reference import (
    OrganFit,
    ReferencePatient,
    RegisteredLabels,
    RegistrationMethod,
    RegistrationQuality,
)
from pipeline.core.volume import Mask, Volume

GRID = Grid(
    size=(3, 3, 3),
    spacing_mm=(1.0, 1.0, 1.0),
    origin_mm=(0.0, 0.0, 0.0),
    direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
)
OTHER = replace(GRID, origin_mm=(1.0, 0.0, 0.0))
QUALITY = RegistrationQuality(
    body_dice=1.0, correlation=1.0, mutual_information=1.0, overlap=1.0, mirrored_gain=-1.0, folded=0.0
)


def mask(grid: Grid) -> Mask:
    return Mask(grid=grid, voxels=np.ones(grid.shape, dtype=bool))


def test_a_reference_is_on_one_grid():
    volume = Volume(grid=GRID, hu=np.zeros(GRID.shape))
    none = Organs(grid=GRID, by_name={})
    made = ReferencePatient(name="x", volume=volume, labels={"7": mask(GRID)}, organs=none)
    assert list(made.labels) == ["7"]
    with pytest.raises(GeometryError, match="label lies on another grid than the reference CT; where: 7"):
        replace(made, labels={"7": mask(OTHER)})
    with pytest.raises(GeometryError, match="organs lie on another grid than the reference CT; where: x"):
        replace(made, organs=Organs(grid=OTHER, by_name={}))


def test_moved_labels_are_on_the_grid():
    made = RegisteredLabels(
        grid=GRID,
        labels={"7": mask(GRID)},
        not_moved={"15": "off"},
        method=RegistrationMethod.HU,
        quality=QUALITY,
    )
    assert dict(made.not_moved) == {"15": "off"}
    with pytest.raises(GeometryError, match="moved label lies on another grid than the CT; where: 7"):
        replace(made, grid=OTHER)


def test_means_over_the_organs():
    fits = {"heart": OrganFit(dice=0.9, distance_mm=1.0), "aorta": OrganFit(dice=0.7, distance_mm=3.0)}
    with_organs = replace(QUALITY, organs=fits)
    assert with_organs.organ_dice == pytest.approx(0.8)
    assert with_organs.organ_distance_mm == pytest.approx(2.0)
    assert QUALITY.organ_dice is None
    assert QUALITY.organ_distance_mm is None
