"""The airway's lumen followed from slice to slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.views import Bools, grown

# Two lumen parts make a carina when both are so large, so far apart, and stay so for this long.
FORK_AREA_MM2 = 20.0
FORK_GAP_MM = 2.0
FORK_LENGTH_MM = 5.0
# No axial section of the trachea is larger, not even where it widens above the carina.
TRACHEA_AREA_MM2 = 1000.0
BRONCHUS_AREA_MM2 = 500.0
LEAST_AREA_MM2 = 15.0
# Below the carina; the left main bronchus is about 50 mm long and runs down obliquely.
BRONCHUS_DEPTH_MM = 50.0
# A lumen without wall is lung.
WALL_MEAN_HU = -650.0
# Thresholds are lowered in so many steps where the wall to the lung is too thin to be seen.
STEPS = 5
WALL_HU = 50.0
# The glottis is a slit: the first section so much smaller than the trachea's median, well above the carina.
LARYNX_SHARE = 0.4
LARYNX_FROM_CARINA_MM = 60.0

Region = tuple[int, Bools]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tube:
    """A window of the CT round an airway, and how its lumen is told.

    Attributes:
        hu: anatomical view, shape (slices, rows, columns).
        spacing_mm: between slices, rows and columns.
        lumen_hu: of the lumen itself.
    """

    hu: npt.NDArray[Any]
    spacing_mm: tuple[float, float, float]
    lumen_hu: float

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel."""
        return self.spacing_mm[1] * self.spacing_mm[2]

    @property
    def edge_hu(self) -> float:
        """Half-way between lumen and wall."""
        return min(-400.0, (self.lumen_hu + WALL_HU) / 2)

    def area_mm2(self, region: Bools) -> float:
        """Area of a region."""
        return int(np.count_nonzero(region)) * self.pixel_mm2

    def follow(self, k: int, before: Bools, limit_mm2: float) -> Bools | None:
        """The lumen on slice k that goes on from a neighbouring slice; None where it ends or leaks."""
        import cc3d

        box = self._reach(before)
        hu, earlier = self.hu[k][box], before[box]
        limit = min(limit_mm2, 1.7 * self.area_mm2(before) + 40.0 * self.spacing_mm[0])
        for edge in np.linspace(self.edge_hu, self.lumen_hu + 70.0, STEPS):
            labels = cc3d.connected_components(hu < edge, connectivity=4)
            region = _going_on(labels, earlier)
            if self.area_mm2(region) < LEAST_AREA_MM2:
                return None
            if self.area_mm2(region) <= limit and self._walled(hu, region):
                found = np.zeros_like(before)
                # What a lower threshold took from the lumen's rim comes back.
                found[box] = region if edge == self.edge_hu else grown(region, 1) & (hu < self.edge_hu)
                return found
        return None

    def _reach(self, before: Bools) -> tuple[slice, slice]:
        """Where the lumen may go from one slice to the next, and some wall."""
        spans = []
        for axis, pitch in ((1, self.spacing_mm[1]), (0, self.spacing_mm[2])):
            where = np.flatnonzero(before.any(axis=axis))
            reach = int((12.0 + 3.0 * self.spacing_mm[0]) / pitch)
            spans.append(slice(max(0, int(where[0]) - reach), int(where[-1]) + 1 + reach))
        return (spans[0], spans[1])

    def _walled(self, hu: npt.NDArray[Any], region: Bools) -> bool:
        ring = grown(region, 2) & ~region
        return bool(ring.any()) and float(hu[ring].mean()) > WALL_MEAN_HU


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Where the trachea divides.

    Attributes:
        place: slice (half-way between one lumen and two), row and column in the window.
        left, right: lumen by slice, from the carina down.
    """

    place: tuple[float, float, float]
    left: list[Region]
    right: list[Region]


def whole_trachea(tube: Tube, trunk: list[Region]) -> list[Region]:
    """The trachea from the carina up to the narrow of the larynx, or as far as there is one.

    Args:
        tube: the window.
        trunk: its sections from somewhere above the carina down to it.
    """
    levels = trunk[::-1]
    k, region = levels[-1]
    for above in range(k + 1, len(tube.hu)):
        found = tube.follow(above, region, TRACHEA_AREA_MM2)
        if found is None:
            break
        levels.append((above, found))
        region = found
    # Where the search began may lie in the pharynx: what is usual is known near the carina only.
    heights = [(level - levels[0][0]) * tube.spacing_mm[0] for level, _ in levels]
    areas = [tube.area_mm2(section) for _, section in levels]
    low = [area for area, height in zip(areas, heights, strict=True) if height <= LARYNX_FROM_CARINA_MM]
    narrow = LARYNX_SHARE * float(np.median(low))
    for number, (area, height) in enumerate(zip(areas, heights, strict=True)):
        if height > LARYNX_FROM_CARINA_MM and area < narrow:
            return levels[:number]
    return levels


def downward(tube: Tube, start: Region) -> tuple[list[Region], Fork | None]:
    """The trachea from a level down to where it divides; the start comes first."""
    levels = [start]
    k, region = start
    for below in range(k - 1, -1, -1):
        found = tube.follow(below, region, TRACHEA_AREA_MM2)
        if found is None:
            break
        fork = _fork(tube, below, found)
        if fork is not None:
            return levels, fork
        region = found
        levels.append((below, region))
    return levels, None


def _fork(tube: Tube, k: int, region: Bools) -> Fork | None:
    parts = _largest_two(tube, region)
    if parts is None:
        return None
    place = _between(tube, *parts)
    if place is None:
        return None
    right, left = parts
    pairs = [(k, right, left), *_branches(tube, k, right, left)]
    slices_apart = (k - pairs[-1][0]) * tube.spacing_mm[0]
    both = [pair for pair in pairs if pair[1] is not None and pair[2] is not None]
    if slices_apart < FORK_LENGTH_MM - 0.5 or (k - both[-1][0]) * tube.spacing_mm[0] < FORK_LENGTH_MM - 0.5:
        return None
    return Fork(
        place=(k + 0.5, *place),
        left=[(level, mask) for level, _, mask in pairs if mask is not None],
        right=[(level, mask) for level, mask, _ in pairs if mask is not None],
    )


def _branches(
    tube: Tube, k: int, right: Bools | None, left: Bools | None
) -> Iterator[tuple[int, Bools | None, Bools | None]]:
    """Both bronchi below a level, each until it ends, leaks or meets the other."""
    for level in range(k - 1, max(-1, k - 1 - int(BRONCHUS_DEPTH_MM / tube.spacing_mm[0])), -1):
        right = None if right is None else tube.follow(level, right, BRONCHUS_AREA_MM2)
        left = None if left is None else tube.follow(level, left, BRONCHUS_AREA_MM2)
        if right is None and left is None:
            return
        if right is not None and left is not None and bool((right & left).any()):
            return
        yield level, right, left


def _largest_two(tube: Tube, region: Bools) -> tuple[Bools, Bools] | None:
    """Right and left part of a lumen that lies side by side in two large parts."""
    import cc3d

    labels = cc3d.connected_components(region, connectivity=4)
    sizes = np.bincount(labels.ravel()) * tube.pixel_mm2
    sizes[0] = 0.0
    if np.count_nonzero(sizes >= FORK_AREA_MM2) < 2:
        return None
    parts = [labels == label for label in np.argsort(sizes)[-2:]]
    (row_a, column_a), (row_b, column_b) = (np.argwhere(part).mean(axis=0) for part in parts)
    if abs(column_a - column_b) * tube.spacing_mm[2] < abs(row_a - row_b) * tube.spacing_mm[1]:
        return None
    return (parts[0], parts[1]) if column_a < column_b else (parts[1], parts[0])


def _between(tube: Tube, one: Bools, other: Bools) -> tuple[float, float] | None:
    """Row and column half-way between two parts; None when they are too near each other."""
    spacing = np.array(tube.spacing_mm[1:])
    mine, theirs = (np.argwhere(part) for part in (one, other))
    # From pixel centre to pixel centre; at least one pixel of wall lies between.
    apart = np.linalg.norm((theirs[:, None] - mine[None, :]) * spacing, axis=2)
    nearest, away = apart.argmin(axis=1), apart.min(axis=1)
    gap = float(away.min())
    if gap < FORK_GAP_MM - 0.1:
        return None
    # A septum has parallel faces: the middle of all pairs that are about as near as the nearest.
    facing = away <= gap + float(spacing.max())
    row, column = ((mine[nearest[facing]] + theirs[facing]) / 2.0).mean(axis=0)
    return (float(row), float(column))


def _going_on(labels: npt.NDArray[Any], before: Bools) -> Bools:
    """Parts that share enough with the neighbouring slice."""
    shared = np.bincount(labels[before], minlength=int(labels.max()) + 1)
    sizes = np.bincount(labels.ravel(), minlength=len(shared))
    chosen = shared >= np.maximum(1, 0.15 * np.minimum(sizes, int(np.count_nonzero(before))))
    chosen[0] = False
    return np.asarray(chosen[labels])
