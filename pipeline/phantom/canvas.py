"""Painting shapes into label codes, each inside its own box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.phantom.build import Build
from pipeline.phantom.labels import CODES, DETAIL_CODES, LUNGS, codes
from pipeline.phantom.shapes import Array, Shape, Tube

SLAB = 24  # slices painted at once: bounds the memory that a large shape takes

Boxes = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One stroke: a shape, what it becomes, and what it may be painted over.

    Attributes:
        name: label, or detail (see `detail`).
        shape: in template coordinates.
        over: labels that give way; empty means all do.
        keep: labels that never give way.
        halo_mm: a sleeve of fat round a tube, painted over soft tissue and lung first.
        detail: changes the HU and not the label.
    """

    name: str
    shape: Shape
    over: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    halo_mm: float = 0.0
    detail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Labels on planes from feet to head, rows from front to back, columns from right to left.

    Attributes:
        x, y: template coordinates of columns and rows, plane by plane, shapes (nz, nx), (nz, ny).
        z: template height of the planes, ascending, shape (nz,).
        labels: codes of `labels.CODES`, shape (nz, ny, nx).
        details: codes of `labels.DETAIL_CODES`, same shape.
    """

    x: Array
    y: Array
    z: Array
    labels: npt.NDArray[np.uint8]
    details: npt.NDArray[np.uint8] = field(repr=False)

    def paint(self, layer: Layer) -> None:
        """Put one layer on top."""
        if layer.halo_mm and isinstance(layer.shape, Tube):
            self.paint(Layer(name="fat", shape=layer.shape.grown(layer.halo_mm), over=LUNGS))
        shapes: list[Shape] = [layer.shape]
        if isinstance(layer.shape, Tube):
            shapes = [*layer.shape.pieces()]
        for shape in shapes:
            for box in self._boxes(shape):
                self._stroke(layer, shape, box)

    def mask(self, shapes: Sequence[Shape]) -> npt.NDArray[np.bool_]:
        """Voxels inside any of some shapes, shape (nz, ny, nx)."""
        found = np.zeros(self.labels.shape, dtype=bool)
        for shape in shapes:
            for box in self._boxes(shape):
                slices, rows, columns = box
                x, y = self.x[slices, None, columns], self.y[slices, rows, None]
                found[box] |= shape.inside(x, y, self.z[slices, None, None])
        return found

    def _stroke(self, layer: Layer, shape: Shape, box: Boxes) -> None:
        slices, rows, columns = box
        hit = shape.inside(
            self.x[slices, None, columns], self.y[slices, rows, None], self.z[slices, None, None]
        )
        labels = self.labels[box]
        if layer.over:
            hit = hit & _table(layer.over)[labels]
        if layer.keep:
            hit = hit & ~_table(layer.keep)[labels]
        if layer.detail:
            self.details[box][hit] = DETAIL_CODES[layer.name]
        else:
            labels[hit] = CODES[layer.name]
            self.details[box][hit] = 0

    def _boxes(self, shape: Shape) -> list[Boxes]:
        (x0, y0, z0), (x1, y1, z1) = shape.bounds
        first, last = (int(np.searchsorted(self.z, value)) for value in (z0, z1))
        boxes = []
        for start in range(first, last + 1, SLAB):
            planes = slice(start, min(start + SLAB, last + 1, len(self.z)))
            if planes.start >= planes.stop:
                continue
            rows = _span(self.y[planes], y0, y1)
            columns = _span(self.x[planes], x0, x1)
            if rows.start < rows.stop and columns.start < columns.stop:
                boxes.append((planes, rows, columns))
        return boxes


def blank_canvas(build: Build, *, x_mm: Array, y_mm: Array, z_mm: Array) -> Canvas:
    """An empty canvas (air) for ascending LPS coordinates of columns, rows and planes."""
    z = build.template_z(z_mm)
    x, y = build.template_across(x_mm, y_mm, z)
    shape = (len(z_mm), len(y_mm), len(x_mm))
    return Canvas(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        z=z.astype(np.float32),
        labels=np.zeros(shape, dtype=np.uint8),
        details=np.zeros(shape, dtype=np.uint8),
    )


def _span(values: Array, low: float, high: float) -> slice:
    """Columns whose coordinate comes into [low, high] on any plane."""
    start = int(np.searchsorted(values.max(axis=0), low))
    stop = int(np.searchsorted(values.min(axis=0), high, side="right"))
    return slice(start, stop)


def _table(names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[codes(*names)] = True
    return table
