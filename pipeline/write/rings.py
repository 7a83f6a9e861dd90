"""From the polygons of a structure to the rings of a structure set, in the frame's (u, v)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.fewer_points import simplified
from pipeline.core.raster import as_multipolygon
from pipeline.core.validity import are_valid, is_valid

Points = npt.NDArray[np.float64]
Polygons = npt.NDArray[np.object_]

DECIMALS = 3  # 0.001 mm
MIN_PART_AREA_MM2 = 2.0

# Thinning: never further than the first of these from the drawn outline, and never more than this
# part of a polygon's area. Chords of a convex outline lie inside it, hence the second limit.
_TOLERANCES_MM = (0.05, 0.015, 0.004)
_MAX_AREA_CHANGE = 0.0005
_COLLINEAR_MM = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ring:
    """One closed contour, its last point not repeating the first.

    Attributes:
        k: slice index.
        points: (u, v) in mm, shape (n, 2), n >= 3; rounded to 0.001 mm.
        geometric_type: `CLOSED_PLANAR`; the type that a hole has depends on how holes are written.
    """

    k: int
    points: Points
    geometric_type: str = "CLOSED_PLANAR"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tidied:
    """What is written of a structure, and what is not.

    Attributes:
        contours: the thinned and rounded polygons.
        dropped_mm2: area of the specks left out, over all slices.
        dropped_slices: the slices that lost one.
    """

    contours: Contours
    dropped_mm2: float
    dropped_slices: tuple[int, ...]


@lru_cache(maxsize=64)  # asked for each ROI before it is written, and when it is
def tidied(contours: Contours) -> Tidied:
    """Round to 0.001 mm, thin vertices, drop specks below 2 mm2.

    A speck that is all of a slice between two slices that have contours is kept: dropping it would
    tear the structure. Thinning moves no outline by more than 0.05 mm and takes no more than
    0.05 % of a polygon's area.
    """
    slices = np.array(contours.slices, dtype=int)
    sections = np.array(list(contours.sections.values()), dtype=object)
    parts, owner = shapely.get_parts(sections, return_index=True)
    parts, owner = _rounded(thinned(parts), slices[owner])
    area = shapely.area(parts)
    keep = (area >= MIN_PART_AREA_MM2) | _bridges(owner, area)
    kept: dict[int, list[object]] = {}
    for k, part in zip(owner[keep].tolist(), parts[keep], strict=True):
        kept.setdefault(k, []).append(part)
    thin = {k: MultiPolygon(own) for k, own in kept.items()}
    # Seldom: thinned one by one, parts that run along each other came to touch.
    whole = {k: section if is_valid(section) else _apart(contours.sections[k]) for k, section in thin.items()}
    return Tidied(
        contours=Contours(grid=contours.grid, sections=whole),
        dropped_mm2=float(area[~keep].sum()),
        dropped_slices=tuple(sorted({int(k) for k in owner[~keep]})),
    )


def thinned(polygons: Polygons) -> Polygons:
    """Polygons with as few vertices as the limits of `tidied` allow, each still valid."""
    area = shapely.area(polygons)
    result = np.empty(len(polygons), dtype=object)
    waiting = np.ones(len(polygons), dtype=bool)
    for tolerance in _TOLERANCES_MM:
        where = np.flatnonzero(waiting)
        coarse = simplified(polygons[where], tolerance)
        change = np.abs(shapely.area(coarse) - area[where])
        good = (change <= _MAX_AREA_CHANGE * area[where]) & are_valid(coarse)
        result[where[good]] = coarse[good]
        waiting[where[good]] = False
    result[waiting] = simplified(polygons[waiting], _COLLINEAR_MM)
    return result


def nested_rings(contours: Contours) -> list[Ring]:
    """Outer rings, each followed by its holes, for readers that fill by the even-odd rule.

    Outer rings run counter-clockwise in (u, v), holes clockwise. Ascending in k.
    """
    rings: list[Ring] = []
    for k, section in contours.sections.items():
        parts = shapely.get_parts(shapely.orient_polygons(section))
        rings.extend(
            Ring(k=k, points=shapely.get_coordinates(ring)[:-1]) for ring in shapely.get_rings(parts)
        )
    return rings


def _rounded(parts: Polygons, owner: npt.NDArray[np.int_]) -> tuple[Polygons, npt.NDArray[np.int_]]:
    """Coordinates on the 0.001 mm lattice, no point twice in a row, each polygon valid."""
    exact = shapely.transform(parts, lambda points: np.round(points, DECIMALS) + 0.0)
    exact = shapely.remove_repeated_points(exact)
    bad = ~are_valid(exact) | (shapely.area(exact) == 0)
    # Seldom: rounding made an outline touch itself. GEOS then rounds with the topology in view.
    repaired = shapely.set_precision(parts[bad], 10.0**-DECIMALS)
    pieces, index = shapely.get_parts(repaired, return_index=True)
    polygonal = shapely.get_type_id(pieces) == shapely.GeometryType.POLYGON
    polygonal &= ~shapely.is_empty(pieces)
    return (
        np.concatenate([exact[~bad], pieces[polygonal]]),
        np.concatenate([owner[~bad], owner[bad][index[polygonal]]]),
    )


def _apart(section: MultiPolygon) -> MultiPolygon:
    """A section rounded with the topology of all its parts in view, unthinned."""
    return as_multipolygon(shapely.make_valid(shapely.set_precision(section, 10.0**-DECIMALS)))


def _bridges(owner: npt.NDArray[np.int_], area: Points) -> npt.NDArray[np.bool_]:
    """The largest part of every slice that has no part of full size but has neighbours."""
    result = np.zeros(len(owner), dtype=bool)
    present = set(owner.tolist())
    for k in present:
        here = np.flatnonzero(owner == k)
        largest = here[area[here].argmax()]
        if area[largest] < MIN_PART_AREA_MM2 and {k - 1, k + 1} <= present:
            result[largest] = True
    return result
