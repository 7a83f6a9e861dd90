"""Masks as NIfTI files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from pipeline.write.atomic import cannot_write, whole_file

_SCANNER = 1  # qform and sform code: coordinates of the scanner
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_masks(folder: Path, masks: Mapping[str, Mask]) -> tuple[Path, ...]:
    """Write each mask to `folder/<name>.nii.gz`, 0 and 1 in 8 bits, and compare what reads back.

    The folder is made when it is missing. Arrays are stored in the order (i, j, k) of the grid;
    the affine takes them to RAS mm.

    Raises:
        OutputError: a name that is no file name, a file that reads back wrong, or the file system
            refused.
    """
    import nibabel

    for name in masks:
        if not name or name.startswith(".") or set(name) & set('/\\:*?"<>|\0'):
            raise OutputError("mask name cannot be a file name", where="masks", got=repr(name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    paths = []
    for name, mask in masks.items():
        path = folder / f"{name}.nii.gz"
        with whole_file(path) as scratch:
            nibabel.save(nifti_image(mask.grid, mask.voxels.view(np.uint8)), scratch)
            _check(name, scratch, mask)
        paths.append(path)
    return tuple(paths)


def ras_affine(grid: Grid) -> npt.NDArray[np.float64]:
    """Matrix of shape (4, 4) from (i, j, k, 1) to RAS mm."""
    affine = np.eye(4)
    affine[:3, :3] = grid.axes * np.array(grid.spacing_mm)
    affine[:3, 3] = grid.origin_mm
    return np.asarray(_LPS_TO_RAS @ affine)


def nifti_image(grid: Grid, voxels: npt.NDArray[np.uint8]) -> Any:
    """A NIfTI image of 8-bit voxels of shape (slices, rows, columns)."""
    from nibabel.nifti1 import Nifti1Image

    make: Any = Nifti1Image  # nibabel ships types for a part of its names only
    image = make(voxels.transpose(2, 1, 0), ras_affine(grid))
    image.set_qform(image.affine, code=_SCANNER)
    image.set_sform(image.affine, code=_SCANNER)
    image.header.set_xyzt_units("mm")
    return image


def read_back(path: Path, grid: Grid) -> tuple[npt.NDArray[Any], bool]:
    """The voxels of a file, shape (slices, rows, columns), and whether they lie where the grid says."""
    import nibabel

    back: Any = nibabel.load(path)
    same_place = np.allclose(back.affine, ras_affine(grid), rtol=1e-5, atol=1e-3)
    return np.asarray(back.dataobj).transpose(2, 1, 0), bool(same_place)


def _check(name: str, path: Path, mask: Mask) -> None:
    voxels, same_place = read_back(path, mask.grid)
    if not same_place or not np.array_equal(voxels, mask.voxels):
        raise OutputError(
            "the mask reads back wrong and was not kept",
            where=name,
            expected=f"{np.count_nonzero(mask.voxels)} voxels",
            got=f"{np.count_nonzero(voxels)} voxels" if same_place else "another position",
        )
