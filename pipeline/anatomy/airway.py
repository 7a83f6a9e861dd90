"""Trachea, main bronchi and carina from Hounsfield units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.lumen import Fork, Region, Tube, downward, whole_trachea
from pipeline.anatomy.views import AnatomicalView, Bools
from pipeline.core.grid import Vector
from pipeline.core.volume import Mask, Volume

# The trachea is first looked for on pixels and slices of about this size.
COARSE_PIXEL_MM = 2.0
COARSE_SLICE_MM = 3.0
AIR_BELOW_HU = -700
# An adult's trachea is 10 to 27 mm wide and deep [C]; with room for sabre sheaths and coarse pixels [I].
SECTION_AREA_MM2 = (50.0, 650.0)
SECTION_EXTENT_MM = (6.0, 34.0)
SECTION_FILL = 0.5
TUBE_LENGTH_MM = 12.0
MOST_TUBES = 8
# The airway lies within this of the place where it was found, to either side, to front and back.
WINDOW_MM = 90.0
# What belongs to the trachea under the carina: stumps of the main bronchi, as TotalSegmentator has it.
STUMP_DEPTH_MM = 16.0
STUMP_REACH_MM = 22.0
# Bronchi lead into lungs: so much of either lung lies beside the carina, on the average slice.
LUNG_HU = (-970, -500)
LUNG_BESIDE_MM2 = 300.0
LUNG_FROM_CARINA_MM = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Airway:
    """The lumen of the large airways, on the CT's grid.

    Attributes:
        trachea: from the larynx or the top of the scan down to and with stumps of the main bronchi.
        bronchi_left, bronchi_right: from the carina down as far as they can be told from lung, on the
            patient's left and right; the stumps belong to them too.
        carina_mm: LPS; craniocaudally half-way between the last slice with one lumen and the first
            with two, in that slice midway between the two.
    """

    trachea: Mask
    bronchi_left: Mask
    bronchi_right: Mask
    carina_mm: Vector

    @property
    def lumen(self) -> Mask:
        """All of it."""
        return self.trachea | self.bronchi_left | self.bronchi_right


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A round piece of air on one slice: place in the view, area, and pixel nearest its middle."""

    k: int
    row: float
    column: float
    area_mm2: float


def find_airway(volume: Volume, body: Mask) -> Airway | None:
    """Trachea, main bronchi and carina.

    Tubes of air are looked for on coarse slices; the longest one that, followed down, divides into
    two bronchi side by side with lung on either side is the trachea. A gastric conduit or an
    esophagus full of gas does not divide so.

    Args:
        volume: the CT, with any or no contrast, in any patient position.
        body: see `find_body`, on the same grid.

    Returns:
        The airway, or None when there is no tube of air with a carina: a scan that ends above or
        starts below the carina has none.
    """
    view = AnatomicalView(grid=volume.grid)
    hu, inside = view.of(volume.hu), view.of(body.voxels)
    for start in _starts(hu, inside, view.spacing_mm):
        window, middle = _window(start, hu.shape, view.spacing_mm)
        tube, region = _tube(hu[(slice(None), *window)], middle, view.spacing_mm)
        if region is None:
            continue
        trunk, fork = downward(tube, (start.k, region))
        if fork is None or not _between_lungs(hu, inside, view.spacing_mm, fork, window):
            continue
        return _airway(view, window, whole_trachea(tube, trunk), fork)
    return None


