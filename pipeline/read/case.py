"""One case from what the user gives: DICOM folder or image files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom

from pipeline.core.case import Case, Source, SourceFile
from pipeline.core.errors import InputError, UsageError
from pipeline.core.report import Finding, Severity
from pipeline.read.ct_pixels import read_volume
from pipeline.read.ct_series import PlacedSeries
from pipeline.read.dicom_index import DicomFile, DicomIndex, index_folder
from pipeline.read.findings import name_findings
from pipeline.read.lenient import lenient
from pipeline.read.lesions import read_lesions, read_structures
from pipeline.read.roles import GtvChoice, RoleRules, assign_lesions
from pipeline.read.segmented_lesions import segmentation_of, segmented_lesions, unused_sets
from pipeline.read.selection import select
from pipeline.read.series_findings import PATIENT_DIFFERS
from pipeline.read.structure_set import StructureSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the user chose; everything may be left to the reader.

    Attributes:
        structures: file of the structure set, or of the segmentation (SEG) that holds the lesions.
        ct_series: Series Instance UID of the CT.
        masks: folder or label map, when the CT is an image file.
        gtv: the lesions by ROI name; they take the place of the name patterns.
        keep_structures: read the ROIs that are no lesion too.
        resample: bring a CT that leans or is uneven onto even, upright slices.
    """

    structures: Path | None = None
    ct_series: str | None = None
    masks: Path | None = None
    gtv: tuple[GtvChoice, ...] = ()
    keep_structures: bool = True
    resample: bool = False

    def check_apply(self, *, is_dicom: bool) -> None:
        """Refuse options that say nothing about the kind of input: they would be ignored in silence.

        Raises:
            UsageError: one is given.
        """
        for name, value, of_dicom in (
            ("--structures", self.structures, True),
            ("--ct-series", self.ct_series, True),
            ("--masks", self.masks, False),
        ):
            if value is not None and of_dicom is not is_dicom:
                raise UsageError(
                    "option does not apply to this input",
                    where=name,
                    expected="a CT image file as input" if is_dicom else "a folder of DICOM files as input",
                    got="a folder of DICOM files" if is_dicom else "a CT image file",
                    todo=f"leave {name} out, or give the other kind of input",
                )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedCase:
    """A case, and the DICOM headers that the writer needs.

    Attributes:
        case: values without anything that identifies the patient.
        headers: the CT slices' headers without pixel data, in the order of grid k; empty for image files.
        structure_set: the structure set with all its contours; None for image files and
            segmentations.
        resampled_from: first header of a series that was brought onto another grid, else None.
    """

    case: Case
    headers: tuple[pydicom.Dataset, ...] = ()
    structure_set: StructureSet | None = None
    resampled_from: pydicom.Dataset | None = None

    @property
    def structure_header(self) -> pydicom.Dataset | None:
        """The structure set as a DICOM dataset; None for image files."""
        return None if self.structure_set is None else self.structure_set.file.header

    @property
    def is_of_two_patients(self) -> bool:
        """Whether CT and structure set name different patients."""
        return any(finding.code == PATIENT_DIFFERS for finding in self.case.findings)


def read_case(path: Path, options: ReadOptions, roles: RoleRules) -> LoadedCase:
    """Read the CT and the lesions.

    Args:
        path: a folder of DICOM files (anything mixed, sub-folders too), or a CT as NIfTI, NRRD or MetaImage.
        options: the user's choices.
        roles: name patterns of the lesions.

    Raises:
        InputError: (SeriesError, StructureError) input that is missing, broken, ambiguous or does not fit.
        UsageError: options that contradict each other.
    """
    # Values of odd form are common in real headers and harmless here; what we use is checked by hand.
    with lenient():
        index = dicom_index(path, options)
        return _from_image_file(path, options, roles) if index is None else _from_dicom(index, options, roles)


