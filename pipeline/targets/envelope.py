"""Region envelopes: where the expansion of a GTV may go."""

from __future__ import annotations

import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon
from pipeline.core.regions import Region
from pipeline.core.solid import Solid
from pipeline.core.stations import Stations
from pipeline.core.threads import side_by_side
from pipeline.targets.sections import Bounds, Sections, height


class Envelope:
    """The union of all stations before organs are taken out, gaps closed, region I open upwards.

    Stations themselves have vessels, gut, heart and airway taken out: clipping an expansion to them would
    leave a lesion at the anastomosis with no craniocaudal margin at all.
    """

    def __init__(self, stations: Stations, gap_mm: float) -> None:
        """From a patient's stations; gaps up to twice `gap_mm` between neighbours on a slice are closed."""
        self._grid = stations.grid
        known = {name: room for name, room in stations.rooms.items() if not room.is_empty}
        self._rooms = tuple(known.values())
        # What goes on upwards: each room of region I, by its highest slice.
        self._tops = {
            id(room): _top_of(room, self._grid)
            for name, room in known.items()
            if stations.regions[name] is Region.I
        }
        self._gap_mm = gap_mm

    def clipped(self, sections: Sections) -> dict[int, MultiPolygon]:
        """What of some sections lies inside the envelope."""
        inside = side_by_side(
            lambda k: as_multipolygon(shapely.intersection(sections[k], self._at(k, sections[k].bounds))),
            sections,
        )
        return {k: section for k, section in zip(sections, inside, strict=True) if not section.is_empty}

    def _at(self, k: int, bounds: Bounds) -> shapely.Geometry:
        """The envelope on a slice, near some bounds."""
        # What lies further away than twice a gap closes none inside the bounds.
        u0, v0, u1, v1 = bounds
        reach = 2.0 * self._gap_mm + 1.0
        near = (u0 - reach, v0 - reach, u1 + reach, v1 + reach)
        parts = [self._section(room, k) for room in self._rooms]
        parts = [part for part in parts if not part.is_empty]
        if not parts:
            return MultiPolygon()
        whole = shapely.clip_by_rect(shapely.union_all(parts), *near)
        closed: shapely.Geometry = whole.buffer(self._gap_mm).buffer(-self._gap_mm)
        return shapely.union(closed, whole)

    def _section(self, room: Solid, k: int) -> MultiPolygon:
        top = self._tops.get(id(room))
        if top is not None and height(self._grid, k) > height(self._grid, top):
            k = top
        return room.section(room.lattice.plane_of_slice(k))


def _top_of(room: Solid, grid: Grid) -> int | None:
    """The highest slice that a room meets; None where it lies between two."""
    lattice = room.lattice
    steps = lattice.steps_per_slice
    planes = range(-lattice.start[2] % steps, lattice.size[2], steps)
    met = [lattice.slice_of_plane(plane) for plane in planes if (room.field[plane] > 0).any()]
    return max(met, key=lambda k: height(grid, k), default=None)
