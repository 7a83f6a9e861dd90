"""Arrays that carry their grid: CT volumes and masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """A CT: Hounsfield units on a grid.

    Attributes:
        grid: where the voxels lie.
        hu: array of shape (slices, rows, columns), read-only.
    """

    grid: Grid
    hu: npt.NDArray[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "hu", _frozen(self.hu, self.grid))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mask:
    """A set of voxels on a grid. `|`, `&` and `-` work on one and the same grid only.

    Attributes:
        grid: where the voxels lie.
        voxels: boolean array of shape (slices, rows, columns), read-only.
    """

    grid: Grid
    voxels: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _frozen(self.voxels.astype(bool, copy=False), self.grid))

    @property
    def volume_cc(self) -> float:
        """Voxel count times voxel volume, in cubic centimetres."""
        return int(np.count_nonzero(self.voxels)) * self.grid.voxel_volume_mm3 / 1000.0

    def __or__(self, other: Mask) -> Mask:
        return Mask(grid=self.grid, voxels=self.voxels | self._on_same_grid(other))

    def __and__(self, other: Mask) -> Mask:
        return Mask(grid=self.grid, voxels=self.voxels & self._on_same_grid(other))

    def __sub__(self, other: Mask) -> Mask:
        return Mask(grid=self.grid, voxels=self.voxels & ~self._on_same_grid(other))

    def _on_same_grid(self, other: Mask) -> npt.NDArray[np.bool_]:
        if other.grid != self.grid:
            raise GeometryError(
                "masks lie on different grids",
                expected=f"{self.grid}",
                got=f"{other.grid}",
                todo="bring both to one grid first",
            )
        return other.voxels


def _frozen(array: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    if array.shape != grid.shape:
        raise GeometryError(
            "array does not fit its grid",
            expected=f"shape {grid.shape} (slices, rows, columns)",
            got=f"shape {array.shape}",
        )
    if array.base is None:
        array.flags.writeable = False  # nobody else has a way to it but through this very array
    view = array.view()
    view.flags.writeable = False
    return view
