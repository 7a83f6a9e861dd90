"""Slices in words: by where they lie, so that a planning system shows them, not by numbers of ours."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.grid import Grid


def positions(values: Sequence[float]) -> str:
    """Slice positions in words, the first five of them."""
    told = ", ".join(f"{value:.2f}" for value in list(values)[:5])
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"{told} mm{more}"


def span_told(grid: Grid, first: int, last: int) -> str:
    """From and to where some slices in a row lie along the patient; of an axial CT their z."""
    low, high = sorted(float(grid.plane_positions_mm[k]) for k in (first, last))
    return f"{low:.2f} mm" if first == last else f"{low:.2f} to {high:.2f} mm"
