"""One patient's case: the CT, the lesions, and what else the structure set holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding
from pipeline.core.volume import Volume


class LesionKind(StrEnum):
    """Gross tumour: residual or tumour-bed recurrence, or a lymph-node metastasis [P]."""

    TUMOUR = "GTV-T"
    NODE = "GTV-N"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesion:
    """One gross tumour volume as drawn, cleaned.

    Attributes:
        name: the name it gets in the output: `GTV-T`, or `GTV-N1`, `GTV-N2` when there are several.
        kind: tumour or node.
        source_roi: the name of the ROI or mask it came from, as found.
        contours: its polygons.
    """

    name: str
    kind: LesionKind
    source_roi: str
    contours: Contours


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Structure:
    """Any other ROI of the source, kept for barriers, organs and checks."""

    name: str
    interpreted_type: str
    contours: Contours


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that the case was read from: its role, name without folder, and SHA-256."""

    role: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a case came from, without anything that identifies the patient.

    Attributes:
        kind: `dicom` or `files` (NIfTI, NRRD, MetaImage).
        patient_position: HFS, HFP, FFS, ...; empty when the source does not say.
        study_uid, series_uid, structure_set_uid: empty when the source has none.
        ct_sha256: hash over all pixel data in slice order.
        files: the structure set or mask files, with hashes.
    """

    kind: str
    patient_position: str = ""
    study_uid: str = ""
    series_uid: str = ""
    structure_set_uid: str = ""
    ct_sha256: str = ""
    files: tuple[SourceFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """What every later step works on.

    Attributes:
        volume: the planning CT.
        lesions: at least one, on the CT's grid; tumours first, then nodes.
        structures: the other ROIs, on the CT's grid.
        source: UIDs and hashes.
        findings: doubts met while reading.
        scanned: the planes of the series, where it was brought onto another grid.

    Raises:
        GeometryError: no lesion, or contours on another grid than the CT's.
    """

    volume: Volume
    lesions: tuple[Lesion, ...]
    structures: tuple[Structure, ...]
    source: Source
    findings: tuple[Finding, ...] = ()
    scanned: ScannedPlanes | None = None

    def __post_init__(self) -> None:
        if not self.lesions:
            raise GeometryError("case without a lesion", expected="at least one", got="none")
        drawn: tuple[Lesion | Structure, ...] = (*self.lesions, *self.structures)
        for one in drawn:
            if one.contours.grid != self.volume.grid:
                raise GeometryError(
                    "contours lie on another grid than the CT",
                    where=one.name,
                    expected=f"{self.volume.grid}",
                    got=f"{one.contours.grid}",
                )
