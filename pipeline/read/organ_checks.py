"""What cannot be right about a set of organs: sides, places, and sources that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Organ
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
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
    one, other = _extent(first.mask), _extent(second.mask)
    both = slice(max(one.start, other.start), min(one.stop, other.stop))
    shared = int(np.count_nonzero(first.mask.voxels[both] & second.mask.voxels[both]))
    dice = 2 * shared / (_count(first.mask, one) + _count(second.mask, other))
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
        extent: the slices of the sample.
        step: from row to row.
        voxels: the sample, a view of shape (slices, rows, columns), not empty.
    """

    organ: Organ
    extent: slice
    step: int
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
        centre = grid.to_patient([(i, self.step * j, self.extent.start + k)])
        return float(grid.frame.from_patient(centre)[0, 0])

    def share_inside(self, other: _Sample) -> float:
        """Which part of it lies in another organ."""
        its = other.organ.mask.voxels[self.extent, :: self.step]
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
    every = organ.mask.voxels
    for step in (max(1, every.shape[1] // _SAMPLE_ROWS), 1):
        rows = every[:, ::step]
        slices = np.flatnonzero(rows.any(axis=(1, 2)))
        if len(slices):
            break
    extent = slice(int(slices[0]), int(slices[-1]) + 1)
    return _Sample(organ=organ, extent=extent, step=step, voxels=rows[extent])


def _extent(mask: Mask) -> slice:
    """From the first slice with voxels to behind the last."""
    slices = np.flatnonzero(mask.voxels.any(axis=(1, 2)))
    return slice(int(slices[0]), int(slices[-1]) + 1)


def _count(mask: Mask, extent: slice) -> int:
    return int(np.count_nonzero(mask.voxels[extent]))


def _mean(counts: npt.NDArray[np.integer]) -> float:
    return float(np.arange(len(counts)) @ counts / counts.sum())
