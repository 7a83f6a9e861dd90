"""DICOM structure sets (RTSTRUCT): one file per arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydicom import Dataset

from pipeline import __version__
from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Colour, Holes
from pipeline.write.atomic import whole_file
from pipeline.write.header import frame_of_reference, new_structure_set, set_uids
from pipeline.write.holes import rings_of
from pipeline.write.items import SlicePlanes, contour_item, observation_item, structure_item
from pipeline.write.readback import MAX_VOLUME_ERROR, ROI_SEQUENCES, check_structure_set
from pipeline.write.rings import Tidied, tidied

LONGEST_NAME = 16
INTERPRETED_TYPES = ("GTV", "CTV", "PTV", "ORGAN", "EXTERNAL", "CONTROL")


class Algorithm(StrEnum):
    """How an ROI came about (ROIGenerationAlgorithm)."""

    AUTOMATIC = "AUTOMATIC"
    SEMIAUTOMATIC = "SEMIAUTOMATIC"
    MANUAL = "MANUAL"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoiOut:
    """One ROI to be written.

    Attributes:
        name: at most 16 ASCII characters, unique in its structure set whatever the case.
        contours: not empty, on the grid of the CT.
        interpreted_type: GTV, CTV, PTV (a PGTV too), ORGAN, EXTERNAL or CONTROL.
        colour: RGB, 0 to 255.
        description: how it was made; at most 1024 characters are kept.
        algorithm: how it came about.
        volume_cc: for ROIVolume; None: that of the contours.
    """

    name: str
    contours: Contours
    interpreted_type: str
    colour: Colour
    description: str = ""
    algorithm: Algorithm = Algorithm.AUTOMATIC
    volume_cc: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureSetContext:
    """What a structure set belongs to.

    Attributes:
        headers: CT slice headers in order of the grid's k, without pixels.
        label: StructureSetLabel; holds the word DRAFT, at most 16 characters.
        description: software, version, protocol.
        series_description: the label when empty.
        predecessor: header of the structure set that the lesions came from.
        software_version: of this program.
        sop_instance_uid, series_uid: when empty, those that follow from what the file says.
        moment: of making; now when None.
        holes: how they are written.
    """

    headers: tuple[Dataset, ...]
    label: str
    description: str = ""
    series_description: str = ""
    predecessor: Dataset | None = None
    software_version: str = __version__
    sop_instance_uid: str = ""
    series_uid: str = ""
    moment: datetime | None = None
    holes: Holes = Holes.EVEN_ODD


def write_rtstruct(path: Path, rois: Sequence[RoiOut], context: StructureSetContext) -> tuple[Finding, ...]:
    """Write a structure set, read it back, and only then give it its name.

    Holes are nested CLOSED_PLANAR contours (even-odd), or as the context says. Vertices are thinned by at
    most 0.05 mm and 0.05 % of an area, specks below 2 mm2 left out. Implicit VR little endian, UNAPPROVED.

    Returns:
        A finding for every ROI that lost a speck.

    Raises:
        OutputError: a name, label or type that cannot be written, an empty ROI, headers that do not
            fit the grid, a file that reads back wrong, or the file system refused. Nothing is left
            at `path`, or what was there before.
    """
    cleaned = checked(rois, context)
    with whole_file(path) as scratch:
        _dataset(rois, cleaned, context).save_as(scratch, enforce_file_format=True)
        named = [(roi.name, clean.contours) for roi, clean in zip(rois, cleaned, strict=True)]
        check_structure_set(scratch, named=named, headers=context.headers)
    return tuple(
        _speck_finding(roi, clean) for roi, clean in zip(rois, cleaned, strict=True) if clean.dropped_slices
    )


def checked(rois: Sequence[RoiOut], context: StructureSetContext) -> list[Tidied]:
    """What is written of each ROI, once it is known that it can be.

    Raises:
        OutputError: as `write_rtstruct`, but for files.
    """
    _check_request(rois, context)
    cleaned = [tidied(roi.contours) for roi in rois]
    for roi, clean in zip(rois, cleaned, strict=True):
        if clean.contours.is_empty:
            raise _refused(roi.name, "a contour of 2 mm2 or more", "none")
    return cleaned


def roi_items(
    rois: Sequence[RoiOut], cleaned: Sequence[Tidied], context: StructureSetContext, *, first: int = 1
) -> dict[str, list[Dataset]]:
    """The items of each of `ROI_SEQUENCES`; ROIs and observations are numbered from `first`."""
    frame_uid = frame_of_reference(context.headers[0])
    planes = SlicePlanes(context.headers, rois[0].contours.grid.frame)
    structures, contours, observations = [], [], []
    for number, (roi, clean) in enumerate(zip(rois, cleaned, strict=True), start=first):
        volume = clean.contours.volume_cc if roi.volume_cc is None else roi.volume_cc
        structures.append(structure_item(roi, number, frame_uid=frame_uid, volume_cc=volume))
        rings = rings_of(clean.contours, context.holes)
        contours.append(contour_item(roi, number, rings=rings, headers=context.headers, planes=planes))
        observations.append(observation_item(roi, number))
    return dict(zip(ROI_SEQUENCES, (structures, contours, observations), strict=True))


def _dataset(rois: Sequence[RoiOut], cleaned: Sequence[Tidied], context: StructureSetContext) -> Dataset:
    dataset = new_structure_set(context)
    for keyword, items in roi_items(rois, cleaned, context).items():
        setattr(dataset, keyword, items)
    set_uids(dataset, context)
    return dataset


def _check_request(rois: Sequence[RoiOut], context: StructureSetContext) -> None:
    if not rois:
        raise _refused("structure set", "at least one ROI", "none")
    if "DRAFT" not in context.label or not _is_short_ascii(context.label):
        raise _refused("label", "16 ASCII characters or fewer with the word DRAFT", repr(context.label))
    for name, count in Counter(roi.name.casefold() for roi in rois).items():
        if count > 1:
            raise _refused("ROI names", "names that differ in more than case", f"{count} times {name!r}")
    for roi in rois:
        if not _is_short_ascii(roi.name):
            raise _refused("ROI names", "1 to 16 ASCII characters, no backslash", repr(roi.name))
        if roi.interpreted_type not in INTERPRETED_TYPES:
            raise _refused(f"type of {roi.name}", ", ".join(INTERPRETED_TYPES), roi.interpreted_type)
        if roi.contours.is_empty:
            raise _refused(roi.name, "contours", "an empty structure")
        _check_grid(roi, context)


def _check_grid(roi: RoiOut, context: StructureSetContext) -> None:
    """Each slice of the grid lies where the header of the same k says."""
    grid = roi.contours.grid
    if len(context.headers) != grid.size[2]:
        raise _refused(f"grid of {roi.name}", f"{len(context.headers)} slices", f"{grid.size[2]}")
    positions = np.array([header.ImagePositionPatient for header in context.headers], dtype=float)
    off = np.abs(positions @ np.array(grid.frame.superior) - grid.plane_positions_mm).max()
    if off > max(0.1, 0.05 * grid.slice_spacing_mm):
        raise _refused(f"grid of {roi.name}", "the slice positions of the CT", f"up to {off:.2f} mm off")


def _is_short_ascii(text: str) -> bool:
    is_plain = text.isascii() and text.isprintable() and "\\" not in text
    return is_plain and 1 <= len(text) <= LONGEST_NAME and text == text.strip()


def _refused(where: str, expected: str, got: str) -> OutputError:
    return OutputError("cannot be written as a structure set", where=where, expected=expected, got=got)


def _speck_finding(roi: RoiOut, clean: Tidied) -> Finding:
    slices = clean.dropped_slices
    grid = roi.contours.grid
    share = clean.dropped_mm2 * grid.slice_spacing_mm / 1000.0 / roi.contours.volume_cc
    return Finding(
        code="SPECKS_NOT_WRITTEN",
        severity=Severity.WARNING if share > MAX_VOLUME_ERROR else Severity.INFO,
        where=roi.name,
        message=f"parts below 2 mm2 on {len(slices)} slices (k {slices[0]} to {slices[-1]}) were left out "
        f"of the structure set, {clean.dropped_mm2:.2f} mm2 in all, {100.0 * share:.1f} % of the volume",
    )
