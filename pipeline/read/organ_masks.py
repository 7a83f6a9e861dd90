"""Organs from mask files: a folder with a file an organ, as TotalSegmentator writes it, or a label map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from pipeline.read.image_grid import (
    binary_voxels,
    image_on,
    is_image_name,
    read_mask_image,
    stem,
)
from pipeline.read.label_names import label_names
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import Candidate, Loaded, told


def image_files(folder: Path) -> list[Path]:
    """The mask files of a folder, in order of their names."""
    return sorted(one for one in folder.iterdir() if one.is_file() and is_image_name(one.name))


def organ_files(folder: Path, names: OrganNames) -> list[Path]:
    """Those of them that have an organ's name; none where there is no such folder, or it cannot be looked at.

    What is wrong with it is told to whoever reads it.
    """
    try:
        return [one for one in image_files(folder) if names.find(stem(one.name))] if folder.is_dir() else []
    except OSError:
        return []


def folder_candidates(folder: Path, grid: Grid, names: OrganNames) -> Iterator[Candidate]:
    """What the files of a folder may be. A file with an organ's name is not opened before it is loaded."""
    for path in image_files(folder):
        labelled = {} if names.find(stem(path.name)) else label_names(path)
        yield from _labels(path, labelled, grid) if labelled else [_single(path, grid)]


def file_candidates(path: Path, grid: Grid, names: OrganNames) -> Iterator[Candidate]:
    """What one file may hold: labels with names, or one organ by the file's name.

    Raises:
        StructureError: it says neither.
    """
    labelled = label_names(path)
    if not labelled and names.find(stem(path.name)) is None:
        raise _without_names(path, got="no names, and a file name that is no organ's")
    yield from _labels(path, labelled, grid) if labelled else [_single(path, grid)]


def _single(path: Path, grid: Grid) -> Candidate:
    return Candidate(name=stem(path.name), detail=f"file {path.name}", load=partial(_load_single, path, grid))


def _load_single(path: Path, grid: Grid) -> Loaded:
    image = read_mask_image(path, image_on(grid))
    try:
        return Loaded(mask=Mask(grid=grid, voxels=binary_voxels(image), within=image.within))
    except StructureError as error:
        labelled = label_names(path)
        if not labelled:
            raise _without_names(path, got=error.got) from error
        raise StructureError(
            "label map named as one organ",
            where=f"file {path.name}",
            expected="a mask of one organ",
            got=f"labels {told(list(labelled.values()))}",
            todo="give the label map itself as --anatomy, or another name",
        ) from error


def _labels(path: Path, labelled: dict[int, str], grid: Grid) -> Iterator[Candidate]:
    label_map = _LabelMap(path, grid)
    for value, name in sorted(labelled.items()):
        yield Candidate(
            name=name,
            detail=f"file {path.name}, label {value} {name!r}",
            load=partial(label_map.load, value),
        )


class _LabelMap:
    """A label map that is read when the first of its labels is asked for, by whichever thread."""

    def __init__(self, path: Path, grid: Grid) -> None:
        self._path = path
        self._grid = grid
        self._lock = Lock()
        self._array: npt.NDArray[Any] | None = None

    def load(self, value: int) -> Loaded:
        """The voxels of one label."""
        with self._lock:
            if self._array is None:
                image = read_mask_image(self._path, image_on(self._grid))
                self._array = np.ascontiguousarray(image.array)
        return Loaded(mask=Mask(grid=self._grid, voxels=self._array == value))


def _without_names(path: Path, *, got: str) -> StructureError:
    return StructureError(
        "label map without names",
        where=f"file {path.name}",
        expected="a name for every value, or one organ in a file named by it",
        got=got,
        todo=f'put a table beside it, such as {stem(path.name)}.json with {{"1": "spleen", "2": "heart"}}, '
        "or give a folder with one mask an organ",
    )
