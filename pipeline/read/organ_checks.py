"""What cannot be right about a set of organs: sides, places, and sources that contradict each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from pipeline.core.anatomy import Organ
from pipeline.core.box import shared
from pipeline.core.middle import BODY, Midline, Sample, midline, sample_of
from pipeline.core.report import Finding, Severity
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import Kind

# A vessel near the midline, or a spine that is not straight, may lie a little on the other side.
SIDE_TOLERANCE_MM = 15.0
LEAST_INSIDE_BODY = 0.5
LEAST_DICE = 0.5


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
    samples = {name: sample_of(organ) for name, organ in organs.items()}
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


def _wrong_sides(
    samples: Mapping[str, Sample], names: OrganNames, kind: Kind, tolerance_mm: float
) -> Iterator[Finding]:
    sided = [name for name in samples if name in names.sides]
    middle = midline(samples) if sided else None
    beyond = {} if middle is None else dict(_beyond(samples, names, middle, tolerance_mm))
    for name, mm in beyond.items():
        side = names.sides[name]
        other = "left" if side == "right" else "right"
        yield Finding(
            code=kind.code("ON_WRONG_SIDE"),
            severity=Severity.WARNING,
            where=f"{kind} {name}",
            message=f"{samples[name]} is called {side} and lies {mm:.0f} mm to the {other} of the "
            f"{middle.of if middle else 'middle'}. Check its name and the orientation of the images.",
        )
    yield from _swapped(samples, [name for name in sided if name not in beyond], kind)


def _beyond(
    samples: Mapping[str, Sample], names: OrganNames, middle: Midline, tolerance_mm: float
) -> Iterator[tuple[str, float]]:
    """Names on the other side of the middle than theirs, and how far over it."""
    for name, sample in samples.items():
        if name in names.sides:
            off = sample.left_mm - middle.u_mm
            over = off if names.sides[name] == "right" else -off
            if over > tolerance_mm:
                yield name, over


def _swapped(samples: Mapping[str, Sample], sided: Collection[str], kind: Kind) -> Iterator[Finding]:
    """Pairs that are the wrong way round: near the middle, or where nothing tells it."""
    for name in sided:
        other = _partner(name)
        if other == name or other not in sided:
            continue
        over = samples[other].left_mm - samples[name].left_mm
        if over > 0.0:
            yield Finding(
                code=kind.code("SIDES_SWAPPED"),
                severity=Severity.WARNING,
                where=f"{kind} {name}",
                message=f"{samples[name]} is called left and lies {over:.0f} mm to the right of "
                f"{samples[other]}. Check their names and the orientation of the images.",
            )


def _partner(name: str) -> str:
    """The name on the right of one on the left: `lung_left`, `SCV_L`, `4L`; of any other the name itself."""
    return name.replace("left", "right") if "left" in name else re.sub("L$", "R", name)


def _outside_body(samples: Mapping[str, Sample], judged: Collection[str], kind: Kind) -> Iterator[Finding]:
    if BODY not in samples:
        return
    body = samples[BODY]
    for name in judged:
        one = samples[name]
        inside = 1.0 if name == BODY else one.share_inside(body)
        if inside < LEAST_INSIDE_BODY:
            yield Finding(
                code=kind.code("OUTSIDE_BODY"),
                severity=Severity.WARNING,
                where=f"{kind} {name}",
                message=f"{one}: only {100 * inside:.0f} % of it lies inside the body, {body}. "
                "Check both on the CT.",
            )
