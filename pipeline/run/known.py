"""What is known of a patient beside the CT and the lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.anatomy import Landmarks, Organs
from pipeline.core.barriers import BarrierOrgans
from pipeline.core.case import Case
from pipeline.core.errors import GeometryError
from pipeline.core.regions import Region
from pipeline.core.stations import LesionPlace, Stations


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundMap:
    """The stations of a patient, and where the lesions lie: one place for each of them, in their order."""

    landmarks: Landmarks
    stations: Stations
    places: tuple[LesionPlace, ...]

    @property
    def regions(self) -> dict[str, tuple[Region, ...]]:
        """Lesion to the regions that it counts for."""
        return {place.roi: place.regions for place in self.places}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """The organs of a patient, and his map where it was asked for.

    Attributes:
        organs: given ones and those that the CT shows.
        barriers: barrier of the protocol to the organs that it is made of.
        map: None where no stations were looked for, or those that were found must not be used.
    """

    organs: Organs
    barriers: Mapping[str, BarrierOrgans]
    map: FoundMap | None = None

    def check(self, case: Case) -> None:
        """That organs and places are those of a case.

        Raises:
            GeometryError: another grid, or a lesion without a place.
        """
        if self.organs.grid != case.volume.grid:
            raise GeometryError("organs lie on another grid than the CT")
        if self.map is not None and list(self.map.regions) != [lesion.name for lesion in case.lesions]:
            raise GeometryError("lesions without a place in the map")
