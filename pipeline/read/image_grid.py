"""Image files (NIfTI, NRRD, MetaImage): voxels and where they lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from pipeline.core.box import Box
from pipeline.core.errors import GeometryError, InputError, StructureError
from pipeline.core.grid import Grid
from pipeline.read.ahead import opened

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
# Grids whose corners lie nearer than this are one grid: single-precision headers explain it.
SAME_GRID_MM = 0.05
SNAP_COSINE = 1e-6

Array = npt.NDArray[Any]
Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageFile:
    """An image as read: its array in index order (k, j, i), and its geometry in LPS mm.

    Attributes:
        name: the file's name.
        array: voxels.
        spacing: along i, j, k.
        origin: centre of voxel (0, 0, 0).
        axes: unit vectors of i, j, k as columns.
        highest: the highest value, where reading told it.
        within: a box (k, j, i) of the array that holds all that is not 0, where reading told it.
    """

    name: str
    array: Array
    spacing: Vectors
    origin: Vectors
    axes: Vectors
    highest: int | None = None
    within: Box | None = None

    @property
    def size(self) -> tuple[int, int, int]:
        """Voxels along i, j, k."""
        k, j, i = self.array.shape
        return (i, j, k)

    def ordered(self, order: tuple[int, int, int]) -> ImageFile:
        """The same voxels in the patient with axis `order[n]` as axis n."""
        chosen = list(order)
        array_axes = [2 - axis for axis in reversed(chosen)]
        return replace(
            self,
            array=self.array.transpose(array_axes),
            within=None if self.within is None else _picked(self.within, array_axes),
            spacing=self.spacing[chosen],
            axes=self.axes[:, chosen],
        )

    def flipped(self, axis: int) -> ImageFile:
        """The same voxels in the patient, counted from the other end of an axis."""
        axes = self.axes.copy()
        far = self.origin + axes[:, axis] * self.spacing[axis] * (self.size[axis] - 1)
        axes[:, axis] *= -1.0
        within = None if self.within is None else _mirrored(self.within, 2 - axis, self.size[axis])
        return replace(self, array=np.flip(self.array, 2 - axis), origin=far, axes=axes, within=within)

    @property
    def corners(self) -> Vectors:
        """LPS of the eight outermost voxel centres, shape (8, 3)."""
        ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        return np.asarray(self.origin + (ends * (np.array(self.size) - 1) * self.spacing) @ self.axes.T)

    def __str__(self) -> str:
        first, last = self.corners[0], self.corners[-1]
        return (
            f"{self.size} voxels of {np.round(self.spacing, 4).tolist()} mm "
            f"from {np.round(first, 2).tolist()} to {np.round(last, 2).tolist()} mm"
        )


def is_image_name(name: str) -> bool:
    """Whether a file's name has one of the known suffixes."""
    return name.lower().endswith(SUFFIXES)


def stem(name: str) -> str:
    """A file's name without the known suffixes: `GTV-T.nii.gz` is `GTV-T`."""
    ending = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), "")
    return name[: len(name) - len(ending)]


def read_image(path: Path) -> ImageFile:
    """Read a three-dimensional image of one value a voxel.

    Raises:
        InputError: it cannot be read, or has another form.
    """
    import SimpleITK

    unpacked = opened(path)[1] if path.name.lower().endswith((".nii", ".nii.gz")) else None
    reader: Any = cast(Any, SimpleITK).ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        dimensions, values = reader.GetDimension(), reader.GetNumberOfComponents()
        if dimensions != 3 or values != 1:
            raise InputError(
                "image of the wrong form",
                where=f"file {path.name}",
                expected="three dimensions and one value a voxel",
                got=f"{dimensions} dimensions and {values} values",
            )
        array = unpacked.voxels if unpacked else SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise InputError(
            "image cannot be read",
            where=f"file {path.name}",
            expected="NIfTI, NRRD or MetaImage",
            got=_reason(error, path),
        ) from error
    return ImageFile(
        name=path.name,
        array=array,
        spacing=np.array(reader.GetSpacing()),
        origin=np.array(reader.GetOrigin()),
        axes=_orthonormal(np.array(reader.GetDirection()).reshape(3, 3)),
        highest=unpacked.highest if unpacked else None,
        within=unpacked.within if unpacked else None,
    )


