"""A CT for which lesions need not be known: what stations and landmarks are found on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom

from pipeline.core.case import Lesion, Source
from pipeline.core.errors import StructureError
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Volume
from pipeline.read.case import LoadedCase, ReadOptions, dicom_headers, dicom_index, dicom_source, read_case
from pipeline.read.ct_pixels import hash_pixels, read_volume
from pipeline.read.ct_series import PlacedSeries
from pipeline.read.dicom_index import SEGMENTATIONS, DicomIndex
from pipeline.read.image_case import find_ct_file, read_ct_image, read_image_case
from pipeline.read.lenient import lenient
from pipeline.read.lesions import ReadLesions, read_lesions
from pipeline.read.orientation import orientation_findings
from pipeline.read.roles import RoleRules, assign_lesions
from pipeline.read.scan_selection import select_scan
from pipeline.read.segmented_lesions import segmentation_of
from pipeline.read.structure_set import StructureSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedScan:
    """A CT, what was drawn on it, and the DICOM headers that the writer needs.

    Attributes:
        volume: the CT.
        source: UIDs and hashes.
        lesions: those that were drawn; may be empty.
        headers, structure_set, resampled_from: as in `LoadedCase`; no structure set where none belongs to
            the CT.
        findings: doubts met while reading.
    """

    volume: Volume
    source: Source
    lesions: tuple[Lesion, ...] = ()
    headers: tuple[pydicom.Dataset, ...] = ()
    structure_set: StructureSet | None = None
    resampled_from: pydicom.Dataset | None = None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of_case(cls, loaded: LoadedCase) -> LoadedScan:
        """The same of a case with lesions."""
        case = loaded.case
        return cls(
            volume=case.volume,
            source=case.source,
            lesions=case.lesions,
            headers=loaded.headers,
            structure_set=loaded.structure_set,
            resampled_from=loaded.resampled_from,
            findings=case.findings,
        )

    @property
    def structure_header(self) -> pydicom.Dataset | None:
        """The structure set as a DICOM dataset; None where there is none."""
        return None if self.structure_set is None else self.structure_set.file.header


def read_scan(path: Path, options: ReadOptions, roles: RoleRules) -> LoadedScan:
    """Read the CT, and the lesions where there are any.

    Lesions that the user names must be there. Those found by their names are left out, and told, when they
    cannot be used.

    Args:
        path: a folder of DICOM files (anything mixed, sub-folders too), or a CT as NIfTI, NRRD or MetaImage.
        options: the user's choices; masks of an image file must hold a lesion.
        roles: name patterns of the lesions.

    Raises:
        InputError: (SeriesError, StructureError) input that is missing, broken, ambiguous or does not fit.
        UsageError: options that contradict each other.
    """
    with lenient():
        index = dicom_index(path, options)
        if index is not None and options.structures and segmentation_of(index, options.structures):
            return LoadedScan.of_case(read_case(path, options, roles))
        return _from_image_file(path, options, roles) if index is None else _from_dicom(index, options, roles)


def _from_image_file(path: Path, options: ReadOptions, roles: RoleRules) -> LoadedScan:
    if options.masks is not None:
        case = read_image_case(path, masks=options.masks, gtv=options.gtv, roles=roles, keep_structures=False)
        return LoadedScan.of_case(LoadedCase(case=case))
    _check_nothing_named(options, "no masks were given")
    ct_path = find_ct_file(path)
    _, volume = read_ct_image(ct_path)
    return LoadedScan(
        volume=volume,
        source=Source(kind="files", ct_sha256=hash_pixels(volume.hu)),
        findings=orientation_findings(ct_path),
    )


def _from_dicom(index: DicomIndex, options: ReadOptions, roles: RoleRules) -> LoadedScan:
    chosen = select_scan(
        index, ct_series=options.ct_series, structures=options.structures, resample=options.resample
    )
    placed, structure_set = chosen.placed, chosen.structure_set
    if structure_set is None:
        _check_nothing_named(options, "no structure set belongs to the CT")
    with ThreadPoolExecutor(max_workers=1) as beside:  # pixels come from the disk while contours are parsed
        pixels = beside.submit(read_volume, placed)
        drawn = ReadLesions(lesions=(), findings=())
        if structure_set is not None:
            drawn = _lesions(structure_set, placed, options, roles)
        volume, ct_sha256 = pixels.result()
    headers, origin = dicom_headers(placed)
    return LoadedScan(
        volume=volume,
        source=dicom_source(placed, structure_set, ct_sha256),
        lesions=drawn.lesions,
        headers=headers,
        structure_set=structure_set,
        resampled_from=origin,
        findings=(*index.findings, *chosen.findings, *drawn.findings, *_unread(index, structure_set)),
    )


def _unread(index: DicomIndex, structure_set: StructureSet | None) -> Iterator[Finding]:
    """A segmentation that lies there, where lesions and organs might be known from it."""
    found = index.of_class(*SEGMENTATIONS) if structure_set is None else ()
    if found:
        yield Finding(
            code="SEGMENTATION_NOT_READ",
            severity=Severity.INFO,
            where=f"file {found[0].label}",
            message="A DICOM segmentation lies in the folder and was not read: name it with --structures if "
            "it holds lesions, with --anatomy if it holds organs.",
        )


def _lesions(
    structure_set: StructureSet, placed: PlacedSeries, options: ReadOptions, roles: RoleRules
) -> ReadLesions:
    names = [roi.name for roi in structure_set.rois]
    blotted = structure_set.file.blotted
    choices = [replace(choice, roi_name=blotted(choice.roi_name)) for choice in options.gtv]
    where = f"structure set {structure_set.label!r}"
    try:
        return read_lesions(
            structure_set,
            assign_lesions(names, roles, choices, where=where),
            placed.grid,
            heights_mm=placed.heights_mm,
        )
    except StructureError as error:
        if options.gtv:
            raise
        got = f" ({error.got})" if error.got else ""
        told = Finding(
            code="LESIONS_NOT_KNOWN",
            severity=Severity.WARNING,
            where=error.where or where,
            message=f"No lesion was used, so its place is not told: {error.what}{got}. "
            'Name the lesions with --gtv "ROI NAME=GTV-T" (or =GTV-N).',
        )
        return ReadLesions(lesions=(), findings=(told,))


def _check_nothing_named(options: ReadOptions, why: str) -> None:
    if options.gtv:
        raise StructureError(
            "no lesion of the chosen names",
            where="--gtv",
            expected=", ".join(repr(choice.roi_name) for choice in options.gtv),
            got=f"none: {why}",
            todo="leave --gtv out, or give what the lesions are drawn in",
        )
