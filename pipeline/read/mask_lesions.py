"""Lesions from masks of voxels, whatever file the masks came in."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.case import Lesion
from pipeline.core.errors import StructureError
from pipeline.core.loops import LoopNote, without_specks
from pipeline.core.positions import positions
from pipeline.core.raster import mask_to_contours
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
from pipeline.read.findings import gap_findings
from pipeline.read.roles import Assignment


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskLesion:
    """A lesion, and the doubts about its mask."""

    lesion: Lesion
    findings: tuple[Finding, ...]


def lesion_of_mask(assigned: Assignment, mask: Mask, *, source_roi: str, where: str, kind: str) -> MaskLesion:
    """A lesion with its outlines, half-way between voxels inside and outside.

    Parts and holes below 2 mm2 on a slice, a stray voxel for instance, are no part of it, as with contours.

    Args:
        assigned: its name and kind.
        mask: its voxels.
        source_roi: what it is called in the file.
        where: for errors.
        kind: of the thing that holds the voxels: `mask`, `segment`.

    Raises:
        StructureError: no voxel, or specks only.
    """
    if mask.is_empty:
        raise StructureError(
            f"GTV {kind} is empty",
            where=where,
            expected="at least one voxel",
            got="none",
            todo="draw it, or name the lesions with --gtv",
        )
    contours, dropped = without_specks(mask_to_contours(mask))
    if contours.is_empty:
        raise StructureError(
            "GTV made of specks only",
            where=where,
            expected="at least one part of 2 mm2 or more on a slice",
            got=f"voxels on {len(dropped)} slices, all parts smaller",
            todo="correct the GTV, or name the lesions with --gtv",
        )
    planes = contours.grid.plane_positions_mm
    told = list(gap_findings(source_roi, contours.slices, planes))
    if dropped:
        at = positions([float(planes[k]) for k in dropped])
        told.append(
            Finding(
                code="CONTOUR_SPECK",
                severity=Severity.WARNING,
                where=f"ROI {source_roi}",
                message=f"S{LoopNote.SPECK.value[1:]}: {sum(dropped.values())}, at {at}.",
            )
        )
    lesion = Lesion(name=assigned.name, kind=assigned.kind, source_roi=source_roi, contours=contours)
    return MaskLesion(lesion=lesion, findings=tuple(told))
