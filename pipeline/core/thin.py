"""Parts of a structure that are thinner than its lattice sees: spurs, bridges, plates."""

from __future__ import annotations

import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.raster import as_multipolygon
from pipeline.core.threads import side_by_side

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

    def widened(section: MultiPolygon) -> MultiPolygon:
        seen = section.buffer(-radius).buffer(radius)
        around = seen.buffer(pitch_mm)
        beyond = shapely.get_parts(shapely.difference(section, seen))
        thin = [part for part in beyond if not shapely.covers(around, part)]
        if not thin:
            return section
        wide = shapely.union_all(thin).buffer(WIDER_PITCHES * pitch_mm)
        return as_multipolygon(shapely.union(section, wide))

    drawn = contours.sections
    found = dict(zip(drawn, side_by_side(widened, drawn.values()), strict=True))
    changed = any(found[k] is not section for k, section in drawn.items())
    return Contours(grid=contours.grid, sections=found) if changed else contours
