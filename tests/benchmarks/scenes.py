"""Shapes laid on CT grids: their voxels, contours and true volumes there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.contour import Contours
from pipeline.core.expansion import expand
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from pipeline.core.rules import Ends
from pipeline.core.solid import Solid, solid_from_contours
from tests.benchmarks.shapes import Shape
from tests.closed_forms import make_grid

Floats = npt.NDArray[np.float64]
Spacing = tuple[float, float, float]
HorizontalAndCraniocaudal = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A shape on a grid that is wide enough for its expansion.

    Attributes:
        centre_mm: of the shape, in the grid's frame.
    """

    shape: Shape
    grid: Grid
    centre_mm: Spacing

    @property
    def points(self) -> tuple[Floats, Floats, Floats]:
        """Voxel centres (x, y, z) from the shape's centre, as arrays that broadcast to (z, y, x)."""
        x, y, z = (
            start + np.arange(count) * step - centre
            for start, count, step, centre in zip(
                self.grid.origin_mm, self.grid.size, self.grid.spacing_mm, self.centre_mm, strict=True
            )
        )
        return x[None, None, :], y[None, :, None], z[:, None, None]

    def voxels(self, a: float = 0.0, c: float = 0.0) -> npt.NDArray[np.bool_]:
        """Voxels whose centres lie in the shape grown by an ellipsoid (a, a, c)."""
        return self.shape.holds(self.points, a, c)

    def contours(self) -> Contours:
        """The exact sections of the shape on the slice planes."""
        drawn = {
            k: self.shape.section(float(z), self.centre_mm[:2]) for k, z in enumerate(self.points[2].ravel())
        }
        return Contours(grid=self.grid, sections={k: s for k, s in drawn.items() if s is not None})

    def sliced_volume_mm3(self, margin: HorizontalAndCraniocaudal) -> float:
        """Exact section areas of the shape's sum on the slice planes x spacing."""
        return self._sliced(self.shape.reach(self.points[2].ravel(), *margin))

    def stack_volume_mm3(self, margin: HorizontalAndCraniocaudal) -> float:
        """The same of the solid that the contours stand for."""
        heights = self.points[2].ravel()
        return self._sliced(self.shape.stack_reach(self.drawn_planes(), heights, margin))

    def drawn_planes(self) -> Floats:
        """Heights of the slices with a contour, from the shape's centre."""
        heights = self.points[2].ravel()
        return np.asarray(heights[np.abs(heights) < self.shape.half_height_mm])

    def _sliced(self, reach: Floats) -> float:
        return float(self.shape.areas_mm2(reach).sum()) * self.grid.slice_spacing_mm


def make_scene(shape: Shape, spacing: Spacing, place: Spacing, margin: HorizontalAndCraniocaudal) -> Scene:
    """A shape whose centre lies `place` (parts of a voxel) from a voxel centre."""
    a, c = margin
    width = max(shape.radius_mm, *shape.half_mm) + a
    reach = (width, width, shape.half_height_mm + c)
    nx, ny, nz = (2 * (int(r / s) + 2) + 1 for r, s in zip(reach, spacing, strict=True))
    x, y, z = (part * s for part, s in zip(place, spacing, strict=True))
    return Scene(shape=shape, grid=make_grid(size=(nx, ny, nz), spacing_mm=spacing), centre_mm=(x, y, z))


def places(count: int) -> list[Spacing]:
    """Spread over a voxel: evenly along z, by irrational steps in-plane; none on a voxel's border."""
    return [((0.5 + 0.7549 * i) % 1.0, (0.5 + 0.5698 * i) % 1.0, (i + 0.5) / count) for i in range(count)]


def grown(contours: Contours, margin: HorizontalAndCraniocaudal, *, ends: Ends = Ends.FLAT) -> Solid:
    """Through our geometry: contours to a solid, and the solid expanded."""
    a, c = margin
    return expand(solid_from_contours(contours, ends=ends), Margin.axial(horizontal=a, craniocaudal=c))
