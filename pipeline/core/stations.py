"""Lymph-node stations of one patient, and which of them a lesion lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import OrganSource
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.frozen import FrozenMap
from pipeline.core.grid import Grid
from pipeline.core.regions import Region
from pipeline.core.report import Finding
from pipeline.core.solid import Solid
from pipeline.core.volume import Mask

Labels = npt.NDArray[np.uint8]

NOT_BUILT = "STATION_NOT_BUILT"  # the finding about stations that could not be built


class StationOrigin(StrEnum):
    """How a station came about."""

    RULES = "rules of the atlas"
    PATIENT = "given by the user"
    LABEL_ATLAS = "label-map atlas"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Station:
    """A station of the patient.

    Attributes:
        name: as the output contract has it (`1R`, `SCV_L`, `8Lo`).
        region: that it belongs to.
        solid: what is left of it beside its barriers; not empty, and in no other station. Two that the user
            gave may overlap.
        with_conduit: the same with the conduit left in; None where there is no conduit or it takes nothing.
        origin: how it came about.
        landmarks: names of the landmarks that set its levels.
        notes: what was inferred or lacking, each a sentence.
    """

    name: str
    region: Region
    solid: Solid
    with_conduit: Solid | None = None
    origin: StationOrigin = StationOrigin.RULES
    landmarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stations:
    """The stations of a patient, exclusive of each other.

    Attributes:
        grid: of the CT.
        regions: every station of the atlas to its region, in the atlas's order; the label of a station in
            `labels` is its place in this order, from 1.
        built: name to station.
        not_built: name to the reason why the station could not be built.
        labels: uint8 of shape (slices, rows, columns): at each voxel centre the label of the station there,
            0 where there is none or where a barrier is; read-only.
        rooms: station to all that lies between its borders, before organs, the conduit and stations ahead of
            it are taken out; of one that the user gave, the station. Also of those that came out empty and
            so were not built; not of those whose borders are not known.
        levels: station to the landmarks that set its levels, for every one in `rooms` that the rules made.
        conduit: what was drawn up into the chest; None where there is none.
        options: variant of the map to the choice made (`boundary_1_2`: `notch`).
        findings: doubts about the stations.

    Raises:
        GeometryError: labels of another shape than the grid, or a station not exactly one of built and
            not built.
    """

    grid: Grid
    regions: Mapping[str, Region]
    built: Mapping[str, Station]
    not_built: Mapping[str, str]
    labels: Labels
    rooms: Mapping[str, Solid] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conduit: Mask | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.labels.shape != self.grid.shape:
            raise GeometryError(
                "station labels do not fit the CT",
                expected=f"shape {self.grid.shape}",
                got=f"shape {self.labels.shape}",
            )
        if sorted([*self.built, *self.not_built]) != sorted(self.regions):
            raise GeometryError("each station of the atlas is either built or not built")
        for name in ("regions", "built", "not_built", "rooms", "levels", "options"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))
        self.labels.flags.writeable = False

    @property
    def label_of(self) -> Mapping[str, int]:
        """Station name to its label, from 1."""
        return {name: number for number, name in enumerate(self.regions, start=1)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnStation:
    """A station as the user gave it, to take the place of the one of the rules.

    Attributes:
        name: of a station of the atlas.
        contours: not empty; as drawn, or round the voxels of a mask.
        source: the kind of source it came from.
        detail: the ROI, file or label.
    """

    name: str
    contours: Contours
    source: OrganSource
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnStations:
    """The stations that the user gave, by name, and the doubts about them."""

    by_name: Mapping[str, OwnStation]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", FrozenMap(self.by_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class StationShare:
    """The part of a lesion's volume that lies in a station, 0 to 1."""

    station: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionShare:
    """The part of a lesion's volume that a region has by its level or its stations, 0 to 1."""

    region: Region
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionPlace:
    """Where a lesion lies.

    Attributes:
        roi: the lesion.
        level: what its level alone tells: I above the sternal notch, IV below the hiatus; None between them,
            across one of them, or where the landmark is not known.
        shares: the stations that it overlaps, the largest share first. What lies above the notch counts for
            stations of region I only, what lies below the hiatus for those of region IV.
        nearest, nearest_mm: its station: the nearest to its surface, 0 where they overlap; where its level
            tells the region, the nearest one of that region. None without such stations.
        second, second_mm: the nearest one of all the others, whatever its region.
        regions: that it counts for; empty where it lies in none.
        region_shares: of its volume, the largest first. A region that the nearest station told has none.
        in_conduit: the part of its volume inside the conduit. Above a half, shares and distances are those of
            the stations with the conduit left in.
        notes: how the regions were told, and doubts.
    """

    roi: str
    level: Region | None
    shares: tuple[StationShare, ...]
    nearest: str | None
    nearest_mm: float | None
    second: str | None
    second_mm: float | None
    regions: tuple[Region, ...]
    region_shares: tuple[RegionShare, ...] = ()
    in_conduit: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionPlaces:
    """The places of all lesions of a patient, in their order, and the doubts about them."""

    places: tuple[LesionPlace, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        """Every region that a lesion counts for, from I to IV."""
        involved = {region for place in self.places for region in place.regions}
        return tuple(region for region in Region if region in involved)
