"""Left and right lung from Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.airway import Airway
from pipeline.anatomy.views import AnatomicalView, Bools, body_box, coarse_steps, grown, refined, shrunk
from pipeline.core.volume import Mask, Volume

# Half-way between aerated lung and soft tissue [I].
LUNG_BELOW_HU = -400
# Gas of bowel, stomach or conduit is darker than lung; a bulla is too, but it is no part of its own.
GAS_BELOW_HU = -955
GAS_SHARE = 0.6
LEAST_LUNG_CC = 40.0
# Islands of aerated lung in a consolidation count when they are so large, so near to lung and hold no gas.
LEAST_ISLAND_CC = 1.0
ISLAND_REACH = 3
ISLAND_GAS_SHARE = 0.2
# A bulla lies broadly against lung: this much of a compact part's size to the power 2/3.
BULLA_CONTACT = 1.0
# Vessels are closed over within this many coarse pixels, and as holes of a slice up to so large.
CLOSING_PIXELS = 2
HOLE_MM2 = 120.0
# Lungs that touch come apart under so many erosions; their middles lie so far apart.
MOST_EROSIONS = 5
APART_MM = 60.0
LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lungs:
    """Aerated lung on the CT's grid, by the patient's sides; a side without lung is empty.

    Vessels within are filled, as far as a closing of some millimetres does; consolidation, tumour,
    effusion, trachea and main bronchi are not lung.
    """

    left: Mask
    right: Mask


def find_lungs(volume: Volume, body: Mask, airway: Airway | None) -> Lungs | None:
    """Both lungs.

    Large parts of what is darker than soft tissue and not as dark as gas, settled on coarse pixels
    and refined at the border on the CT's own. Lungs that touch are parted where they are thinnest.
    Bowel that holds stool with the HU of lung and lies against the diaphragm cannot be told apart.

    Args:
        volume: the CT.
        body: see `find_body`, on the same grid.
        airway: see `find_airway`; without it the main bronchi may be counted as lung, and the side of
            a single lung is told by the middle of the body.

    Returns:
        The lungs, or None when there is no aerated lung.
    """
    view = AnatomicalView(grid=volume.grid)
    rows, columns = coarse_steps(view.spacing_mm)
    pixel_mm = (view.spacing_mm[1] * rows, view.spacing_mm[2] * columns)
    free = body.voxels if airway is None else body.voxels & ~_with_wall(view, airway)
    box = body_box(view.of(body.voxels), (rows, columns))
    if box is None:
        return None
    every = (
        slice(None),
        *(slice(span.start, span.stop, step) for span, step in zip(box, (rows, columns), strict=True)),
    )
    hu = np.ascontiguousarray(view.of(volume.hu)[every])
    inside = np.ascontiguousarray(view.of(body.voxels)[every])
    wall = np.zeros_like(inside) if airway is None else grown(view.of(airway.lumen.voxels)[every], 1)
    chest = len(hu) if airway is None else _carina_slice(view, airway)
    air = _aerated(hu, inside & ~wall, view.spacing_mm[0] * pixel_mm[0] * pixel_mm[1] / 1000.0, chest)
    if air is None:
        return None
    middle = _middle_column(inside, wall)
    left, right = _sides(air, middle, pixel_mm[1])
    closed_left = _closed(left, ~(right | wall) & inside, HOLE_MM2 / (pixel_mm[0] * pixel_mm[1]))
    closed_right = _closed(right, ~(closed_left | wall) & inside, HOLE_MM2 / (pixel_mm[0] * pixel_mm[1]))
    fine = [np.zeros(volume.grid.shape, dtype=bool) for _ in range(2)]
    for coarse, other, voxels in ((closed_left, closed_right, fine[0]), (closed_right, closed_left, fine[1])):
        _refine(coarse, other, view, (volume.hu, free, voxels), box)
    fine[1] &= ~fine[0]
    return Lungs(left=Mask(grid=volume.grid, voxels=fine[0]), right=Mask(grid=volume.grid, voxels=fine[1]))


def _aerated(hu: npt.NDArray[Any], inside: Bools, voxel_cc: float, chest: int) -> Bools | None:
    """Lung on the coarse grid without vessels, both sides; None when there is none.

    Thinned to cores, lung comes apart from gut gas behind a thin wall; what lies between cores then
    goes with the one it touches. Slices from `chest` up hold no bowel: islands there may lie anywhere.
    """
    import cc3d

    dark = (hu < LUNG_BELOW_HU) & inside
    labels = cc3d.connected_components(_core(dark), connectivity=6)
    where = np.flatnonzero(labels)
    of_core = labels.ravel()[where]
    counts = np.maximum(1, np.bincount(of_core, minlength=2))
    gas_share = np.bincount(of_core[hu.ravel()[where] < GAS_BELOW_HU], minlength=len(counts)) / counts
    is_lung = (gas_share < GAS_SHARE) & (counts * voxel_cc >= LEAST_LUNG_CC)
    if not is_lung.any():
        return None
    near = np.bincount(labels[_swollen(is_lung[labels], ISLAND_REACH)], minlength=len(counts))
    high = np.bincount(labels[chest:].ravel(), minlength=len(counts)) > counts / 2
    island = (gas_share < ISLAND_GAS_SHARE) & (counts * voxel_cc >= LEAST_ISLAND_CC) & (high | (near > 0))
    bulla = near > BULLA_CONTACT * counts ** (2 / 3)
    is_lung |= island | bulla
    is_gas = ~is_lung & (gas_share >= ISLAND_GAS_SHARE)
    is_lung[0] = is_gas[0] = False
    gas = _swollen(is_gas[labels], 1) & dark
    lung = _swollen(is_lung[labels], 1) & dark & ~gas
    return lung | _thin(dark & ~lung & ~gas, lung, gas)


def _carina_slice(view: AnatomicalView, airway: Airway) -> int:
    """The first slice under the carina."""
    below = view.of((airway.bronchi_left | airway.bronchi_right).voxels)
    return int(np.flatnonzero(below.any(axis=(1, 2)))[-1])


def _core(mask: Bools) -> Bools:
    """Eroded by one coarse pixel across and one slice along the body."""
    core = shrunk(mask, 1)
    along = core.copy()
    along[1:] &= core[:-1]
    along[:-1] &= core[1:]
    return along


def _swollen(mask: Bools, reach: int) -> Bools:
    """Dilated by so many coarse pixels across and one slice along the body."""
    across = grown(mask, reach)
    along = across.copy()
    along[1:] |= across[:-1]
    along[:-1] |= across[1:]
    return along


def _thin(rest: Bools, lung: Bools, gas: Bools) -> Bools:
    """Recesses too thin to have a core: those that lung touches more than gas does."""
    import cc3d

    labels = cc3d.connected_components(rest, connectivity=6)
    count = int(labels.max()) + 1
    of_lung, of_gas = (np.bincount(labels[_swollen(side, 1) & rest], minlength=count) for side in (lung, gas))
    chosen = of_lung > of_gas
    chosen[0] = False
    return np.asarray(chosen[labels])


def _middle_column(inside: Bools, airway: Bools) -> float:
    """Column of the airway, else of the body's middle."""
    per_column = (airway if airway.any() else inside).sum(axis=(0, 1))
    return float(np.average(np.arange(len(per_column)), weights=np.maximum(per_column, 1e-9)))


