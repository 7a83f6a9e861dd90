"""Parts of a structure that are thinner than its lattice sees: spurs, bridges, plates."""

from __future__ import annotations

import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.raster import as_multipolygon

# What is thinner than this many pitches may lie between lattice points; it matters once it stands out
# further than a pitch.
THIN_PITCHES = 1.5
# A part widened by this many pitches on either side holds lattice points all along.
WIDER_PITCHES = 0.5


def widened_where_thin(contours: Contours, pitch_mm: float) -> Contours:
    """A structure whose parts that a lattice of a pitch may miss are wide enough for it.

    They gain half a pitch on either side, at most 0.4 mm; everything else stays as it is.

    Returns:
        The same contours where there is no such part.
    """
    radius = THIN_PITCHES * pitch_mm / 2.0
    changed: dict[int, MultiPolygon] = {}
    for k, section in contours.sections.items():
        seen = section.buffer(-radius).buffer(radius)
        around = seen.buffer(pitch_mm)
        thin = [
            part
            for part in shapely.get_parts(shapely.difference(section, seen))
            if not shapely.covers(around, part)
        ]
        if thin:
            wide = shapely.union_all(thin).buffer(WIDER_PITCHES * pitch_mm)
            changed[k] = as_multipolygon(shapely.union(section, wide))
    return Contours(grid=contours.grid, sections={**contours.sections, **changed}) if changed else contours
