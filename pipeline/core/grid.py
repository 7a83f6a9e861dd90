"""Voxel grids and the anatomical frame that lies along them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError

Points = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

# A slice normal further than this from the craniocaudal axis is not an axial series.
MAX_TILT_FROM_AXIAL_DEG = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Orthonormal axes along a grid, each named by the patient direction nearest to it.

    Frame coordinates are (u, v, w) in mm: u grows to the patient's left, v to the back, w to the
    head; the origin is that of the patient coordinate system. For a series whose axes lie along
    the patient's, (u, v, w) are the LPS coordinates (x, y, z), however the image is stored.
    """

    left: Vector
    posterior: Vector
    superior: Vector

    def from_patient(self, points_mm: npt.ArrayLike) -> Points:
        """LPS points, shape (n, 3) in mm, to frame coordinates, same shape."""
        return np.asarray(points_mm, dtype=float) @ self._matrix().T

    def to_patient(self, points_mm: npt.ArrayLike) -> Points:
        """Frame points, shape (n, 3) in mm, to LPS, same shape."""
        return np.asarray(points_mm, dtype=float) @ self._matrix()

    @property
    def obliquity_deg(self) -> float:
        """Largest angle between a frame axis and the patient axis it is named by."""
        cosines = np.clip(np.diag(self._matrix()), -1.0, 1.0)
        return float(np.degrees(np.arccos(cosines)).max())

    def _matrix(self) -> Points:
        return np.array([self.left, self.posterior, self.superior], dtype=float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where the voxels of a volume lie in the patient.

    Attributes:
        size: voxels along i (columns), j (rows), k (slices).
        spacing_mm: distance between voxel centres along i, j, k.
        origin_mm: centre of voxel (0, 0, 0), LPS.
        direction: nine numbers, row by row, of the matrix whose columns are the unit vectors of
            i, j and k in LPS (the convention of SimpleITK).
        frame_of_reference: its UID; empty when the source has none.

    Raises:
        GeometryError: sizes or spacings not positive, axes not orthonormal, or k not craniocaudal.
    """

    size: tuple[int, int, int]
    spacing_mm: Vector
    origin_mm: Vector
    direction: tuple[float, float, float, float, float, float, float, float, float]
    frame_of_reference: str = ""

    def __post_init__(self) -> None:
        if min(self.size) < 1 or min(self.spacing_mm) <= 0:
            raise GeometryError(
                "grid without extent",
                expected="sizes of 1 or more and spacings above 0",
                got=f"size {self.size}, spacing {self.spacing_mm} mm",
            )
        axes = self.axes
        if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
            raise GeometryError(
                "grid axes are not orthonormal",
                expected="three unit vectors at right angles",
                got=f"direction {self.direction}",
            )
        _frame(self.direction)

    @property
    def axes(self) -> Points:
        """Matrix of shape (3, 3) whose columns are the unit vectors of i, j, k in LPS."""
        return np.array(self.direction, dtype=float).reshape(3, 3)

    @property
    def frame(self) -> Frame:
        """The anatomical frame along this grid."""
        return _frame(self.direction)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an array on this grid: (slices, rows, columns)."""
        return (self.size[2], self.size[1], self.size[0])

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(np.prod(self.spacing_mm))

    @property
    def slice_spacing_mm(self) -> float:
        """Distance between slice planes."""
        return self.spacing_mm[2]

    @property
    def plane_positions_mm(self) -> Points:
        """Craniocaudal frame coordinate w of every slice plane, shape (slices,)."""
        step = self.axes[:, 2] * self.spacing_mm[2]
        up = np.array(self.frame.superior)
        start = float(np.dot(self.origin_mm, up))
        return np.asarray(start + np.arange(self.size[2]) * float(step @ up))

    def to_patient(self, indices: npt.ArrayLike) -> Points:
        """Index points (i, j, k), shape (n, 3), may be fractional, to LPS mm."""
        scaled = np.asarray(indices, dtype=float) * np.array(self.spacing_mm)
        return np.asarray(scaled @ self.axes.T + np.array(self.origin_mm))

    def to_index(self, points_mm: npt.ArrayLike) -> Points:
        """LPS points, shape (n, 3) in mm, to fractional indices (i, j, k)."""
        moved = np.asarray(points_mm, dtype=float) - np.array(self.origin_mm)
        return np.asarray(moved @ self.axes / np.array(self.spacing_mm))


@lru_cache(maxsize=64)
def _frame(direction: tuple[float, ...]) -> Frame:
    axes = np.array(direction, dtype=float).reshape(3, 3)
    tilt = float(np.degrees(np.arccos(min(1.0, abs(float(axes[2, 2]))))))
    if tilt > MAX_TILT_FROM_AXIAL_DEG:
        raise GeometryError(
            "series is not axial",
            expected=f"slice normal within {MAX_TILT_FROM_AXIAL_DEG:g} degrees of head to foot",
            got=f"{tilt:.0f} degrees",
            todo="give an axial planning CT",
        )
    superior = axes[:, 2] * np.sign(axes[2, 2])
    # The in-plane axis nearest to left-right is taken as u; v completes the right-handed frame.
    in_plane = axes[:, 0] if abs(axes[0, 0]) >= abs(axes[0, 1]) else axes[:, 1]
    left = in_plane * (1.0 if in_plane[0] >= 0 else -1.0)
    posterior = np.cross(superior, left)
    return Frame(left=_vector(left), posterior=_vector(posterior), superior=_vector(superior))


def _vector(values: Points) -> Vector:
    # Adding 0.0 turns -0.0 into 0.0, so that equal frames print and compare alike.
    x, y, z = (float(value) + 0.0 for value in values)
    return (x, y, z)
