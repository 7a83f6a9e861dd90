"""A reference patient from a folder: a CT, stations as a label map with names, and organs if there are.

::

    FOLDER/ct.nii.gz                      or any one image beside the stations
    FOLDER/stations.nii.gz                the label map, on the CT's grid
    FOLDER/stations.json                  its names, as `rt-targets stations` writes them, or another table
    FOLDER/organs/                        optional: masks named as TotalSegmentator names organs
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.core.anatomy import Organs
from pipeline.core.errors import InputError, SeriesError, StructureError
from pipeline.core.grid import Grid
from pipeline.core.reference import ReferencePatient
from pipeline.core.volume import Mask
from pipeline.read.image_case import read_ct_image
from pipeline.read.image_grid import SUFFIXES, ImageFile, is_image_name, read_mask_image, stem
from pipeline.read.label_names import TABLES, label_names
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import told
from pipeline.read.organs import OrganInput, read_organs

STATIONS, CT, ORGANS = "stations", "ct", "organs"


def read_reference_patient(folder: Path, names: OrganNames) -> ReferencePatient:
    """Read a reference patient.

    Args:
        folder: that of `--atlas`.
        names: the atlas of organs.

    Raises:
        InputError: no such folder, or a table of names that cannot be read; as SeriesError, no CT, several,
            or one that cannot be used; as StructureError, no stations, none in the map, values without names,
            one name twice, a map on another grid, or organs that cannot be read.
    """
    where = _where(folder)
    if not folder.is_dir():
        raise InputError(
            "no such folder",
            where=where,
            expected=f"a folder with a CT and {STATIONS}.nii.gz",
            got="a file" if folder.exists() else "nothing",
            todo="check the path",
        )
    stations = _stations_file(folder)
    model, volume = read_ct_image(_ct_file(folder, stations))
    labels = _labels(stations, model, volume.grid, where)
    return ReferencePatient(
        name=folder.resolve().name,
        volume=volume,
        labels=labels,
        organs=_organs(folder / ORGANS, volume.grid, names, where),
    )


def _where(folder: Path) -> str:
    return f"--atlas {folder.name}"


def _images(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_file() and is_image_name(one.name))


def _stations_file(folder: Path) -> Path:
    found = [one for one in _images(folder) if stem(one.name).lower() == STATIONS]
    if len(found) != 1:
        raise StructureError(
            "several label maps of stations" if found else "no label map of stations",
            where=_where(folder),
            expected=f"{STATIONS}.nii.gz (or another of {', '.join(SUFFIXES)})",
            got=told([one.name for one in found or _images(folder)]) or "no image",
            todo="keep one" if found else f"name the label map {STATIONS}.nii.gz",
        )
    return found[0]


def _ct_file(folder: Path, stations: Path) -> Path:
    # Label maps that lie beside it, as in the folder of an earlier result, are no CT.
    others = [one for one in _images(folder) if not stem(one.name).lower().startswith(STATIONS)]
    named = [one for one in others if stem(one.name).lower() == CT]
    found = named or others
    if len(found) != 1:
        raise SeriesError(
            "several images that may be the CT" if found else "no CT",
            where=_where(folder),
            expected=f"one CT image beside {stations.name}, best named {CT}.nii.gz",
            got=told([one.name for one in found]) or "no other image",
            todo=f"name the CT {CT}.nii.gz" if found else "add the CT that the stations were drawn on",
        )
    return found[0]


def _labels(path: Path, model: ImageFile, grid: Grid, where: str) -> Mapping[str, Mask]:
    named = label_names(path)
    array = np.ascontiguousarray(read_mask_image(path, model).array)
    values = [value for value in np.unique(array).tolist() if value != 0]
    nameless = [f"{value:g}" for value in values if value not in named]
    if nameless:
        raise StructureError(
            "label values without names",
            where=f"{where}, file {path.name}",
            expected="a name for each value",
            got=f"{told(nameless)} without one; named: {told(list(named.values())) or 'none'}",
            todo=f'add them to a table beside it ({_tables()}), such as {{"labels": {{"1R": 1, "7": 9}}}}',
        )
    if not values:
        raise StructureError(
            "label map without labels",
            where=f"{where}, file {path.name}",
            expected="values above 0",
            got="0 everywhere",
            todo="export the stations again",
        )
    twice = {name for name in named.values() if sum(named.get(value) == name for value in values) > 1}
    if twice:
        raise StructureError(
            "one name for several values",
            where=f"{where}, file {path.name}",
            expected="a name of its own for each value",
            got=told(sorted(twice)),
            todo="give each value its name",
        )
    return {named[int(value)]: Mask(grid=grid, voxels=array == value) for value in values}


def _tables() -> str:
    return ", ".join(f"{STATIONS}{suffix}" for suffix in TABLES)


def _organs(folder: Path, grid: Grid, names: OrganNames, where: str) -> Organs:
    if not folder.is_dir():
        return Organs(grid=grid, by_name={})
    try:
        return read_organs(OrganInput(grid=grid, anatomy=folder), names)
    except StructureError as error:
        raise StructureError(
            error.what,
            where=f"{where}, {error.where.removeprefix('--anatomy ')}",
            expected=error.expected,
            got=error.got,
            todo=error.todo,
        ) from error
