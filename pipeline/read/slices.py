"""CT slices with their geometry read, and the series that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.read.dicom_index import DicomFile

Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """One CT slice with its geometry read.

    Attributes:
        file: where it comes from.
        position: LPS of the first pixel's centre, shape (3,).
        cosines: direction of increasing column, then of increasing row, shape (6,).
        size: columns, rows.
        spacing_mm: between columns, between rows.
    """

    file: DicomFile
    position: Vectors
    cosines: Vectors
    size: tuple[int, int]
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CtSeries:
    """One CT series as found.

    Attributes:
        uid: Series Instance UID.
        files: its slices in order of path, localizers set aside.
        localizers: how many were set aside.
    """

    uid: str
    files: tuple[DicomFile, ...]
    localizers: int

    @property
    def frames_of_reference(self) -> tuple[str, ...]:
        """The frames of reference that its slices name."""
        return tuple(sorted({file.text("FrameOfReferenceUID") for file in self.files}))


def slice_of(file: DicomFile) -> Slice:
    """A slice from its header; raises any of `BROKEN` where its geometry cannot be read."""
    header = file.header
    position = np.array([float(value) for value in header.ImagePositionPatient])
    cosines = np.array([float(value) for value in header.ImageOrientationPatient])
    row_step, column_step = (float(value) for value in header.PixelSpacing)
    if position.shape != (3,) or cosines.shape != (6,) or min(row_step, column_step) <= 0:
        raise ValueError("a value of the wrong length or sign")
    if not (np.isfinite(position).all() and np.isfinite(cosines).all()):
        raise ValueError("a value that is not finite")
    i, j = cosines[:3], cosines[3:]
    lengths = np.array([np.linalg.norm(i), np.linalg.norm(j)])
    if np.abs(lengths - 1).max() > 1e-3 or abs(float(i @ j)) > 1e-3:
        raise ValueError(
            f"ImageOrientationPatient {cosines.tolist()} is not two unit vectors at right angles"
        )
    return Slice(
        file=file,
        position=position,
        cosines=cosines,
        size=(int(header.Columns), int(header.Rows)),
        spacing_mm=(column_step, row_step),
    )


def normal(slices: Sequence[Slice]) -> Vectors:
    """Unit normal (LPS) of the slices' planes, shape (3,)."""
    axes = np.cross(slices[0].cosines[:3], slices[0].cosines[3:])
    return np.asarray(axes / np.linalg.norm(axes))


def along_normal(slices: Sequence[Slice]) -> Vectors:
    """Height of every slice along the normal in mm, shape (n,)."""
    return np.array([s.position for s in slices]) @ normal(slices)
