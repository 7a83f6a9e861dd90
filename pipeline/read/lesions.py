"""ROIs to lesions and structures, with what is wrong or doubtful about each told by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.core.case import Lesion, Structure
from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.loops import LoopNote
from pipeline.core.positions import positions
from pipeline.core.report import Finding, Severity
from pipeline.read.findings import dirt_findings, edge_findings, gap_findings, lost_findings
from pipeline.read.image_references import reference_findings
from pipeline.read.roi_sections import RoiSections, roi_sections
from pipeline.read.roles import Assignment
from pipeline.read.structure_set import Roi, StructureSet, raw_contours


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadLesions:
    """The lesions, and the findings on their contours."""

    lesions: tuple[Lesion, ...]
    findings: tuple[Finding, ...]


def read_lesions(
    structure_set: StructureSet,
    assignments: Iterable[Assignment],
    grid: Grid,
    *,
    heights_mm: Mapping[str, float],
) -> ReadLesions:
    """The contours of the assigned ROIs on the grid.

    Args:
        structure_set: where they come from.
        assignments: index into its ROIs, kind and output name of each lesion.
        grid: of the CT.
        heights_mm: SOP Instance UID of each slice of the CT to its height in the grid's frame.

    Raises:
        StructureError: a GTV without closed contours, between slices, outside the CT or of specks only.
    """
    lesions = []
    findings: list[Finding] = []
    for assignment in assignments:
        roi = structure_set.rois[assignment.index]
        where = f"file {structure_set.file.label}, ROI {roi.name!r}"
        _check_roi(structure_set, roi, grid, where)
        placed = roi_sections(raw_contours(structure_set, roi), grid, structure_set.scanned)
        _check_gtv(placed, roi, grid, where)
        lesions.append(
            Lesion(
                name=assignment.name,
                kind=assignment.kind,
                source_roi=roi.name,
                contours=placed.contours,
            )
        )
        findings += [
            *reference_findings(structure_set, roi, grid, heights_mm),
            *gap_findings(roi.name, sorted(placed.sections.polygons), placed.plane_positions_mm),
            *lost_findings(roi.name, placed),
            *edge_findings(roi.name, placed),
            *dirt_findings(roi.name, placed),
        ]
        if roi.interpreted_type.upper() not in {"", "GTV"}:
            findings.append(
                Finding(
                    code="GTV_TYPE",
                    severity=Severity.INFO,
                    where=f"ROI {roi.name}",
                    message=f"Used as {assignment.name}; the structure set has it as type "
                    f"{roi.interpreted_type}.",
                )
            )
    return ReadLesions(lesions=tuple(lesions), findings=tuple(findings))


def read_structures(
    structure_set: StructureSet, rois: Iterable[Roi], grid: Grid
) -> tuple[tuple[Structure, ...], tuple[Finding, ...]]:
    """Other ROIs, as far as their closed contours lie on slices; those that have none are left out."""
    structures = []
    findings: list[Finding] = []
    for roi in rois:
        try:
            placed = roi_sections(raw_contours(structure_set, roi), grid, structure_set.scanned)
        except StructureError as error:
            findings.append(_left_out(roi.name, str(error)))
            continue
        if placed.without_points:
            findings.append(_left_out(roi.name, f"Contours without any point: {placed.without_points}."))
        if placed.contours.is_empty:
            continue
        off = len(placed.between_slices_mm) + len(placed.beyond_scan_mm) + placed.oblique
        if off:
            findings.append(_left_out(roi.name, f"Contours off the CT slices were left out: {off}."))
        structures.append(
            Structure(name=roi.name, interpreted_type=roi.interpreted_type, contours=placed.contours)
        )
    return tuple(structures), tuple(findings)


def _left_out(name: str, message: str) -> Finding:
    return Finding(code="STRUCTURE_INCOMPLETE", severity=Severity.INFO, where=f"ROI {name}", message=message)


def _check_roi(structure_set: StructureSet, roi: Roi, grid: Grid, where: str) -> None:
    """What can be said before contours are read."""
    if sum(other.number == roi.number for other in structure_set.rois) > 1:
        raise StructureError(
            "ROI number given twice",
            where=where,
            expected="a number of its own for every ROI",
            got=f"number {roi.number} for several",
            todo="export the structure set again",
        )
    if roi.contour_count == 0:
        raise StructureError(
            "GTV without contours",
            where=where,
            expected="at least one closed contour",
            got="none",
            todo="draw it, or name the lesions with --gtv",
        )
    ours, frames = grid.frame_of_reference, structure_set.frames_of_reference
    if roi.frame_of_reference and ours in frames and roi.frame_of_reference != ours:
        raise StructureError(
            "GTV drawn in another frame of reference",
            where=where,
            expected=ours,
            got=roi.frame_of_reference,
            todo="copy it onto the planning CT in your planning system",
        )


def _check_gtv(placed: RoiSections, roi: Roi, grid: Grid, where: str) -> None:
    """Everything that makes a GTV unusable."""
    planes = placed.plane_positions_mm
    scan = f"slices from {planes.min():.2f} to {planes.max():.2f} mm"
    if placed.beyond_scan_mm:
        raise StructureError(
            "GTV outside the CT",
            where=where,
            expected=f"contours on {scan}",
            got=f"contours at {positions(placed.beyond_scan_mm)}",
            todo="export all slices of the planning CT, or correct the GTV",
        )
    if placed.between_slices_mm:
        raise StructureError(
            "GTV contours between the CT slices",
            where=where,
            expected=f"contours on {scan}, every {grid.slice_spacing_mm:g} mm",
            got=f"contours at {positions(placed.between_slices_mm)}",
            todo="give the CT that the GTV was drawn on",
        )
    if placed.oblique:
        raise StructureError(
            "GTV contours not parallel to the CT slices",
            where=where,
            expected="every contour in a slice plane",
            got=f"{placed.oblique} contours that are not",
            todo="draw the GTV on the axial slices",
        )
    if placed.contours.is_empty:
        _raise_nothing_left(placed, roi, where)
    if placed.outside_mm2 >= 0.999 * placed.area_mm2:
        raise StructureError(
            "GTV outside the CT",
            where=where,
            expected="contours inside the image",
            got="all of it beyond the edges of the slices",
            todo="give the CT that the GTV was drawn on",
        )


def _raise_nothing_left(placed: RoiSections, roi: Roi, where: str) -> None:
    if placed.sections.totals.get(LoopNote.SPECK):
        # A stray click, more likely than a lesion: a target around it would be harm, and dropping it too.
        raise StructureError(
            "GTV made of specks only",
            where=where,
            expected="at least one contour of 2 mm² or more",
            got=f"{roi.contour_count} contours, all smaller or without area",
            todo="correct the GTV, or name the lesions with --gtv",
        )
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(placed.open_types.items()))
    raise StructureError(
        "GTV without closed contours",
        where=where,
        expected="at least one closed contour of three distinct points or more",
        got=kinds or f"{roi.contour_count} contours without area",
        todo="draw it, or name the lesions with --gtv",
    )
