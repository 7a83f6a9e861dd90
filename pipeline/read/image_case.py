"""A case from image files: a CT, and masks as one file a structure or as a map with names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.case import Case, Source, SourceFile, Structure
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError, InputError, SeriesError, StructureError, UsageError
from pipeline.core.grid import Grid
from pipeline.core.raster import mask_to_contours
from pipeline.core.volume import Mask, Volume
from pipeline.read.ct_pixels import hash_pixels
from pipeline.read.dicom_index import is_archive, is_dicom
from pipeline.read.findings import name_findings
from pipeline.read.image_grid import (
    SUFFIXES,
    ImageFile,
    binary_voxels,
    craniocaudal_last,
    grid_of,
    is_image_name,
    read_image,
    read_mask_image,
    stem,
)
from pipeline.read.label_names import label_names
from pipeline.read.mask_lesions import MaskLesion, lesion_of_mask
from pipeline.read.orientation import orientation_findings
from pipeline.read.roles import Assignment, GtvChoice, RoleRules, assign_lesions

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPlace:
    """Where a structure's voxels stand.

    Attributes:
        name: of the structure.
        path: its file.
        value: its value in a label map; None where the file holds this structure alone.
    """

    name: str
    path: Path
    value: int | None = None


def read_image_case(
    path: Path,
    *,
    masks: Path | None,
    gtv: Sequence[GtvChoice],
    roles: RoleRules,
    keep_structures: bool = True,
) -> Case:
    """Read a CT and its masks.

    Args:
        path: the CT's file, or a folder that holds exactly one.
        masks: a folder with a mask a structure, named like it, or one label map with names.
        gtv: the lesions by name; otherwise the patterns decide.
        roles: the patterns.
        keep_structures: read the masks that are no lesion too.

    Raises:
        SeriesError: no CT, or one that cannot be used.
        StructureError: a mask that is missing, not binary, empty, or on another grid.
        UsageError: no masks named.
    """
    ct_path = find_ct_file(path)
    if masks is None:
        raise masks_missing(ct_path)
    model, volume = read_ct_image(ct_path)
    reader = MaskReader(model=model, grid=volume.grid)
    places = list(find_masks(masks, ct_path))
    names = [place.name for place in places]
    assignments = assign_lesions(names, roles, gtv, where=f"masks {masks.name}")
    read = [_lesion(one, reader, places[one.index]) for one in assignments]
    used = [one.index for one in assignments]
    others = [place for index, place in enumerate(places) if index not in used]
    structures = tuple(_structures(reader, others)) if keep_structures else ()
    return Case(
        volume=volume,
        lesions=tuple(one.lesion for one in read),
        structures=structures,
        source=Source(
            kind="files",
            ct_sha256=hash_pixels(volume.hu),
            files=tuple(_hashed(file) for file in dict.fromkeys(places[index].path for index in used)),
        ),
        findings=(
            *orientation_findings(ct_path),
            *name_findings(names, used, roles, where=f"masks {masks.name}"),
            *(told for one in read for told in one.findings),
        ),
    )


def _lesion(assigned: Assignment, reader: MaskReader, place: MaskPlace) -> MaskLesion:
    where = f"file {place.path.name}, structure {place.name!r}"
    return lesion_of_mask(assigned, reader.read(place), source_roi=place.name, where=where, kind="mask")


def _nothing_in(folder: Path) -> str:
    packed = [one.name for one in folder.iterdir() if is_archive(one)]
    return (
        f"archives, to be unpacked first: {', '.join(packed[:5])}" if packed else "no DICOM file and no image"
    )


def find_ct_file(path: Path) -> Path:
    """The CT's file: the path itself, or the one image in the folder.

    Raises:
        SeriesError: no image, or several.
    """
    if path.is_file():
        if not is_image_name(path.name):
            raise SeriesError(
                "not a CT that can be read",
                where=f"file {path.name}",
                expected=f"a folder of DICOM files, or a file ending in {', '.join(SUFFIXES)}",
                got="a DICOM file" if is_dicom(path) else "another file",
                todo="give the folder that holds all slices and the structure set" if is_dicom(path) else "",
            )
        return path
    found = sorted(one for one in path.iterdir() if one.is_file() and is_image_name(one.name))
    if len(found) != 1:
        raise SeriesError(
            "several images in the folder" if found else "no CT series",
            where="the input folder",
            expected="a CT series in DICOM, or exactly one CT image (NIfTI, NRRD, MetaImage)",
            got=", ".join(one.name for one in found[:10]) or _nothing_in(path),
            todo="name the CT's file" if found else "give the folder that holds the planning CT",
        )
    return found[0]


def find_masks(masks: Path, ct_path: Path) -> Iterator[MaskPlace]:
    """Every structure of a folder of masks, or of one file. Only label maps with names are opened.

    Raises:
        StructureError: no mask.
        InputError: a file that cannot be read.
    """
    if masks.is_dir():
        files = sorted(one for one in masks.iterdir() if one.is_file() and is_image_name(one.name))
        files = [one for one in files if one.resolve() != ct_path.resolve()]
    else:
        files = [masks] if masks.is_file() else []
    if not files:
        raise StructureError(
            "no masks",
            where=f"--masks {masks.name}",
            expected=f"files ending in {', '.join(SUFFIXES)}",
            got="an empty folder" if masks.is_dir() else "no such file or folder",
        )
    for file in files:
        names = label_names(file)
        if not names:
            yield MaskPlace(name=stem(file.name), path=file)
        for value, name in sorted(names.items()):
            yield MaskPlace(name=name, path=file, value=value)


class MaskReader:
    """Reads masks onto the CT's grid; the last file is kept, because a map holds many structures."""

    def __init__(self, *, model: ImageFile, grid: Grid) -> None:
        self._model = model
        self._grid = grid
        self._path: Path | None = None
        self._image = model

    def read(self, place: MaskPlace) -> Mask:
        """The voxels of one structure."""
        if place.path != self._path:
            self._image = read_mask_image(place.path, self._model)
            self._path = place.path
        if place.value is not None:
            return Mask(grid=self._grid, voxels=self._image.array == place.value)
        return Mask(grid=self._grid, voxels=binary_voxels(self._image))


