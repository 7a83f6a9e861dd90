"""Slivers, slits and specks of a volume on slices."""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon
from pipeline.core.threads import side_by_side
from pipeline.targets.sections import Sections

_CORNERS = 8  # segments of a quarter circle


def slits_closed(sections: Sections, width_mm: float) -> dict[int, MultiPolygon]:
    """Gaps narrower than a width closed; nothing grows outward, by no more than half of it into a notch."""
    half = width_mm / 2.0

    def closed(section: MultiPolygon) -> MultiPolygon:
        return as_multipolygon(shapely.union(section.buffer(half, quad_segs=_CORNERS).buffer(-half), section))

    return dict(zip(sections, side_by_side(closed, sections.values()), strict=True))


def slivers_removed(sections: Sections, kept: Sections, width_mm: float) -> dict[int, MultiPolygon]:
    """Parts narrower than a width removed; what lies in `kept` stays, and nothing is added to the rest."""
    half = width_mm / 2.0

    def wide_parts(k: int) -> MultiPolygon:
        section = sections[k]
        wide = shapely.intersection(section.buffer(-half).buffer(half, quad_segs=_CORNERS), section)
        return as_multipolygon(shapely.union(wide, kept[k]) if k in kept else wide)

    found = zip(sections, side_by_side(wide_parts, sections), strict=True)
    return {k: section for k, section in found if not section.is_empty}


def flecks_removed(sections: Sections, kept: Sections, least_mm2: float) -> dict[int, MultiPolygon]:
    """Parts below an area on a slice removed, unless they meet `kept`."""
    found = {
        k: MultiPolygon([part for part in section.geoms if part.area >= least_mm2 or _meets((k, part), kept)])
        for k, section in sections.items()
    }
    return {k: section for k, section in found.items() if not section.is_empty}


def specks_removed(
    sections: Sections, kept: Sections, least_cc: float, grid: Grid
) -> dict[int, MultiPolygon]:
    """Parts, over all slices, below a volume removed, unless they meet `kept`."""
    parts = [(k, part) for k, section in sections.items() for part in section.geoms]
    groups = _hanging_together(parts)
    stay: list[tuple[int, Polygon]] = []
    for group in groups:
        cc = sum(parts[n][1].area for n in group) * grid.slice_spacing_mm / 1000.0
        if cc >= least_cc or any(_meets(parts[n], kept) for n in group):
            stay += [parts[n] for n in group]
    found: dict[int, list[Polygon]] = {}
    for k, part in stay:
        found.setdefault(k, []).append(part)
    return {k: MultiPolygon(found[k]) for k in sorted(found)}


def _meets(part: tuple[int, Polygon], kept: Sections) -> bool:
    k, polygon = part
    return k in kept and bool(shapely.intersects(polygon, kept[k]))


def _hanging_together(parts: list[tuple[int, Polygon]]) -> Iterable[list[int]]:
    """Indices of parts that overlap from slice to slice, group by group."""
    by_slice: dict[int, list[int]] = {}
    for n, (k, _) in enumerate(parts):
        by_slice.setdefault(k, []).append(n)
    head = list(range(len(parts)))

    def root(n: int) -> int:
        while head[n] != n:
            head[n] = head[head[n]]
            n = head[n]
        return n

    for k, here in by_slice.items():
        for n in here:
            for m in by_slice.get(k + 1, ()):
                if root(n) != root(m) and shapely.intersects(parts[n][1], parts[m][1]):
                    head[root(n)] = root(m)
    groups: dict[int, list[int]] = {}
    for n in range(len(parts)):
        groups.setdefault(root(n), []).append(n)
    return groups.values()
