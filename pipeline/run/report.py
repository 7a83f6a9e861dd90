"""What was made, as the values of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.core.anatomy import Landmarks
from pipeline.core.case import Case, Lesion, Source
from pipeline.core.report import (
    CaseSummary,
    LandmarkReport,
    LesionReport,
    Provenance,
    Report,
    StationReport,
    TargetReport,
)
from pipeline.core.stations import LesionPlace
from pipeline.core.targets import Target
from pipeline.core.volume import Volume
from pipeline.targets.measures import LesionMeasures, lesion_measures

if TYPE_CHECKING:
    from pipeline.run.targets import RunResult


def report_of(
    case: Case,
    result: RunResult,
    provenance: Provenance,
    *,
    landmarks: Landmarks | None = None,
    stations: Mapping[str, StationReport] | None = None,
) -> Report:
    """What the run says about itself; `landmarks` and `stations` where they were looked for."""
    return Report(
        case=case_summary(case.source, case.volume),
        decision=result.decision,
        targets={arm.arm: tuple(_target_report(target) for target in arm.targets) for arm in result.arms},
        lesions=tuple(
            _lesion_report(one.lesion, one.measures, one.place, one.gut_mm) for one in result.lesions
        ),
        findings=result.findings,
        provenance=provenance,
        assumptions=result.assumptions,
        landmarks=landmark_reports(landmarks) if landmarks else {},
        stations=stations or {},
        elective=result.elective,
        prescriptions=result.prescriptions,
    )


def case_summary(source: Source, volume: Volume) -> CaseSummary:
    """What was worked on."""
    return CaseSummary(
        source=source.kind,
        patient_position=source.patient_position,
        size=volume.grid.size,
        spacing_mm=volume.grid.spacing_mm,
    )


def landmark_reports(landmarks: Landmarks) -> dict[str, LandmarkReport]:
    """The landmarks found, as the report tells them."""
    return {
        name: LandmarkReport(
            point_mm=one.point_mm,
            inferred=one.inferred,
            how=one.how,
            expected_error_mm=one.error_mm,
            notes=one.notes,
        )
        for name, one in landmarks.found.items()
    }


def lesion_reports(lesions: Sequence[Lesion], places: Sequence[LesionPlace] = ()) -> tuple[LesionReport, ...]:
    """The figures of the lesions, and where they lie as far as that was told."""
    by_roi = {place.roi: place for place in places}
    return tuple(
        _lesion_report(lesion, lesion_measures(lesion), by_roi.get(lesion.name)) for lesion in lesions
    )


def _target_report(target: Target) -> TargetReport:
    return TargetReport(
        name=target.name,
        kind=target.kind.value,
        volume_cc=target.contours.volume_cc,
        slices=len(target.contours.slices),
        uncut_volume_cc=target.uncut_volume_cc,
        requested=target.requested,
        measured=target.measured,
        recipe=target.recipe,
    )


def _lesion_report(
    lesion: Lesion, measures: LesionMeasures, place: LesionPlace | None, gut_mm: float | None = None
) -> LesionReport:
    return LesionReport(
        roi=lesion.name,
        source_roi=lesion.source_roi,
        kind=lesion.kind.value,
        axial_diameter_mm=measures.axial_diameter_mm,
        short_axis_mm=measures.short_axis_mm,
        diameter_3d_mm=measures.diameter_3d_mm,
        volume_cc=lesion.contours.volume_cc,
        regions=tuple(region.value for region in place.regions) if place else (),
        stations=tuple(share.station for share in place.shares) if place else (),
        distance_to_stomach_mm=gut_mm,
    )