def masks_missing(ct_path: Path) -> UsageError:
    """The error for a CT image that came alone."""
    return UsageError(
        "no masks for the CT image",
        where=f"file {ct_path.name}",
        expected="--masks DIR|FILE",
        got="none",
        todo="name the folder or label map with the GTV masks",
    )


def read_ct_image(path: Path) -> tuple[ImageFile, Volume]:
    """The CT as an image, to compare masks with, and as a volume.

    Raises:
        SeriesError: it cannot be read, is not axial, or has one slice.
    """
    try:
        image = craniocaudal_last(read_image(path))
        grid = grid_of(image)
    except (GeometryError, InputError) as error:
        raise SeriesError(
            error.what,
            where=error.where or f"file {path.name}",
            expected=error.expected,
            got=error.got,
            todo=error.todo,
        ) from error
    if grid.size[2] < 2:
        raise SeriesError(
            "CT of a single slice", where=f"file {path.name}", expected="at least 2 slices", got="1"
        )
    return image, Volume(grid=grid, hu=_as_hu(image.array))


def _as_hu(array: Array) -> Array:
    """int16 where all values are whole and in range, else float32; contiguous."""
    limits = np.iinfo(np.int16)
    if limits.min <= array.min() and array.max() <= limits.max:
        whole = array.astype(np.int16)
        if array.dtype.kind in "iu" or np.array_equal(whole, array):
            return np.ascontiguousarray(whole)
    return np.ascontiguousarray(array, dtype=np.float32)


def _structures(reader: MaskReader, places: Sequence[MaskPlace]) -> Iterator[Structure]:
    for place in places:
        contours: Contours = mask_to_contours(reader.read(place))
        if not contours.is_empty:
            yield Structure(name=place.name, interpreted_type="", contours=contours)


def _hashed(path: Path) -> SourceFile:
    return SourceFile(role="masks", name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
