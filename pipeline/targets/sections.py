"""Volumes as sections on slice planes: slice index, also beyond the scan, to polygons in (u, v) mm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.fewer_points import simplified
from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon
from pipeline.core.threads import side_by_side

# Slice index to section; the index may lie outside the scan.
Sections = Mapping[int, MultiPolygon]
Bounds = tuple[float, float, float, float]


def joined(many: Iterable[Sections]) -> dict[int, MultiPolygon]:
    """Union slice by slice."""
    gathered: dict[int, list[MultiPolygon]] = {}
    for sections in many:
        for k, section in sections.items():
            gathered.setdefault(k, []).append(section)
    united = side_by_side(
        lambda parts: parts[0] if len(parts) == 1 else as_multipolygon(shapely.union_all(parts)),
        gathered.values(),
    )
    return dict(zip(gathered, united, strict=True))


def common(one: Sections, other: Sections) -> dict[int, MultiPolygon]:
    """Intersection slice by slice."""
    met = [k for k in one if k in other]
    both = side_by_side(lambda k: as_multipolygon(shapely.intersection(one[k], other[k])), met)
    return {k: section for k, section in zip(met, both, strict=True) if not section.is_empty}


def without(one: Sections, other: Sections) -> dict[int, MultiPolygon]:
    """Difference slice by slice."""
    left = side_by_side(
        lambda k: as_multipolygon(shapely.difference(one[k], other[k])) if k in other else one[k], one
    )
    return {k: section for k, section in zip(one, left, strict=True) if not section.is_empty}


def thinned(sections: Sections) -> dict[int, MultiPolygon]:
    """With fewer points: no outline moves by more than 0.02 mm. Every later step takes time by point."""
    thin = simplified(np.array(list(sections.values()), dtype=object), _THIN_MM)
    return {k: as_multipolygon(section) for k, section in zip(sections, thin, strict=True)}


_THIN_MM = 0.02


def between(sections: Sections, grid: Grid, low_mm: float, high_mm: float) -> dict[int, MultiPolygon]:
    """The sections whose planes lie between two heights, both included."""
    return {k: s for k, s in sections.items() if low_mm - _TINY <= height(grid, k) <= high_mm + _TINY}


_TINY = 1e-6


def volume_cc(sections: Sections, grid: Grid) -> float:
    """Sum of areas times slice spacing."""
    return float(sum(section.area for section in sections.values())) * grid.slice_spacing_mm / 1000.0


def height(grid: Grid, k: int) -> float:
    """Frame coordinate w of a slice plane in mm, also beyond the scan's ends."""
    step = grid.slice_spacing_mm if grid.axes[2, 2] > 0 else -grid.slice_spacing_mm
    return float(grid.plane_positions_mm[0]) + k * step


def bounds_of(sections: Sections) -> Bounds:
    """Least and largest u and v of all sections: (u low, v low, u high, v high)."""
    low_u, low_v, high_u, high_v = zip(*(section.bounds for section in sections.values()), strict=True)
    return (min(low_u), min(low_v), max(high_u), max(high_v))


def extent(sections: Sections, grid: Grid) -> tuple[float, float] | None:
    """Heights of the lowest and the highest plane; None for nothing."""
    if not sections:
        return None
    levels = [height(grid, k) for k in sections]
    return min(levels), max(levels)
