"""The inventory of a CT image and its masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError, TargetsError
from pipeline.core.grid import Grid
from pipeline.core.report import Finding
from pipeline.read.ct_series import SeriesFacts
from pipeline.read.findings import name_findings
from pipeline.read.image_case import (
    MaskPlace,
    MaskReader,
    find_ct_file,
    find_masks,
    masks_missing,
    read_ct_image,
)
from pipeline.read.inventory_entries import Inventory, RoiEntry, StructureSetEntry, Use, role_name
from pipeline.read.roles import GtvChoice, RoleRules, assign_lesions


def image_inventory(path: Path, masks: Path | None, gtv: Sequence[GtvChoice], rules: RoleRules) -> Inventory:
    """Describe a CT image and its masks, broken or not; raises nothing of ours."""
    series: tuple[SeriesFacts, ...] = ()
    entries: tuple[StructureSetEntry, ...] = ()
    use: Use | None = None
    refusal: TargetsError | None = None
    findings: tuple[Finding, ...] = ()
    try:
        ct_path = find_ct_file(path)
        model, volume = read_ct_image(ct_path)
        series = (_facts(ct_path.name, volume.grid),)
        if masks is None:
            raise masks_missing(ct_path)
        places = list(find_masks(masks, ct_path))
        reader = MaskReader(model=model, grid=volume.grid)
        entries = (
            StructureSetEntry(
                file=masks.name,
                uid="",
                label="",
                series_uids=(),
                rois=tuple(_mask_entries(places, reader, rules)),
            ),
        )
        names = [place.name for place in places]
        assigned = assign_lesions(names, rules, gtv, where=f"masks {masks.name}")
        use = Use(
            series_uid=ct_path.name,
            structure_set=masks.name,
            lesions=tuple((names[one.index], one.name) for one in assigned),
        )
        used = [one.index for one in assigned]
        findings = tuple(name_findings(names, used, rules, where=f"masks {masks.name}"))
        refusal = _first_problem(entries[0], used)
    except TargetsError as error:
        refusal = error
    return Inventory(
        kind="files",
        series=series,
        structure_sets=entries,
        others={},
        use=None if refusal else use,
        refusal=refusal,
        findings=findings,
    )


def _mask_entries(places: Sequence[MaskPlace], reader: MaskReader, rules: RoleRules) -> Iterator[RoiEntry]:
    for number, place in enumerate(places, start=1):
        slices: int | None = None
        volume: float | None = None
        problem = ""
        try:
            mask = reader.read(place)
            slices = int(np.count_nonzero(mask.voxels.any(axis=(1, 2))))
            volume = mask.volume_cc
        except InputError as error:
            problem = str(error)
        yield RoiEntry(
            number=number,
            name=place.name,
            interpreted_type="",
            contours=0,
            slices=slices,
            volume_cc=volume,
            role=role_name(place.name, rules),
            problem=problem,
        )


def _first_problem(entry: StructureSetEntry, used: Sequence[int]) -> InputError | None:
    """What a run would refuse of the lesions' masks."""
    for index in used:
        roi = entry.rois[index]
        if roi.problem:
            return InputError(roi.problem)
        if not roi.slices:
            return InputError("GTV mask is empty", where=f"structure {roi.name!r}", got="no voxel")
    return None


def _facts(name: str, grid: Grid) -> SeriesFacts:
    return SeriesFacts(
        uid=name,
        slices=grid.size[2],
        localizers=0,
        size=(grid.size[0], grid.size[1]),
        pixel_spacing_mm=(grid.spacing_mm[0], grid.spacing_mm[1]),
        slice_spacing_mm=round(grid.slice_spacing_mm, 3),
        patient_position="",
        problems=(),
    )
