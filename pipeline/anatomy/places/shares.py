"""Which parts of a lesion's volume levels and stations give to which region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.anatomy.places.cells import LesionCells
from pipeline.anatomy.places.levels import Levels
from pipeline.anatomy.places.space import StationSpace
from pipeline.core.regions import Region

# A smaller part of a lesion than this involves no region [A]: less than what redrawing a contour moves.
SMALL_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionShares:
    """A lesion against levels and stations, all as parts of its volume, 0 to 1.

    Attributes:
        above, below: the notch; the hiatus.
        stations: station to what of it agrees with the station's region by level.
        strayed: station to what lies in it on the wrong side of a level.
        regions: by level, and between the levels by stations.
        in_stations: region to what its stations hold between the levels.
        unclaimed: between the levels and in no station.
    """

    above: float
    below: float
    stations: Mapping[str, float]
    strayed: Mapping[str, float]
    regions: Mapping[Region, float]
    in_stations: Mapping[Region, float]
    unclaimed: float

    @property
    def level(self) -> Region | None:
        """The region that the level alone tells."""
        if self.above > 1.0 - SMALL_SHARE:
            return Region.I
        return Region.IV if self.below > 1.0 - SMALL_SHARE else None

    @property
    def cut_off(self) -> frozenset[Region]:
        """The regions that a level gives a part of the lesion, but not all of it."""
        parts = {Region.I: self.above, Region.IV: self.below}
        return frozenset(one for one, part in parts.items() if SMALL_SHARE <= part <= 1.0 - SMALL_SHARE)

    @property
    def involved(self) -> tuple[Region, ...]:
        """The regions with more than a small share, from I to IV."""
        return tuple(region for region, part in self.regions.items() if part >= SMALL_SHARE)


def lesion_shares(cells: LesionCells, levels: Levels, space: StationSpace) -> LesionShares:
    """Divide a lesion among levels and stations."""
    nothing = np.zeros(len(cells.middles))
    above = cells.above(levels.notch.mm) if levels.notch else nothing
    below = 1.0 - cells.above(levels.hiatus.mm) if levels.hiatus else nothing
    between = np.clip(1.0 - above - below, 0.0, 1.0)
    by_level = {Region.I: above, Region.II: nothing, Region.III: nothing, Region.IV: below}
    claimed = {region: np.zeros(len(nothing), dtype=bool) for region in Region}
    stations, strayed = {}, {}
    for name, held in space.holding(cells).items():
        region = space.regions[name]
        claimed[region] |= held
        stations[name] = cells.part(held * (by_level[region] + between))
        strayed[name] = cells.part(held) - stations[name]
    anywhere = np.any(list(claimed.values()), axis=0)
    return LesionShares(
        above=cells.part(above),
        below=cells.part(below),
        stations={name: part for name, part in stations.items() if part > 0.0},
        strayed=strayed,
        regions={region: cells.part(by_level[region] + between * claimed[region]) for region in Region},
        in_stations={region: cells.part(between * claimed[region]) for region in Region},
        unclaimed=cells.part(between * ~anywhere),
    )