def _starts(hu: npt.NDArray[Any], inside: Bools, spacing_mm: Vector) -> list[_Section]:
    """Middles of tubes of air, the longest first."""
    chains: list[list[_Section]] = []
    steps = [
        max(1, round(size / spacing))
        for size, spacing in zip((COARSE_SLICE_MM, COARSE_PIXEL_MM, COARSE_PIXEL_MM), spacing_mm, strict=True)
    ]
    pitch = (spacing_mm[1] * steps[1], spacing_mm[2] * steps[2])
    for k in range(len(hu) - 1, -1, -steps[0]):
        plane = (slice(None, None, steps[1]), slice(None, None, steps[2]))
        air = (hu[k][plane] < AIR_BELOW_HU) & inside[k][plane]
        for found in _sections(air, pitch):
            section = replace(found, k=k, row=found.row * steps[1], column=found.column * steps[2])
            for chain in chains:
                if _goes_on(chain[-1], section, spacing_mm, steps[0]):
                    chain.append(section)
                    break
            else:
                chains.append([section])
    long = [chain for chain in chains if (chain[0].k - chain[-1].k) * spacing_mm[0] >= TUBE_LENGTH_MM]
    long.sort(key=lambda chain: chain[-1].k - chain[0].k)
    return [chain[len(chain) // 2] for chain in long[:MOST_TUBES]]


def _sections(air: Bools, pitch_mm: tuple[float, float]) -> Iterator[_Section]:
    """Round pieces of air on a coarse slice, of a trachea's size."""
    import cc3d

    statistics = cc3d.statistics(cc3d.connected_components(air, connectivity=4))
    pixel = pitch_mm[0] * pitch_mm[1]
    for label in range(1, len(statistics["voxel_counts"])):
        size = int(statistics["voxel_counts"][label])
        if not SECTION_AREA_MM2[0] <= size * pixel <= SECTION_AREA_MM2[1]:
            continue
        box = statistics["bounding_boxes"][label]
        rows, columns = box[0], box[1]
        height, width = rows.stop - rows.start, columns.stop - columns.start
        extents = (height * pitch_mm[0], width * pitch_mm[1])
        if min(extents) < SECTION_EXTENT_MM[0] or max(extents) > SECTION_EXTENT_MM[1]:
            continue
        if size >= SECTION_FILL * height * width:
            row, column = (float(value) for value in statistics["centroids"][label])
            yield _Section(k=0, row=row, column=column, area_mm2=size * pixel)


def _goes_on(last: _Section, new: _Section, spacing_mm: Vector, step: int) -> bool:
    """Whether a section continues another one, or the one above a single missing slice."""
    drop = last.k - new.k
    if not 0 < drop <= 2 * step or not 0.5 <= new.area_mm2 / last.area_mm2 <= 2.0:
        return False
    shift = np.hypot((last.row - new.row) * spacing_mm[1], (last.column - new.column) * spacing_mm[2])
    return bool(shift <= 3.0 + 0.8 * drop * spacing_mm[0])


def _window(
    start: _Section, shape: tuple[int, ...], spacing_mm: Vector
) -> tuple[tuple[slice, slice], tuple[int, int, int]]:
    """Rows and columns round a place, and that place in them."""
    spans, middle = [], [start.k]
    for place, count, spacing in zip((start.row, start.column), shape[1:], spacing_mm[1:], strict=True):
        first = max(0, int(place - WINDOW_MM / spacing))
        spans.append(slice(first, min(count, int(place + WINDOW_MM / spacing) + 1)))
        middle.append(round(place) - first)
    return (spans[0], spans[1]), (middle[0], middle[1], middle[2])


def _tube(
    hu: npt.NDArray[Any], middle: tuple[int, int, int], spacing_mm: Vector
) -> tuple[Tube, Bools | None]:
    """The tube round a place, with the HU of its lumen, and its section there."""
    k, row, column = middle
    near = hu[k, max(0, row - 2) : row + 3, max(0, column - 2) : column + 3]
    tube = Tube(hu=hu, spacing_mm=spacing_mm, lumen_hu=float(np.median(near)))
    seed = np.zeros(hu.shape[1:], dtype=bool)
    reach = [max(1, round(4.0 / spacing)) for spacing in spacing_mm[1:]]
    seed[max(0, row - reach[0]) : row + reach[0] + 1, max(0, column - reach[1]) : column + reach[1] + 1] = (
        True
    )
    return tube, tube.follow(k, seed, SECTION_AREA_MM2[1])


def _between_lungs(
    hu: npt.NDArray[Any], inside: Bools, spacing_mm: Vector, fork: Fork, window: tuple[slice, slice]
) -> bool:
    """Whether lung lies on both sides of the carina, from its level down."""
    steps = [max(1, round(COARSE_PIXEL_MM / spacing)) for spacing in spacing_mm]
    lowest = min(level for level, _ in (*fork.left, *fork.right))
    planes = slice(lowest, int(fork.place[0]) + 1, steps[0])
    part = (planes, slice(None, None, steps[1]), slice(None, None, steps[2]))
    lung = (hu[part] > LUNG_HU[0]) & (hu[part] < LUNG_HU[1]) & inside[part]
    per_column = lung.sum(axis=(0, 1)) * (spacing_mm[1] * steps[1] * spacing_mm[2] * steps[2]) / len(lung)
    away = (np.arange(len(per_column)) * steps[2] - window[1].start - fork.place[2]) * spacing_mm[2]
    sides = (away < -LUNG_FROM_CARINA_MM, away > LUNG_FROM_CARINA_MM)
    return all(float(per_column[side].sum()) >= LUNG_BESIDE_MM2 for side in sides)


def _airway(view: AnatomicalView, window: tuple[slice, slice], trunk: list[Region], fork: Fork) -> Airway:
    masks = [np.zeros(view.grid.shape, dtype=bool) for _ in range(3)]
    trachea, left, right = (view.of(mask)[(slice(None), *window)] for mask in masks)
    for k, region in trunk:
        trachea[k] |= region
    for branch, mask in ((fork.left, left), (fork.right, right)):
        for k, region in branch:
            mask[k] |= region
            trachea[k] |= region & _stump(view.spacing_mm, fork, k, region.shape)
    place = (fork.place[0], fork.place[1] + window[0].start, fork.place[2] + window[1].start)
    of_trachea, of_left, of_right = (Mask(grid=view.grid, voxels=mask) for mask in masks)
    return Airway(
        trachea=of_trachea, bronchi_left=of_left, bronchi_right=of_right, carina_mm=view.to_patient(place)
    )


def _stump(spacing_mm: Vector, fork: Fork, k: int, shape: tuple[int, ...]) -> Bools:
    """Pixels of a slice that are near enough to the carina for a stump."""
    down = (fork.place[0] - k) * spacing_mm[0]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    across = ((rows - fork.place[1]) * spacing_mm[1]) ** 2 + ((columns - fork.place[2]) * spacing_mm[2]) ** 2
    near = across + down**2 <= STUMP_REACH_MM**2
    return np.asarray(near & (down <= STUMP_DEPTH_MM))