def grid_of(image: ImageFile) -> Grid:
    """The grid of an image whose k axis runs from head to foot, or back.

    Raises:
        GeometryError: it does not, or the axes are not at right angles.
    """
    x, y, z = (float(value) for value in image.origin)
    si, sj, sk = (float(value) for value in image.spacing)
    a, b, c, d, e, f, g, h, i = (float(value) + 0.0 for value in image.axes.ravel())
    return Grid(
        size=image.size,
        spacing_mm=(si, sj, sk),
        origin_mm=(x, y, z),
        direction=(a, b, c, d, e, f, g, h, i),
    )


def craniocaudal_last(image: ImageFile) -> ImageFile:
    """The image with its most craniocaudal axis as k; the other two keep their order."""
    last = int(np.argmax(np.abs(image.axes[2])))
    first, second = (axis for axis in range(3) if axis != last)
    return image if last == 2 else image.ordered((first, second, last))


def onto_grid_of(image: ImageFile, model: ImageFile) -> ImageFile:
    """The image with its axes in the order and sense of the model's.

    Raises:
        GeometryError: the voxels do not lie where the model's lie.
    """
    cosines = model.axes.T @ image.axes
    first, second, third = (int(axis) for axis in np.argmax(np.abs(cosines), axis=1))
    turned = image
    if {first, second, third} == {0, 1, 2}:
        turned = image.ordered((first, second, third))
        for axis in range(3):
            if model.axes[:, axis] @ turned.axes[:, axis] < 0:
                turned = turned.flipped(axis)
    same_size = turned.size == model.size
    if not (same_size and np.abs(turned.corners - model.corners).max() <= SAME_GRID_MM):
        raise GeometryError(
            "mask lies on another grid than the CT",
            where=f"file {image.name}",
            expected=str(model),
            got=str(turned),
            todo="check that it is of this patient and this CT; only then resample it (nearest neighbour)",
        )
    return turned


def image_on(grid: Grid) -> ImageFile:
    """An image without content on a grid: the model for masks where the CT is no image file."""
    return ImageFile(
        name="CT",
        array=np.broadcast_to(np.uint8(0), grid.shape),  # one byte, whatever the size
        spacing=np.array(grid.spacing_mm),
        origin=np.array(grid.origin_mm),
        axes=grid.axes,
    )


def read_mask_image(path: Path, model: ImageFile) -> ImageFile:
    """A mask or label map, its axes in the order and sense of the model's.

    Raises:
        StructureError: it lies on another grid.
        InputError: it cannot be read.
    """
    try:
        return onto_grid_of(read_image(path), model)
    except GeometryError as error:
        raise StructureError(
            error.what, where=error.where, expected=error.expected, got=error.got, todo=error.todo
        ) from error


def binary_voxels(image: ImageFile) -> npt.NDArray[np.bool_]:
    """The voxels of the one structure that a mask holds, shape (k, j, i).

    Raises:
        StructureError: more than one value beside 0.
    """
    array = image.array
    if array.dtype == np.uint8 and array.size:
        highest = array.max() if image.highest is None else image.highest
        if highest <= 1:
            return np.ascontiguousarray(array).view(np.bool_)  # the usual mask costs no second array
    voxels: npt.NDArray[np.bool_] = array != 0
    values = array[voxels]
    if values.size and (values.min() != values.max() or not _is_label(float(values[0]))):
        raise StructureError(
            "mask is not binary",
            where=f"file {image.name}",
            expected="0 and one whole number above it, or a label map with names (a table beside it)",
            got=f"values from {values.min():g} to {values.max():g}",
            todo="cut probabilities at the level you want, or name the labels",
        )
    return voxels


def _picked(box: Box, axes: list[int]) -> Box:
    first, second, third = (box[axis] for axis in axes)
    return (first, second, third)


def _mirrored(box: Box, axis: int, count: int) -> Box:
    sides = list(box)
    sides[axis] = slice(count - box[axis].stop, count - box[axis].start)
    return (sides[0], sides[1], sides[2])


def _is_label(value: float) -> bool:
    return value > 0 and value.is_integer()


def _orthonormal(axes: Vectors) -> Vectors:
    axes = np.where(np.abs(axes) < SNAP_COSINE, 0.0, axes)
    return np.asarray(axes / np.linalg.norm(axes, axis=0))


def _reason(error: RuntimeError, path: Path) -> str:
    """The reader's last line, without the folder."""
    lines = [line.strip() for line in str(error).replace(str(path), path.name).splitlines() if line.strip()]
    return lines[-1] if lines else "an error of the reader"
