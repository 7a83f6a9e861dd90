"""The images that contours say they were drawn on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.read.contour_data import contour_points
from pipeline.read.dicom_index import BROKEN
from pipeline.read.structure_set import Roi, StructureSet, contour_items, items_of


def reference_findings(
    structure_set: StructureSet, roi: Roi, grid: Grid, heights_mm: Mapping[str, float]
) -> Iterator[Finding]:
    """`CONTOUR_IMAGES_ABSENT` and `CONTOUR_IMAGES_DIFFER` (warnings): contours were placed by position.

    Args:
        structure_set: that the ROI is of.
        roi: its contours have been read without an error.
        grid: of the CT.
        heights_mm: SOP Instance UID of each slice to its height in the grid's frame.

    Raises:
        StructureError: references that are none.
    """
    try:
        absent, other = _compared(structure_set, roi, grid, heights_mm)
    except BROKEN as error:
        raise StructureError(
            "image references of contours cannot be read",
            where=f"file {structure_set.file.label}, ROI {roi.name!r}",
            expected="the UID of the image that each contour was drawn on, or nothing",
            got=structure_set.file.blotted(str(error)),
            todo="export the structure set again",
        ) from error
    if absent:
        yield Finding(
            code="CONTOUR_IMAGES_ABSENT",
            severity=Severity.WARNING,
            where=f"ROI {roi.name}",
            message=f"Its contours refer to {len(absent)} images that the CT series does not hold, as usual "
            "after de-identification; they were placed by position, which fits the slices.",
        )
    if other:
        yield Finding(
            code="CONTOUR_IMAGES_DIFFER",
            severity=Severity.WARNING,
            where=f"ROI {roi.name}",
            message=f"{other} of its contours name an image of the CT on another plane than their own. They "
            "were placed by position; look whether they lie where they were drawn.",
        )


def _compared(
    structure_set: StructureSet, roi: Roi, grid: Grid, heights_mm: Mapping[str, float]
) -> tuple[set[str], int]:
    """Images that the CT lacks, and how many contours name one that lies on another plane."""
    absent: set[str] = set()
    other = 0
    for item in contour_items(structure_set.file.header, roi.number):
        named = {
            str(image.get("ReferencedSOPInstanceUID") or "")
            for image in items_of(item, "ContourImageSequence")
        } - {""}
        absent |= named - heights_mm.keys()
        known = [heights_mm[uid] for uid in named if uid in heights_mm]
        # Of a series that is brought onto other slices, the grid's planes are not those of the images.
        if known and structure_set.scanned is None:
            points = contour_points(item)
            if len(points):
                height = float(grid.frame.from_patient(points[:1])[0, 2])
                other += min(abs(height - one) for one in known) > grid.slice_spacing_mm / 2.0
    return absent, other
