"""Elective nodal irradiation: the rules as values, the figures that building takes, and what was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.core.frozen import FrozenMap
from pipeline.core.margin import Margin
from pipeline.core.ranged import Ranged
from pipeline.core.regions import Region


class End(StrEnum):
    """The two ends of a volume along the patient."""

    UPPER = "upper"
    LOWER = "lower"


class Sense(StrEnum):
    """What a boundary goes by."""

    LANDMARK = "landmark"
    STATION = "station"
    LESIONS = "lesions"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryTerm:
    """One way to tell a boundary; of several, the one that includes more decides [A].

    Attributes:
        sense: what it goes by.
        name: of the landmark or the station; empty for lesions, which stand for those of the row's regions.
        outward: distance in mm from there, up for an upper boundary and down for a lower one.
        key: of the setting that chooses another distance, `eni.I-II.lower.carina`.
        rule, source: the protocol's sentence and its source key.
    """

    sense: Sense
    name: str
    outward: Ranged
    key: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectiveRow:
    """The rule of one or more involved regions [P].

    Attributes:
        name: of the row.
        regions: it holds when a lesion lies in any of them.
        upper, lower: terms of the boundaries.
        stations: elective ones, of both sides.
        rule, source: sentence and source key.
    """

    name: str
    regions: tuple[Region, ...]
    upper: tuple[BoundaryTerm, ...]
    lower: tuple[BoundaryTerm, ...]
    stations: tuple[str, ...]
    rule: str
    source: str

    def terms(self, end: End) -> tuple[BoundaryTerm, ...]:
        """The terms of one boundary."""
        return self.upper if end is End.UPPER else self.lower


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Yes or no, with the source key of the protocol's choice."""

    value: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectiveRules:
    """How a protocol composes the CTV of the ENI arm.

    Attributes:
        horizontal, craniocaudal: margins of the expansion of the GTV.
        core_horizontal_mm, core_craniocaudal_mm: of the core, which only barriers cut.
        rows: by involved region.
        envelope_gap_mm: half the width of gaps between stations that a region's envelope closes.
        expansion_beyond_boundaries: whether the expansion may pass the boundaries.
        conduit_in_stations: whether the conduit stays in the listed stations.
        conduit_in_tumour_expansion: whether it stays in the expansion of a GTV-T.
        gap_mm: gaps narrower than this in an axial slice are closed.
        sliver_mm: parts narrower than this in an axial slice are removed.
        fleck_mm2: parts below this on a slice that hold no GTV are removed.
        speck_cc: parts below this over all slices that hold no GTV are removed.
    """

    horizontal: Ranged
    craniocaudal: Ranged
    core_horizontal_mm: float
    core_craniocaudal_mm: float
    rows: tuple[ElectiveRow, ...]
    envelope_gap_mm: float
    expansion_beyond_boundaries: Switch
    conduit_in_stations: Switch
    conduit_in_tumour_expansion: Switch
    gap_mm: float
    sliver_mm: float
    fleck_mm2: float
    speck_cc: float

    @property
    def switches(self) -> Mapping[str, Switch]:
        """The switches by setting key."""
        return {
            "eni.expansion_beyond_boundaries": self.expansion_beyond_boundaries,
            "eni.conduit_in_stations": self.conduit_in_stations,
            "eni.conduit_in_tumour_expansion": self.conduit_in_tumour_expansion,
        }

    @property
    def distances(self) -> Mapping[str, Ranged]:
        """The distances of boundary terms by setting key."""
        return {term.key: term.outward for row in self.rows for term in (*row.upper, *row.lower)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectivePlan:
    """Every figure beyond the margins that building the CTV of the ENI arm takes.

    Attributes:
        core: margin of the core.
        rows: of the protocol.
        outward_mm: setting key of each boundary term to its distance.
        envelope_gap_mm, gap_mm, sliver_mm, fleck_mm2, speck_cc: as in `ElectiveRules`.
        expansion_beyond_boundaries, conduit_in_stations, conduit_in_tumour_expansion: as in `ElectiveRules`.
    """

    core: Margin
    rows: tuple[ElectiveRow, ...]
    outward_mm: Mapping[str, float]
    envelope_gap_mm: float
    expansion_beyond_boundaries: bool
    conduit_in_stations: bool
    conduit_in_tumour_expansion: bool
    gap_mm: float
    sliver_mm: float
    fleck_mm2: float
    speck_cc: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "outward_mm", FrozenMap(self.outward_mm))


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A boundary of a row on this patient.

    Attributes:
        end: which of the two.
        level_mm: height along the patient, LPS z of an axis-aligned scan; the frame's w in general.
        term: the one that decided.
        others: name of each other term to its level.
        inferred: whether the landmark that decided, or a level of the station that did, was only inferred.
        reached: whether the CTV reaches the boundary, to one slice.
        ended_by: what ends the CTV where it does not.
    """

    end: End
    level_mm: float
    term: BoundaryTerm
    others: Mapping[str, float] = field(default_factory=dict)
    inferred: bool = False
    reached: bool = True
    ended_by: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "others", FrozenMap(self.others))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBuilt:
    """What a row gave.

    Attributes:
        row: the rule.
        lesions: names of those in its regions.
        upper, lower: boundaries.
        stations_cc: each listed station to what it gives between the boundaries, 0 for one that is empty.
        expansion_cc: of the GTV's expansion within the envelopes and the boundaries.
        stations_whole_cc: each listed station without boundaries.
    """

    row: ElectiveRow
    lesions: tuple[str, ...]
    upper: Boundary
    lower: Boundary
    stations_cc: Mapping[str, float]
    expansion_cc: float
    stations_whole_cc: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stations_cc", FrozenMap(self.stations_cc))
        object.__setattr__(self, "stations_whole_cc", FrozenMap(self.stations_whole_cc))


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectiveBuilt:
    """How the CTV of the ENI arm came about; volumes in cc, of contours on slices.

    Attributes:
        rows: of the involved regions.
        core_cc: of the core.
        uncropped_cc: before barriers.
        barriers_cc: structure to what it took, in the order of the protocol.
        smoothing_cc: slivers and specks that were removed.
        conduit_cc: target to its overlap with the conduit; empty where there is none.
    """

    rows: tuple[RowBuilt, ...]
    core_cc: float
    uncropped_cc: float
    barriers_cc: Mapping[str, float]
    smoothing_cc: float
    conduit_cc: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "barriers_cc", FrozenMap(self.barriers_cc))
        object.__setattr__(self, "conduit_cc", FrozenMap(self.conduit_cc))
