"""Compiled inner loops of the geometry. Arrays are indexed (w, v, u), lengths are in mm.

Squared *gauge* distances: each component of a displacement is divided by the margin in its
direction before squaring, so a value of 1 means "on the surface of the margin's ellipsoid".
Unreached voxels hold `UNREACHED`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Loop = TypeVar("Loop", bound=Callable[..., Any])

UNREACHED = np.float32(1e30)
SEGMENTS_PER_BOX = 12
# Lattice points of one search, along each side.
TILE = 12


def compiled(function: Loop) -> Loop:
    """Compile a loop that holds no lock, kept on disk where there is a place to keep it."""
    try:
        return cast("Loop", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # neither the package's folder nor the home can be written, as in some containers
        return cast("Loop", numba.njit(nogil=True)(function))


@compiled
def fill_even_odd(segments: Floats, rows: int, columns: int) -> Any:
    """Points of a unit lattice that lie inside rings, by the even-odd rule.

    Args:
        segments: shape (m, 4), directed edges (x0, y0, x1, y1) in lattice units.
        rows, columns: lattice size; points are at integer (x, y).

    Returns:
        Boolean array of shape (rows, columns).
    """
    inside = np.zeros((rows, columns), dtype=np.bool_)
    for index in range(segments.shape[0]):
        x0, y0, x1, y1 = segments[index]
        if y0 == y1:
            continue
        low, high = min(y0, y1), max(y0, y1)
        # Half-open in y, so that a vertex on a row is counted once.
        first = max(0, int(np.ceil(low)))
        last = min(rows - 1, int(np.ceil(high)) - 1)
        for row in range(first, last + 1):
            x = x0 + (row - y0) * (x1 - x0) / (y1 - y0)
            start = max(0, int(np.ceil(x)))
            for column in range(start, columns):
                inside[row, column] = not inside[row, column]
    return inside


@compiled
def signed_distance(segments: Floats, rows: int, columns: int, limit: float) -> Any:
    """Exact distance from lattice points to rings, positive inside, in lattice units.

    Args:
        segments: shape (m, 4), edges (x0, y0, x1, y1); rings follow one another.
        rows, columns: lattice size.
        limit: larger distances may come out as `limit` (a cut that saves time).

    Returns:
        float32 array of shape (rows, columns).
    """
    boxes = _boxes(segments)
    inside = fill_even_odd(segments, rows, columns)
    out = np.empty((rows, columns), dtype=np.float32)
    apart = np.empty(boxes.shape[0])
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            bottom, right = min(rows, top + TILE), min(columns, left + TILE)
            # Seen from the middle of a tile, and none of its points is further from there than half across:
            # the first box that is too far for a point ends its search.
            y, x = (top + bottom - 1) / 2, (left + right - 1) / 2
            half = np.sqrt((y - top) ** 2 + (x - left) ** 2)
            for box in range(boxes.shape[0]):
                apart[box] = np.sqrt(_to_box(boxes[box], x, y))
            order = np.argsort(apart)
            for row in range(top, bottom):
                near = limit
                for column in range(left, right):
                    # A step of one lattice unit changes the distance by at most one.
                    near = min(limit, near + 1.0)
                    best = near * near
                    for box in order:
                        if apart[box] - half >= near:
                            break
                        if _to_box(boxes[box], column, row) < best:
                            best = _to_segments(segments, box, column, row, best)
                            near = np.sqrt(best)
                    out[row, column] = near if inside[row, column] else -near
    return out


@compiled
def _boxes(segments: Floats) -> Floats:
    """Bounds (x low, y low, x high, y high) of each dozen of segments."""
    count = segments.shape[0]
    boxes = np.empty(((count + SEGMENTS_PER_BOX - 1) // SEGMENTS_PER_BOX, 4))
    for box in range(boxes.shape[0]):
        start, stop = box * SEGMENTS_PER_BOX, min(count, (box + 1) * SEGMENTS_PER_BOX)
        boxes[box, 0] = min(segments[start:stop, 0].min(), segments[start:stop, 2].min())
        boxes[box, 1] = min(segments[start:stop, 1].min(), segments[start:stop, 3].min())
        boxes[box, 2] = max(segments[start:stop, 0].max(), segments[start:stop, 2].max())
        boxes[box, 3] = max(segments[start:stop, 1].max(), segments[start:stop, 3].max())
    return boxes


@compiled
def _to_box(box: Floats, x: float, y: float) -> float:
    """Squared distance; 0 inside."""
    dx = max(box[0] - x, x - box[2], 0.0)
    dy = max(box[1] - y, y - box[3], 0.0)
    return float(dx * dx + dy * dy)


@compiled
def _to_segments(segments: Floats, box: int, x: float, y: float, best: float) -> float:
    """The least squared distance to the segments of a box, `best` at most."""
    for index in range(box * SEGMENTS_PER_BOX, min(segments.shape[0], (box + 1) * SEGMENTS_PER_BOX)):
        best = min(best, _to_segment(segments[index], x, y))
    return best


@compiled
def _to_segment(segment: Floats, x: float, y: float) -> float:
    ex, ey = segment[2] - segment[0], segment[3] - segment[1]
    px, py = x - segment[0], y - segment[1]
    length = ex * ex + ey * ey
    t = 0.0
    if length > 0.0:
        t = min(1.0, max(0.0, (px * ex + py * ey) / length))
    dx, dy = px - t * ex, py - t * ey
    return float(dx * dx + dy * dy)


@compiled
def along_line(field: Floats, up: float, down: float, out: Floats) -> None:
    """Squared gauge distance along the middle axis of `field` to its own surface crossings.

    The crossing between two neighbours of unlike sign lies where the field, linear between them,
    is zero.

    Args:
        field: shape (a, n, b), positive inside.
        up, down: margin towards rising and falling index, in lattice units; 0 reaches nothing.
        out: same shape, float32, overwritten: 0 inside, else the least squared distance.
    """
    size = field.shape[1]
    for a in range(field.shape[0]):
        out[a] = UNREACHED
        # Whole rows at a time, in the order in which they lie in memory.
        crossing = np.full(field.shape[2], -1.0, dtype=np.float32)
        for n in range(size):
            _step(field[a], n, n - 1, up, crossing, out[a, n])
        crossing[:] = -1.0
        for n in range(size - 1, -1, -1):
            _step(field[a], n, n + 1, down, crossing, out[a, n])


@compiled
def _step(lines: Floats, n: int, before: int, margin: float, crossing: Floats, out: Floats) -> None:
    """Move on to row n from the row before it: find new crossings, lower `out` to the distance."""
    first = before < 0 or before >= lines.shape[0]
    for b in range(lines.shape[1]):
        here = lines[n, b]
        if here > 0.0:
            out[b] = 0.0
            continue
        if not first and lines[before, b] > 0.0:
            there = lines[before, b]
            crossing[b] = before + (n - before) * there / (there - here)
        if crossing[b] >= 0.0 and margin > 0.0:
            step = (n - crossing[b]) / margin
            out[b] = min(out[b], np.float32(step * step))


@compiled
def along_rows(field: Floats, up: float, down: float, out: Floats) -> None:
    """As `along_line`, along the last axis of arrays of shape (a, n)."""
    for a in range(field.shape[0]):
        out[a] = UNREACHED
        _one_way(field[a], up, out[a])
        _one_way(field[a, ::-1], down, out[a, ::-1])


@compiled
def _one_way(line: Floats, margin: float, out: Floats) -> None:
    """Distances along a line to the crossings behind each point; `out` is only lowered."""
    crossing = -1.0
    for n in range(line.shape[0]):
        if line[n] > 0.0:
            out[n] = 0.0
            continue
        if n > 0 and line[n - 1] > 0.0:
            crossing = n - 1 + line[n - 1] / (line[n - 1] - line[n])
        if crossing >= 0.0 and margin > 0.0:
            step = (n - crossing) / margin
            out[n] = min(out[n], np.float32(step * step))


@compiled
def spread(source: Floats, up: float, down: float, out: Floats) -> None:
    """Lower out[a, n, :] to the least of source[a, m, :] + ((n - m) / margin)^2.

    Args:
        source: shape (a, n, b) of squared gauge distances.
        up, down: margin towards rising and falling index, in lattice units.
        out: same shape; only lowered.
    """
    reach_up = int(np.ceil(up)) + 1 if up > 0.0 else 0
    reach_down = int(np.ceil(down)) + 1 if down > 0.0 else 0
    size = source.shape[1]
    for a in range(source.shape[0]):
        for m in range(size):
            if source[a, m].min() >= UNREACHED:
                continue
            for n in range(max(0, m - reach_down), min(size, m + reach_up + 1)):
                cost = _squared_step(n - m, up, down)
                for b in range(source.shape[2]):
                    out[a, n, b] = min(out[a, n, b], source[a, m, b] + cost)


@compiled
def spread_rows(source: Floats, up: float, down: float, out: Floats) -> None:
    """As `spread`, along the last axis of arrays of shape (a, n)."""
    reach_up = int(np.ceil(up)) + 1 if up > 0.0 else 0
    reach_down = int(np.ceil(down)) + 1 if down > 0.0 else 0
    size = source.shape[1]
    for a in range(source.shape[0]):
        if source[a].min() >= UNREACHED:
            continue
        for shift in range(-min(reach_down, size - 1), min(reach_up, size - 1) + 1):
            cost = _squared_step(shift, up, down)
            # Slices, so that no index can wrap around: only then the loop is vectorized.
            reached = out[a, max(0, shift) : size + min(0, shift)]
            start = source[a, max(0, -shift) : size - max(0, shift)]
            for n in range(reached.shape[0]):
                reached[n] = min(reached[n], start[n] + cost)


@compiled
def _squared_step(shift: int, up: float, down: float) -> Any:
    """Squared gauge length of a number of lattice steps; its sign tells the direction."""
    step = 0.0
    if shift > 0:
        step = shift / up
    elif shift < 0:
        step = -shift / down
    return np.float32(step * step)
