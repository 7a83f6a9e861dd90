"""Lesions from the segments of a DICOM segmentation (SEG), where no structure set holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.core.case import SourceFile
from pipeline.core.errors import SeriesError, StructureError, UsageError
from pipeline.core.report import Finding, Severity
from pipeline.read.ct_series import CtSeries, PlacedSeries, series_facts
from pipeline.read.dicom_index import (
    BROKEN,
    SEGMENTATIONS,
    STRUCTURE_SET,
    DicomFile,
    DicomIndex,
    read_dicom,
)
from pipeline.read.findings import name_findings
from pipeline.read.mask_lesions import MaskLesion, lesion_of_mask
from pipeline.read.roles import Assignment, GtvChoice, RoleRules, assign_lesions
from pipeline.read.segmentation import FRACTIONAL, Segmentation, read_segmentation
from pipeline.read.selection import check_unreadable, ct_candidates, place, several_series
from pipeline.read.series_findings import person_findings, series_findings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentedLesions:
    """A segmentation, the CT that it lies on, and which of its segments are lesions."""

    placed: PlacedSeries
    segmentation: Segmentation
    assignments: tuple[Assignment, ...]
    findings: tuple[Finding, ...]

    @property
    def names(self) -> list[str]:
        """Of the segments: their labels, or what their types mean."""
        return _names(self.segmentation)

    def __str__(self) -> str:
        return f"file {self.segmentation.file.label} (segmentation of {len(self.names)} segments)"

    def source_file(self) -> SourceFile:
        """Its hash, for the record."""
        file = self.segmentation.file
        digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
        return SourceFile(role="segmentation", name=file.label, sha256=digest)

    def lesions(self) -> tuple[MaskLesion, ...]:
        """Each assigned segment with its outlines, half-way between voxels inside and outside.

        Raises:
            StructureError: one without voxels, or that goes on beyond the CT.
        """
        return tuple(self._lesion(one) for one in self.assignments)

    def _lesion(self, one: Assignment) -> MaskLesion:
        segment = self.segmentation.segments[one.index]
        where = f"file {self.segmentation.file.label}, segment {segment.number} {segment.label!r}"
        mask, beyond = self.segmentation.mask(segment.number)
        if beyond:
            raise StructureError(
                "GTV outside the CT",
                where=where,
                expected="voxels on the CT's slices, inside the image",
                got=f"{beyond} voxels beyond it",
                todo="give the CT that the GTV was drawn on",
            )
        return lesion_of_mask(one, mask, source_roi=self.names[one.index], where=where, kind="segment")


def segmentation_of(index: DicomIndex, structures: Path | None) -> DicomFile | None:
    """The segmentation that the lesions are to come from; None where that is a structure set.

    It is the one that is named, or the only one of a folder without structure sets.

    Raises:
        StructureError: several of a folder without structure sets.
    """
    if structures is not None:
        try:
            file = read_dicom(structures)
        except BROKEN:
            return None  # the reader of structure sets tells what is wrong with it
        return file if file is not None and file.sop_class in SEGMENTATIONS else None
    found = index.of_class(*SEGMENTATIONS)
    if index.of_class(STRUCTURE_SET) or not found:
        return None
    if len(found) > 1:
        raise StructureError(
            "several segmentations, and no structure set",
            where="the input folder",
            expected="one",
            got=", ".join(f"file {one.label}" for one in found[:10]),
            todo="choose the one with the lesions with --structures FILE",
        )
    return found[0]


def segmented_lesions(
    index: DicomIndex,
    file: DicomFile,
    roles: RoleRules,
    gtv: Sequence[GtvChoice] = (),
    *,
    ct_series: str | None = None,
    resample: bool = False,
) -> SegmentedLesions:
    """The CT of a segmentation, and its segments by name.

    Raises:
        SeriesError: no CT, several that could be meant, or one that is not usable.
        StructureError: a segmentation that cannot be read or lies on another grid; no lesion in it.
        UsageError: `resample`, and a series that needs it: voxels of a segmentation are not moved.
    """
    series = _series_of(file, ct_candidates(index, ct_series))
    check_unreadable(index, series)
    if resample and series_facts(series).problems:
        raise UsageError(
            "lesions of a segmentation cannot be brought onto other slices",
            where="--resample",
            expected="lesions drawn in a structure set, or a CT of even, upright slices",
            got=f"file {file.label}, a DICOM segmentation",
            todo="export the lesions as an RTSTRUCT, or resample CT and segmentation together",
        )
    placed = place(index, series)
    segmentation = read_segmentation(file, placed.grid)
    names = _names(segmentation)
    where = f"segmentation {file.label}"
    choices = [replace(choice, roi_name=file.blotted(choice.roi_name)) for choice in gtv]
    assignments = assign_lesions(names, roles, choices, where=where)
    return SegmentedLesions(
        placed=placed,
        segmentation=segmentation,
        assignments=assignments,
        findings=(
            *series_findings(series, placed),
            *person_findings(series.files[0], file, where),
            *name_findings(names, [one.index for one in assignments], roles, where=where),
            *_threshold(segmentation),
        ),
    )


def unused_sets(index: DicomIndex, placed: PlacedSeries) -> Iterator[Finding]:
    """`STRUCTURE_SET_NOT_USED` (warning): structure sets beside a segmentation, and organs in them."""
    study = placed.slices[0].file.text("StudyInstanceUID")
    sets = [one for one in index.of_class(STRUCTURE_SET) if one.text("StudyInstanceUID") == study]
    if sets:
        yield Finding(
            code="STRUCTURE_SET_NOT_USED",
            severity=Severity.WARNING,
            where=", ".join(f"file {one.label}" for one in sets[:10]),
            message="The lesions come from a segmentation, and structure sets are not read then: organs that "
            "they hold keep no CTV out. Give the one with the organs with --anatomy FILE.",
        )


def _names(segmentation: Segmentation) -> list[str]:
    return [one.label or one.meaning for one in segmentation.segments]


def _threshold(segmentation: Segmentation) -> Iterator[Finding]:
    if segmentation.kind == FRACTIONAL:
        yield Finding(
            code="SEGMENTATION_THRESHOLD",
            severity=Severity.WARNING,
            where=f"file {segmentation.file.label}",
            message="It stores fractions: a voxel counts as lesion from half of the maximum on "
            f"({segmentation.half:g} of {2 * segmentation.half:g}).",
        )


def _series_of(file: DicomFile, candidates: Sequence[CtSeries]) -> CtSeries:
    """The series that a segmentation names, or that alone has its frame of reference."""
    try:
        references = file.header.get("ReferencedSeriesSequence") or ()
        named = {str(one.get("SeriesInstanceUID") or "") for one in references}
    except (*BROKEN, AttributeError) as error:
        raise StructureError(
            "segmentation cannot be read",
            where=f"file {file.label}",
            expected="its referenced series as DICOM has them",
            got=file.blotted(f"{type(error).__name__}: {error}"),
            todo="export it again",
        ) from error
    found = [one for one in candidates if one.uid in named]
    frame = file.text("FrameOfReferenceUID")
    found = found or [one for one in candidates if frame and frame in one.frames_of_reference]
    if len(found) > 1:
        raise several_series(found, expected="the one that the segmentation was made on")
    if not found:
        raise SeriesError(
            "segmentation belongs to another CT series",
            where=f"file {file.label}",
            expected=f"a segmentation of {', '.join(one.uid for one in candidates)}",
            got=f"one of {', '.join(sorted(named - {''})) or 'none'}, frame of reference {frame or 'none'}",
            todo="give the CT and the segmentation that belong together",
        )
    return found[0]
