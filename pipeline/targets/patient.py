"""What elective irradiation needs of a patient, and what of it is lacking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.elective import ElectiveRow, End, Sense
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ENI
from pipeline.core.stations import Stations

_STATE_IT = (
    "state it in a file with --landmarks (name: [x, y, z] in LPS mm), or give organ masks with --anatomy"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientMap:
    """Stations and levels of a patient, and which regions his lesions are in.

    Attributes:
        stations: as found.
        landmarks: as found.
        regions: lesion to the regions that it counts for.
        allow_inferred: whether landmarks that were only inferred may be used.
    """

    stations: Stations
    landmarks: Landmarks
    regions: Mapping[str, tuple[Region, ...]]
    allow_inferred: bool = True

    def landmark(self, name: str) -> Landmark | None:
        """A landmark that may be used."""
        found = self.landmarks.found.get(name)
        return None if found is None or (found.inferred and not self.allow_inferred) else found

    def level_mm(self, landmark: Landmark) -> float:
        """Height of a landmark in the frame of the CT."""
        return float(self.stations.grid.frame.from_patient([landmark.point_mm])[0, 2])

    def usable(self, station: str) -> bool:
        """Whether a station's borders are known; it may be empty all the same."""
        return station in self.stations.rooms and not self.inferred_levels(station)

    def inferred_levels(self, station: str) -> tuple[str, ...]:
        """Landmarks that set a station's levels and may not be used, also of one that came out empty."""
        if self.allow_inferred:
            return ()
        return tuple(name for name in self.stations.levels.get(station, ()) if self.landmark(name) is None)

    def lesions_of(self, row: ElectiveRow) -> tuple[str, ...]:
        """The lesions in a row's regions."""
        return tuple(name for name, regions in self.regions.items() if set(regions) & set(row.regions))


def involved_rows(rows: Sequence[ElectiveRow], patient: PatientMap) -> tuple[ElectiveRow, ...]:
    """The rows that a lesion calls for, in the protocol's order."""
    return tuple(row for row in rows if patient.lesions_of(row))


def what_lacks(rows: Sequence[ElectiveRow], patient: PatientMap) -> tuple[Finding, ...]:
    """`ENI_NEEDS` (stop) for each region, landmark and station without which the arm cannot be built."""
    lost = [name for name, regions in patient.regions.items() if not regions]
    found = [_needs(f"region of {name}", _NO_REGION) for name in lost]
    seen: set[str] = set()
    for row in involved_rows(rows, patient):
        for what, why in (*_lacking_levels(row, patient), *_lacking_stations(row, patient)):
            if what not in seen:
                seen.add(what)
                found.append(_needs(what, why))
    return tuple(found)


_NO_REGION = (
    "it lies in no region, or its stations are not known; state it in the file of --facts "
    "(regions: {LESION: REGION})"
)


def _needs(what: str, why: str) -> Finding:
    return Finding(
        code="ENI_NEEDS",
        severity=Severity.STOP,
        where=f"{ENI}, {what}",
        message=f"elective irradiation was not built, because it needs the {what}: {why}",
    )


def _lacking_levels(row: ElectiveRow, patient: PatientMap) -> Iterator[tuple[str, str]]:
    for end in End:
        for term in row.terms(end):
            if term.sense is Sense.LANDMARK and patient.landmark(term.name) is None:
                yield f"landmark {term.name}", _why_no_landmark(term.name, patient)
            if term.sense is Sense.STATION and not patient.usable(term.name):
                yield f"station {term.name}", _why_no_station(term.name, patient)


def _lacking_stations(row: ElectiveRow, patient: PatientMap) -> Iterator[tuple[str, str]]:
    for name in row.stations:
        if not patient.usable(name):
            yield f"station {name}", _why_no_station(name, patient)


def _why_no_landmark(name: str, patient: PatientMap) -> str:
    found = patient.landmarks.found.get(name)
    if found is not None:
        return f"it was only inferred ({found.how}), which --no-allow-inferred forbids; {_STATE_IT}"
    return f"{patient.landmarks.missing.get(name, 'it was not found')}; {_STATE_IT}"


def _why_no_station(name: str, patient: PatientMap) -> str:
    levels = patient.inferred_levels(name)
    if levels:
        return (
            f"its level {', '.join(levels)} was only inferred, which --no-allow-inferred forbids; {_STATE_IT}"
        )
    reason = patient.stations.not_built.get(name, "the atlas has no such station")
    return (
        f"{reason}; give organ masks with --anatomy, landmarks with --landmarks, or the station itself as an "
        "ROI or mask of its name"
    )


def empty_stations(rows: Iterable[ElectiveRow], patient: PatientMap) -> tuple[Finding, ...]:
    """`STATION_EMPTY` (warning) for a listed station with known borders of which nothing is left."""
    listed = dict.fromkeys(name for row in rows for name in row.stations)
    return tuple(
        Finding(
            code="STATION_EMPTY",
            severity=Severity.WARNING,
            where=f"{ENI}, station {name}",
            message=f"it is elective and nothing of it is left: {patient.stations.not_built[name]}",
        )
        for name in listed
        if name in patient.stations.rooms and name in patient.stations.not_built
    )
