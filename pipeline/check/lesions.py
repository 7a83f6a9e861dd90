"""Parts of a lesion that hardly belong to it: a click, a stray voxel, a contour on the wrong organ."""

from __future__ import annotations

import math
from collections.abc import Iterator

import shapely
from shapely.geometry import Polygon

from pipeline.core.case import Case, Lesion
from pipeline.core.report import Finding, Severity
from pipeline.core.stack import is_bridged
from pipeline.core.targets import TargetSet

# A node of 6 mm has it; what is drawn apart from a lesion and is smaller is hardly a part of it [A].
LEAST_PART_CC = 0.1
# Within this, a stray part lies in what the margins add to the rest anyway [A].
NEAR_MM = 10.0

Part = tuple[int, Polygon]


def check_stray_lesion_parts(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`GTV_STRAY_PART` for parts of a lesion below 0.1 cc that hang together with nothing else of it.

    It grows like all the rest: a stop where it lies more than 10 mm from every larger part, else a warning.
    A lesion that is small as a whole is none; several nodes in one ROI are none either.
    """
    del targets
    return tuple(finding for lesion in case.lesions for finding in _stray(lesion))


def _stray(lesion: Lesion) -> Iterator[Finding]:
    spacing = lesion.contours.grid.slice_spacing_mm
    parts = _hanging_together(lesion)
    large = max(_cc(part, spacing) for part in parts)
    small = [part for part in parts if _cc(part, spacing) < min(LEAST_PART_CC, large)]
    rest = [one for part in parts if part not in small for one in part]
    for part in small:
        away = min(_apart_mm(one, other, spacing) for one in part for other in rest)
        slices = sorted({k for k, _ in part})
        u, v = part[0][1].centroid.coords[0]
        x, y, z = lesion.contours.grid.frame.to_patient(
            [[u, v, lesion.contours.grid.plane_positions_mm[slices[0]]]]
        )[0]
        yield Finding(
            code="GTV_STRAY_PART",
            severity=Severity.STOP if away > NEAR_MM else Severity.WARNING,
            where=f"ROI {lesion.source_roi}",
            message=f"A part of {_cc(part, spacing):.3f} cc on slice {slices[0]} (x {x:.0f}, y {y:.0f}, "
            f"z {z:.0f} mm), {len(slices)} slices in all, lies {away:.0f} mm from the rest and was grown as "
            "well: erase it from the GTV if it is a slip",
        )


def _hanging_together(lesion: Lesion) -> list[list[Part]]:
    """The polygons of a lesion in groups: those that overlap from one drawn slice to the next are one."""
    contours = lesion.contours
    spacing = contours.grid.slice_spacing_mm
    groups: list[list[Part]] = []
    last = -1
    for k, section in contours.sections.items():
        near = last >= 0 and is_bridged(k - last, spacing)
        for polygon in section.geoms:
            met = [group for group in groups if near and _meets(group, last, polygon)]
            groups = [group for group in groups if not any(group is one for one in met)]
            groups.append([*(part for group in met for part in group), (k, polygon)])
        last = k
    return groups


def _meets(group: list[Part], k: int, polygon: Polygon) -> bool:
    """Whether a group has a part on slice `k` that a polygon overlaps."""
    return any(slice_ == k and shapely.intersects(part, polygon) for slice_, part in group)


def _cc(parts: list[Part], spacing: float) -> float:
    return float(sum(polygon.area for _, polygon in parts)) * spacing / 1000.0


def _apart_mm(one: Part, other: Part, spacing: float) -> float:
    """Between two slices of tissue, each one slice thick."""
    along = max(0, abs(one[0] - other[0]) - 1) * spacing
    return math.hypot(along, float(shapely.distance(one[1], other[1])))
