"""Stations as ROIs of a structure set and as label maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Landmark
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.station_colours import StationColours
from pipeline.core.stations import Station, StationOrigin, Stations
from pipeline.write.label_map import LabelOut, write_label_map
from pipeline.write.rings import tidied
from pipeline.write.rtstruct import Algorithm, RoiOut

MAP = "stations.nii.gz"
MAP_WITH_CONDUIT = "stations_with_conduit.nii.gz"

_ALGORITHMS = {
    StationOrigin.RULES: Algorithm.AUTOMATIC,
    StationOrigin.LABEL_ATLAS: Algorithm.AUTOMATIC,
    StationOrigin.PATIENT: Algorithm.MANUAL,
}


def station_rois(
    stations: Stations,
    contours: Mapping[str, Contours],
    landmarks: Mapping[str, Landmark],
    colours: StationColours,
) -> tuple[tuple[RoiOut, ...], tuple[Finding, ...]]:
    """One ROI of type CONTROL for each station that has something to draw, in the order of the atlas.

    Args:
        stations: of the patient.
        contours: of each built station, on the CT's slices.
        landmarks: those found.
        colours: to show them in.

    Returns:
        The ROIs, and a finding for each built station that no slice shows.
    """
    rois, findings = [], []
    for name, region in stations.regions.items():
        if name not in stations.built:
            continue
        if tidied(contours[name]).contours.is_empty:
            findings.append(_nothing_to_draw(name))
            continue
        station = stations.built[name]
        rois.append(
            RoiOut(
                name=name,
                contours=contours[name],
                interpreted_type="CONTROL",
                colour=colours.of(name, region),
                description=station_description(station, landmarks),
                algorithm=_ALGORITHMS[station.origin],
            )
        )
    return tuple(rois), tuple(findings)


def station_description(station: Station, landmarks: Mapping[str, Landmark]) -> str:
    """Region, the levels that were inferred, how it came about, and that nobody has confirmed it."""
    inferred = _inferred(station.landmarks, landmarks)
    parts = [f"DRAFT, not confirmed by a clinician. Station {station.name}, region {station.region}"]
    parts += [f"inferred levels: {', '.join(inferred)}"] if inferred else []
    parts += [f"from {station.origin}", *station.notes]
    return "; ".join(parts)


def write_station_maps(
    folder: Path,
    stations: Stations,
    colours: StationColours,
) -> tuple[Path, ...]:
    """Write `stations.nii.gz` and, where a conduit takes a part of a station, `stations_with_conduit.nii.gz`.

    Every station of the atlas has its value in both, built or not. In the second map a voxel of the conduit
    that several stations claim goes to the first of them in the order of the atlas.

    Raises:
        OutputError: a file that reads back wrong, or the file system refused.
    """
    labels = tuple(
        LabelOut(value=value, name=name, colour=colours.of(name, stations.regions[name]))
        for name, value in stations.label_of.items()
    )
    maps = {MAP: stations.labels}
    if any(station.with_conduit is not None for station in stations.built.values()):
        maps[MAP_WITH_CONDUIT] = labels_with_conduit(stations)
    for name, voxels in maps.items():
        write_label_map(folder / name, stations.grid, voxels, labels)
    return tuple(folder / name for name in maps)


def labels_with_conduit(stations: Stations) -> npt.NDArray[np.uint8]:
    """The labels, and where nothing is the stations that would be there but for the conduit."""
    voxels = np.array(stations.labels)
    for name, value in stations.label_of.items():
        station = stations.built.get(name)
        if station is None or station.with_conduit is None:
            continue
        inside = contours_to_mask(station.with_conduit.contours()).voxels
        voxels[inside & (voxels == 0)] = value
    return voxels


def _inferred(names: Iterable[str], landmarks: Mapping[str, Landmark]) -> list[str]:
    return [name for name in names if name in landmarks and landmarks[name].inferred]


def _nothing_to_draw(name: str) -> Finding:
    return Finding(
        code="STATION_NOT_DRAWN",
        severity=Severity.WARNING,
        where=f"station {name}",
        message="It has no contour of 2 mm2 on any slice and is not in the structure set; "
        "look whether its levels are right.",
    )
