"""The colours of stations and lesions in structure sets and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.frozen import FrozenMap
from pipeline.core.regions import Region
from pipeline.core.rules import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class StationColours:
    """RGB, 0 to 255.

    Attributes:
        regions: the hue of each region.
        stations: a shade of its region's hue for each station.
        lesions: by kind, `GTV-T` and `GTV-N`.
    """

    regions: Mapping[Region, Colour]
    stations: Mapping[str, Colour]
    lesions: Mapping[str, Colour]

    def __post_init__(self) -> None:
        for name in ("regions", "stations", "lesions"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))

    def of(self, station: str, region: Region) -> Colour:
        """A station's colour; that of its region where the station has none of its own."""
        return self.stations.get(station, self.regions[region])
