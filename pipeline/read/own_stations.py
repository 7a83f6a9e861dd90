"""A patient's own stations: ROIs and masks that are named as lymph-node stations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import shapely

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.contour import Contours
from pipeline.core.raster import mask_to_contours
from pipeline.core.report import Finding, Severity
from pipeline.core.stations import OwnStation, OwnStations
from pipeline.read.dicom_index import SEGMENTATIONS
from pipeline.read.image_grid import is_image_name, stem
from pipeline.read.label_names import label_names
from pipeline.read.lenient import lenient
from pipeline.read.organ_checks import check_organs, check_sources
from pipeline.read.organ_dicom import anatomy_file, anatomy_path
from pipeline.read.organ_masks import file_candidates, folder_candidates
from pipeline.read.organ_rois import anatomy_structure_set, roi_candidates
from pipeline.read.organ_segments import segment_candidates
from pipeline.read.organ_sources import Candidate, Kind, choose, empty_finding, told
from pipeline.read.organs import OrganInput
from pipeline.read.segmentation import read_segmentation
from pipeline.read.station_names import StationNames

# Stations of a pair lie on both sides of the middle; 2R and 4R reach over it to the left wall of the trachea.
SIDE_TOLERANCE_MM = 5.0
# Of the smaller one: neighbours drawn by hand share a rim of a millimetre.
MOST_SHARED = 0.1


def read_own_stations(sources: OrganInput, names: StationNames, organs: Organs | None = None) -> OwnStations:
    """Read what the structure set and the anatomy hold of stations; the structure set's go first.

    Args:
        sources: as for organs; its lesions are no stations.
        names: the atlas.
        organs: of the patient, to tell sides and the body by.

    Returns:
        Contours of each station: as drawn for an ROI, half-way between voxels for a mask. Doubts are
        findings: names that are ambiguous, ROIs that could not be used, sides and overlaps that cannot be.

    Raises:
        InputError: (StructureError) an anatomy that cannot be read, or lies on another grid.
    """
    sets: list[Mapping[str, tuple[OwnStation, Organ]]] = []
    findings: list[Finding] = []
    with lenient():
        for source, where, candidates in _offers(sources, names):
            read, doubts = _read(candidates, names, source=source, where=where)
            sets.append(read)
            findings += doubts
    used: dict[str, tuple[OwnStation, Organ]] = {}
    for name in names.organs:
        found = [one[name] for one in sets if name in one]
        if found:
            used[name] = found[0]
            findings += [
                one for _, other in found[1:] for one in check_sources(found[0][1], other, Kind.STATION)
            ]
    stations = {name: station for name, (station, _) in used.items()}
    findings += _wrong_places({name: organ for name, (_, organ) in used.items()}, names, organs)
    findings += _overlaps(stations)
    return OwnStations(by_name=stations, findings=tuple(findings))


def _offers(sources: OrganInput, names: StationNames) -> Iterator[tuple[OrganSource, str, list[Candidate]]]:
    """Each source with what may be a station in it."""
    if sources.structure_set is not None:
        drawn = roi_candidates(sources.structure_set, sources.grid, sources.lesions, Kind.STATION)
        yield OrganSource.STRUCTURE_SET, f"structure set {sources.structure_set.label!r}", list(drawn)
    if sources.anatomy is not None:
        where = f"--anatomy {sources.anatomy.name}"
        yield OrganSource.MASKS, where, list(_of_anatomy(sources.anatomy, sources, names))


def _of_anatomy(anatomy: Path, sources: OrganInput, names: StationNames) -> Iterable[Candidate]:
    path = anatomy_path(anatomy)
    if path.is_dir():
        return folder_candidates(path, sources.grid, names)
    if is_image_name(path.name):
        holds_any = names.find(stem(path.name)) is not None or label_names(path)
        return file_candidates(path, sources.grid, names) if holds_any else ()
    file = anatomy_file(path)
    if file.sop_class in SEGMENTATIONS:
        return segment_candidates(read_segmentation(file, sources.grid), names)
    structure_set = anatomy_structure_set(file, sources.grid, sources.ct_series)
    return roi_candidates(structure_set, sources.grid, sources.lesions, Kind.STATION)


def _read(
    candidates: Sequence[Candidate], names: StationNames, *, source: OrganSource, where: str
) -> tuple[dict[str, tuple[OwnStation, Organ]], list[Finding]]:
    unclear = _unclear_numbers(candidates, names)
    chosen = choose(
        [one for one in candidates if one.name not in unclear], names, where=where, kind=Kind.STATION
    )
    findings = [*_numbering(unclear, where), *chosen.findings]
    found: dict[str, tuple[OwnStation, Organ]] = {}
    empty = []
    for name, candidate in chosen.by_organ.items():
        loaded = candidate.load()
        findings += loaded.findings
        if loaded.mask is None:
            continue
        contours = loaded.contours or mask_to_contours(loaded.mask)
        # A structure too small for any voxel's middle cannot be judged as a mask, nor be a station.
        if loaded.mask.is_empty:
            empty.append(name)
            continue
        station = OwnStation(name=name, contours=contours, source=source, detail=candidate.detail)
        found[name] = (station, Organ(name=name, mask=loaded.mask, source=source, detail=candidate.detail))
        if names.by_number_alone(candidate.name):
            findings.append(_by_number(station, candidate.name))
    if empty:
        findings.append(empty_finding(empty, source, Kind.STATION))
    return found, findings


def _unclear_numbers(candidates: Sequence[Candidate], names: StationNames) -> list[str]:
    """Bare AJCC numbers beside JES numbers: there 7 is the left gastric station, not the subcarinal one."""
    if not any(names.is_jes(one.name) for one in candidates):
        return []
    return [one.name for one in candidates if names.means_other_by_jes(one.name)]


def _numbering(unclear: Sequence[str], where: str) -> Iterator[Finding]:
    if unclear:
        yield Finding(
            code="STATION_NUMBERING_UNCLEAR",
            severity=Severity.WARNING,
            where=where,
            message=f"Other names are JES numbers, so that these may be JES or AJCC ones: {told(unclear)}. "
            "They were not used; rename them in words, such as Subcarinal or Left gastric nodes.",
        )


def _by_number(station: OwnStation, name: str) -> Finding:
    return Finding(
        code="STATION_BY_NUMBER_ALONE",
        severity=Severity.WARNING,
        where=f"station {station.name}",
        message=f"{station.detail} was taken as the station because of the number {name!r} alone. If it is "
        f"something else, rename it; if it is the station, name it Station {station.name}.",
    )


def _wrong_places(
    masks: Mapping[str, Organ], names: StationNames, organs: Organs | None
) -> tuple[Finding, ...]:
    """Stations on the wrong side or outside the body; without organs, pairs that are the wrong way round."""
    known = dict(organs.by_name) if organs is not None and masks else {}
    about = {
        name: organ for name, organ in known.items() if name.startswith(("vertebrae_", "spinal_", "body"))
    }
    return check_organs({**about, **masks}, names, kind=Kind.STATION, tolerance_mm=SIDE_TOLERANCE_MM)


def _overlaps(stations: Mapping[str, OwnStation]) -> Iterator[Finding]:
    for one, other in combinations(stations.values(), 2):
        shared = _shared_cc(one.contours, other.contours)
        share = shared / min(one.contours.volume_cc, other.contours.volume_cc)
        if share > MOST_SHARED:
            yield Finding(
                code="OWN_STATIONS_OVERLAP",
                severity=Severity.WARNING,
                where=f"stations {one.name} and {other.name}",
                message=f"{one.detail} and {other.detail} share {shared:.1f} cc, {100.0 * share:.0f} % of "
                "the smaller one. Check both; each place counts for one station only.",
            )


def _shared_cc(one: Contours, other: Contours) -> float:
    area = sum(
        shapely.intersection(section, other.sections[k]).area
        for k, section in one.sections.items()
        if k in other.sections
    )
    return float(area) * one.grid.slice_spacing_mm / 1000.0
