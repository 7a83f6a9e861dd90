"""One row of the elective rules on a patient: its boundaries, and what lies between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapely.geometry import MultiPolygon

from pipeline.core.case import LesionKind
from pipeline.core.elective import Boundary, BoundaryTerm, ElectivePlan, ElectiveRow, End, RowBuilt, Sense
from pipeline.core.grid import Grid
from pipeline.core.solid import Solid
from pipeline.core.stations import Station
from pipeline.targets.gross import Gross
from pipeline.targets.patient import PatientMap
from pipeline.targets.sections import (
    Sections,
    between,
    extent,
    height,
    joined,
    thinned,
    volume_cc,
    without,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expanded:
    """A lesion, and its expansion within the envelopes, no boundary applied."""

    gross: Gross
    sections: Sections


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowSections:
    """What a row gives.

    Attributes:
        row: the rule.
        lesions: names of those in its regions.
        upper, lower: its boundaries, as far as the rules tell them.
        stations: each listed station between the boundaries.
        stations_whole_cc: the same without boundaries.
        expansions: each lesion's expansion between the boundaries.
    """

    row: ElectiveRow
    lesions: tuple[str, ...]
    upper: Boundary
    lower: Boundary
    stations: Mapping[str, Sections]
    stations_whole_cc: Mapping[str, float]
    expansions: Mapping[str, Sections]

    def whole(self) -> dict[int, MultiPolygon]:
        """All of it united."""
        return joined([*self.stations.values(), *self.expansions.values()])


def row_sections(
    row: ElectiveRow, plan: ElectivePlan, patient: PatientMap, expanded: Sequence[Expanded], conduit: Sections
) -> RowSections:
    """What a row gives on a patient; everything that it needs is known."""
    names = patient.lesions_of(row)
    own = [one for one in expanded if one.gross.lesion.name in names]
    solids = [one.gross.solid for one in own]
    upper, lower = (_boundary(row, end, plan, patient, solids) for end in End)
    grid = patient.stations.grid
    low, high = lower.level_mm, upper.level_mm
    expansions: dict[str, Sections] = {}
    for one in own:
        kept = one.sections
        if one.gross.lesion.kind is LesionKind.NODE or not plan.conduit_in_tumour_expansion:
            kept = without(kept, conduit)
        if not plan.expansion_beyond_boundaries:
            kept = between(kept, grid, low, high)
        expansions[one.gross.lesion.name] = kept
    built = {name: patient.stations.built.get(name) for name in row.stations}
    listed = {name: _station_sections(one, plan) if one else {} for name, one in built.items()}
    return RowSections(
        row=row,
        lesions=names,
        upper=upper,
        lower=lower,
        stations={name: between(sections, grid, low, high) for name, sections in listed.items()},
        stations_whole_cc={name: volume_cc(sections, grid) for name, sections in listed.items()},
        expansions=expansions,
    )


def row_built(given: RowSections, final: Sections, grid: Grid) -> RowBuilt:
    """What a row gave, and how far the finished CTV (`final`) reaches of it."""
    return RowBuilt(
        row=given.row,
        lesions=given.lesions,
        upper=_told(given, End.UPPER, final, grid),
        lower=_told(given, End.LOWER, final, grid),
        stations_cc={name: volume_cc(sections, grid) for name, sections in given.stations.items()},
        stations_whole_cc=given.stations_whole_cc,
        expansion_cc=volume_cc(joined(given.expansions.values()), grid),
    )


def _station_sections(station: Station, plan: ElectivePlan) -> dict[int, MultiPolygon]:
    solid = station.solid
    if plan.conduit_in_stations and station.with_conduit is not None:
        solid = station.with_conduit
    return thinned(solid.slice_sections())


def _boundary(
    row: ElectiveRow, end: End, plan: ElectivePlan, patient: PatientMap, lesions: Sequence[Solid]
) -> Boundary:
    sign = 1.0 if end is End.UPPER else -1.0
    levels = [
        (_level(term, end, patient, lesions) + sign * plan.outward_mm[term.key], term)
        for term in row.terms(end)
    ]
    level, decided = max(levels, key=lambda pair: sign * pair[0])  # whichever includes more [A]
    return Boundary(
        end=end,
        level_mm=level,
        term=decided,
        others={term.key: mm for mm, term in levels if term is not decided},
        inferred=_inferred(decided, patient),
    )


def _inferred(term: BoundaryTerm, patient: PatientMap) -> bool:
    """Whether the landmark, or a level of the station, that a term goes by was only inferred."""
    names: tuple[str, ...] = (term.name,) if term.sense is Sense.LANDMARK else ()
    if term.sense is Sense.STATION:
        names = patient.stations.levels.get(term.name, ())
    found = [patient.landmark(name) for name in names]
    return any(one is not None and one.inferred for one in found)


def _level(term: BoundaryTerm, end: End, patient: PatientMap, lesions: Sequence[Solid]) -> float:
    """Height of what a term goes by."""
    if term.sense is Sense.LANDMARK:
        landmark = patient.landmark(term.name)
        assert landmark is not None, "checked before"
        return patient.level_mm(landmark)
    solids = lesions
    if term.sense is Sense.STATION:
        built = patient.stations.built.get(term.name)
        solids = [built.solid if built else patient.stations.rooms[term.name]]
    ends = [solid.bounds_mm()[4:] for solid in solids]
    return max(high for _, high in ends) if end is End.UPPER else min(low for low, _ in ends)


def _told(given: RowSections, end: End, final: Sections, grid: Grid) -> Boundary:
    """A boundary, with whether the CTV reaches it and what ends it where it does not."""
    boundary = given.upper if end is End.UPPER else given.lower
    parts = {
        **{f"station {name}": sections for name, sections in given.stations.items()},
        **{f"the expansion of {name}": sections for name, sections in given.expansions.items()},
    }
    ends = {name: _end_of(sections, end, grid) for name, sections in parts.items()}
    known = {name: mm for name, mm in ends.items() if mm is not None}
    sign = 1.0 if end is End.UPPER else -1.0
    outermost = max(known, key=lambda name: sign * known[name], default=None)
    got = _end_of(between(final, grid, given.lower.level_mm, given.upper.level_mm), end, grid)
    near = grid.slice_spacing_mm + 1e-6
    if got is not None and abs(boundary.level_mm - got) <= near:
        return boundary
    scan_end = (max if end is End.UPPER else min)(height(grid, k) for k in (0, grid.size[2] - 1))
    if outermost is None:
        ended = "nothing elective lies between the boundaries"
    elif sign * (boundary.level_mm - scan_end) > near and sign * (scan_end - known[outermost]) <= near:
        ended = "the scan ends before it"
    elif sign * (boundary.level_mm - known[outermost]) <= near:  # it goes that far, or past it
        ended = f"barriers and smoothing leave nothing of {outermost} there"
    else:
        short = abs(boundary.level_mm - known[outermost])
        ended = f"{outermost} reaches furthest and ends {short:.0f} mm short of it"
    return Boundary(
        end=end,
        level_mm=boundary.level_mm,
        term=boundary.term,
        others=boundary.others,
        inferred=boundary.inferred,
        reached=False,
        ended_by=ended,
    )


def _end_of(sections: Sections, end: End, grid: Grid) -> float | None:
    span = extent(sections, grid)
    return None if span is None else span[end is End.UPPER]
