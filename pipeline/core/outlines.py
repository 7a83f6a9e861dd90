"""Compiled loops over outlines: which points of a unit lattice lie inside, and how far from the outline."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.core.kernels import Floats, compiled

# Lattice points along each side of the squares whose nearest segments are looked for together: of the wide
# ones among all segments, of the narrow ones among those of the wide one.
WIDE, NARROW = 16, 8
# Rounding must not leave out a segment that is just as near as the nearest.
_SLACK = 1e-9


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
def fill_slices(segments: Floats, starts: Floats, slices: Floats, boxes: Floats, out: Floats) -> None:
    """Fill rings on many slices of an image, each within a box that holds what of them lies in the image.

    Args:
        segments: shape (m, 4), edges (x0, y0, x1, y1) in pixels, slice by slice.
        starts: shape (n + 1,), where those of each slice begin, and the end.
        slices: shape (n,), their places in the image.
        boxes: shape (n, 4), whole pixels (left, top, right, bottom) of each slice.
        out: Boolean array of shape (slices, rows, columns), written to in the boxes.
    """
    for n in range(slices.shape[0]):
        left, top, right, bottom = boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3]
        edges = segments[starts[n] : starts[n + 1]].copy()
        for edge in range(edges.shape[0]):
            edges[edge, 0] -= left
            edges[edge, 1] -= top
            edges[edge, 2] -= left
            edges[edge, 3] -= top
        out[slices[n], top:bottom, left:right] = fill_even_odd(edges, bottom - top, right - left)


@compiled
def signed_distance(segments: Floats, rows: int, columns: int) -> Any:
    """Exact distance from lattice points to rings, positive inside, in lattice units.

    Args:
        segments: shape (m, 4), edges (x0, y0, x1, y1).
        rows, columns: lattice size.

    Returns:
        float32 array of shape (rows, columns).
    """
    lines = _lines(segments)
    around_wide, around_narrow = np.empty_like(lines), np.empty_like(lines)
    apart = np.empty(segments.shape[0])
    inside = fill_even_odd(segments, rows, columns)
    out = np.empty((rows, columns), dtype=np.float32)
    places = np.arange(NARROW * NARROW)
    x_steps, y_steps = (places % NARROW).astype(np.float64), (places // NARROW).astype(np.float64)
    squared = np.empty(NARROW * NARROW)
    for row in range(0, rows, WIDE):
        for column in range(0, columns, WIDE):
            some = _nearest(lines, (row, column), WIDE, apart, around_wide)
            its, room = around_wide[:, :some], apart[:some]
            for top in range(row, min(rows, row + WIDE), NARROW):
                for left in range(column, min(columns, column + WIDE), NARROW):
                    few = _nearest(its, (top, left), NARROW, room, around_narrow)
                    _least_squares(around_narrow[:, :few], x_steps + left, y_steps + top, squared)
                    for y in range(top, min(rows, top + NARROW)):
                        for x in range(left, min(columns, left + NARROW)):
                            distance = np.sqrt(squared[(y - top) * NARROW + x - left])
                            out[y, x] = distance if inside[y, x] else -distance
    return out


@compiled
def _lines(segments: Floats) -> Floats:
    """Start, direction, and one over the squared length (0 for none) of each segment, shape (5, m)."""
    lines = np.empty((5, segments.shape[0]))
    for n in range(segments.shape[0]):
        lines[0, n], lines[1, n] = segments[n, 0], segments[n, 1]
        lines[2, n], lines[3, n] = segments[n, 2] - segments[n, 0], segments[n, 3] - segments[n, 1]
        squared = lines[2, n] ** 2 + lines[3, n] ** 2
        lines[4, n] = 1.0 / squared if squared > 0.0 else 0.0
    return lines


@compiled
def _nearest(lines: Floats, corner: tuple[int, int], side: int, apart: Floats, found: Floats) -> int:
    """Copy the segments that may be the nearest of any point of a square, and tell how many they are.

    The nearest of a point is no further from the square's middle than the middle's own nearest and the
    square's diagonal: half of it to the point, and half of it back.

    Args:
        lines: shape (5, m), as `_lines` gives them.
        corner: first row and column of the square.
        side: its points along each side.
        apart: room for m figures.
        found: room for the segments, shape (5, m) or wider.
    """
    half = (side - 1) / 2.0
    _to_point(lines, corner[1] + half, corner[0] + half, apart)
    reach = np.sqrt(apart.min()) + 2.0 * np.sqrt(2.0) * half
    limit = reach * reach * (1.0 + _SLACK)
    some = 0
    for n in range(apart.shape[0]):
        if apart[n] <= limit:
            for part in range(5):
                found[part, some] = lines[part, n]
            some += 1
    return some


@compiled
def _to_point(lines: Floats, x: float, y: float, out: Floats) -> None:
    """Squared distance from one point to each segment."""
    x0, y0, ex, ey, per = lines[0], lines[1], lines[2], lines[3], lines[4]
    for n in range(out.shape[0]):
        px, py = x - x0[n], y - y0[n]
        t = min(1.0, max(0.0, (px * ex[n] + py * ey[n]) * per[n]))
        dx, dy = px - t * ex[n], py - t * ey[n]
        out[n] = dx * dx + dy * dy


@compiled
def _least_squares(lines: Floats, x: Floats, y: Floats, out: Floats) -> None:
    """Squared distance from points to the nearest of some segments."""
    out[:] = np.inf
    for n in range(lines.shape[1]):
        x0, y0, ex, ey, per = lines[0, n], lines[1, n], lines[2, n], lines[3, n], lines[4, n]
        for point in range(out.shape[0]):
            px, py = x[point] - x0, y[point] - y0
            t = min(1.0, max(0.0, (px * ex + py * ey) * per))
            dx, dy = px - t * ex, py - t * ey
            out[point] = min(out[point], dx * dx + dy * dy)
