"""Where lesions lie: first by their level, then by the stations that they overlap, then by the nearest one.

Station and region never contradict each other: what lies above the sternal notch is region I and what lies
below the hiatus region IV, whatever station's solid reaches there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from pipeline.anatomy.places import doubts
from pipeline.anatomy.places.cells import LesionCells, cells_of
from pipeline.anatomy.places.levels import Levels, levels_of
from pipeline.anatomy.places.shares import SMALL_SHARE, LesionShares, lesion_shares
from pipeline.anatomy.places.space import Near, StationSpace, station_space
from pipeline.core.anatomy import Landmarks
from pipeline.core.case import Lesion
from pipeline.core.errors import GeometryError, UsageError
from pipeline.core.regions import Region
from pipeline.core.report import Finding
from pipeline.core.stations import LesionPlace, LesionPlaces, RegionShare, Stations, StationShare
from pipeline.core.surface import surface_of
from pipeline.core.volume import Mask

_Key = TypeVar("_Key")

# A lesion further than this from every station is in no region [A]. A station's side borders are tubes of
# 10 mm round vessels and the former esophagus, its levels are known to 3 to 10 mm, and nodes placed by hand
# on a phantom that missed their station lay just outside; an axillary or inguinal node is far off.
FAR_FROM_STATIONS_MM = 15.0
# With more of it than this inside the conduit, a lesion is judged by stations with the conduit left in [A].
MAINLY = 0.5
# A station of another region that is further away by less than this makes the choice of the nearest doubtful:
# the error of a level that was seen [A].
AS_NEAR_MM = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceOptions:
    """What else is known of lesions.

    Attributes:
        conduit: mask of the gastric conduit; without it, the conduit is what was taken out of the stations.
        stated: lesion to the region that the user states for it; it goes before all rules.
    """

    conduit: Mask | None = None
    stated: Mapping[str, Region] = field(default_factory=dict)


def place_lesions(
    lesions: Sequence[Lesion],
    stations: Stations,
    landmarks: Landmarks,
    options: PlaceOptions | None = None,
) -> LesionPlaces:
    """Tell the stations and regions of every lesion [P; constants of this room: A].

    Args:
        lesions: on the stations' grid.
        stations: of the patient; those not built cannot be told.
        landmarks: of which `sternal_notch` and `hiatus` are used; where one is missing, a finding says so.
        options: what else is known.

    Raises:
        GeometryError: a lesion on another grid or without contours.
        UsageError: a region stated for a lesion that there is not.
    """
    known = options or PlaceOptions()
    _check(lesions, stations, known.stated)
    surroundings = _Surroundings(
        levels=levels_of(landmarks, stations.grid),
        bare=station_space(stations, with_conduit=False),
        filled=station_space(stations, with_conduit=True),
        conduit=known.conduit,
    )
    placed = [_place(cells_of(one), surroundings, known.stated.get(one.name)) for one in lesions]
    return LesionPlaces(
        places=tuple(place for place, _ in placed),
        findings=(
            *doubts.levels_contradict(surroundings.levels),
            *doubts.levels_not_known(landmarks),
            *(one for _, told in placed for one in told),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Surroundings:
    """What lesions are judged by: levels, and stations without and with the conduit (bare and filled)."""

    levels: Levels
    bare: StationSpace
    filled: StationSpace
    conduit: Mask | None

    def in_conduit(self, cells: LesionCells) -> float:
        """The part of a lesion inside the conduit, 0 to 1."""
        if self.conduit is not None:
            return cells.part(cells.inside_mask(self.conduit))
        taken = np.zeros(len(cells.middles), dtype=bool)
        cut = [name for name, solid in self.filled.solids.items() if solid is not self.bare.solids[name]]
        for name, held in self.filled.holding(cells, cut).items():
            taken |= held & ~cells.inside(self.bare.solids[name])
        return cells.part(taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Regions, and how they were told."""

    regions: tuple[Region, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def _check(lesions: Sequence[Lesion], stations: Stations, stated: Mapping[str, Region]) -> None:
    for lesion in lesions:
        if lesion.contours.grid != stations.grid:
            raise GeometryError("lesion lies on another grid than the stations", where=lesion.name)
    names = [lesion.name for lesion in lesions]
    unknown = [name for name in stated if name not in names]
    if unknown:
        raise UsageError(
            "region stated for a lesion that there is not",
            expected=f"one of {', '.join(names)}",
            got=", ".join(unknown),
        )


def _place(
    cells: LesionCells, surroundings: _Surroundings, stated: Region | None
) -> tuple[LesionPlace, tuple[Finding, ...]]:
    levels, in_conduit = surroundings.levels, surroundings.in_conduit(cells)
    filled = in_conduit > MAINLY
    space = surroundings.filled if filled else surroundings.bare
    shares = lesion_shares(cells, levels, space)
    first, second = _nearest_two(cells, shares, space)
    told = _regions(cells, levels, space, shares, (first, second))
    if stated is not None:
        told = _as_stated(cells.name, stated, told)
    conduit_note = (
        f"{100.0 * in_conduit:.0f} % of it lies inside the conduit, which is left in the stations told"
    )
    place = LesionPlace(
        roi=cells.name,
        level=shares.level,
        shares=tuple(
            StationShare(station=name, fraction=part) for name, part in _largest_first(shares.stations)
        ),
        nearest=first.station if first else None,
        nearest_mm=first.mm if first else None,
        second=second.station if second else None,
        second_mm=second.mm if second else None,
        regions=told.regions,
        region_shares=tuple(
            RegionShare(region=region, fraction=part)
            for region, part in _largest_first(shares.regions)
            if part
        ),
        in_conduit=in_conduit,
        notes=(*_level_notes(shares), *told.notes, *([conduit_note] if filled else [])),
    )
    far = first is None or first.mm > FAR_FROM_STATIONS_MM
    findings = (
        *(doubts.far_from_stations(cells.name, told.regions, first) if far and stated is None else ()),
        *doubts.near_levels(cells, levels),
        *doubts.strayed_stations(cells.name, shares),
        *told.findings,
    )
    return place, findings


def _nearest_two(
    cells: LesionCells, shares: LesionShares, space: StationSpace
) -> tuple[Near | None, Near | None]:
    """The lesion's own station, of the region that its level tells, and the nearest of the others."""

    def nearest(names: Iterable[str]) -> Near | None:
        found = space.nearest(cells.solid, cells.surface, tuple(names), count=1)
        return min(found, key=lambda one: (one.mm, -shares.stations.get(one.station, 0.0)), default=None)

    first = nearest(name for name in space.solids if shares.level in {None, space.regions[name]})
    return first, nearest(name for name in space.solids if first is None or name != first.station)


def _regions(
    cells: LesionCells,
    levels: Levels,
    space: StationSpace,
    shares: LesionShares,
    nearest: tuple[Near | None, Near | None],
) -> _Told:
    if not shares.involved:
        return _by_nearest(cells.name, space, *nearest)
    others = {region: part for region, part in shares.in_stations.items() if region not in shares.cut_off}
    if not shares.cut_off or max(others.values()) >= SMALL_SHARE or shares.unclaimed < SMALL_SHARE:
        return _Told(regions=shares.involved)
    return _with_other_part(cells, levels, space, shares)


def _by_nearest(roi: str, space: StationSpace, first: Near | None, second: Near | None) -> _Told:
    if first is None or first.mm > FAR_FROM_STATIONS_MM:
        return _Told(regions=(), findings=(doubts.in_no_region(roi, first, FAR_FROM_STATIONS_MM),))
    region = space.regions[first.station]
    findings: tuple[Finding, ...] = ()
    if second and space.regions[second.station] is not region and second.mm - first.mm < AS_NEAR_MM:
        its = space.regions[second.station]
        findings = (doubts.between_regions(roi, first, region, second, its),)
    return _Told(regions=(region,), notes=(_told_by(region, first),), findings=findings)


def _with_other_part(cells: LesionCells, levels: Levels, space: StationSpace, shares: LesionShares) -> _Told:
    """A lesion across a level: its other part counts for the nearest station beyond that level."""
    low = levels.hiatus.mm if levels.hiatus else -math.inf
    part = cells.between(low, levels.notch.mm if levels.notch else math.inf)
    solid = cells.solid if part.is_empty else part
    names = [name for name in space.solids if space.regions[name] not in shares.cut_off]
    near = next(iter(space.nearest(solid, surface_of(solid), names, count=1)), None)
    if near is None or near.mm > FAR_FROM_STATIONS_MM:
        finding = doubts.part_in_no_region(cells.name, shares.unclaimed, near, FAR_FROM_STATIONS_MM)
        return _Told(regions=shares.involved, findings=(finding,))
    region = space.regions[near.station]
    regions = tuple(one for one in Region if one in {*shares.involved, region})
    return _Told(regions=regions, notes=(_told_by(region, near),))


def _as_stated(roi: str, stated: Region, told: _Told) -> _Told:
    differs = told.regions not in {(), (stated,)}
    return _Told(
        regions=(stated,),
        notes=(f"region {stated} was stated",),
        findings=(doubts.stated_otherwise(roi, stated, told.regions),) if differs else (),
    )


def _told_by(region: Region, near: Near) -> str:
    return f"region {region} was told by the nearest station, {near.station}, {near.mm:.1f} mm away"


def _level_notes(shares: LesionShares) -> list[str]:
    told = {"above the sternal notch": shares.above, "below the hiatus": shares.below}
    return [f"{100.0 * part:.0f} % of it lies {where}" for where, part in told.items() if part > 0.0]


def _largest_first(parts: Mapping[_Key, float]) -> list[tuple[_Key, float]]:
    return sorted(parts.items(), key=lambda pair: -pair[1])
