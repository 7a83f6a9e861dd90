"""Organs from the segments of a DICOM segmentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pipeline.core.report import Finding, Severity
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import Candidate, Loaded
from pipeline.read.segmentation import FRACTIONAL, Segment, Segmentation

_LESION = re.compile(r"[gcpi]tv", re.IGNORECASE)


def segment_candidates(segmentation: Segmentation, names: OrganNames) -> Iterator[Candidate]:
    """The segments that may be organs, each under the name that says most of it.

    That is its label; where no organ has that name, the code meaning of its Segmented Property Type. Either
    is taken with the side that the type's modifier gives, if an organ of that side has the name. A segment
    whose label speaks of a target is named by its label alone: its type may be the organ that it lies in.
    """
    for segment in segmentation.segments:
        if segment not in contradictory(segmentation, names):
            name = _name(segment, names)
            coded = "" if name.startswith(segment.label) and segment.label else f", coded {segment.meaning!r}"
            yield Candidate(
                name=name,
                detail=f"segment {segment.number} {segment.label!r}{coded} of file {segmentation.file.label}",
                load=partial(_load, segmentation, segment),
            )


def contradictory(segmentation: Segmentation, names: OrganNames) -> tuple[Segment, ...]:
    """Segments whose label says one side and whose type's modifier the other."""
    found = []
    for segment in segmentation.segments:
        match = names.find(_name(segment, names))
        side = names.sides.get(match.organ) if match else None
        if side and segment.side and side != segment.side:
            found.append(segment)
    return tuple(found)


def segmentation_findings(segmentation: Segmentation, names: OrganNames) -> Iterator[Finding]:
    """Doubts about a segmentation as a whole: a threshold that was set, sides that contradict each other."""
    where = f"file {segmentation.file.label}"
    if segmentation.kind == FRACTIONAL:
        yield Finding(
            code="SEGMENTATION_THRESHOLD",
            severity=Severity.INFO,
            where=where,
            message="It stores fractions: a voxel counts as inside from half of the maximum on "
            f"({segmentation.half:g} of {2 * segmentation.half:g}).",
        )
    for segment in contradictory(segmentation, names):
        yield Finding(
            code="ORGAN_SIDES_CONTRADICT",
            severity=Severity.WARNING,
            where=where,
            message=f"Segment {segment.number} was not used as an organ: its label is {segment.label!r}, its "
            f"code {segment.meaning!r} with the modifier {segment.side}. Correct the wrong one.",
        )


def _name(segment: Segment, names: OrganNames) -> str:
    """The first of a segment's names that is an organ's; its label where none is."""
    for said in (segment.label, segment.meaning):
        for name in (f"{said} {segment.side}", said) if segment.side else (said,):
            if said and names.find(name):
                return name
        if _LESION.search(segment.label):
            break
    return segment.label or segment.meaning


def _load(segmentation: Segmentation, segment: Segment) -> Loaded:
    mask, beyond = segmentation.mask(segment.number)
    if not beyond:
        return Loaded(mask=mask)
    finding = Finding(
        code="ORGAN_INCOMPLETE",
        severity=Severity.INFO,
        where=f"segment {segment.label}",
        message=f"Voxels beyond the CT were left out of the organ: {beyond}.",
    )
    return Loaded(mask=mask, findings=(finding,))
