"""Barriers that are cut at together: one surface costs as much as five."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from pipeline.core.blank import blank
from pipeline.core.box import hull
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from pipeline.core.rules import BODY, Barrier
from pipeline.core.solid import Solid
from pipeline.core.volume import Mask


def together(barriers: Iterable[Barrier], known: Mapping[str, Mask]) -> list[list[Barrier]]:
    """Known barriers in groups of one overlap, the body by itself, in the order of their first ones."""
    groups: dict[tuple[bool, float], list[Barrier]] = {}
    for barrier in barriers:
        if barrier.structure in known:
            groups.setdefault((barrier.structure == BODY, barrier.overlap_mm), []).append(barrier)
    return list(groups.values())


def united(masks: Sequence[Mask]) -> Mask:
    """The union of masks on one grid, at least one; in one array, as a fresh one costs more than the sum."""
    if len(masks) == 1:
        return masks[0]
    voxels = blank(masks[0].grid.shape).view(np.bool_)
    for mask in masks:
        voxels[mask.box] |= mask.part
    return Mask(grid=masks[0].grid, voxels=voxels, within=hull([mask.box for mask in masks]))


def shares(before: Solid, gtv: Solid, masks: Sequence[Mask]) -> list[float]:
    """What each of several barriers has of what they take together, 0 to 1, told by voxels.

    A voxel that two of them hold is the earlier one's. Where no voxel tells, the parts are equal.
    """
    if len(masks) == 1:
        return [1.0]
    inside, kept = (_voxels(solid) for solid in (before, gtv))
    box = inside.box
    left = inside.part & ~kept.voxels[box]
    counts = []
    for mask in masks:
        taken = left & mask.voxels[box]
        counts.append(int(np.count_nonzero(taken)))
        left &= ~taken
    total = sum(counts)
    return [count / total if total else 1.0 / len(masks) for count in counts]


def _voxels(solid: Solid) -> Mask:
    grid = solid.lattice.grid
    sections = {k: section for k, section in solid.slice_sections().items() if 0 <= k < grid.size[2]}
    return contours_to_mask(Contours(grid=grid, sections=sections))
