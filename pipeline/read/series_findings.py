"""Doubts about a CT series as a whole that forbid nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.report import Finding, Severity
from pipeline.read.ct_series import CtSeries, PlacedSeries
from pipeline.read.dicom_index import DicomFile
from pipeline.read.positions import position_findings
from pipeline.read.series_identity import has_rescaling

PATIENT_DIFFERS = "PATIENT_DIFFERS"


def series_findings(series: CtSeries, placed: PlacedSeries) -> tuple[Finding, ...]:
    """What was found while placing it, and doubts about its position and its Hounsfield units."""
    return (*placed.findings, *position_findings(series, placed), *hounsfield_findings(series))


def hounsfield_findings(series: CtSeries) -> tuple[Finding, ...]:
    """Where stored values may not become Hounsfield units, by which lungs, airway, bone and body are found.

    `CT_RESCALE_MISSING` (stop) where no slice has RescaleIntercept and RescaleSlope, which the standard
    demands of a CT; `CT_NOT_IN_HU` (warning) where RescaleType names another unit.
    """
    where = f"CT series {series.uid}"
    if not has_rescaling(series.files[0]):
        return (
            Finding(
                code="CT_RESCALE_MISSING",
                severity=Severity.STOP,
                where=where,
                message="It lacks RescaleIntercept or RescaleSlope: stored values were taken as they stand "
                "(intercept 0, slope 1). Look whether air is -1000 and water 0; barriers hang on it.",
            ),
        )
    unit = series.files[0].text("RescaleType").upper()
    if unit not in {"", "HU"}:
        return (
            Finding(
                code="CT_NOT_IN_HU",
                severity=Severity.WARNING,
                where=where,
                message=f"Its RescaleType is {unit}, not HU: look whether air is -1000 and water 0; barriers "
                "hang on it.",
            ),
        )
    return ()


def person_findings(image: DicomFile, file: DicomFile, where: str) -> Iterator[Finding]:
    """`PATIENT_DIFFERS` (stop), `STUDY_DIFFERS` (warning): of another patient or study than the CT."""
    for keyword, code, severity, what in (
        ("PatientID", PATIENT_DIFFERS, Severity.STOP, "patient ID"),
        ("StudyInstanceUID", "STUDY_DIFFERS", Severity.WARNING, "study"),
    ):
        ours, theirs = image.text(keyword), file.text(keyword)
        if ours and theirs and ours != theirs:
            yield Finding(
                code=code,
                severity=severity,
                where=where,
                message=f"It names another {what} than the CT that it refers to. Look whether both are this "
                "patient's before anything of this is used.",
            )
