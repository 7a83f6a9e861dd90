"""The stations round a lesion: which of them hold parts of it, and how far the nearest ones are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.places.cells import LesionCells
from pipeline.core.regions import Region
from pipeline.core.solid import Solid
from pipeline.core.stations import Stations
from pipeline.core.surface import Surface, box_distance_mm, surface_distance_mm, surface_of, values_at

Cells = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A station and its distance from a lesion's surface, 0 where they overlap."""

    station: str
    mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationSpace:
    """The stations of a patient, as they are or with the conduit left in.

    Attributes:
        solids: station to its solid, in the atlas's order.
        regions: station to its region.
    """

    solids: Mapping[str, Solid]
    regions: Mapping[str, Region]
    _surfaces: dict[str, Surface] = field(default_factory=dict)

    def holding(self, cells: LesionCells, names: Iterable[str] | None = None) -> dict[str, Cells]:
        """The cells that each station holds, of those stations that hold any; all are asked by default."""
        asked = self.solids if names is None else names
        held = {name: cells.inside(self.solids[name]) for name in asked if self._meets(name, cells)}
        return {name: inside for name, inside in held.items() if inside.any()}

    def nearest(self, solid: Solid, surface: Surface, names: Collection[str], *, count: int) -> list[Near]:
        """Stations of a choice by their distance from a solid, the nearest first.

        Args:
            solid: the lesion, or a part of it.
            surface: of the solid.
            names: the choice.
            count: how many are asked for; every one that overlaps is given besides.
        """
        apart = {name: box_distance_mm(solid, self.solids[name]) for name in names}
        found: list[Near] = []
        for name in sorted(apart, key=lambda one: apart[one]):
            if len(found) >= count and apart[name] > found[count - 1].mm:
                break
            found.append(Near(station=name, mm=self._distance(solid, surface, name)))
            found.sort(key=lambda one: one.mm)
        return [one for rank, one in enumerate(found) if rank < count or one.mm == 0.0]

    def _distance(self, solid: Solid, surface: Surface, name: str) -> float:
        other, its_surface = self.solids[name], self._surface(name)
        # Whichever of the two lies inside the other, a corner of its surface is inside.
        if (values_at(other, surface.vertices) > 0).any() or (
            values_at(solid, its_surface.vertices) > 0
        ).any():
            return 0.0
        return surface_distance_mm(surface, its_surface)

    def _meets(self, name: str, cells: LesionCells) -> bool:
        return box_distance_mm(cells.solid, self.solids[name]) == 0.0

    def _surface(self, name: str) -> Surface:
        if name not in self._surfaces:
            self._surfaces[name] = surface_of(self.solids[name])
        return self._surfaces[name]


def station_space(stations: Stations, *, with_conduit: bool) -> StationSpace:
    """The built stations, with the conduit left in where it was taken out and this is asked for."""
    solids = {}
    for name in stations.regions:
        if name in stations.built:
            station = stations.built[name]
            solids[name] = (station.with_conduit if with_conduit else None) or station.solid
    return StationSpace(solids=solids, regions=stations.regions)
