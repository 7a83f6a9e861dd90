"""Whether the tag for the patient's position and the direction cosines of a series agree."""

from __future__ import annotations

import numpy as np

from pipeline.core.report import Finding, Severity
from pipeline.read.ct_series import CtSeries, PlacedSeries

# Direction of increasing column and row (LPS) for each patient position, DICOM PS3.3 C.7.3.1.1.2.
POSITIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
    "FFDL": ((0, 1, 0), (1, 0, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)),
}
# Cosines nearer than this to a position's own are that position's.
LEAST_COSINE = 0.8


def position_findings(series: CtSeries, placed: PlacedSeries) -> tuple[Finding, ...]:
    """`PATIENT_POSITION_DIFFERS` (stop) where the tag says another position than the cosines."""
    stated = series.files[0].text("PatientPosition").upper()
    shown = _shown(placed)
    if stated not in POSITIONS or stated == shown:
        return ()
    return (
        Finding(
            code="PATIENT_POSITION_DIFFERS",
            severity=Severity.STOP,
            where=f"CT series {series.uid}",
            message=f"It is marked {stated}, and its direction cosines are those of "
            f"{shown or 'no position'}. Left and right, head and feet follow the cosines; look whether they "
            "are the patient's.",
        ),
    )


def _shown(placed: PlacedSeries) -> str:
    """The position that the cosines stand for; empty where they stand for none nearly."""
    cosines = placed.slices[0].cosines
    for name, axes in POSITIONS.items():
        column, row = (np.array(axis) for axis in axes)
        if min(float(cosines[:3] @ column), float(cosines[3:] @ row)) > LEAST_COSINE:
            return name
    return ""
