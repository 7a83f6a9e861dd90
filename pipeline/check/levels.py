"""Slices in words, so that a planning system shows them: by where they lie, not by numbers of ours."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.grid import Grid

_MOST_TOLD = 5


def levels_told(grid: Grid, slices: Iterable[int]) -> str:
    """Positions of slices along the patient, rising; of an axial CT their z."""
    places = sorted(float(grid.plane_positions_mm[k]) for k in slices)
    more = f" and {len(places) - _MOST_TOLD} more" if len(places) > _MOST_TOLD else ""
    return f"{', '.join(f'{mm:.1f}' for mm in places[:_MOST_TOLD])} mm{more}"


def span_told(grid: Grid, first: int, last: int) -> str:
    """From and to where some slices in a row lie."""
    low, high = sorted(float(grid.plane_positions_mm[k]) for k in (first, last))
    return f"{low:.1f} mm" if first == last else f"{low:.1f} to {high:.1f} mm"
