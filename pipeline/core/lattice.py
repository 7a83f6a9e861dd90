"""The fine lattice on which solids are held."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin

# A value at each point of a lattice, shape (w, v, u), or of one of its planes, shape (v, u).
Field = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """A box of points at whole multiples of a pitch, in a grid's frame (u, v, w).

    In-plane points lie at whole multiples of `pitch_mm` from the frame's origin; planes lie at
    whole multiples of the slice spacing divided by an even number from slice 0, so that slice
    planes and the planes half-way between them are lattice planes. Two lattices of one grid and
    one pitch differ by whole steps only.

    Attributes:
        grid: the CT grid it belongs to.
        pitch_mm: in-plane pitch.
        steps_per_slice: planes per slice spacing; even.
        start: lowest (u, v, w) in steps.
        size: number of points along u, v, w.
    """

    grid: Grid
    pitch_mm: float
    steps_per_slice: int
    start: tuple[int, int, int]
    size: tuple[int, int, int]

    @property
    def plane_pitch_mm(self) -> float:
        """Distance between lattice planes."""
        return self.grid.slice_spacing_mm / self.steps_per_slice

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape (w, v, u)."""
        return (self.size[2], self.size[1], self.size[0])

    @property
    def pitches_mm(self) -> tuple[float, float, float]:
        """Pitch along u, v, w."""
        return (self.pitch_mm, self.pitch_mm, self.plane_pitch_mm)

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Frame coordinates of the first point."""
        base = float(self.grid.plane_positions_mm[0])
        return (
            self.start[0] * self.pitch_mm,
            self.start[1] * self.pitch_mm,
            base + self.start[2] * self.plane_pitch_mm,
        )

    def plane_of_slice(self, k: int) -> int:
        """Index of the lattice plane at slice k; either may lie outside its range."""
        return self._rising * k * self.steps_per_slice - self.start[2]

    def slice_of_plane(self, plane: int) -> int:
        """The slice whose plane a lattice plane is (of those that are one); may lie outside the scan."""
        return self._rising * ((plane + self.start[2]) // self.steps_per_slice)

    @property
    def _rising(self) -> int:
        """1 when slice index and craniocaudal coordinate rise together, else -1."""
        return 1 if self.grid.axes[2, 2] > 0 else -1

    def padded(self, margin: Margin) -> Lattice:
        """This lattice grown by a margin and two further steps on every side."""
        reach = (
            (margin.right, margin.left),
            (margin.anterior, margin.posterior),
            (margin.inferior, margin.superior),
        )
        steps = [
            tuple(math.ceil(mm / pitch) + 2 for mm in pair)
            for pair, pitch in zip(reach, self.pitches_mm, strict=True)
        ]
        start = tuple(s - low for s, (low, _) in zip(self.start, steps, strict=True))
        size = tuple(n + low + high for n, (low, high) in zip(self.size, steps, strict=True))
        return self._box(start, size)

    def joined(self, other: Lattice) -> Lattice:
        """The smallest lattice that holds both.

        Raises:
            GeometryError: pitches or grids differ.
        """
        mine = (self.grid, self.pitch_mm, self.steps_per_slice)
        if mine != (other.grid, other.pitch_mm, other.steps_per_slice):
            raise GeometryError(
                "solids lie on different lattices",
                expected=f"pitch {self.pitch_mm} mm, {self.steps_per_slice} planes a slice",
                got=f"pitch {other.pitch_mm} mm, {other.steps_per_slice} planes a slice",
                todo="build both from one grid with the same pitch",
            )
        start = tuple(min(pair) for pair in zip(self.start, other.start, strict=True))
        stop = tuple(
            max(a + n, b + m)
            for a, n, b, m in zip(self.start, self.size, other.start, other.size, strict=True)
        )
        return self._box(start, tuple(b - a for a, b in zip(start, stop, strict=True)))

    def offset_in(self, outer: Lattice) -> tuple[slice, slice, slice]:
        """Where this lattice lies in an array of `outer`, as (w, v, u) slices."""
        u, v, w = (
            slice(a - b, a - b + n) for a, b, n in zip(self.start, outer.start, self.size, strict=True)
        )
        return (w, v, u)

    def inner(self, where: tuple[slice, slice, slice]) -> Lattice:
        """The part of this lattice at (w, v, u) slices with a start and a stop, as `offset_in` gives them."""
        w, v, u = where
        start = (self.start[0] + u.start, self.start[1] + v.start, self.start[2] + w.start)
        return self._box(start, (u.stop - u.start, v.stop - v.start, w.stop - w.start))

    def _box(self, start: tuple[int, ...], size: tuple[int, ...]) -> Lattice:
        return Lattice(
            grid=self.grid,
            pitch_mm=self.pitch_mm,
            steps_per_slice=self.steps_per_slice,
            start=(start[0], start[1], start[2]),
            size=(size[0], size[1], size[2]),
        )


def even_steps(slice_spacing_mm: float, pitch_mm: float) -> int:
    """Least even number of steps that makes planes no further apart than `pitch_mm`.

    >>> even_steps(3.0, 1.0), even_steps(1.0, 0.6), even_steps(5.0, 0.5)
    (4, 2, 10)
    """
    return 2 * math.ceil(slice_spacing_mm / (2.0 * pitch_mm) - 1e-9)
