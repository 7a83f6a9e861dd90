"""Boxes of arrays: the slices along each axis that hold everything there is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]  # of planes, rows and columns; each with a start and a stop, without a step

NOWHERE: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


def whole(shape: tuple[int, ...]) -> Box:
    """The box of a whole array of shape (planes, rows, columns)."""
    planes, rows, columns = shape
    return (slice(0, planes), slice(0, rows), slice(0, columns))


def tight(voxels: Bools, within: Box) -> Box:
    """The smallest box that holds all that is true; `NOWHERE` where nothing is.

    Args:
        voxels: shape (planes, rows, columns).
        within: a box outside of which nothing is true; only there it is looked.
    """
    part = voxels[within]
    flat: Bools = np.logical_or.reduce(part, axis=0)
    rows, columns = _span(flat, along=0), _span(flat, along=1)
    if rows is None or columns is None:
        return NOWHERE
    planes = _span(part[:, rows, columns], along=0) or slice(0, 0)
    first, second, third = (
        slice(outer.start + inner.start, outer.start + inner.stop)
        for outer, inner in zip(within, (planes, rows, columns), strict=True)
    )
    return (first, second, third)


def shared(one: Box, other: Box) -> Box:
    """What lies in both; a box without a voxel where they do not meet."""
    first, second, third = (
        slice(start := max(a.start, b.start), max(start, min(a.stop, b.stop)))
        for a, b in zip(one, other, strict=True)
    )
    return (first, second, third)


def inside(box: Box, outer: Box) -> Box:
    """A box, told from the corner of another one that holds it."""
    first, second, third = (
        slice(side.start - around.start, side.stop - around.start)
        for side, around in zip(box, outer, strict=True)
    )
    return (first, second, third)


def hull(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all of some boxes, of which `NOWHERE` holds nothing."""
    filled = [box for box in boxes if all(side.stop > side.start for side in box)]
    if not filled:
        return NOWHERE
    first, second, third = (
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*filled, strict=True)
    )
    return (first, second, third)


def _span(array: Bools, *, along: int) -> slice | None:
    """From the first index along an axis with something true to behind the last."""
    others = tuple(axis for axis in range(array.ndim) if axis != along)
    found = np.flatnonzero(array.any(axis=others))
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else None