def dicom_index(path: Path, options: ReadOptions) -> DicomIndex | None:
    """What DICOM an input holds; None for image files.

    Raises:
        InputError: there is no such file or folder.
        UsageError: options that do not apply to this kind of input.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path), todo="check the path of the input")
    index = index_folder(path) if path.is_dir() else None
    is_dicom = index is not None and bool(index.files or index.unreadable)
    options.check_apply(is_dicom=is_dicom)
    return index if is_dicom else None


def _from_image_file(path: Path, options: ReadOptions, roles: RoleRules) -> LoadedCase:
    from pipeline.read.image_case import read_image_case

    case = read_image_case(
        path,
        masks=options.masks,
        gtv=options.gtv,
        roles=roles,
        keep_structures=options.keep_structures,
    )
    return LoadedCase(case=case)


def _from_dicom(index: DicomIndex, options: ReadOptions, roles: RoleRules) -> LoadedCase:
    segmentation = segmentation_of(index, options.structures)
    if segmentation is not None:
        return _from_segmentation(index, segmentation, options, roles)
    chosen = select(
        index, ct_series=options.ct_series, structures=options.structures, resample=options.resample
    )
    placed = chosen.placed
    rois = chosen.structure_set.rois
    names = [roi.name for roi in rois]
    blotted = chosen.structure_set.file.blotted
    choices = [replace(choice, roi_name=blotted(choice.roi_name)) for choice in options.gtv]
    assignments = assign_lesions(names, roles, choices, where=f"structure set {chosen.structure_set}")
    with ThreadPoolExecutor(max_workers=1) as beside:  # pixels come from the disk while contours are parsed
        pixels = beside.submit(read_volume, placed)
        read = read_lesions(
            chosen.structure_set,
            assignments,
            placed.grid,
            heights_mm=placed.heights_mm,
        )
        used = {assignment.index for assignment in assignments}
        others = [roi for number, roi in enumerate(rois) if number not in used and roi.contour_count]
        kept = others if options.keep_structures else []
        structures, structure_findings = read_structures(chosen.structure_set, kept, placed.grid)
        volume, ct_sha256 = pixels.result()
    case = Case(
        volume=volume,
        lesions=read.lesions,
        structures=structures,
        source=dicom_source(chosen.placed, chosen.structure_set, ct_sha256),
        scanned=placed.scanned,
        findings=(
            *index.findings,
            *chosen.findings,
            *_orphan_findings(chosen.structure_set),
            *name_findings(names, sorted(used), roles, where=f"structure set {chosen.structure_set.label!r}"),
            *read.findings,
            *structure_findings,
        ),
    )
    headers, origin = dicom_headers(placed)
    return LoadedCase(case=case, headers=headers, structure_set=chosen.structure_set, resampled_from=origin)


def _from_segmentation(
    index: DicomIndex, file: DicomFile, options: ReadOptions, roles: RoleRules
) -> LoadedCase:
    found = segmented_lesions(
        index, file, roles, options.gtv, ct_series=options.ct_series, resample=options.resample
    )
    volume, ct_sha256 = read_volume(found.placed)
    read = found.lesions()
    source = dicom_source(found.placed, None, ct_sha256)
    case = Case(
        volume=volume,
        lesions=tuple(one.lesion for one in read),
        structures=(),
        source=replace(source, files=(found.source_file(),)),
        findings=(
            *index.findings,
            *found.findings,
            *unused_sets(index, found.placed),
            *(told for one in read for told in one.findings),
        ),
    )
    return LoadedCase(case=case, headers=tuple(one.file.header for one in found.placed.slices))


def dicom_headers(placed: PlacedSeries) -> tuple[tuple[pydicom.Dataset, ...], pydicom.Dataset | None]:
    """The slices' headers; where none of them fits, because the series was resampled, its first one."""
    headers = tuple(one.file.header for one in placed.slices)
    return (headers, None) if placed.scanned is None else ((), headers[0])


def dicom_source(placed: PlacedSeries, structure_set: StructureSet | None, ct_sha256: str) -> Source:
    """Where a case came from: UIDs and hashes."""
    first = placed.slices[0].file
    files: tuple[SourceFile, ...] = ()
    if structure_set is not None:
        file = structure_set.file
        digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
        files = (SourceFile(role="structure_set", name=file.label, sha256=digest),)
    return Source(
        kind="dicom",
        patient_position=first.text("PatientPosition"),
        study_uid=first.text("StudyInstanceUID"),
        series_uid=first.series_uid,
        structure_set_uid="" if structure_set is None else structure_set.uid,
        ct_sha256=ct_sha256,
        files=files,
    )


def _orphan_findings(structure_set: StructureSet) -> Iterator[Finding]:
    if structure_set.orphans:
        yield Finding(
            code="CONTOURS_WITHOUT_ROI",
            severity=Severity.INFO,
            where=f"structure set {structure_set.label!r}",
            message="Contours that belong to no ROI were left out, numbers "
            f"{', '.join(map(str, structure_set.orphans))}.",
        )
