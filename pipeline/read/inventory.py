"""What an input holds, what a run would use of it, and what is wrong: for `inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.core.errors import InputError, StructureError, TargetsError
from pipeline.core.report import Finding
from pipeline.read.case import ReadOptions
from pipeline.read.ct_series import CtSeries, PlacedSeries, find_ct_series, place_series, series_facts
from pipeline.read.dicom_index import CT_IMAGE, STRUCTURE_SET, DicomFile, DicomIndex, index_folder
from pipeline.read.findings import name_findings
from pipeline.read.inventory_entries import Inventory, RoiEntry, StructureSetEntry, Use, role_name
from pipeline.read.lenient import lenient
from pipeline.read.lesions import read_lesions
from pipeline.read.roi_sections import roi_sections
from pipeline.read.roles import Assignment, RoleRules, assign_lesions, load_roles
from pipeline.read.segmented_lesions import segmentation_of, segmented_lesions
from pipeline.read.selection import Selection, select, structure_sets
from pipeline.read.structure_set import Roi, StructureSet, raw_contours


def take_inventory(path: Path, options: ReadOptions, roles: RoleRules | None = None) -> Inventory:
    """Describe an input without reading pixels, broken or not.

    Raises:
        InputError: there is no such file or folder.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=path.name, todo="check the path of the input")
    rules = roles or load_roles()
    with lenient():
        index = index_folder(path) if path.is_dir() else None
        if index is not None and (index.files or index.unreadable):
            options.check_apply(is_dicom=True)
            return _of_dicom(index, options, rules)
        options.check_apply(is_dicom=False)
        from pipeline.read.image_inventory import image_inventory

        return image_inventory(path, options.masks, options.gtv, rules)


def _of_dicom(index: DicomIndex, options: ReadOptions, rules: RoleRules) -> Inventory:
    series = find_ct_series(index)
    use: Use | None = None
    refusal: TargetsError | None = None
    findings = list(index.findings)
    try:
        segmentation = segmentation_of(index, options.structures)
        if segmentation is not None:
            return _of_segmentation(index, segmentation, options, rules)
        chosen = select(
            index, ct_series=options.ct_series, structures=options.structures, resample=options.resample
        )
        findings += chosen.findings
        assignments = _assigned(chosen.structure_set, options, rules)
        use = _use(chosen, assignments)
        findings += _doubts(chosen, assignments, rules)
    except TargetsError as error:
        refusal, use = error, None
    return Inventory(
        kind="dicom",
        series=tuple(series_facts(one) for one in series),
        structure_sets=tuple(_set_entries(index, options, series, rules)),
        others=_others(index),
        use=use,
        refusal=refusal,
        findings=tuple(findings),
    )


def _of_segmentation(index: DicomIndex, file: DicomFile, options: ReadOptions, rules: RoleRules) -> Inventory:
    use, refusal, findings = None, None, list(index.findings)
    try:
        found = segmented_lesions(index, file, rules, options.gtv, ct_series=options.ct_series)
        findings += [*found.findings, *(told for one in found.lesions() for told in one.findings)]
        use = Use(
            series_uid=found.placed.slices[0].file.series_uid,
            structure_set=str(found),
            lesions=tuple((found.names[one.index], one.name) for one in found.assignments),
        )
    except TargetsError as error:
        refusal = error
    return Inventory(
        kind="dicom",
        series=tuple(series_facts(one) for one in find_ct_series(index)),
        structure_sets=tuple(_set_entries(index, replace(options, structures=None), (), rules)),
        others=_others(index),
        use=use,
        refusal=refusal,
        findings=tuple(findings),
    )


def _assigned(structure_set: StructureSet, options: ReadOptions, rules: RoleRules) -> tuple[Assignment, ...]:
    names = [roi.name for roi in structure_set.rois]
    return assign_lesions(names, rules, options.gtv, where=f"structure set {structure_set}")


def _use(chosen: Selection, assignments: Sequence[Assignment]) -> Use:
    rois = chosen.structure_set.rois
    return Use(
        series_uid=chosen.placed.slices[0].file.series_uid,
        structure_set=str(chosen.structure_set),
        lesions=tuple((rois[one.index].name, one.name) for one in assignments),
    )


def _doubts(chosen: Selection, assignments: Sequence[Assignment], rules: RoleRules) -> Iterator[Finding]:
    structure_set = chosen.structure_set
    read = read_lesions(
        structure_set,
        assignments,
        chosen.placed.grid,
        heights_mm=chosen.placed.heights_mm,
    )
    names = [roi.name for roi in structure_set.rois]
    used = [one.index for one in assignments]
    yield from name_findings(names, used, rules, where=f"structure set {structure_set.label!r}")
    yield from read.findings


def _set_entries(
    index: DicomIndex, options: ReadOptions, series: Sequence[CtSeries], rules: RoleRules
) -> Iterator[StructureSetEntry]:
    for file in index.of_class(STRUCTURE_SET):
        try:
            found = structure_sets(index, file.path)
        except StructureError as error:
            yield _broken_set(file.label, error)
            continue
        yield from (_set_entry(one, series, rules) for one in found)
    inside = {file.path.resolve() for file in index.of_class(STRUCTURE_SET)}
    if options.structures is not None and options.structures.resolve() not in inside:
        try:
            yield from (_set_entry(one, series, rules) for one in structure_sets(index, options.structures))
        except StructureError as error:
            yield _broken_set(options.structures.name, error)


def _broken_set(name: str, error: StructureError) -> StructureSetEntry:
    return StructureSetEntry(file=name, uid="", label="", series_uids=(), rois=(), problem=str(error))


def _set_entry(
    structure_set: StructureSet, series: Sequence[CtSeries], rules: RoleRules
) -> StructureSetEntry:
    placed = _first_placed(structure_set, series)
    return StructureSetEntry(
        file=structure_set.file.label,
        uid=structure_set.uid,
        label=structure_set.label,
        series_uids=tuple(sorted(structure_set.series_uids)),
        rois=tuple(_roi_entry(structure_set, roi, placed, rules) for roi in structure_set.rois),
    )


def _first_placed(structure_set: StructureSet, series: Sequence[CtSeries]) -> PlacedSeries | None:
    """The first usable series that the structure set refers to."""
    for one in series:
        if structure_set.refers_to(one):
            try:
                return place_series(one)
            except InputError:
                continue
    return None


def _roi_entry(
    structure_set: StructureSet, roi: Roi, placed: PlacedSeries | None, rules: RoleRules
) -> RoiEntry:
    slices: int | None = None
    volume: float | None = None
    problem = ""
    if placed is not None:
        try:
            contours = roi_sections(raw_contours(structure_set, roi), placed.grid).contours
            slices, volume = len(contours.slices), contours.volume_cc
        except StructureError as error:
            problem = str(error)
    return RoiEntry(
        number=roi.number,
        name=roi.name,
        interpreted_type=roi.interpreted_type,
        contours=roi.contour_count,
        slices=slices,
        volume_cc=volume,
        role=role_name(roi.name, rules),
        problem=problem,
    )


def _others(index: DicomIndex) -> dict[str, int]:
    counts = Counter(
        file.text("Modality") or "unknown"
        for file in index.files
        if file.sop_class not in {CT_IMAGE, STRUCTURE_SET}
    )
    localizers = sum("LOCALIZER" in file.text("ImageType").upper() for file in index.of_class(CT_IMAGE))
    told = dict(sorted(counts.items()))
    named = (("localizer", localizers), ("unreadable", len(index.unreadable)), ("not DICOM", index.others))
    return told | {name: count for name, count in named if count}
