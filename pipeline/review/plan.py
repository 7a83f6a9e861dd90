"""What to show of a lesion: its own part of each structure, the slices, the planes and the region."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Point

from pipeline.core.case import Lesion
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.review.planes import Overlay, Scan

# Around the targets of a lesion, so that the anatomy beside them can be recognised.
SURROUND_MM = 40.0
# No wider in an axial plane, or the contours become too small to judge; the whole slice is shown besides.
WIDEST_MM = 260.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One axial slice to show, and why."""

    k: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a montage shows.

    Attributes:
        centre_mm: frame point (u, v, w) that the coronal and sagittal planes go through.
        middle: the slice where the lesion is largest.
        levels: further axial slices, head first.
        low_mm, high_mm: corners of the frame box to show.
    """

    centre_mm: tuple[float, float, float]
    middle: Level
    levels: tuple[Level, ...]
    low_mm: tuple[float, float, float]
    high_mm: tuple[float, float, float]


def plan_view(scan: Scan, lesion: Lesion, overlays: Sequence[Overlay], *, tiles: int) -> View:
    """Slices, planes and region for one lesion; at most `tiles` levels beside the middle one.

    Raises:
        GeometryError: the lesion has no contours.
    """
    own = lesion.contours
    if own.is_empty:
        raise GeometryError("lesion without contours cannot be pictured", where=lesion.name)
    parts = {overlay.name: part_around(overlay.contours, own) for overlay in overlays}
    parts = {name: part for name, part in parts.items() if part}
    boxes = np.array(
        [section.bounds for part in (own.sections, *parts.values()) for section in part.values()]
    )
    centre = _centre(scan, own)
    middle = _largest(scan, own, centre[2])
    reach = [scan.level_mm(k) for part in (own.sections, *parts.values()) for k in part]
    spans = []
    for axis in (0, 1):
        low, high = boxes[:, axis].min() - SURROUND_MM, boxes[:, axis + 2].max() + SURROUND_MM
        if high - low > WIDEST_MM:
            low, high = centre[axis] - WIDEST_MM / 2, centre[axis] + WIDEST_MM / 2
        spans.append((float(low), float(high)))
    spans.append((min(reach) - SURROUND_MM, max(reach) + SURROUND_MM))
    return View(
        centre_mm=centre,
        middle=Level(k=middle, why=f"largest section of {lesion.name}"),
        levels=_levels(scan, lesion, parts, middle=middle, tiles=tiles),
        low_mm=(spans[0][0], spans[1][0], spans[2][0]),
        high_mm=(spans[0][1], spans[1][1], spans[2][1]),
    )


def part_around(contours: Contours, seed: Contours) -> dict[int, MultiPolygon]:
    """The part of a structure that hangs together with a seed, slice by slice.

    Begins with the polygons that meet the seed on its own slices and goes on to each next slice
    with the polygons that overlap those of the slice before. Empty when nothing meets the seed.
    """
    part: dict[int, MultiPolygon] = {}
    for k in seed.slices:
        met = _meeting(contours, k, seed.sections[k])
        if met is not None:
            part[k] = met
    if not part:
        return part
    for step, k in ((1, max(part)), (-1, min(part))):
        here = k
        while (met := _meeting(contours, here + step, part[here])) is not None:
            here += step
            part[here] = met
    return part


def _meeting(contours: Contours, k: int, other: MultiPolygon) -> MultiPolygon | None:
    section = contours.sections.get(k)
    if section is None:
        return None
    kept = [polygon for polygon in section.geoms if polygon.intersects(other)]
    return MultiPolygon(kept) if kept else None


def _centre(scan: Scan, contours: Contours) -> tuple[float, float, float]:
    """Centre of mass; the largest section's inner point where that lies outside the contours."""
    sections = list(contours.sections.values())
    areas = shapely.area(sections)
    points = shapely.get_coordinates(shapely.centroid(sections))
    u, v = np.average(points, axis=0, weights=areas)
    w = np.average([scan.level_mm(k) for k in contours.slices], weights=areas)
    if not any(section.contains(Point(u, v)) for section in sections):
        inner = sections[int(np.argmax(areas))].representative_point()
        u, v = inner.x, inner.y
    return (float(u), float(v), float(w))


def _largest(scan: Scan, contours: Contours, w_mm: float) -> int:
    """The slice of the largest section; of several as large, the one nearest to a level."""
    most = max(section.area for section in contours.sections.values())
    as_large = [k for k in contours.slices if contours.sections[k].area > 0.999 * most]
    # Rounded, and the upper of two as near, so that storage order does not decide.
    return min(as_large, key=lambda k: (round(abs(scan.level_mm(k) - w_mm), 3), -scan.layer(k)))


def _levels(
    scan: Scan,
    lesion: Lesion,
    parts: Mapping[str, Mapping[int, MultiPolygon]],
    *,
    middle: int,
    tiles: int,
) -> tuple[Level, ...]:
    """Ends of the outermost structure and of the lesion, then slices halfway while there is room."""
    own = lesion.contours.slices
    everything: dict[str, Collection[int]] = {**parts, lesion.name: own}
    found: dict[int, str] = {middle: ""}
    for word, end in (("top", max), ("bottom", min)):
        for name, ks in ((lesion.name, own), _furthest(scan, everything, highest=end is max)):
            k = end(ks, key=scan.layer)
            found.setdefault(k, f"{word} of {name}")
    shown = sorted(scan.layer(k) for k in found)
    while len(shown) <= tiles:
        gaps = np.diff(shown)
        if not gaps.size or gaps.max() < 2:
            break
        low = int(gaps.argmax())
        between = shown[low] + int(gaps[low]) // 2
        found[scan.layer(between)] = "between"
        shown = sorted([*shown, between])
    del found[middle]
    order = sorted(found, key=scan.layer, reverse=True)
    return tuple(Level(k=k, why=found[k]) for k in order)[:tiles]


def _furthest(
    scan: Scan, parts: Mapping[str, Collection[int]], *, highest: bool
) -> tuple[str, tuple[int, ...]]:
    """Name and slices of the structure that reaches furthest to the head, or to the feet."""
    sign = 1 if highest else -1
    name = max(parts, key=lambda name: max(sign * scan.layer(k) for k in parts[name]))
    return name, tuple(parts[name])
