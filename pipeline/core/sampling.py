"""Compiled loops over fields: values between lattice points, and the area of what lies above 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.core.kernels import Floats, compiled


@compiled
def values_between(field: Floats, places: Floats, outside: float) -> Any:
    """A field at places between its points, linear along each axis.

    Args:
        field: shape (w, v, u).
        places: shape (n, 3), (u, v, w) in steps from the first point.
        outside: the value beyond the outermost points.

    Returns:
        float32 of shape (n,).
    """
    found = np.full(len(places), outside, dtype=np.float32)
    planes, rows, columns = field.shape
    for index in range(len(places)):
        u, v, w = places[index]
        if u < 0 or v < 0 or w < 0 or u > columns - 1 or v > rows - 1 or w > planes - 1:
            continue
        i, j, k = min(int(u), columns - 2), min(int(v), rows - 2), min(int(w), planes - 2)
        i, j, k = max(i, 0), max(j, 0), max(k, 0)
        total = 0.0
        for corner in range(8):
            at_i, at_j, at_k = i + corner % 2, j + corner // 2 % 2, k + corner // 4
            share = (1 - abs(u - at_i)) * (1 - abs(v - at_j)) * (1 - abs(w - at_k))
            if share > 0:
                total += share * field[at_k, at_j, at_i]
        found[index] = total
    return found


@compiled
def area_inside(plane: Floats) -> float:
    """Area above 0 of a plane of shape (rows, columns), in cells.

    The edge is that of marching squares: straight between crossings that are linear along cell edges; where
    two opposite corners are inside, they are apart.
    """
    total = 0.0
    corners = np.empty(4)
    for row in range(plane.shape[0] - 1):
        for column in range(plane.shape[1] - 1):
            corners[0], corners[1] = plane[row, column], plane[row, column + 1]
            corners[2], corners[3] = plane[row + 1, column + 1], plane[row + 1, column]
            inside = 0
            for corner in range(4):
                inside += corners[corner] > 0
            if inside == 4:
                total += 1.0
            elif inside > 0:
                total += _part_of_cell(corners, inside)
    return total


@compiled
def _part_of_cell(corners: Floats, inside: int) -> float:
    """Area of a cell, whose corners are given in turn, with one to three of them above 0."""
    total = 0.0
    if inside == 1 or (inside == 2 and (corners[0] > 0) == (corners[2] > 0)):
        for corner in range(4):
            here = corners[corner]
            if here > 0:
                before, after = corners[(corner + 3) % 4], corners[(corner + 1) % 4]
                total += 0.5 * here / (here - before) * here / (here - after)
        return total
    if inside == 2:
        for corner in range(4):
            here, along = corners[corner], corners[(corner + 1) % 4]
            if here > 0 and along > 0:
                before, after = corners[(corner + 3) % 4], corners[(corner + 2) % 4]
                total += 0.5 * (here / (here - before) + along / (along - after))
        return total
    for corner in range(4):
        here = corners[corner]
        if here <= 0:
            before, after = corners[(corner + 3) % 4], corners[(corner + 1) % 4]
            total += 1.0 - 0.5 * here / (here - before) * here / (here - after)
    return total
