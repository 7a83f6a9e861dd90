"""The organs of a patient from all that the user has, merged in the order of trust."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.read.dicom_index import SEGMENTATIONS, DicomFile
from pipeline.read.image_grid import is_image_name, stem
from pipeline.read.lenient import lenient
from pipeline.read.organ_checks import check_organs, check_sources
from pipeline.read.organ_dicom import anatomy_file, anatomy_path
from pipeline.read.organ_masks import file_candidates, folder_candidates
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_rois import OFF_SLICES, anatomy_structure_set, roi_candidates
from pipeline.read.organ_segments import segment_candidates, segmentation_findings
from pipeline.read.organ_sources import Candidate, Kind, choose, load_organs, told
from pipeline.read.segmentation import read_segmentation
from pipeline.read.structure_set import StructureSet

FILES_AT_ONCE = 2  # image files are unpacked outside Python's lock; more than two wait for each other
_BODY = "body"
_LEAST_SOLID = 0.5  # of what the outline encloses: a rind of skin has a tenth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrganInput:
    """Where organs may come from.

    Attributes:
        grid: of the CT.
        structure_set: that of the lesions.
        lesions: names of its ROIs that are lesions, and no organs.
        anatomy: a folder of masks, a label map, or an RTSTRUCT or DICOM segmentation of the CT.
        ct_series: Series Instance UID of the CT; empty for image files.
        others: names of what else the sources may hold, such as stations: not told as unknown.
    """

    grid: Grid
    structure_set: StructureSet | None = None
    lesions: frozenset[str] = frozenset()
    anatomy: Path | None = None
    ct_series: str = ""
    others: tuple[OrganNames, ...] = ()

    def holds_other(self, name: str) -> bool:
        """Whether a name is that of something else than an organ."""
        return any(names.find(name) is not None for names in self.others)


def read_organs(sources: OrganInput, names: OrganNames, *, wanted: Collection[str] | None = None) -> Organs:
    """Read the organs, merge them in the order of trust, and check them.

    Args:
        sources: where they come from.
        names: the atlas.
        wanted: organs, by any of their names; only these are read, and what unions among them are made of.
            None reads all.

    Returns:
        The organs that there are. Doubts are findings: names that are ambiguous, ROIs that could not be used,
        sources that contradict each other.

    Raises:
        InputError: (StructureError) an anatomy that cannot be read, has no names, or lies on another grid.
        UsageError: a wanted name that is no organ's.
    """
    return merge_organs(sources.grid, organ_sets(sources, names, wanted=wanted), names)


def organ_sets(
    sources: OrganInput, names: OrganNames, *, wanted: Collection[str] | None = None
) -> tuple[Organs, ...]:
    """The organs of each source by itself, for merging with others; arguments and errors as `read_organs`."""
    chosen = None if wanted is None else names.known(wanted)
    with lenient(), ThreadPoolExecutor(max_workers=1) as aside:
        drawn = given = None
        if sources.structure_set is not None:  # contours are worked out while masks are unpacked
            drawn = aside.submit(_of_structure_set, sources.structure_set, sources, names, chosen)
        if sources.anatomy is not None:
            given = _of_anatomy(sources.anatomy, sources, names, chosen)
        first = drawn.result() if drawn is not None else None
    return tuple(one for one in (first, given) if one is not None)


def merge_organs(grid: Grid, sets: Sequence[Organs], names: OrganNames) -> Organs:
    """Each organ from the most trusted source that has it; among equals, from the first.

    The findings of all sets are kept; added are those on sources of one organ that hardly overlap, on organs
    on the wrong side, and on organs outside the body.
    """
    findings = [finding for one in sets for finding in one.findings]
    offers: dict[str, list[Organ]] = {}
    for one in sets:
        for name, organ in one.by_name.items():
            offers.setdefault(name, []).append(organ)
    merged = {}
    for name in (name for name in names.organs if name in offers):
        used, *others = sorted(offers[name], key=lambda organ: organ.source.rank)
        merged[name] = used
        findings += [finding for other in others for finding in check_sources(used, other)]
    findings += check_organs(merged, names)
    return Organs(grid=grid, by_name=merged, findings=tuple(findings))


def _of_structure_set(
    structure_set: StructureSet, sources: OrganInput, names: OrganNames, wanted: frozenset[str] | None
) -> Organs:
    candidates = roi_candidates(structure_set, sources.grid, sources.lesions)
    where = f"structure set {structure_set.label!r}"
    return _read(candidates, names, sources, wanted, source=OrganSource.STRUCTURE_SET, where=where)


def _of_anatomy(
    anatomy: Path, sources: OrganInput, names: OrganNames, wanted: frozenset[str] | None
) -> Organs:
    where = f"--anatomy {anatomy.name}"
    grid = sources.grid
    path = anatomy_path(anatomy)
    if path.is_dir() or is_image_name(path.name):
        if path.is_file() and sources.holds_other(stem(path.name)):
            return Organs(grid=grid, by_name={})
        offered = folder_candidates if path.is_dir() else file_candidates
        candidates = offered(path, grid, names)
        return _read(
            candidates,
            names,
            sources,
            wanted,
            source=OrganSource.MASKS,
            where=where,
            at_once=FILES_AT_ONCE,
        )
    file = anatomy_file(path)
    if file.sop_class in SEGMENTATIONS:
        return _of_segmentation(file, sources, names, wanted)
    structure_set = anatomy_structure_set(file, grid, sources.ct_series)
    candidates = roi_candidates(structure_set, grid, ())
    organs = _read(candidates, names, sources, wanted, source=OrganSource.MASKS, where=where)
    _check_fit(organs, structure_set)
    return organs


def _of_segmentation(
    file: DicomFile, sources: OrganInput, names: OrganNames, wanted: frozenset[str] | None
) -> Organs:
    segmentation = read_segmentation(file, sources.grid)
    candidates = segment_candidates(segmentation, names)
    where = f"--anatomy {file.label}"
    organs = _read(candidates, names, sources, wanted, source=OrganSource.MASKS, where=where)
    doubts = segmentation_findings(segmentation, names)
    return replace(organs, findings=(*organs.findings, *doubts))


def _read(
    candidates: Iterable[Candidate],
    names: OrganNames,
    sources: OrganInput,
    wanted: frozenset[str] | None,
    *,
    source: OrganSource,
    where: str,
    at_once: int = 1,
) -> Organs:
    chosen = choose(candidates, names, where=where)
    unknown = [name for name in chosen.unknown if not sources.holds_other(name)]
    nothing = not chosen.by_organ and len(unknown) == len(chosen.unknown)
    if source is OrganSource.MASKS and nothing:
        raise StructureError(
            "no organ that rt-targets knows",
            where=where,
            expected="masks, labels, segments or ROIs named as TotalSegmentator or TG-263 name organs",
            got=told(chosen.unknown) or "nothing",
            todo="rename them; atlas/organs.yaml has the names",
        )
    organs = load_organs(chosen, names, grid=sources.grid, source=source, wanted=wanted, at_once=at_once)
    rind = tuple(_rind(organs))
    kept = {name: organ for name, organ in organs.by_name.items() if not (rind and name == _BODY)}
    findings = (*organs.findings, *rind, *_unknown(unknown, where))
    return Organs(grid=sources.grid, by_name=kept, findings=findings)


def _check_fit(organs: Organs, structure_set: StructureSet) -> None:
    """Refuse a structure set none of whose organs meets the slices."""
    off = [one for one in organs.findings if one.code == Kind.ORGAN.code(OFF_SLICES)]
    if off and not len(organs):
        raise StructureError(
            "structure set does not fit the CT",
            where=f"--anatomy {structure_set.file.label}",
            expected="contours on the CT's slices",
            got=off[0].message,
            todo="give the structure set that was drawn on the planning CT",
        )


def _rind(organs: Organs) -> Iterator[Finding]:
    """A finding where the body is only a skin: nothing would lie inside it."""
    if _BODY not in organs:
        return
    import cc3d

    voxels = organs[_BODY].voxels
    slices = np.flatnonzero(voxels.any(axis=(1, 2)))
    middle = voxels[slices[len(slices) // 2]]
    outside = cc3d.connected_components(np.pad(~middle, 1, constant_values=True), connectivity=4)
    share = np.count_nonzero(middle) / np.count_nonzero(outside != outside[0, 0])
    if share < _LEAST_SOLID:
        yield Finding(
            code="BODY_IS_A_RIND",
            severity=Severity.WARNING,
            where="organ body",
            message=f"{organs.by_name[_BODY].detail} was not used as the body: it fills "
            f"{100 * share:.0f} % of what it encloses.",
        )


def _unknown(unknown: Sequence[str], where: str) -> Iterator[Finding]:
    others = [name for name in unknown if not re.search(r"[gcpi]tv", name, re.IGNORECASE)]
    if others:
        yield Finding(
            code="ORGAN_NAMES_UNKNOWN",
            severity=Severity.INFO,
            where=where,
            message=f"Not the name of an organ that rt-targets knows: {told(others)}.",
        )
