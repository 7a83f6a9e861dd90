"""What is left of the stations of one case: files, pictures, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.files import provenance_of, with_headers
from pipeline.core.report import Finding, Report, Severity, StationReport
from pipeline.core.stations import NOT_BUILT, StationOrigin

if TYPE_CHECKING:
    from pipeline.app.anatomy import PatientAnatomy
    from pipeline.app.stations import FoundStations
    from pipeline.core.contour import Contours
    from pipeline.core.station_colours import StationColours
    from pipeline.core.stations import Stations
    from pipeline.read import LoadedScan

LABEL = "DRAFT STATIONS"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationsResult:
    """Everything that was read and found.

    Attributes:
        scan: the CT and the lesions.
        anatomy: organs and landmarks.
        found: stations and the lesions' places.
        contours: of each built station.
        colours: to show them in.
        atlas_sha256: of the file of rules.
    """

    scan: LoadedScan
    anatomy: PatientAnatomy
    found: FoundStations
    contours: Mapping[str, Contours]
    colours: StationColours
    atlas_sha256: str

    def write_maps(self, folder: Path) -> None:
        """Label maps."""
        from pipeline.write import write_station_maps

        write_station_maps(folder, self.found.stations, self.colours)

    def write(self, folder: Path) -> tuple[Finding, ...]:
        """Label maps, and a structure set where any station has contours."""
        # One after the other: rt-utils is kept quiet by a filter of warnings, which all threads share.
        self.write_maps(folder)
        from pipeline.write import StructureSetContext, station_rois, write_rtstruct

        stations = self.found.stations
        rois, doubts = station_rois(stations, self.contours, self.anatomy.landmarks.found, self.colours)
        if not rois:
            if self.scan.resampled_from is not None:  # the label map lies on no slices of the input
                with_headers(self.scan, folder)
            return doubts
        scan, told = with_headers(self.scan, folder)
        context = StructureSetContext(
            headers=scan.headers,
            label=LABEL,
            description=_description(stations),
            predecessor=scan.structure_header,
        )
        place = folder / "stations"
        place.mkdir()
        specks = write_rtstruct(place / "rtstruct.dcm", rois, context)
        return (*doubts, *told, *_together(specks))

    def draw(self, folder: Path) -> None:
        """The montages."""
        from pipeline.review import StationPicture, draw_station_montages

        picture = StationPicture(
            stations=self.found.stations,
            contours=self.contours,
            landmarks=self.anatomy.landmarks,
            colours=self.colours,
            lesions=self.scan.lesions,
        )
        draw_station_montages(folder, self.scan.volume, picture)

    def report(self, told: tuple[Finding, ...], seconds: Mapping[str, float]) -> Report:
        """What the run says about itself; `told` are the findings of writing."""
        from pipeline.run.report import case_summary, landmark_reports, lesion_reports

        scan, found = self.scan, self.found
        return Report(
            case=case_summary(scan.source, scan.volume),
            decision=None,
            targets={},
            lesions=lesion_reports(scan.lesions, found.places),
            findings=self._findings(told),
            provenance=provenance_of(
                scan.source, seconds, data={"station_atlas": self.atlas_sha256, **found.sha256}
            ),
            landmarks=landmark_reports(self.anatomy.landmarks),
            stations=station_reports(found.stations),
        )

    def _findings(self, told: tuple[Finding, ...]) -> tuple[Finding, ...]:
        found = self.found
        read = (*self.scan.findings, *self.anatomy.findings)
        of_stations = found.stations.findings
        if not found.stations.built:  # they were all that was asked for
            of_stations = tuple(
                replace(one, severity=Severity.STOP) if one.code == NOT_BUILT else one for one in of_stations
            )
        return (*read, *of_stations, *found.findings, *told)

    def write_record(self, report: Report, folder: Path) -> None:
        """`stations.json`."""
        from pipeline.write import STATIONS_FILE, StationsOut, write_stations_record

        out = StationsOut(
            stations=self.found.stations,
            reports=report.stations,
            landmarks=report.landmarks,
            missing=self.anatomy.landmarks.missing,
            organs=self.anatomy.organs,
            places=self.found.places,
            findings=report.findings,
            provenance=report.provenance,
        )
        write_stations_record(folder / STATIONS_FILE, out)


def station_reports(stations: Stations) -> dict[str, StationReport]:
    """The figures of every station of the atlas, in its order."""
    reports = {}
    for name, region in stations.regions.items():
        built = name in stations.built
        reports[name] = StationReport(
            volume_cc=stations.built[name].solid.volume_cc if built else 0.0,
            built=built,
            notes=stations.built[name].notes if built else (stations.not_built[name],),
            region=region.value,
        )
    return reports


def _together(specks: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """One finding for all stations: their thin rims beside barriers leave specks almost everywhere."""
    if not specks:
        return ()
    names = ", ".join(one.where for one in specks)
    message = f"parts below 2 mm2 were left out of the structure set, in {names}"
    return (replace(specks[0], where="stations", message=message),)


def _description(stations: Stations) -> str:
    told = ", ".join(f"{name} {value}" for name, value in stations.options.items())
    if any(one.origin is StationOrigin.LABEL_ATLAS for one in stations.built.values()):
        told = "a reference patient's labels"
    return (
        "DRAFT lymph-node stations for review by a radiation oncologist, not confirmed by a clinician. "
        f"rt-targets {__version__}" + (f"; map: {told}" if told else "")
    )