def _sides(lung: Bools, middle: float, column_mm: float) -> tuple[Bools, Bools]:
    """The lung of the left and of the right, parted where they touch."""
    import cc3d

    core = lung
    for reach in range(MOST_EROSIONS + 1):
        core = shrunk(core, 1) if reach else lung
        labels = cc3d.connected_components(core, connectivity=6)
        pair = _opposite(labels, column_mm)
        if pair is not None:
            left, right = (labels == label for label in pair)
            return _shared_out(lung, left, right, reach)
    empty = np.zeros_like(lung)
    columns = np.flatnonzero(lung.any(axis=(0, 1)))
    weights = lung.sum(axis=(0, 1))[columns]
    return (lung, empty) if float(np.average(columns, weights=weights)) > middle else (empty, lung)


def _opposite(labels: npt.NDArray[Any], column_mm: float) -> tuple[int, int] | None:
    """Labels of the left and the right lung: the largest part, and the next one far enough beside it."""
    import cc3d

    statistics = cc3d.statistics(labels)
    sizes = np.array(statistics["voxel_counts"], dtype=np.int64)
    sizes[0] = 0
    columns = statistics["centroids"][:, 2]
    order = np.argsort(sizes)[::-1][:6]
    first = int(order[0])
    for label in (int(other) for other in order[1:]):
        if sizes[label] < LEAST_SHARE * sizes[first]:
            break
        if abs(columns[label] - columns[first]) * column_mm >= APART_MM:
            return (first, label) if columns[first] > columns[label] else (label, first)
    return None


