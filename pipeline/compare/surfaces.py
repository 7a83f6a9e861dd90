"""How far the surfaces of two structures lie apart, in space, not slice by slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.compare.overlap import check_comparable
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.solid import Solid, solid_from_contours
from pipeline.core.surface import Surface, distances_mm, surface_of, values_at
from pipeline.core.thin import widened_where_thin

Values = npt.NDArray[np.float64]

# A pitch below the finest pixel of a planning CT.
PITCH_MM = 0.8
MOST_PERCENT = 95.0
# A surface lies this near to itself.
_ROUNDING_MM = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Apart:
    """One surface seen from another, piece by piece.

    Attributes:
        signed_mm: of each piece from the other surface, shape (n,): above 0 outside the other structure.
        area_mm2: of each piece, shape (n,).
    """

    signed_mm: Values
    area_mm2: Values

    @property
    def distance_mm(self) -> Values:
        """Without sign."""
        return np.abs(self.signed_mm)

    def percentile_mm(self, percent: float) -> float:
        """The distance that this percentage of the surface does not exceed."""
        order = np.argsort(self.distance_mm)
        share = np.cumsum(self.area_mm2[order]) / self.area_mm2.sum()
        last = min(int(np.searchsorted(share, percent / 100.0)), len(order) - 1)
        return float(self.distance_mm[order[last]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurfaceDistances:
    """The surfaces of two structures, each seen from the other.

    Attributes:
        one: pieces of the first surface and their distances to the second.
        other: the reverse.
    """

    one: Apart
    other: Apart

    @property
    def mean_mm(self) -> float:
        """Mean distance over the area of both surfaces."""
        total = sum(float(part.distance_mm @ part.area_mm2) for part in (self.one, self.other))
        return total / self._area_mm2

    @property
    def signed_mean_mm(self) -> float:
        """Mean signed distance of the second surface from the first structure: above 0, it lies outside."""
        return float(self.other.signed_mm @ self.other.area_mm2) / float(self.other.area_mm2.sum())

    @property
    def hd95_mm(self) -> float:
        """The larger of the two 95th percentiles."""
        return max(part.percentile_mm(MOST_PERCENT) for part in (self.one, self.other))

    @property
    def hausdorff_mm(self) -> float:
        """The largest distance of any piece of either surface."""
        return max(float(part.distance_mm.max()) for part in (self.one, self.other))

    def dice(self, tolerance_mm: float) -> float:
        """Share of both surfaces that lies within a tolerance of the other one, 0 to 1.

        Raises:
            GeometryError: a tolerance below 0.
        """
        if not tolerance_mm >= 0:
            raise GeometryError("tolerance below 0", expected="0 mm or more", got=f"{tolerance_mm:g} mm")
        near = sum(
            float(part.area_mm2[part.distance_mm <= tolerance_mm + _ROUNDING_MM].sum())
            for part in (self.one, self.other)
        )
        return near / self._area_mm2

    @property
    def _area_mm2(self) -> float:
        return float(self.one.area_mm2.sum() + self.other.area_mm2.sum())


def surface_distances(one: Contours, other: Contours, *, pitch_mm: float = PITCH_MM) -> SurfaceDistances:
    """Distances between the surfaces of two structures.

    Each stack of contours is the solid of `core.solid`; its surface is cut into triangles, and each counts
    with its area, at its middle. Parts thinner than the lattice sees are widened by half a pitch on either
    side first, so that none is lost.

    Args:
        one, other: on one grid, not empty.
        pitch_mm: of the lattice in the axial slice; its planes lie at most 1.5 pitches apart.

    Raises:
        GeometryError: a structure without contours, or two grids.
    """
    check_comparable(one, other)
    seen = [widened_where_thin(contours, pitch_mm) for contours in (one, other)]
    solids = [solid_from_contours(contours, pitch_mm=pitch_mm) for contours in seen]
    surfaces = [surface_of(solid) for solid in solids]
    return SurfaceDistances(
        one=_apart(surfaces[0], solids[1], surfaces[1]), other=_apart(surfaces[1], solids[0], surfaces[0])
    )


def _apart(surface: Surface, solid: Solid, other: Surface) -> Apart:
    corners = surface.vertices[surface.triangles]
    middles = corners.mean(axis=1)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sign = np.where(values_at(solid, middles) > 0, -1.0, 1.0)
    return Apart(signed_mm=sign * distances_mm(middles, other), area_mm2=np.linalg.norm(across, axis=1) / 2.0)
