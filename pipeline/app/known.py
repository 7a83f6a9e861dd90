"""What is known of a patient from files: organs, and stations and places where they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.app.anatomy import PatientAnatomy, anatomy_of
from pipeline.app.organs import organs_given
from pipeline.app.station_outputs import StationsResult
from pipeline.app.stations import StationsRequest, StationsTask, stations_by_rules
from pipeline.core.reference import FIT_FAILED
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ArmChoice

if TYPE_CHECKING:
    from pipeline.app.values import RunRequest, Stopwatch
    from pipeline.core.atlas import StationAtlas
    from pipeline.core.decision import Gullet
    from pipeline.core.regions import Region
    from pipeline.core.rules import Protocol
    from pipeline.read import LoadedCase, LoadedScan
    from pipeline.run.ahead import Ahead
    from pipeline.run.known import FoundMap, Known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownOfFiles:
    """What is known, the doubts about it, and the stations to be written.

    Attributes:
        known: for the run.
        stations: None where they were not looked for.
        findings: doubts about organs, landmarks, stations and the lesions' places.
        ahead: work on the case that needs organs alone, begun as soon as they were known.
    """

    known: Known
    stations: StationsResult | None
    findings: tuple[Finding, ...]
    ahead: Ahead


def known_of(
    request: RunRequest,
    protocol: Protocol,
    loaded: LoadedCase,
    atlas: StationAtlas | None,
    watch: Stopwatch,
    *,
    stated: Mapping[str, Region],
    gullet: Gullet | None = None,
) -> KnownOfFiles:
    """Find organs, and with an atlas landmarks, stations and places.

    Args:
        request: the user's choices.
        protocol: that is carried out.
        loaded: the case as read.
        atlas: rules of the stations; None where they are not needed.
        watch: told the stages.
        stated: lesion to the region that the user states for it.
        gullet: what the user states of it.

    Raises:
        InputError: an anatomy, landmarks or stations that cannot be used.
    """
    from pipeline.read import LoadedScan, load_barrier_organs, load_organ_names
    from pipeline.run.anatomy import known_organs
    from pipeline.run.gullet import as_stated
    from pipeline.run.known import Known
    from pipeline.run.targets import begin

    scan, settings = LoadedScan.of_case(loaded), request.settings
    barriers = load_barrier_organs(load_organ_names())
    watch("anatomy")
    if atlas is None:
        organs = known_organs(scan.volume, organs_given(request.source, scan))
        known = Known(organs=as_stated(organs, None, gullet), barriers=barriers)
        ahead = begin(loaded.case, known, protocol, settings)
        return KnownOfFiles(known=known, stations=None, findings=known.organs.findings, ahead=ahead)
    anatomy = anatomy_of(request.source, scan, levels=atlas.levels)
    anatomy = replace(anatomy, organs=as_stated(anatomy.organs, anatomy.landmarks, gullet))
    ahead = begin(loaded.case, Known(organs=anatomy.organs, barriers=barriers), protocol, settings)
    watch("stations")
    result = _stations(request, scan, atlas, anatomy, stated=stated)
    found = result.found
    unfit = any(one.code == FIT_FAILED for one in found.findings)
    known = Known(organs=anatomy.organs, barriers=barriers, map=None if unfit else _map(result))
    of_map = [*anatomy.landmarks.findings, *found.stations.findings, *found.findings]
    if settings.arm is ArmChoice.IFI:  # nothing that is built hangs on stations
        of_map = [_eased(one) for one in of_map]
    findings = (*anatomy.organs.findings, *of_map, *anatomy.missing)
    return KnownOfFiles(known=known, stations=result, findings=findings, ahead=ahead)


def _eased(finding: Finding) -> Finding:
    """A stop as a warning."""
    return replace(finding, severity=Severity.WARNING) if finding.severity is Severity.STOP else finding


def _stations(
    request: RunRequest,
    scan: LoadedScan,
    atlas: StationAtlas,
    anatomy: PatientAnatomy,
    *,
    stated: Mapping[str, Region],
) -> StationsResult:
    from pipeline.read import load_station_colours

    asked = StationsRequest(
        source=request.source, out=request.out, options=request.options, atlas=request.atlas
    )
    task = StationsTask(scan=scan, anatomy=anatomy, atlas=atlas, request=asked, stated=stated)
    return StationsResult(
        scan=scan,
        anatomy=anatomy,
        found=stations_by_rules(task),
        contours={},
        colours=load_station_colours(),
        atlas_sha256=atlas.sha256,
    )


def _map(result: StationsResult) -> FoundMap:
    from pipeline.run.known import FoundMap

    return FoundMap(
        landmarks=result.anatomy.landmarks,
        stations=result.found.stations,
        places=result.found.places,
    )
