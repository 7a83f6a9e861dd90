"""What cannot be right about a set of organs: sides, places, and sources that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.core.anatomy import Organ
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
from pipeline.read.organ_names import OrganNames

# A vessel near the midline, or a spine that is not straight, may lie a little on the other side.
SIDE_TOLERANCE_MM = 15.0
LEAST_INSIDE_BODY = 0.5
LEAST_DICE = 0.5

_BODY = "body"
_SPINE = "vertebrae_"
_CORD = ("spinal_cord", "spinal_canal")


def check_organs(organs: Mapping[str, Organ], names: OrganNames) -> tuple[Finding, ...]:
    """Organs on the wrong side, and organs outside the body."""
    return (*_wrong_sides(organs, names), *_outside_body(organs))


def check_sources(first: Organ, second: Organ) -> Iterator[Finding]:
    """Two sources of one organ that hardly overlap; the first is used."""
    one, other = _extent(first.mask), _extent(second.mask)
    both = slice(max(one.start, other.start), min(one.stop, other.stop))
    shared = int(np.count_nonzero(first.mask.voxels[both] & second.mask.voxels[both]))
    dice = 2 * shared / (_count(first.mask, one) + _count(second.mask, other))
    if dice < LEAST_DICE:
        yield Finding(
            code="ORGAN_SOURCES_DIFFER",
            severity=Severity.WARNING,
            where=f"organ {first.name}",
            message=f"{first.source} ({first.detail}) and {second.source} ({second.detail}) hardly overlap: "
            f"Dice {dice:.2f}, {first.mask.volume_cc:.1f} and {second.mask.volume_cc:.1f} cc. "
            f"The first was used; check both on the CT.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Midline:
    """Frame coordinate u of the patient's middle in mm, and what it was taken from."""

    u_mm: float
    of: str


def _wrong_sides(organs: Mapping[str, Organ], names: OrganNames) -> Iterator[Finding]:
    sided = [name for name in organs if name in names.sides]
    middle = _midline(organs) if sided else None
    if middle is None:
        return
    for name in sided:
        side = names.sides[name]
        off = _left_mm(organs[name].mask) - middle.u_mm  # u grows to the patient's left
        if (off if side == "right" else -off) > SIDE_TOLERANCE_MM:
            other = "left" if side == "right" else "right"
            yield Finding(
                code="ORGAN_ON_WRONG_SIDE",
                severity=Severity.WARNING,
                where=f"organ {name}",
                message=f"{organs[name].source} ({organs[name].detail}) is called {side} and lies "
                f"{abs(off):.0f} mm to the {other} of the {middle.of}. Check its name and the orientation "
                "of the images.",
            )


def _midline(organs: Mapping[str, Organ]) -> _Midline | None:
    vertebrae = [organ.mask for name, organ in organs.items() if name.startswith(_SPINE)]
    if vertebrae:
        return _Midline(u_mm=float(np.mean([_left_mm(mask) for mask in vertebrae])), of="spine")
    for name in (*_CORD, _BODY):
        if name in organs:
            middle = "spinal cord" if name in _CORD else "middle of the body"
            return _Midline(u_mm=_left_mm(organs[name].mask), of=middle)
    return None


def _outside_body(organs: Mapping[str, Organ]) -> Iterator[Finding]:
    if _BODY not in organs:
        return
    body = organs[_BODY].mask.voxels
    for name, organ in organs.items():
        if name == _BODY:
            continue
        extent = _extent(organ.mask)
        voxels = organ.mask.voxels[extent]
        inside = np.count_nonzero(voxels & body[extent]) / np.count_nonzero(voxels)
        if inside < LEAST_INSIDE_BODY:
            yield Finding(
                code="ORGAN_OUTSIDE_BODY",
                severity=Severity.WARNING,
                where=f"organ {name}",
                message=f"{organ.source} ({organ.detail}): only {100 * inside:.0f} % of it lies inside the "
                f"body ({organs[_BODY].source}, {organs[_BODY].detail}). Check both on the CT.",
            )


def _extent(mask: Mask) -> slice:
    """From the first slice with voxels to behind the last."""
    slices = np.flatnonzero(mask.voxels.any(axis=(1, 2)))
    return slice(int(slices[0]), int(slices[-1]) + 1)


def _count(mask: Mask, extent: slice) -> int:
    return int(np.count_nonzero(mask.voxels[extent]))


def _left_mm(mask: Mask) -> float:
    """Frame coordinate u of the centroid."""
    extent = _extent(mask)
    voxels = mask.voxels[extent].view(np.uint8)
    plane = np.add.reduce(voxels, axis=0, dtype=np.uint32)
    along_k = np.array([np.count_nonzero(one) for one in voxels])
    index = [_mean(plane.sum(axis=0)), _mean(plane.sum(axis=1)), extent.start + _mean(along_k)]
    return float(mask.grid.frame.from_patient(mask.grid.to_patient([index]))[0, 0])


def _mean(counts: np.ndarray[tuple[int, ...], np.dtype[np.integer]]) -> float:
    return float(np.arange(len(counts)) @ counts / counts.sum())
