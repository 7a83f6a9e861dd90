"""Arrays seen in anatomical order, however the image is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.box import Box
from pipeline.core.grid import Grid, Vector

Bools = npt.NDArray[np.bool_]

# What belongs to an organ is settled on pixels of about this size, its outline on the CT's own.
COARSE_PIXEL_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomicalView:
    """A grid's arrays with slices from feet to head, rows from front to back, columns from right to left.

    Attributes:
        grid: how the arrays are stored.
    """

    grid: Grid

    @property
    def spacing_mm(self) -> Vector:
        """Distance between slices, rows and columns of the view."""
        along_i, along_j, along_k = self.grid.spacing_mm
        return (along_k, along_i, along_j) if self._turned else (along_k, along_j, along_i)

    def of(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The view of an array of shape (slices, rows, columns); writing to it writes to the array."""
        turned = np.swapaxes(array, 1, 2) if self._turned else array
        return turned[tuple(slice(None, None, int(sense)) for sense in self._senses)]

    def box_of(self, box: Box) -> Box:
        """Where in the view a box of an array lies."""
        planes, rows, columns = box
        sides = (planes, columns, rows) if self._turned else box
        first, second, third = (
            side if sense > 0 else slice(count - side.stop, count - side.start)
            for side, sense, count in zip(sides, self._senses, self._shape, strict=True)
        )
        return (first, second, third)

    def to_patient(self, index: tuple[float, float, float]) -> Vector:
        """LPS mm of a place in the view: slice, row, column, may be fractional."""
        stored = [
            place if sense > 0 else count - 1 - place
            for place, sense, count in zip(index, self._senses, self._shape, strict=True)
        ]
        if self._turned:
            stored[1], stored[2] = stored[2], stored[1]
        x, y, z = (float(value) for value in self.grid.to_patient([stored[::-1]])[0])
        return (x, y, z)

    @property
    def _turned(self) -> bool:
        return abs(float(np.dot(self.grid.frame.left, self.grid.axes[:, 0]))) < 0.5

    @property
    def _shape(self) -> tuple[int, int, int]:
        slices, rows, columns = self.grid.shape
        return (slices, columns, rows) if self._turned else (slices, rows, columns)

    @property
    def _senses(self) -> tuple[float, float, float]:
        axes, frame = self.grid.axes, self.grid.frame
        across = (1, 0) if self._turned else (0, 1)
        return (
            float(np.sign(axes[:, 2] @ np.array(frame.superior))),
            float(np.sign(axes[:, across[1]] @ np.array(frame.posterior))),
            float(np.sign(axes[:, across[0]] @ np.array(frame.left))),
        )


def grown(mask: Bools, reach: int) -> Bools:
    """In-plane dilation by a square of half-width `reach` along the last two axes."""
    result = mask.copy()
    for axis in (-2, -1):
        for _ in range(reach):
            before = result.copy()
            lines, old = np.moveaxis(result, axis, 0), np.moveaxis(before, axis, 0)
            lines[1:] |= old[:-1]
            lines[:-1] |= old[1:]
    return result


def shrunk(mask: Bools, reach: int) -> Bools:
    """In-plane erosion by a square of half-width `reach`; outside the image counts as inside."""
    return np.asarray(~grown(~mask, reach))


def mean_of_nine(plane: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Mean of each pixel and its eight neighbours; the edge is repeated outward."""
    padded = np.pad(plane.astype(np.float32), 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9.0))


def coarse_steps(spacing_mm: Vector) -> tuple[int, int]:
    """Every how many rows and columns a coarse pixel is taken."""
    return (
        max(1, round(COARSE_PIXEL_MM / spacing_mm[1])),
        max(1, round(COARSE_PIXEL_MM / spacing_mm[2])),
    )


def refined(coarse: Bools, steps: tuple[int, int], shape: tuple[int, ...]) -> Bools:
    """A coarse slice on the CT's own rows and columns."""
    return np.asarray(coarse.repeat(steps[0], axis=0).repeat(steps[1], axis=1)[: shape[0], : shape[1]])


def body_box(body: Bools, steps: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns that hold the body, starting on a coarse pixel; None without a body."""
    spans = []
    for axis, step in ((1, steps[0]), (2, steps[1])):
        found = np.flatnonzero(body.any(axis=(0, 3 - axis)))
        if not len(found):
            return None
        spans.append(slice(int(found[0]) // step * step, int(found[-1]) + 1))
    return (spans[0], spans[1])
