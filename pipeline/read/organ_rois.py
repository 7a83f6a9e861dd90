"""Organs and stations from the ROIs of a structure set."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from pipeline.core.contour import Contours
from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.positions import positions
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.solid import bridged
from pipeline.read.dicom_index import DicomFile
from pipeline.read.organ_sources import Candidate, Kind, Loaded
from pipeline.read.roi_sections import RoiSections, roi_sections
from pipeline.read.structure_set import Roi, StructureSet, raw_contours, read_structure_set

OFF_SLICES = "OFF_SLICES"

# RT ROI Interpreted Types (DICOM PS3.3 C.8.8.8.1) of what is no organ, whatever its name.
_NO_ORGANS = frozenset(
    {"GTV", "CTV", "PTV", "TREATED_VOLUME", "IRRAD_VOLUME", "BOLUS", "MARKER", "REGISTRATION", "ISOCENTER"}
    | {"CONTROL", "DOSE_REGION", "DOSE_MEASUREMENT", "FIXATION", "SUPPORT", "BRACHY_CHANNEL"}
)


# Stations are drawn as clinical targets as often as organs; the outline of the patient is none.
_EXCLUDED = {Kind.ORGAN: _NO_ORGANS, Kind.STATION: _NO_ORGANS - {"CTV"} | {"EXTERNAL"}}


def roi_candidates(
    structure_set: StructureSet, grid: Grid, lesions: Collection[str], kind: Kind = Kind.ORGAN
) -> Iterator[Candidate]:
    """The ROIs that may be of a kind: with contours, no lesion by name, and of no type that excludes it."""
    for roi in structure_set.rois:
        excluded = roi.name in lesions or roi.interpreted_type.upper() in _EXCLUDED[kind]
        if roi.contour_count and not excluded:
            yield Candidate(
                name=roi.name,
                detail=f"ROI {roi.name!r} of file {structure_set.file.label}",
                load=partial(_load, structure_set, roi, grid, kind),
                interpreted_type=roi.interpreted_type,
            )


def anatomy_structure_set(file: DicomFile, grid: Grid, ct_series: str) -> StructureSet:
    """The structure set that was given as anatomy, if it is one of the CT.

    Args:
        file: its file.
        grid: of the CT.
        ct_series: Series Instance UID of the CT; empty when it is not known.

    Raises:
        StructureError: it is broken, or one of another CT.
    """
    structure_set = read_structure_set(file)
    named = ct_series in structure_set.series_uids
    frames = structure_set.frames_of_reference
    # Without either UID (a CT from NIfTI) only the contours' positions can tell, and they are asked later.
    if not named and grid.frame_of_reference and frames and grid.frame_of_reference not in frames:
        raise StructureError(
            "structure set belongs to another CT",
            where=f"--anatomy {structure_set.file.label}",
            expected=f"frame of reference {grid.frame_of_reference}",
            got=", ".join(sorted(frames)),
            todo="give the structure set that was drawn on the planning CT",
        )
    return structure_set


def _load(structure_set: StructureSet, roi: Roi, grid: Grid, kind: Kind) -> Loaded:
    ours, frames = grid.frame_of_reference, structure_set.frames_of_reference
    if sum(other.number == roi.number for other in structure_set.rois) > 1:
        return _not_used(roi, kind, f"its number {roi.number} is given to several ROIs")
    if roi.frame_of_reference and ours in frames and roi.frame_of_reference != ours:
        return _not_used(roi, kind, "it is drawn in another frame of reference than the CT's")
    try:
        placed = roi_sections(raw_contours(structure_set, roi), grid, structure_set.scanned)
    except StructureError as error:
        return _not_used(roi, kind, f"{error.what} ({error.got})")
    off = len(placed.between_slices_mm) + len(placed.beyond_scan_mm) + placed.oblique
    if placed.contours.is_empty:
        if off:
            reason = f"all its {off} planes of contours lie off the CT's slices"
            return _not_used(roi, kind, reason, doubt=OFF_SLICES)
        return _not_used(roi, kind, "it has no closed contour")
    whole = bridged(placed.contours)
    return Loaded(
        mask=contours_to_mask(whole),
        findings=tuple(_doubts(roi, kind, placed, whole, off)),
        contours=whole,
    )


def _not_used(roi: Roi, kind: Kind, reason: str, *, doubt: str = "ROI_NOT_USED") -> Loaded:
    finding = Finding(
        code=kind.code(doubt),
        severity=Severity.WARNING,
        where=f"ROI {roi.name}",
        message=f"The ROI was not used as {kind.one}: {reason}.",
    )
    return Loaded(mask=None, findings=(finding,))


def _doubts(roi: Roi, kind: Kind, placed: RoiSections, whole: Contours, off: int) -> Iterator[Finding]:
    where = f"ROI {roi.name}"
    if off:
        yield Finding(
            code=kind.code("INCOMPLETE"),
            severity=Severity.INFO,
            where=where,
            message=f"Contours off the CT slices were left out of the {kind}: {off}.",
        )
    slices = placed.contours.slices
    missing = sorted(set(range(slices[0], slices[-1] + 1)) - set(slices))
    if missing:
        at = positions(placed.contours.grid.plane_positions_mm[missing].tolist())
        open_still = len(set(missing) - set(whole.slices))
        yield Finding(
            code=kind.code("SLICE_MISSING"),
            severity=Severity.WARNING if open_still else Severity.INFO,
            where=where,
            message=f"No contour on {len(missing)} slices between the {kind}'s first and last one, at {at}. "
            + (
                f"On {open_still} of them it has none here either." if open_still else "It was bridged there."
            ),
        )
