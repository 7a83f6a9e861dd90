"""Arrays on grids as images of SimpleITK, and back through a transform."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import SimpleITK

from pipeline.core.grid import Grid
from pipeline.register.coarse import Bools, Floats, vector

sitk: Any = cast(Any, SimpleITK)


def image_of(values: npt.NDArray[Any], grid: Grid) -> Any:
    """An array of shape (slices, rows, columns) as an image."""
    image = sitk.GetImageFromArray(values.view(np.uint8) if values.dtype == np.bool_ else values)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    return image


def moved(
    values: npt.NDArray[Any], grid: Grid, onto: Grid, transform: Any, *, outside: float = 0.0
) -> Floats:
    """An array of another patient on a grid of this one, by linear interpolation.

    Args:
        values: of shape (slices, rows, columns).
        grid: where they lie.
        onto: the grid wanted.
        transform: from points of `onto` to points of `grid`.
        outside: value where the other grid does not reach.
    """
    image = image_of(np.ascontiguousarray(values, dtype=np.float32), grid)
    target = (onto.size, transform, sitk.sitkLinear, onto.origin_mm, onto.spacing_mm, onto.direction, outside)
    return np.asarray(sitk.GetArrayFromImage(sitk.Resample(image, *target)))


def reached(grid: Grid, onto: Grid, transform: Any) -> Bools:
    """The voxels of `onto` whose points lie in the other grid."""
    return np.asarray(moved(np.ones(grid.shape, dtype=np.float32), grid, onto, transform) > 0.5)


def longer(values: npt.NDArray[Any], grid: Grid, by_mm: float) -> tuple[npt.NDArray[Any], Grid]:
    """An array with its end slices repeated: what a scan cuts is taken to go on as it ends."""
    slices = int(np.ceil(by_mm / grid.slice_spacing_mm))
    padded = np.pad(values, ((slices, slices), (0, 0), (0, 0)), mode="edge")
    i, j, k = grid.size
    origin = vector(grid.to_patient([[0, 0, -slices]])[0])
    return padded, replace(grid, size=(i, j, k + 2 * slices), origin_mm=origin)


def shifts_of(transform: Any, grid: Grid) -> npt.NDArray[np.float64]:
    """How far a transform moves each voxel's centre, in LPS mm, shape (slices, rows, columns, 3)."""
    field = sitk.TransformToDisplacementField(
        transform, sitk.sitkVectorFloat64, grid.size, grid.origin_mm, grid.spacing_mm, grid.direction
    )
    return np.asarray(sitk.GetArrayFromImage(field))


def by_shifts(shifts: npt.NDArray[np.float64], grid: Grid) -> Any:
    """The transform that moves each voxel's centre by its shift, and what is between by what is between.

    The outermost voxels count for a voxel more: small voxels lie beyond the centres of large ones.
    """
    padded = np.pad(shifts, ((1, 1), (1, 1), (1, 1), (0, 0)), mode="edge")
    field = sitk.GetImageFromArray(padded, isVector=True)
    field.SetSpacing(grid.spacing_mm)
    field.SetOrigin(vector(grid.to_patient([[-1, -1, -1]])[0]))
    field.SetDirection(grid.direction)
    return sitk.DisplacementFieldTransform(field)
