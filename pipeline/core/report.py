"""What a run says about itself: findings, provenance, and the report of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.core.elective import ElectiveBuilt
from pipeline.core.margin import Margin
from pipeline.core.prescription import Prescription


class Severity(StrEnum):
    """How much a finding matters: `stop` means that a person must decide before use."""

    INFO = "info"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One doubt or remark.

    Attributes:
        code: stable upper-case name, for instance `CUT_BY_SCAN_END`.
        severity: info, warning or stop.
        where: file, ROI, slice, rule key, arm.
        message: one sentence with figures and what to do; no patient data.
    """

    code: str
    severity: Severity
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the result.

    Attributes:
        version: of rt-targets.
        protocol, protocol_sha256: name and hash of the protocol file.
        input_uids, input_hashes: by role, for instance `ct_series`, `structure_set`.
        dependencies: package name to version.
        seconds: stage name to elapsed seconds.
    """

    version: str
    protocol: str
    protocol_sha256: str
    input_uids: Mapping[str, str]
    input_hashes: Mapping[str, str]
    dependencies: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One step of a decision: the rule, the value it met, its source, a threshold if any, the result."""

    rule: str
    value: str
    source: str
    threshold: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which arm (and later which dose plan) was carried out, and why."""

    arm: str
    plan: str | None
    reasons: tuple[Reason, ...]


class RunStatus(StrEnum):
    """`stopped`: at least one finding asks a person to decide before use."""

    OK = "ok"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """What was worked on, without anything that identifies the patient.

    Attributes:
        source: `dicom` or `files`.
        patient_position: HFS, HFP, ...; empty when the source does not say.
        size: voxels along columns, rows, slices.
        spacing_mm: along the same axes.
    """

    source: str
    patient_position: str
    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """The figures of one volume of an arm.

    Attributes:
        name, kind: as in `core.targets.Target`.
        volume_cc: of the contours: area times slice spacing.
        slices: how many slices carry contours.
        uncut_volume_cc: as in `core.targets.Target`; None for a GTV.
        requested, measured: margins as in `core.targets.Target`; None for a GTV.
        recipe: one line that says how it was made.
    """

    name: str
    kind: str
    volume_cc: float
    slices: int
    uncut_volume_cc: float | None
    requested: Margin | None
    measured: Margin | None
    recipe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkReport:
    """One landmark.

    Attributes:
        point_mm: LPS.
        inferred: whether it was told from something else than itself.
        how: how it was found.
        expected_error_mm: of its level, one-sided; 0 for one that the user stated.
        notes: what the better ways to find it lacked.
    """

    point_mm: tuple[float, float, float]
    inferred: bool
    how: str
    expected_error_mm: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StationReport:
    """One elective station.

    Attributes:
        volume_cc: of its contours; 0 where it was not built.
        built: whether it could be built.
        notes: remarks; where it was not built, why.
        region: I, II, III or IV.
    """

    volume_cc: float
    built: bool
    notes: tuple[str, ...] = ()
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionReport:
    """The figures of one lesion as drawn, cleaned.

    Attributes:
        roi: its name in the output.
        source_roi: its name in the source.
        kind: `GTV-T` or `GTV-N`.
        axial_diameter_mm, short_axis_mm: longest in-plane diameter and the extent across it.
        diameter_3d_mm: longest distance between two contour points.
        volume_cc: of its contours.
        regions, stations: where it lies; empty as long as no stations were built.
        distance_to_stomach_mm: surface to surface; None when it was not measured.
    """

    roi: str
    source_roi: str
    kind: str
    axial_diameter_mm: float
    short_axis_mm: float
    diameter_3d_mm: float
    volume_cc: float
    regions: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    distance_to_stomach_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run says about its result. A draft for a radiation oncologist to review.

    Attributes:
        case: what was worked on.
        decision: the arm and why; None when no arm was decided (stations only).
        targets: arm (`ifi`, `eni`) to its volumes, in the order of the structure set.
        lesions: as drawn.
        findings: every doubt, in the order met.
        provenance: what made the result.
        landmarks, stations: by name; empty when none were built.
        elective: how the CTV of the ENI arm came about; None when that arm was not built.
        prescriptions: arm to its dose plan, where one is known.
        assumptions: every rule with source key A that the case used, by its name.
    """

    case: CaseSummary
    decision: Decision | None
    targets: Mapping[str, tuple[TargetReport, ...]]
    lesions: tuple[LesionReport, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    landmarks: Mapping[str, LandmarkReport] = field(default_factory=dict)
    stations: Mapping[str, StationReport] = field(default_factory=dict)
    assumptions: Mapping[str, str] = field(default_factory=dict)
    elective: ElectiveBuilt | None = None
    prescriptions: Mapping[str, Prescription] = field(default_factory=dict)

    @property
    def status(self) -> RunStatus:
        """`stopped` when a finding says stop."""
        stops = any(finding.severity is Severity.STOP for finding in self.findings)
        return RunStatus.STOPPED if stops else RunStatus.OK
