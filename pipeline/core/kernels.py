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


def compiled(function: Loop) -> Loop:
    """Compile a loop that holds no lock, kept on disk where there is a place to keep it."""
    try:
        return cast("Loop", numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # neither the package's folder nor the home can be written, as in some containers
        return cast("Loop", numba.njit(nogil=True)(function))


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
