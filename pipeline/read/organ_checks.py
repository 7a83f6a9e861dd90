"""What cannot be right about a set of organs: sides, places, and sources that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Organ
from pipeline.core.box import Box, shared
from pipeline.core.report import Finding, Severity
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import Kind

# A vessel near the midline, or a spine that is not straight, may lie a little on the other side.
SIDE_TOLERANCE_MM = 15.0
LEAST_INSIDE_BODY = 0.5
LEAST_DICE = 0.5

_SAMPLE_ROWS = 64  # of the grid's, at least: a mask of 512 rows is judged in an eighth of the time
_BODY = "body"
_SPINE = "vertebrae_"
_CORD = ("spinal_cord", "spinal_canal")


def check_organs(
    organs: Mapping[str, Organ],
    names: OrganNames,
    *,
    kind: Kind = Kind.ORGAN,
    tolerance_mm: float | None = None,
) -> tuple[Finding, ...]:
    """Organs on the wrong side, and organs outside the body.

    Args:
        organs: by name; those that are none of `names` only tell where the middle and the body are.
        names: the atlas.
        kind: what they are.
        tolerance_mm: how far over the middle a centroid may lie.
    """
    samples = {name: _sample(organ) for name, organ in organs.items()}
    judged = [name for name in samples if name in names.organs]
    limit = SIDE_TOLERANCE_MM if tolerance_mm is None else tolerance_mm
    return (*_wrong_sides(samples, names, kind, limit), *_outside_body(samples, judged, kind))


def check_sources(first: Organ, second: Organ, kind: Kind = Kind.ORGAN) -> Iterator[Finding]:
    """Two sources of one organ that hardly overlap; the first is used."""
    both = shared(first.mask.box, second.mask.box)
    common = int(np.count_nonzero(first.mask.voxels[both] & second.mask.voxels[both]))
    dice = 2 * common / (np.count_nonzero(first.mask.part) + np.count_nonzero(second.mask.part))
    if dice < LEAST_DICE:
        yield Finding(
            code=kind.code("SOURCES_DIFFER"),
            severity=Severity.WARNING,
            where=f"{kind} {first.name}",
            message=f"{first.source} ({first.detail}) and {second.source} ({second.detail}) hardly overlap: "
            f"Dice {dice:.2f}, {first.mask.volume_cc:.1f} and {second.mask.volume_cc:.1f} cc. "
            f"The first was used; check both on the CT.",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
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

    def share_inside(self, other: _Sample) -> float:
        """Which part of it lies in another organ."""
        its = other.organ.mask.voxels[self.where]
        return int(np.count_nonzero(self.voxels & its)) / int(np.count_nonzero(self.voxels))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Midline:
    """Frame coordinate u of the patient's middle in mm, and what it was taken from."""

    u_mm: float
    of: str


def _wrong_sides(
    samples: Mapping[str, _Sample], names: OrganNames, kind: Kind, tolerance_mm: float
) -> Iterator[Finding]:
    sided = [name for name in samples if name in names.sides]
    middle = _midline(samples) if sided else None
    if middle is None:
        return
    for name in sided:
        side = names.sides[name]
        off = samples[name].left_mm - middle.u_mm
        if (off if side == "right" else -off) > tolerance_mm:
            other = "left" if side == "right" else "right"
            yield Finding(
                code=kind.code("ON_WRONG_SIDE"),
                severity=Severity.WARNING,
                where=f"{kind} {name}",
                message=f"{samples[name]} is called {side} and lies {abs(off):.0f} mm to the {other} of the "
                f"{middle.of}. Check its name and the orientation of the images.",
            )


def _midline(samples: Mapping[str, _Sample]) -> _Midline | None:
    vertebrae = [one.left_mm for name, one in samples.items() if name.startswith(_SPINE)]
    if vertebrae:
        return _Midline(u_mm=float(np.mean(vertebrae)), of="spine")
    for name in (*_CORD, _BODY):
        if name in samples:
            middle = "spinal cord" if name in _CORD else "middle of the body"
            return _Midline(u_mm=samples[name].left_mm, of=middle)
    return None


def _outside_body(samples: Mapping[str, _Sample], judged: Collection[str], kind: Kind) -> Iterator[Finding]:
    if _BODY not in samples:
        return
    body = samples[_BODY]
    for name in judged:
        one = samples[name]
        inside = 1.0 if name == _BODY else one.share_inside(body)
        if inside < LEAST_INSIDE_BODY:
            yield Finding(
                code=kind.code("OUTSIDE_BODY"),
                severity=Severity.WARNING,
                where=f"{kind} {name}",
                message=f"{one}: only {100 * inside:.0f} % of it lies inside the body, {body}. "
                "Check both on the CT.",
            )


def _sample(organ: Organ) -> _Sample:
    planes, rows, columns = organ.mask.box
    for step in (max(1, organ.mask.voxels.shape[1] // _SAMPLE_ROWS), 1):
        start = -(-rows.start // step) * step  # of the same rows for every organ
        where = (planes, slice(start, rows.stop, step), columns)
        if organ.mask.voxels[where].any():
            break
    return _Sample(organ=organ, where=where, voxels=organ.mask.voxels[where])


def _mean(counts: npt.NDArray[np.integer]) -> float:
    return float(np.arange(len(counts)) @ counts / counts.sum())
