"""Where the airway has a bronchus on either side: what station 7 lies between."""

from __future__ import annotations

import numpy as np

from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.derived import BRONCHUS_MM2, DERIVED
from pipeline.anatomy.stations.structures import Structures
from pipeline.core.anatomy import Landmark
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from tests.anatomy.organs_of import organs
from tests.cases import grid_of

GRID = grid_of(size=(80, 60, 40), spacing=(1.0, 1.0, 2.0))


def structures(levels: dict[str, int] | None = None, /, **boxes) -> Structures:
    """Organs of boxes given as slices of (k, j, i); levels of landmarks as slice numbers."""
    masks = {}
    for name, parts in boxes.items():
        voxels = np.zeros(GRID.shape, dtype=bool)
        for box in parts:
            voxels[box] = True
        masks[name] = Mask(grid=GRID, voxels=voxels)
    found = {name: landmark(GRID, name, k) for name, k in (levels or {}).items()}
    return Structures(OrganView(organs(GRID, masks)), found, {}, DERIVED)


def landmark(grid: Grid, name: str, k: int) -> Landmark:
    point = tuple(grid.to_patient([[40, 30, k]])[0].tolist())
    return Landmark(name=name, point_mm=point, inferred=False, error_mm=0.0, how="made")


def planes(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(mask.any(axis=(1, 2))).tolist()


# The windpipe divides at slice 30; the left bronchus runs to slice 10, the right one to slice 20.
TRACHEA = [(slice(31, 38), slice(24, 36), slice(34, 48)), (slice(26, 31), slice(26, 36), slice(28, 38)),
           (slice(26, 31), slice(26, 36), slice(44, 54))]  # fmt: skip
BRONCHI = [(slice(20, 26), slice(26, 36), slice(24, 34)), (slice(10, 26), slice(26, 36), slice(48, 58))]


def test_the_bronchi_of_both_sides_begin_at_the_carina_and_end_with_the_shorter_one() -> None:
    of = structures({"carina": 30}, trachea=TRACHEA, main_bronchi=BRONCHI)
    assert planes(of.mask("bronchi_both")) == list(range(20, 31))


def test_a_bronchus_that_ends_in_a_tip_is_no_section() -> None:
    tip = (slice(18, 20), slice(30, 33), slice(24, 34))
    assert BRONCHUS_MM2 > 3 * 10
    of = structures({"carina": 30}, trachea=TRACHEA, main_bronchi=[*BRONCHI, tip])
    assert planes(of.mask("bronchi_both")) == list(range(20, 31))


def test_with_the_bronchus_intermedius_they_go_on_as_far_as_it_does() -> None:
    further = [(slice(12, 20), slice(26, 36), slice(22, 32))]
    of = structures({"carina": 30}, trachea=TRACHEA, main_bronchi=BRONCHI, bronchus_intermedius=further)
    assert planes(of.mask("bronchi_both")) == list(range(12, 31))


def test_without_a_side_there_are_no_bronchi_of_both() -> None:
    assert not structures({"carina": 30}, main_bronchi=BRONCHI[1:]).known("bronchi_both")
    assert not structures({"carina": 30}).known("bronchi_both")