def _shared_out(lung: Bools, left: Bools, right: Bools, reach: int) -> tuple[Bools, Bools]:
    """All of the lung given to the nearer core."""
    import cc3d

    for _ in range(reach + 1 if reach else 0):
        left = grown(left, 1) & lung & ~right
        right = grown(right, 1) & lung & ~left
    rest = cc3d.connected_components(lung & ~(left | right), connectivity=6)
    if rest.any():
        touched = [np.bincount(rest[grown(side, 1)], minlength=int(rest.max()) + 1) for side in (left, right)]
        columns = np.arange(lung.shape[2])
        line = sum(float(np.average(columns, weights=side.sum(axis=(0, 1)))) for side in (left, right)) / 2
        centre = cc3d.statistics(rest)["centroids"][:, 2]
        to_left = np.where(touched[0] == touched[1], centre > line, touched[0] > touched[1])
        to_left[0] = False
        left = left | to_left[rest]
        right = lung & ~left
    return left, right


def _closed(lung: Bools, allowed: Bools, hole_pixels: float) -> Bools:
    """A lung with its vessels, slice by slice."""
    import cc3d

    padded = np.pad(lung, ((0, 0), (CLOSING_PIXELS, CLOSING_PIXELS), (CLOSING_PIXELS, CLOSING_PIXELS)))
    around = slice(CLOSING_PIXELS, -CLOSING_PIXELS)
    closed = lung | (shrunk(grown(padded, CLOSING_PIXELS), CLOSING_PIXELS)[:, around, around] & allowed)
    for k, (plane, free) in enumerate(zip(closed, allowed, strict=True)):
        if plane.any():
            labels = cc3d.connected_components(~plane, connectivity=4)
            sizes = np.bincount(labels.ravel())
            small = sizes <= hole_pixels
            small[0] = False
            closed[k] |= small[labels] & free
    return closed


def _with_wall(view: AnatomicalView, airway: Airway) -> Bools:
    """The lumen and some wall round it."""
    lumen = airway.lumen.voxels
    box = tuple(
        slice(max(0, int(found[0]) - 2), int(found[-1]) + 3)
        for found in (
            np.flatnonzero(lumen.any(axis=tuple(other for other in range(3) if other != axis)))
            for axis in range(3)
        )
    )
    result = np.zeros_like(lumen)
    result[box] = grown(lumen[box], max(1, round(1.5 / max(view.spacing_mm[1:]))))
    return result


def _refine(
    coarse: Bools,
    other: Bools,
    view: AnatomicalView,
    arrays: tuple[npt.NDArray[Any], Bools, Bools],
    box: tuple[slice, slice],
) -> None:
    """The border on the CT's own pixels; arrays are HU, what may be lung, and the result."""
    hu, free, found = (view.of(array)[:, box[0], box[1]] for array in arrays)
    steps = coarse_steps(view.spacing_mm)
    for k, plane in enumerate(coarse):
        if not plane.any():
            continue
        sure, maybe = shrunk(plane, 1), grown(plane, 1) & ~other[k]
        shape = hu[k].shape
        dark = refined(maybe, steps, shape) & (hu[k] < LUNG_BELOW_HU)
        found[k] = (dark | refined(sure, steps, shape)) & free[k]
