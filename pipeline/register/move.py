"""Labels of the reference through the transform, onto the patient's CT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from pipeline.register.coarse import Bools, CoarsePatient, vector
from pipeline.register.images import by_shifts, moved, shifts_of

Box = tuple[slice, slice, slice]

_FAINT = 1e-3  # of a large voxel: enough to look for the label there


class WarpField:
    """A transform as shifts of the large voxels' centres, which is quick to apply.

    Attributes:
        jacobian: volume in the reference per volume in the patient at each large voxel; below 0 the transform
            folds over itself there.
        transform: the shifts as a transform.
    """

    def __init__(self, transform: Any, patient: CoarsePatient) -> None:
        shifts = shifts_of(transform, patient.grid)
        self.jacobian = _jacobian(shifts, patient.grid)
        self.transform = by_shifts(shifts, patient.grid)


def move_labels(
    labels: Mapping[str, Mask],
    warp: WarpField,
    *,
    patient: CoarsePatient,
    reference: CoarsePatient,
    grid: Grid,
) -> tuple[dict[str, Mask], dict[str, str]]:
    """Each label where more than half of it falls on a voxel of the patient's CT.

    How much of a label falls on a voxel is interpolated between the reference's voxels. Labels that share no
    voxel share none afterwards: the parts of all of them sum to 1 at most.

    Args:
        labels: on the reference's CT.
        warp: from the patient to the reference.
        patient, reference: on large voxels.
        grid: of the patient's CT.

    Returns:
        The labels that have a voxel, and for each of the others why it has none.
    """
    found: dict[str, Mask] = {}
    lost: dict[str, str] = {}
    for name, mask in labels.items():
        faint = moved(reference.share(mask.voxels), reference.grid, patient.grid, warp.transform) > _FAINT
        voxels = np.zeros(grid.shape, dtype=bool)
        if faint.any():
            target = _on_ct(faint, patient.factors, grid)
            values, its_grid = _part(mask)
            voxels[target] = moved(values, its_grid, _grid_of(grid, target), warp.transform) > 0.5
        if voxels.any():
            found[name] = Mask(grid=grid, voxels=voxels)
        else:
            lost[name] = "it lies outside the CT, or is smaller than its voxels"
    return found, lost


def _jacobian(shifts: npt.NDArray[np.float64], grid: Grid) -> npt.NDArray[np.float64]:
    # Along the axes i, j, k of the grid; turning them into the patient's leaves the determinant as it is.
    along = np.stack(
        [
            np.gradient(shifts @ grid.axes, step, axis=2 - axis)
            if grid.size[axis] > 1
            else np.zeros_like(shifts)
            for axis, step in enumerate(grid.spacing_mm)
        ],
        axis=-1,
    )
    return np.asarray(np.linalg.det(np.eye(3) + along))


def _on_ct(faint: Bools, factors: tuple[int, int, int], grid: Grid) -> Box:
    """The voxels of the CT in the box of some large voxels, and one large voxel around."""
    spans = []
    for span, factor, count in zip(_box(faint, 1), factors[::-1], grid.shape, strict=True):
        spans.append(slice(max(0, span.start) * factor, min(count, span.stop * factor)))
    return (spans[0], spans[1], spans[2])


def _part(mask: Mask) -> tuple[npt.NDArray[np.bool_], Grid]:
    """A label with a voxel around it, where the image has one."""
    spans = [
        slice(max(0, span.start), min(count, span.stop))
        for span, count in zip(_box(mask.voxels, 1), mask.grid.shape, strict=True)
    ]
    box = (spans[0], spans[1], spans[2])
    return mask.voxels[box], _grid_of(mask.grid, box)


def _box(voxels: Bools, margin: int) -> Box:
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(voxels.any(axis=others))
        spans.append(slice(int(found[0]) - margin, int(found[-1]) + 1 + margin))
    return (spans[0], spans[1], spans[2])


def _grid_of(grid: Grid, box: Box) -> Grid:
    k, j, i = box
    return replace(
        grid,
        size=(i.stop - i.start, j.stop - j.start, k.stop - k.start),
        origin_mm=vector(grid.to_patient([[i.start, j.start, k.start]])[0]),
    )
