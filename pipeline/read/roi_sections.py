"""Raw contours of an ROI onto the slices of the CT: by position, never by image reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.loops import Loop, Sections, sections_from_loops
from pipeline.core.planes import ScannedPlanes, count_lost, resliced
from pipeline.core.raster import image_outline
from pipeline.read.structure_set import RawContour

Points = npt.NDArray[np.float64]

# How far from a slice plane a contour may lie: rounded z values of CT and structure set together.
PLANE_TOLERANCE_MM = 0.25
PLANE_TOLERANCE_SHARE = 0.25
XOR = "CLOSEDPLANAR_XOR"
_CLOSED = ("CLOSED_PLANAR", XOR)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoiSections:
    """One ROI on the slices, and what could not be put there.

    Attributes:
        contours: its polygons.
        sections: the polygons with the notes on their dirt.
        between_slices_mm: plane positions (frame w) of contours between two slices.
        beyond_scan_mm: plane positions of contours above or below the scan.
        oblique: contours that do not lie in a slice plane.
        open_types: contours that enclose nothing, by geometric type.
        outside_mm2: area beyond the edges of the image.
        plane_positions_mm: of the planes that it was drawn on, by the indices of `sections`, shape (n,).
        lost_parts: drawn ones that lie on no slice of the grid.
    """

    contours: Contours
    sections: Sections
    between_slices_mm: tuple[float, ...]
    beyond_scan_mm: tuple[float, ...]
    oblique: int
    open_types: Counter[str]
    outside_mm2: float
    plane_positions_mm: npt.NDArray[np.float64]
    lost_parts: int = 0

    @property
    def without_points(self) -> int:
        """Closed contours whose data is missing."""
        return sum(self.open_types[kind] for kind in _CLOSED)

    @property
    def area_mm2(self) -> float:
        """Area of all sections together."""
        return float(sum(section.area for section in self.contours.sections.values()))


def roi_sections(raw: Iterable[RawContour], grid: Grid, scanned: ScannedPlanes | None = None) -> RoiSections:
    """Place and clean the contours of one ROI.

    Args:
        raw: as stored.
        grid: of the CT.
        scanned: the planes that they were drawn on, where the CT was brought onto another grid.
    """
    closed: list[RawContour] = []
    open_types: Counter[str] = Counter()
    for one in raw:
        if one.kind in _CLOSED and len(one.points):
            closed.append(one)
        else:
            open_types[one.kind] += 1
    loops: dict[int, list[Loop]] = {}
    between: list[float] = []
    beyond: list[float] = []
    oblique = 0
    planes = grid.plane_positions_mm if scanned is None else scanned.heights_mm
    tolerance = min(PLANE_TOLERANCE_MM, PLANE_TOLERANCE_SHARE * float(np.abs(np.diff(planes)).min()))
    place = grid.frame.from_patient if scanned is None else scanned.place
    for one, points in zip(closed, _placed(closed, place), strict=True):
        low, high = float(points[:, 2].min()), float(points[:, 2].max())
        w = (low + high) / 2
        k = int(np.argmin(np.abs(planes - w)))
        if high - low > 2 * tolerance:
            oblique += 1
        elif abs(planes[k] - w) <= tolerance:
            loops.setdefault(k, []).append(Loop(points=points[:, :2], xor=one.kind == XOR))
        elif planes.min() < w < planes.max():
            between.append(w)
        else:
            beyond.append(w)
    sections = sections_from_loops(loops)
    polygons = sections.polygons if scanned is None else resliced(sections.polygons, scanned, grid)
    contours = Contours(grid=grid, sections=polygons)
    return RoiSections(
        contours=contours,
        sections=sections,
        between_slices_mm=tuple(sorted(set(between))),
        beyond_scan_mm=tuple(sorted(set(beyond))),
        oblique=oblique,
        open_types=open_types,
        outside_mm2=_outside(contours),
        plane_positions_mm=planes,
        lost_parts=0 if scanned is None else count_lost(sections.polygons, polygons, scanned, grid),
    )


def _placed(contours: list[RawContour], place: Callable[[Points], Points]) -> list[Points]:
    """All points in the coordinates of the planes, turned in one go."""
    if not contours:
        return []
    turned = place(np.concatenate([one.points for one in contours]))
    ends = np.cumsum([len(one.points) for one in contours])[:-1]
    return list(np.split(turned, ends))


def _outside(contours: Contours) -> float:
    if contours.is_empty:
        return 0.0
    outline = image_outline(contours.grid)
    u0, v0, u1, v1 = outline.bounds
    total = 0.0
    for section in contours.sections.values():
        a0, b0, a1, b1 = section.bounds
        if a0 < u0 or b0 < v0 or a1 > u1 or b1 > v1:
            total += shapely.difference(section, outline).area
    return total
