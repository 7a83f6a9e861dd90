"""Which CT series and which structure set belong together and are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.core.errors import InputError, SeriesError, StructureError
from pipeline.core.report import Finding, Severity
from pipeline.read.ct_series import (
    CtSeries,
    PlacedSeries,
    describe_series,
    find_ct_series,
    place_series,
    series_facts,
)
from pipeline.read.dicom_index import (
    BROKEN,
    CT_IMAGE,
    MULTI_FRAME_CT,
    SEGMENTATIONS,
    STRUCTURE_SET,
    DicomFile,
    DicomIndex,
    read_dicom,
)
from pipeline.read.series_findings import person_findings, series_findings
from pipeline.read.structure_set import StructureSet, read_structure_set


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """The series, in order, and the structure set that are used, and the doubts about their bond."""

    placed: PlacedSeries
    structure_set: StructureSet
    findings: tuple[Finding, ...]


def select(
    index: DicomIndex, *, ct_series: str | None, structures: Path | None, resample: bool = False
) -> Selection:
    """Find the one pair of CT series and structure set that the input and the options leave.

    Raises:
        SeriesError: no CT, several that could be meant, or one that is not usable.
        StructureError: no structure set, several, or one of another series.
    """
    candidates = ct_candidates(index, ct_series)
    # A CT that cannot be used is told first: no structure set would mend it.
    if all(series_facts(series).problems for series in candidates):
        place(index, candidates[0], resample=resample)
    sets = structure_sets(index, structures)
    pairs = [(series, one) for one in sets for series in candidates if one.refers_to(series)]
    if not pairs:
        raise _no_pair(candidates, sets)
    used_series = {series.uid for series, _ in pairs}
    if len(used_series) > 1:
        raise several_series([series for series in candidates if series.uid in used_series])
    if len(pairs) > 1:
        raise StructureError(
            "several structure sets for the CT series",
            where=f"CT series {pairs[0][0].uid}",
            expected="one",
            got="; ".join(str(one) for _, one in pairs),
            todo="choose one with --structures FILE",
        )
    series, chosen = pairs[0]
    check_unreadable(index, series, image_uids=chosen.image_uids)
    placed = place(index, series, resample=resample)
    return Selection(
        placed=placed,
        structure_set=replace(chosen, scanned=placed.scanned),
        findings=(*series_findings(series, placed), *_bond_findings(series, chosen)),
    )


def ct_candidates(index: DicomIndex, ct_series: str | None) -> tuple[CtSeries, ...]:
    """All CT series, or the one that was chosen.

    Raises:
        SeriesError: there is none, or none of the chosen UID.
    """
    found = find_ct_series(index)
    if not found:
        raise _no_ct(index)
    if ct_series is None:
        return found
    chosen = tuple(series for series in found if series.uid == ct_series.strip())
    if not chosen:
        raise SeriesError(
            "no CT series of the chosen UID",
            where="--ct-series",
            expected=f"one of {describe_series(found)}",
            got=ct_series,
        )
    return chosen


def structure_sets(index: DicomIndex, structures: Path | None) -> tuple[StructureSet, ...]:
    """All structure sets of the input, or the one that was chosen.

    Raises:
        StructureError: there is none, or the chosen file is none.
    """
    if structures is not None:
        return (read_structure_set(_chosen_file(structures)),)
    files = index.of_class(STRUCTURE_SET)
    if not files:
        raise StructureError(
            "no structure set",
            where="the input folder",
            expected="an RTSTRUCT with the GTV contours",
            got=_kinds(index),
            todo="export the structure set with the CT, or name its file with --structures",
        )
    return tuple(read_structure_set(file) for file in files)


def place(index: DicomIndex, series: CtSeries, *, resample: bool = False) -> PlacedSeries:
    """The series in order.

    Raises:
        SeriesError: it is not usable; files that could not be read are named.
    """
    try:
        return place_series(series, resample=resample)
    except SeriesError as error:
        if not index.unreadable:
            raise
        raise SeriesError(
            error.what,
            where=error.where,
            expected=error.expected,
            got=f"{error.got}; {_unreadable_files(index)}",
            todo=error.todo,
        ) from error


def check_unreadable(
    index: DicomIndex, series: CtSeries, *, image_uids: frozenset[str] = frozenset()
) -> None:
    """Refuse a broken file that names the series, or stands where an image is missing that contours know.

    Raises:
        SeriesError: there is one.
    """
    present = {file.sop_uid for file in series.files}
    absent = len(image_uids - present)
    ours = any(one.series_uid == series.uid for one in index.unreadable)
    if ours or (index.unreadable and 0 < absent < len(image_uids)):
        raise SeriesError(
            "CT slice cannot be read",
            where=f"CT series {series.uid}",
            expected="every slice of the series",
            got=f"{len(series.files)} slices; {_unreadable_files(index)}",
            todo="export the series again",
        )


def _unreadable_files(index: DicomIndex) -> str:
    names = [one.name for one in index.unreadable]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"files that cannot be read: {', '.join(names[:5])}{more}"


def _chosen_file(path: Path) -> DicomFile:
    where = f"--structures {path.name}"
    try:
        file = read_dicom(path)
    except FileNotFoundError as error:
        raise StructureError("no such file", where=where, expected="an RTSTRUCT file") from error
    except BROKEN as error:
        raise StructureError(
            "structure set cannot be read", where=where, expected="an RTSTRUCT file", got=str(error)
        ) from error
    if file is None or file.sop_class != STRUCTURE_SET:
        got = "a file that is not DICOM" if file is None else f"modality {file.text('Modality') or 'unknown'}"
        if file is not None and file.sop_class in SEGMENTATIONS:
            got = "a DICOM segmentation, which is read as --anatomy only"
        raise StructureError("not a structure set", where=where, expected="an RTSTRUCT file", got=got)
    return file


def _no_ct(index: DicomIndex) -> InputError:
    if index.of_class(*MULTI_FRAME_CT):
        return SeriesError(
            "enhanced (multi-frame) CT cannot be read",
            where="the input folder",
            expected="a CT series of one file a slice",
            got="slices packed into one file",
            todo="export the CT in classic form (CT Image Storage)",
        )
    return SeriesError(
        "no CT series",
        where="the input folder",
        expected="a CT series in DICOM",
        got=_kinds(index),
        todo="give the folder that holds the planning CT",
    )


def _no_pair(candidates: tuple[CtSeries, ...], sets: tuple[StructureSet, ...]) -> StructureError:
    frames = {frame for series in candidates for frame in series.frames_of_reference if frame}
    named = sorted(frames & {frame for one in sets for frame in one.frames_of_reference})
    same_frame = " (of the same frame of reference)" if named else ""
    got = "; ".join(
        f"{one} refers to series {', '.join(sorted(one.series_uids)) or 'none'}{same_frame}" for one in sets
    )
    return StructureError(
        "structure set belongs to another CT series",
        where="the input folder",
        expected=f"a structure set drawn on {describe_series(candidates)}",
        got=got,
        todo="give the CT and the structure set that were exported together",
    )


def several_series(
    candidates: Sequence[CtSeries], *, expected: str = "one series with a structure set"
) -> SeriesError:
    """The error for CT series that could each be meant."""
    patients = len({series.files[0].text("PatientID") for series in candidates})
    return SeriesError(
        "several CT series that could be meant"
        + (f", of {patients} patients by their IDs" if patients > 1 else ""),
        where="the input folder",
        expected=expected,
        got=describe_series(candidates),
        todo="choose one with --ct-series UID",
    )


def _bond_findings(series: CtSeries, chosen: StructureSet) -> tuple[Finding, ...]:
    """Doubts that do not forbid the pair: whether the contours meet the slices is checked later."""
    where = f"structure set {chosen.label!r}"
    findings = list(person_findings(series.files[0], chosen.file, where))
    ours = {frame for frame in series.frames_of_reference if frame}
    if ours and chosen.frames_of_reference and not ours & chosen.frames_of_reference:
        findings.append(
            Finding(
                code="FRAME_OF_REFERENCE_DIFFERS",
                severity=Severity.WARNING,
                where=where,
                message="The structure set refers to the CT series and names another frame of reference. "
                "It was used, because series and geometry agree; look at the contours on the CT.",
            )
        )
    present = {file.sop_uid for file in series.files}
    absent = len(chosen.image_uids - present)
    if absent:
        findings.append(
            Finding(
                code="REFERENCED_IMAGES_ABSENT",
                severity=Severity.WARNING,
                where=where,
                message=f"The structure set refers to {len(chosen.image_uids)} images of the series; "
                f"{absent} of them are not in the folder. Contours were matched by position; "
                "check that the export of the CT is complete.",
            )
        )
    if not chosen.series_uids:
        findings.append(
            Finding(
                code="SERIES_REFERENCE_MISSING",
                severity=Severity.WARNING,
                where=where,
                message="The structure set names no series; it was matched by the images it refers to.",
            )
        )
    return tuple(findings)


def _kinds(index: DicomIndex) -> str:
    """What the folder holds, in words."""
    counts: dict[str, int] = {}
    for file in index.files:
        kind = file.text("Modality") or "unknown"
        if file.sop_class == CT_IMAGE and "LOCALIZER" in file.text("ImageType").upper():
            kind = "CT localizer (no series of slices)"
        counts[kind] = counts.get(kind, 0) + 1
    told = [f"{count} {kind}" for kind, count in sorted(counts.items())]
    told += [f"{index.others} files that are not DICOM"] if index.others else []
    told += [f"{index.archives} of them archives: unpack them first"] if index.archives else []
    told += [_unreadable_files(index)] if index.unreadable else []
    return ", ".join(told) or "no file at all"
