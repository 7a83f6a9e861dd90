"""Random contour stacks: star-shaped outlines that drift and breathe, parts, holes, lost slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from tests.closed_forms import make_grid

PITCH_MM = 0.6


@dataclass(frozen=True)
class Stack:
    """Sections by slice counted from the feet, in frame (u, v) mm, and the slice spacing."""

    spacing_mm: float
    sections: dict[int, MultiPolygon]

    def on(self, grid: Grid) -> Contours:
        """On a grid of the same planes, however it is stored."""
        falling = grid.plane_positions_mm[0] > grid.plane_positions_mm[-1]
        last = grid.size[2] - 1
        return Contours(
            grid=grid, sections={(last - k if falling else k): s for k, s in self.sections.items()}
        )

    def grid(self, position: str = "HFS", *, flip_k: bool = False) -> Grid:
        return make_grid(
            size=(40, 36, 24), spacing_mm=(1.5, 1.5, self.spacing_mm), position=position, flip_k=flip_k
        )

    def contours(self) -> Contours:
        return self.on(self.grid())

    def moved(self, u: float = 0.0, v: float = 0.0, slices: int = 0) -> Stack:
        return Stack(
            self.spacing_mm,
            {k + slices: shapely.affinity.translate(s, u, v) for k, s in self.sections.items()},
        )

    def mirrored(self) -> Stack:
        """Left and right exchanged."""
        return Stack(
            self.spacing_mm,
            {k: shapely.affinity.scale(s, -1.0, 1.0, origin=(0, 0)) for k, s in self.sections.items()},
        )


def _star(rng: np.random.Generator, size: float, centre: np.ndarray) -> Polygon:  # type: ignore[type-arg]
    turn = (
        np.sort(rng.uniform(0, 2 * np.pi, 24)) if rng.random() < 0.3 else np.linspace(0, 2 * np.pi, 24, False)
    )
    waves = sum(rng.uniform(-0.2, 0.2) * np.cos(n * turn + rng.uniform(0, 7)) for n in (2, 3, 5))
    radius = size * (1.0 + waves)
    star = Polygon(np.c_[centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)]).buffer(0)
    return star if isinstance(star, Polygon) else star.convex_hull


def _stack(seed: int) -> Stack:
    rng = np.random.default_rng(seed)
    size, first, count = rng.uniform(2.5, 8.0), int(rng.integers(8, 11)), int(rng.integers(1, 5))
    centre, step = rng.uniform(-3, 3, 2), rng.uniform(-1.5, 1.5, 2)
    parts, hole = int(rng.integers(1, 3)), rng.random() < 0.3
    sections: dict[int, MultiPolygon] = {}
    for n in range(count):
        if count > 2 and n == 1 and rng.random() < 0.15:
            continue  # a lost slice
        drawn: shapely.Geometry = _star(rng, size * rng.uniform(0.8, 1.2), centre + n * step)
        if hole:
            drawn = drawn.difference(_star(rng, 0.45 * size, centre + n * step))
        if parts == 2 and rng.random() < 0.8:
            drawn = drawn.union(_star(rng, 0.5 * size, centre + n * step + (2.4 * size, 1.0)))
        kept = [p for p in shapely.get_parts(drawn) if isinstance(p, Polygon) and p.area > 1.0]
        if kept:
            sections[first + n] = MultiPolygon(kept)
    return Stack(float(rng.choice([1.0, 2.0, 3.0, 5.0])), sections)


stacks = st.integers(0, 10**6).map(_stack).filter(lambda stack: bool(stack.sections))

_side = st.floats(0.0, 12.0).map(lambda mm: round(mm, 2)).filter(lambda mm: mm == 0.0 or mm >= 1.0)
margins = st.builds(
    Margin, left=_side, right=_side, anterior=_side, posterior=_side, superior=_side, inferior=_side
)
even_margins = st.floats(2.0, 10.0).map(lambda mm: Margin.uniform(round(mm, 2)))
