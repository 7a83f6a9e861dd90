"""Parts of a structure that are thinner than its lattice sees: spurs, bridges, plates."""

from __future__ import annotations

import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.contour import Contours
from pipeline.core.raster import as_multipolygon

# What is thinner than this many pitches may lie between lattice points; it matters once it stands out
# further than a pitch.
THIN_PITCHES = 1.5
# Thin parts are held on the finest lattice: made this much wider on either side, in mm, so that it sees them.
WIDENED_MM = 0.15


def thin_parts(contours: Contours, pitch_mm: float) -> Contours | None:
    """The parts of a structure that a lattice of a pitch may miss, as a structure of their own.

    A margin around a union is the union of the margins: grown apart on a finer lattice, they lose nothing.

    Returns:
        Contours on the slices that have such parts; None when there are none.
    """
    radius = THIN_PITCHES * pitch_mm / 2.0
    found: dict[int, MultiPolygon] = {}
    for k, section in contours.sections.items():
        seen = section.buffer(-radius).buffer(radius)
        around = seen.buffer(pitch_mm)
        far = [part for part in shapely.get_parts(section.difference(seen)) if not around.covers(part)]
        if far:
            found[k] = as_multipolygon(shapely.union_all(far).buffer(WIDENED_MM))
    return Contours(grid=contours.grid, sections=found) if found else None
