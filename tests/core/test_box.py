"""Boxes hold everything, and those of masks nothing that they need not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.core.box import NOWHERE, Box, hull, shared, tight, whole
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask, mask_to_contours
from pipeline.core.volume import Mask
from tests.closed_forms import make_grid

GRID = make_grid(size=(7, 6, 5), spacing_mm=(2.0, 1.0, 5.0))
VOXELS = arrays.arrays(bool, GRID.shape, elements=st.booleans(), fill=st.just(False))
ROOM = st.tuples(*(st.tuples(st.integers(0, 3), st.integers(0, 3)) for _ in range(3)))


def _outside(voxels: np.ndarray, box: Box) -> int:
    rest = voxels.copy()
    rest[box] = False
    return int(rest.sum())


def _size(box: Box) -> list[int]:
    return [side.stop - side.start for side in box]


@given(VOXELS, ROOM)
def test_the_box_of_a_mask_is_the_smallest_that_holds_it(voxels: np.ndarray, room: object) -> None:
    box = tight(voxels, whole(voxels.shape))
    assert _outside(voxels, box) == 0
    if box == NOWHERE:
        assert not voxels.any()
        return
    for axis in range(3):
        lines = np.moveaxis(voxels[box], axis, 0)
        assert lines[0].any()
        assert lines[-1].any()
    first, second, third = (
        slice(max(0, side.start - below), min(count, side.stop + above))
        for side, (below, above), count in zip(box, room, GRID.shape, strict=True)  # type: ignore[call-overload]
    )
    assert tight(voxels, (first, second, third)) == box


@given(VOXELS, VOXELS)
def test_set_operations_are_those_of_the_arrays(one: np.ndarray, other: np.ndarray) -> None:
    a, b = Mask(grid=GRID, voxels=one.copy()), Mask(grid=GRID, voxels=other.copy())
    for made, wanted in ((a | b, one | other), (a & b, one & other), (a - b, one & ~other)):
        assert np.array_equal(made.voxels, wanted)
        assert made.within is not None
        assert _outside(wanted, made.within) == 0
        assert made.box == Mask(grid=GRID, voxels=wanted.copy()).box
        assert made.is_empty == (not wanted.any())
        assert made.part.sum() == wanted.sum()


@given(VOXELS, VOXELS)
def test_boxes_joined_and_shared(one: np.ndarray, other: np.ndarray) -> None:
    a, b = (tight(voxels, whole(GRID.shape)) for voxels in (one, other))
    assert hull((a, b)) == tight(one | other, whole(GRID.shape))
    assert _outside(one & other, shared(a, b)) == 0
    assert min(_size(shared(a, b))) >= 0


@given(VOXELS)
def test_masks_of_contours_know_where_they_are(voxels: np.ndarray) -> None:
    contours = mask_to_contours(Mask(grid=GRID, voxels=voxels.copy()))
    mask = contours_to_mask(contours)
    assert mask.within is not None
    assert _outside(mask.voxels, mask.within) == 0
    assert mask.box == tight(mask.voxels, whole(GRID.shape))


def test_no_contours_are_nowhere() -> None:
    assert contours_to_mask(Contours(grid=GRID, sections={})).box == NOWHERE
