"""Where organs lie to the left and right of the patient's middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Organ
from pipeline.core.box import Box

BODY = "body"
_SPINE = "vertebrae_"
_CORD = ("spinal_cord", "spinal_canal")
# Of the grid's rows, at least: a mask of 512 rows is judged in an eighth of the time.
_SAMPLE_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Enough of an organ's voxels to judge where it lies: every few of its rows.

    Attributes:
        organ: the organ.
        where: the slices, rows and columns of the sample; from row to row is more than one step.
        voxels: the sample, a view of shape (slices, rows, columns), not empty.
    """

    organ: Organ
    where: Box
    voxels: npt.NDArray[np.bool_]

    def __str__(self) -> str:
        return f"{self.organ.source} ({self.organ.detail})"

    @property
    def left_mm(self) -> float:
        """Frame coordinate u of the centroid; it grows to the patient's left."""
        plane = np.add.reduce(self.voxels.view(np.uint8), axis=0, dtype=np.uint32)
        along_k = np.array([np.count_nonzero(one) for one in self.voxels])
        i, j, k = _mean(plane.sum(axis=0)), _mean(plane.sum(axis=1)), _mean(along_k)
        grid = self.organ.mask.grid
        planes, rows, columns = self.where
        place = (columns.start + i, rows.start + rows.step * j, planes.start + k)
        centre = grid.to_patient([place])
        return float(grid.frame.from_patient(centre)[0, 0])

    def share_inside(self, other: Sample) -> float:
        """Which part of it lies in another organ."""
        its = other.organ.mask.voxels[self.where]
        return int(np.count_nonzero(self.voxels & its)) / int(np.count_nonzero(self.voxels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Midline:
    """Frame coordinate u of the patient's middle in mm, and what it was taken from."""

    u_mm: float
    of: str


def sample_of(organ: Organ) -> Sample:
    """A sample of an organ's rows; all rows where the sample would be empty."""
    planes, rows, columns = organ.mask.box
    step = max(1, organ.mask.voxels.shape[1] // _SAMPLE_ROWS)
    start = -(-rows.start // step) * step  # of the same rows for every organ
    where = (planes, slice(start, rows.stop, step), columns)
    if not organ.mask.voxels[where].any():
        where = (planes, slice(rows.start, rows.stop, 1), columns)
    return Sample(organ=organ, where=where, voxels=organ.mask.voxels[where])


def midline(samples: Mapping[str, Sample]) -> Midline | None:
    """The middle by the vertebrae, else the cord, else the body; None where none of them is known."""
    vertebrae = [one.left_mm for name, one in samples.items() if name.startswith(_SPINE)]
    if vertebrae:
        return Midline(u_mm=float(np.mean(vertebrae)), of="spine")
    for name in (*_CORD, BODY):
        if name in samples:
            middle = "spinal cord" if name in _CORD else "middle of the body"
            return Midline(u_mm=samples[name].left_mm, of=middle)
    return None


def tells_middle(name: str) -> bool:
    """Whether an organ of this name may tell where the middle is."""
    return name.startswith(_SPINE) or name in (*_CORD, BODY)


def _mean(counts: npt.NDArray[np.integer]) -> float:
    return float(np.arange(len(counts)) @ counts / counts.sum())
