"""Arrays that carry their grid: CT volumes and masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.blank import blank
from pipeline.core.box import NOWHERE, Box, hull, shared, tight, whole
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

    An organ fills a small part of a CT, and to look at memory that holds nothing takes time: whoever asks
    where a mask is, or counts, does so within its `box`.

    Attributes:
        grid: where the voxels lie.
        voxels: boolean array of shape (slices, rows, columns), read-only.
        within: a box that is known to hold all of it, and may be too large; None where nobody knows.
    """

    grid: Grid
    voxels: npt.NDArray[np.bool_]
    within: Box | None = None
    _boxes: list[Box] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _frozen(self.voxels.astype(bool, copy=False), self.grid))

    @property
    def box(self) -> Box:
        """The smallest box that holds all of it: planes, rows, columns; of no size for an empty mask."""
        if not self._boxes:
            self._boxes.append(tight(self.voxels, self.within or whole(self.voxels.shape)))
        return self._boxes[0]

    @property
    def part(self) -> npt.NDArray[np.bool_]:
        """The voxels in its box, a view."""
        return self.voxels[self.box]

    @property
    def is_empty(self) -> bool:
        """Whether it has no voxel."""
        return self.box == NOWHERE

    @property
    def volume_cc(self) -> float:
        """Voxel count times voxel volume, in cubic centimetres."""
        return int(np.count_nonzero(self.part)) * self.grid.voxel_volume_mm3 / 1000.0

    def __or__(self, other: Mask) -> Mask:
        theirs, within = self._on_same_grid(other), hull((self.box, other.box))
        voxels = blank(self.grid.shape).view(np.bool_)
        voxels[self.box] = self.part
        voxels[other.box] |= theirs[other.box]
        return Mask(grid=self.grid, voxels=voxels, within=within)

    def __and__(self, other: Mask) -> Mask:
        theirs, within = self._on_same_grid(other), shared(self.box, other.box)
        voxels = blank(self.grid.shape).view(np.bool_)
        voxels[within] = self.voxels[within] & theirs[within]
        return Mask(grid=self.grid, voxels=voxels, within=within)

    def __sub__(self, other: Mask) -> Mask:
        theirs = self._on_same_grid(other)
        voxels = blank(self.grid.shape).view(np.bool_)
        voxels[self.box] = self.part & ~theirs[self.box]
        return Mask(grid=self.grid, voxels=voxels, within=self.box)

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
