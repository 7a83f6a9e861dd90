"""Planar contours of one structure on the slices of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.errors import GeometryError
from pipeline.core.fewer_points import simplified
from pipeline.core.frozen import FrozenMap
from pipeline.core.grid import Grid
from pipeline.core.validity import is_valid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contours:
    """What a structure set can say of a structure: polygons with holes on slice planes.

    Attributes:
        grid: the CT grid that the slices belong to.
        sections: slice index k to a valid, not empty MultiPolygon whose coordinates are the
            frame's (u, v) in mm (`grid.frame`: u to the left, v to the back). Ascending in k.

    An empty mapping is an empty structure. Volume is polygon area times slice spacing.

    Raises:
        GeometryError: a slice outside the grid, an empty or invalid section.
    """

    grid: Grid
    sections: Mapping[int, MultiPolygon]

    def __post_init__(self) -> None:
        kept: dict[int, MultiPolygon] = {}
        for k in sorted(self.sections):
            section = self.sections[k]
            if isinstance(section, Polygon):
                section = MultiPolygon([section])
            if not 0 <= k < self.grid.size[2]:
                raise GeometryError(
                    "contour on a slice that the CT does not have",
                    expected=f"slice 0 to {self.grid.size[2] - 1}",
                    got=f"slice {k}",
                )
            if section.is_empty or not is_valid(section):
                raise GeometryError(
                    "contour section is not a valid polygon",
                    where=f"slice {k}",
                    got=shapely.is_valid_reason(section) if not section.is_empty else "empty",
                )
            kept[k] = section
        object.__setattr__(self, "sections", FrozenMap(kept))

    @property
    def slices(self) -> tuple[int, ...]:
        """The slices that carry contours, ascending."""
        return tuple(self.sections)

    @property
    def is_empty(self) -> bool:
        """Whether there is no contour at all."""
        return not self.sections

    @property
    def volume_cc(self) -> float:
        """Sum of section areas times slice spacing, in cubic centimetres."""
        area = sum(section.area for section in self.sections.values())
        return float(area) * self.grid.slice_spacing_mm / 1000.0

    def thinned(self, tolerance_mm: float) -> Contours:
        """The same with fewer points: no point of an outline moves by more than the tolerance."""
        thin = simplified(np.array(list(self.sections.values()), dtype=object), tolerance_mm)
        return Contours(grid=self.grid, sections=dict(zip(self.sections, thin, strict=True)))
