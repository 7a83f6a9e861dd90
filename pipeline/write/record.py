"""`report.json`: the report of a case as a record for people and scripts.

Every key is spelled out here, so that the contract of the file can be read in one place.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.core.margin import Margin
from pipeline.core.report import (
    CaseSummary,
    Decision,
    Finding,
    LandmarkReport,
    LesionReport,
    Provenance,
    Report,
    TargetReport,
)
from pipeline.core.rules import ENI
from pipeline.core.targets import TargetKind
from pipeline.write.atomic import whole_file
from pipeline.write.elective import elective_record
from pipeline.write.prescription import prescription_record
from pipeline.write.values import Json, cc, json_text, mm

SCHEMA_VERSION = "1.0"
PROGRAM = "rt-targets"
DRAFT = "DRAFT for review by a radiation oncologist; not approved for treatment"


def write_report(path: Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all.

    Keys always stand in the same order; lengths are rounded to 0.001 mm, volumes to 0.0001 cc.

    Raises:
        OutputError: a figure that is not finite, or the file system refused.
    """
    text = report_text(report)
    with whole_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def report_text(report: Report) -> str:
    """What `write_report` writes.

    Raises:
        OutputError: a figure that is not finite.
    """
    return json_text(report_record(report), where="report.json")


def report_record(report: Report) -> dict[str, Json]:
    """The report as nested JSON values, keys in the order of the file."""
    return {
        "schema_version": SCHEMA_VERSION,
        "program": PROGRAM,
        "draft": DRAFT,
        "status": report.status.value,
        "case": _case(report.case),
        "decision": None if report.decision is None else _decision(report.decision),
        "targets": {
            arm: {target.name: _target(target, arm) for target in targets}
            for arm, targets in report.targets.items()
        },
        "lesions": [_lesion(lesion) for lesion in report.lesions],
        "landmarks": {name: landmark_record(landmark) for name, landmark in report.landmarks.items()},
        "stations": {
            name: {
                "region": station.region,
                "volume_cc": cc(station.volume_cc),
                "built": station.built,
                "notes": list(station.notes),
            }
            for name, station in report.stations.items()
        },
        "prescriptions": {arm: prescription_record(one) for arm, one in report.prescriptions.items()},
        "elective": None if report.elective is None else elective_record(report.elective),
        "findings": [finding_record(finding) for finding in report.findings],
        "assumptions": dict(report.assumptions),
        "provenance": provenance_record(report.provenance),
    }


def _case(case: CaseSummary) -> Json:
    return {
        "source": case.source,
        "patient_position": case.patient_position,
        "size": list(case.size),
        "spacing_mm": [round(value, 6) for value in case.spacing_mm],
    }


def _decision(decision: Decision) -> Json:
    return {
        "arm": decision.arm,
        "plan": decision.plan,
        "reasons": [
            {
                "rule": reason.rule,
                "value": reason.value,
                "threshold": reason.threshold,
                "result": reason.result,
                "source": reason.source,
            }
            for reason in decision.reasons
        ],
    }


def _measured_on(target: TargetReport, arm: str) -> str | None:
    if target.measured is None:
        return None
    if arm == ENI and target.kind == TargetKind.CTV.value:
        return "the expansion of the GTV, before regions and boundaries cut it"
    return "the volume before cuts"


def _target(target: TargetReport, arm: str) -> Json:
    uncut = target.uncut_volume_cc
    return {
        "kind": target.kind,
        "volume_cc": cc(target.volume_cc),
        "uncut_volume_cc": None if uncut is None else cc(uncut),
        "margin_mm": {
            "requested": _margin(target.requested),
            "measured": _margin(target.measured),
            "measured_on": _measured_on(target, arm),
        },
        "slices": target.slices,
        "recipe": target.recipe,
    }


def _margin(margin: Margin | None) -> Json:
    if margin is None:
        return None
    return {
        "left": mm(margin.left),
        "right": mm(margin.right),
        "anterior": mm(margin.anterior),
        "posterior": mm(margin.posterior),
        "superior": mm(margin.superior),
        "inferior": mm(margin.inferior),
    }


def _lesion(lesion: LesionReport) -> Json:
    distance = lesion.distance_to_stomach_mm
    return {
        "roi": lesion.roi,
        "source_roi": lesion.source_roi,
        "kind": lesion.kind,
        "axial_diameter_mm": mm(lesion.axial_diameter_mm),
        "short_axis_mm": mm(lesion.short_axis_mm),
        "diameter_3d_mm": mm(lesion.diameter_3d_mm),
        "volume_cc": cc(lesion.volume_cc),
        "regions": list(lesion.regions),
        "stations": list(lesion.stations),
        "distance_to_stomach_mm": None if distance is None else mm(distance),
    }


def landmark_record(landmark: LandmarkReport) -> Json:
    """A landmark as JSON values."""
    return {
        "point_mm": [mm(value) for value in landmark.point_mm],
        "inferred": landmark.inferred,
        "how": landmark.how,
        "expected_error_mm": mm(landmark.expected_error_mm),
        "notes": list(landmark.notes),
    }


def finding_record(finding: Finding) -> Json:
    """A finding as JSON values."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "where": finding.where,
        "message": finding.message,
    }


def provenance_record(provenance: Provenance) -> Json:
    """The provenance as JSON values."""
    return {
        "version": provenance.version,
        "protocol": provenance.protocol,
        "protocol_sha256": provenance.protocol_sha256,
        "input_uids": dict(sorted(provenance.input_uids.items())),
        "input_hashes": dict(sorted(provenance.input_hashes.items())),
        "dependencies": dict(sorted(provenance.dependencies.items())),
        "seconds": {stage: round(value, 3) for stage, value in provenance.seconds.items()},
    }
