"""Where the frames of a multi-frame image lie on the CT's grid: by their positions, never by their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.read.image_grid import image_on

# What a CT series is allowed: its slices may lie this far beside the even grid that is made of them.
SAME_PLACE_MM = 0.2

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FramePlaces:
    """Grid indices of frames whose pixels are voxels of the grid, or would be if it went on.

    Attributes:
        corners: (i, j, k) of each frame's first pixel, shape (n, 3); may lie beyond the grid.
        along_row: index step from column to column: one of the three axes, forward or back; shape (n, 3).
        down: index step from row to row, shape (n, 3).
    """

    corners: Ints
    along_row: Ints
    down: Ints

    def put(self, labels: Pixels, pixels: Pixels, frame: int) -> Pixels:
        """Write a frame's values above 0 into an array (k, j, i) of the grid; gives those that lie on it."""
        step_row, step_down = self.along_row[frame], self.down[frame]
        across, downward = int(np.argmax(np.abs(step_row))), int(np.argmax(np.abs(step_down)))
        normal = 3 - across - downward
        corner = self.corners[frame].copy()
        if step_row[across] < 0:
            pixels, corner[across] = pixels[:, ::-1], corner[across] - pixels.shape[1] + 1
        if step_down[downward] < 0:
            pixels, corner[downward] = pixels[::-1], corner[downward] - pixels.shape[0] + 1
        stack = labels.transpose(2 - normal, 2 - downward, 2 - across)  # array axes run k, j, i
        if not 0 <= corner[normal] < len(stack):
            return pixels[:0]
        plane = stack[corner[normal]]
        rows, its_rows = _overlap(int(corner[downward]), pixels.shape[0], plane.shape[0])
        columns, its_columns = _overlap(int(corner[across]), pixels.shape[1], plane.shape[1])
        inside, target = pixels[its_rows, its_columns], plane[rows, columns]
        np.maximum(target, inside, out=target)
        return inside


def placed_frames(data: Any, grid: Grid, *, where: str) -> FramePlaces:
    """Find the place of every frame of a multi-frame image.

    Args:
        data: the image, with its functional groups.
        grid: of the CT.
        where: the file, for messages.

    Raises:
        StructureError: a frame whose pixels lie beside the grid's voxels.
        AttributeError, IndexError, ValueError: a frame without position, orientation or pixel spacing.
    """
    size = (int(data.Columns), int(data.Rows))
    first, along_row, down = _geometry(data)
    scale = np.array(grid.spacing_mm)
    corners, row_step, down_step = (
        grid.to_index(first),
        along_row @ grid.axes / scale,
        down @ grid.axes / scale,
    )
    places = FramePlaces(corners=_whole(corners), along_row=_whole(row_step), down=_whole(down_step))
    worst = np.zeros(len(first))
    for column in (0, size[0] - 1):
        for row in (0, size[1] - 1):
            off = corners - places.corners
            off = off + column * (row_step - places.along_row) + row * (down_step - places.down)
            worst = np.maximum(worst, np.abs(off * scale).max(axis=1))
    wrong = np.flatnonzero((worst > SAME_PLACE_MM) | ~_axes_apart(places))
    if len(wrong):
        n = int(wrong[0])
        spacing = [round(float(np.linalg.norm(step[n])), 4) for step in (along_row, down)]
        raise StructureError(
            "segmentation lies on another grid than the CT",
            where=where,
            expected=str(image_on(grid)),
            got=f"{len(wrong)} of {len(first)} frames beside its voxels, the first with "
            f"{size[0]} x {size[1]} pixels of {spacing} mm from {np.round(first[n], 2).tolist()} mm",
            todo="resample the segmentation to the CT (nearest neighbour)",
        )
    return places


def _geometry(data: Any) -> tuple[Floats, Floats, Floats]:
    """Of each frame: LPS of its first pixel, and the steps along a row and down a column in mm."""
    shared = data.SharedFunctionalGroupsSequence[0]
    first, along_row, down = [], [], []
    for frame in data.PerFrameFunctionalGroupsSequence:
        cosines = np.array(
            _macro(frame, shared, "PlaneOrientationSequence").ImageOrientationPatient, dtype=float
        )
        spacing = _macro(frame, shared, "PixelMeasuresSequence").PixelSpacing
        first.append(_macro(frame, shared, "PlanePositionSequence").ImagePositionPatient)
        along_row.append(cosines[:3] * float(spacing[1]))
        down.append(cosines[3:] * float(spacing[0]))
    if len(first) != int(data.NumberOfFrames):
        raise ValueError(f"{len(first)} frames described and {data.NumberOfFrames} stored")
    return _rows(first), _rows(along_row), _rows(down)


def _macro(frame: Any, shared: Any, keyword: str) -> Any:
    """The one item of a functional group, of the frame itself or shared by all."""
    return (frame if keyword in frame else shared)[keyword][0]


def _rows(vectors: Sequence[Any]) -> Floats:
    rows = np.array(vectors, dtype=float).reshape(len(vectors), -1)
    if rows.shape[1:] != (3,) or not np.isfinite(rows).all():
        raise ValueError("a frame's geometry is not three finite numbers")
    return rows


def _whole(values: Floats) -> Ints:
    return np.rint(values).astype(np.int64)


def _axes_apart(places: FramePlaces) -> npt.NDArray[np.bool_]:
    """Whether a frame's two steps go along two of the grid's axes, one voxel at a time."""
    row, down = np.abs(places.along_row), np.abs(places.down)
    one_voxel = (row.sum(axis=1) == 1) & (down.sum(axis=1) == 1)
    return np.asarray(one_voxel & ((row * down).sum(axis=1) == 0))


def _overlap(start: int, count: int, size: int) -> tuple[slice, slice]:
    """The part of `count` places from `start` on that lies within `size`: there, and counted from `start`."""
    low, high = max(start, 0), min(start + count, size)
    high = max(low, high)
    return slice(low, high), slice(low - start, high - start)
