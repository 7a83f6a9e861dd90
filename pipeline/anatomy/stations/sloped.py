"""A mask as a field whose surface slopes from slice to slice, for distances that are measured from it.

Where an outline moves from one slice to the next, voxels make steps as high as a slice is thick. Volumes do
not mind, as a step lies outside the slope as often as inside; what lies within so many mm of it does: it
reaches as far as the outer corners do, and further the thicker slices are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.fields import EVERYWHERE, coordinates, filled_in_plane, step_of
from pipeline.anatomy.stations.structures import Crop
from pipeline.core.kernels import along_line, along_rows, spread, spread_rows
from pipeline.core.lattice import Field, Lattice
from pipeline.core.margin import Margin

# In-plane distances are told up to here: an outline that moves by twice as much is a step after all [I].
REACH_MM = 16.0


def sloped_field(mask: Bools, crop: Crop, window: Lattice) -> Field:
    """A mask of the crop as a field on a window, in mm.

    On a slice it is the signed in-plane distance to the outline, between slices linear; a part that no part
    of the next slice overlaps ends half-way to it, flat.
    """
    places = (coordinates(window)[0] - crop.w[0]) / step_of(crop.w)
    lows = np.floor(places + 1e-6).astype(int)
    first, stop = max(0, int(lows[0])), min(len(mask), int(lows[-1]) + 2)
    field = np.full(window.shape, -EVERYWHERE, dtype=np.float32)
    if first >= stop or not mask[first:stop].any():
        return field
    slices = slice(first, stop)
    # One empty slice on either side: what meets the end of the scan ends there.
    distances = _with_ends(_signed_distances(mask[slices], crop, window), -REACH_MM)
    ending = [_with_ends(one, 0.0) for one in _ending(mask, slices, crop, window)]
    for plane, (place, low) in enumerate(zip(places, lows, strict=True)):
        index = low - first + 1
        if not 0 <= index < len(distances) - 1:
            continue
        below, above = distances[index], distances[index + 1]
        share = np.float32(max(0.0, place - low))
        if share < 1e-5:
            field[plane] = below
            continue
        start = np.where(ending[1][index + 1], -above, below)
        end = np.where(ending[0][index], -below, above)
        field[plane] = (1 - share) * start + share * end
    return field


def _with_ends(stack: npt.NDArray[Any], value: float) -> npt.NDArray[Any]:
    return np.pad(stack, ((1, 1), (0, 0), (0, 0)), constant_values=value)


def _signed_distances(part: Bools, crop: Crop, window: Lattice) -> Field:
    """In-plane distance of a window's points to the outline on each slice in mm, up to `REACH_MM`."""
    outer = window.padded(Margin.axial(horizontal=REACH_MM, craniocaudal=0.0))
    inside = filled_in_plane(part, crop, outer) - np.float32(0.5)
    reach = REACH_MM / window.pitch_mm
    squared = np.minimum(_to_outline(inside, reach), 1.0)
    signed = np.copysign(np.sqrt(squared) * np.float32(REACH_MM), np.where(inside > 0, 1.0, -1.0))
    return np.asarray(signed[(slice(None), *window.offset_in(outer)[1:])], dtype=np.float32)


def _to_outline(inside: Field, reach: float) -> Field:
    """Squared in-plane distance to where a field is 0 on each plane, in units of `reach` lattice steps."""
    outside = -inside
    along_v, along_u = (np.empty_like(inside) for _ in range(2))
    other = np.empty_like(inside)
    along_line(inside, reach, reach, along_v)
    along_line(outside, reach, reach, other)
    np.maximum(along_v, other, out=along_v)
    rows = (-1, inside.shape[2])
    along_rows(inside.reshape(rows), reach, reach, along_u.reshape(rows))
    along_rows(outside.reshape(rows), reach, reach, other.reshape(rows))
    np.maximum(along_u, other, out=along_u)
    nearest = np.minimum(along_v, along_u)
    spread_rows(along_v.reshape(rows), reach, reach, nearest.reshape(rows))
    spread(along_u, reach, reach, nearest)
    return nearest


def _ending(mask: Bools, slices: slice, crop: Crop, window: Lattice) -> tuple[Bools, Bools]:
    """Where on the slices lie parts that no part of the slice above, of the one below overlaps."""
    labels, count = _parts(mask[slices])
    _, v, u = coordinates(window)
    rows, columns = _nearest(crop.v, v), _nearest(crop.u, u)
    found = []
    for sense in (1, -1):
        met = np.zeros(count + 1, dtype=bool)
        met[0] = True
        for k in range(slices.start, slices.stop):
            if 0 <= k + sense < len(mask):
                met[labels[k - slices.start][mask[k + sense]]] = True
        found.append(~met[labels[:, rows[:, None], columns[None, :]]])
    return found[0], found[1]


def _parts(stack: Bools) -> tuple[npt.NDArray[np.uint32], int]:
    """What hangs together on each slice by itself: labels from 1, shape as given, and how many."""
    import cc3d

    labels = np.zeros(stack.shape, dtype=np.uint32)
    count = 0
    for plane, part in zip(labels, stack, strict=True):
        if part.any():
            plane[...], more = cc3d.connected_components(part, connectivity=4, return_N=True)
            plane[part] += count
            count += more
    return labels, count


def _nearest(centres: Floats, points: Floats) -> npt.NDArray[np.int_]:
    """Index of the voxel nearest to each point."""
    index: npt.NDArray[np.int_] = np.rint((points - centres[0]) / step_of(centres)).astype(np.int_)
    return index.clip(0, len(centres) - 1)
