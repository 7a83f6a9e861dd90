"""Doubts met while reading ROIs, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.loops import LoopNote
from pipeline.core.positions import positions
from pipeline.core.report import Finding, Severity
from pipeline.core.stack import is_bridged
from pipeline.read.roi_sections import RoiSections
from pipeline.read.roles import RoleRules, unrecognised

_CODES = {
    LoopNote.REPEATED_POINTS: ("CONTOUR_POINTS_REPEATED", Severity.INFO),
    LoopNote.TOO_FEW_POINTS: ("CONTOUR_TOO_FEW_POINTS", Severity.INFO),
    LoopNote.DUPLICATE: ("CONTOUR_DUPLICATE", Severity.WARNING),
    LoopNote.SPECK: ("CONTOUR_SPECK", Severity.WARNING),
    LoopNote.SELF_CROSSING: ("CONTOUR_SELF_CROSSING", Severity.WARNING),
    LoopNote.KEYHOLE: ("CONTOUR_KEYHOLE", Severity.INFO),
    LoopNote.OVERLAP: ("CONTOUR_OVERLAP", Severity.WARNING),
    LoopNote.HOLE: ("CONTOUR_HOLE", Severity.WARNING),
    LoopNote.THIN_WALL: ("CONTOUR_DRAWN_TWICE_OR_HOLE", Severity.STOP),
}


_BRIDGED = (
    "The targets go on there, from contour to contour where those overlap; the volume of the GTV counts "
    "drawn slices only"
)
_APART = "Too far to be bridged: the parts are grown apart, half a slice beyond their last contours"


def name_findings(
    names: Sequence[str], used: Sequence[int], roles: RoleRules, *, where: str
) -> Iterator[Finding]:
    """Names that are alike, and ROIs called GTV that are not used."""
    for name in unrecognised(names, used, roles):
        yield Finding(
            code="GTV_NOT_USED",
            severity=Severity.WARNING,
            where=f"ROI {name}",
            message="The name speaks of a GTV, and the ROI is not used as a lesion. "
            'If it is one, name the lesions with --gtv "ROI NAME=GTV-T" (or =GTV-N).',
        )
    nameless = sum(not name for name in names)
    if nameless:
        yield Finding(
            code="ROI_WITHOUT_NAME",
            severity=Severity.WARNING,
            where=where,
            message=f"ROIs without a name, not used as lesions: {nameless}. If one is a GTV, name it and "
            "export again.",
        )
    counts = Counter(name.casefold() for name in names if name)
    for folded in sorted(name for name, count in counts.items() if count > 1):
        alike = ", ".join(repr(name) for name in names if name.casefold() == folded)
        yield Finding(
            code="ROI_NAMES_ALIKE",
            severity=Severity.WARNING,
            where=where,
            message=f"Names that differ in case at most: {alike}. ROIs are told apart by their numbers.",
        )


def gap_findings(name: str, slices: Sequence[int], planes_mm: npt.NDArray[np.float64]) -> Iterator[Finding]:
    """Slices without contours between a GTV's first and last one, and whether they are bridged.

    Args:
        name: of the ROI.
        slices: those it was drawn on, rising.
        planes_mm: positions of all slices that it could have been drawn on, shape (n,).
    """
    bridged: list[int] = []
    apart: list[int] = []
    for low, high in pairwise(slices):
        spacing = float(np.median(np.abs(np.diff(planes_mm))))
        steps = round(abs(float(planes_mm[high] - planes_mm[low])) / spacing)
        (bridged if is_bridged(steps, spacing) else apart).extend(range(low + 1, high))
    for missing, done in ((bridged, _BRIDGED), (apart, _APART)):
        if missing:
            yield Finding(
                code="GTV_SLICE_MISSING",
                severity=Severity.WARNING,
                where=f"ROI {name}",
                message=f"No contour on {len(missing)} slices between its first and last one, at "
                f"{positions(planes_mm[missing].tolist())}. {done}. Draw them if the "
                "lesion is there.",
            )


def edge_findings(name: str, placed: RoiSections) -> Iterator[Finding]:
    """A GTV that runs past the edges of the image."""
    if placed.outside_mm2 > 0:
        share = placed.outside_mm2 / placed.area_mm2
        yield Finding(
            code="GTV_BEYOND_IMAGE",
            severity=Severity.STOP,
            where=f"ROI {name}",
            message=f"{100 * share:.1f} % of its area lies beyond the edges of the CT image. "
            "Check the contours.",
        )


def lost_findings(name: str, placed: RoiSections) -> Iterator[Finding]:
    """`GTV_PART_LOST` (stop): parts of a GTV that fall between the slices of an even grid."""
    if placed.lost_parts:
        yield Finding(
            code="GTV_PART_LOST",
            severity=Severity.STOP,
            where=f"ROI {name}",
            message=f"{placed.lost_parts} of its drawn parts lie on no slice of the resampled CT, and are in "
            "no target. Do not use the targets: ask for an evenly spaced planning CT.",
        )


def dirt_findings(name: str, placed: RoiSections) -> Iterator[Finding]:
    """What was cleaned in the contours of one ROI, a finding for each kind of dirt."""
    planes = placed.plane_positions_mm
    for note, count in sorted(placed.sections.totals.items()):
        code, severity = _CODES[note]
        at = [float(planes[k]) for k, notes in placed.sections.notes.items() if note in notes]
        yield Finding(
            code=code,
            severity=severity,
            where=f"ROI {name}",
            message=f"{note.value[0].upper()}{note.value[1:]}: {count}, at {positions(at)}.",
        )
    if placed.open_types:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(placed.open_types.items()))
        yield Finding(
            code="CONTOUR_NOT_CLOSED",
            severity=Severity.WARNING,
            where=f"ROI {name}",
            message=f"Contours that enclose nothing were left out: {kinds}.",
        )
