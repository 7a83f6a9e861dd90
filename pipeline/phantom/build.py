"""What differs from patient to patient, and the map from the template to that patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Vector

# Template levels between which a patient may be stretched or squeezed: feet, celiac axis, hiatus,
# inferior pulmonary vein, carina, sternal notch, C7 and the head end.
LEVELS_MM = (-300.0, -180.0, -121.0, -53.0, 0.0, 51.0, 95.0, 160.0)
CARINA_INDEX = LEVELS_MM.index(0.0)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One patient's size and shape. Axial planes of the template stay axial planes.

    Attributes:
        height: factor along the body.
        girth: factor across the body, left-right and front-back.
        stretch: factor of each interval of `LEVELS_MM`, beside the height.
        kyphosis_mm: how far the neck comes forward beyond the template's.
        scoliosis_mm: largest sideways shift of the trunk.
        tracheal_deviation_mm: shift of trachea, esophagus and thyroid at the notch, to the left.
        spine_shift_mm: shift of the vertebrae along the body against the organs.
        apex_mm: shift of the lung apices along the body.
        carina_mm: where the template's origin, the carina, lies in the patient (LPS).
    """

    height: float
    girth: float
    stretch: tuple[float, ...]
    kyphosis_mm: float
    scoliosis_mm: float
    tracheal_deviation_mm: float
    spine_shift_mm: float
    apex_mm: float
    carina_mm: Vector

    def to_patient(self, points: npt.ArrayLike) -> Floats:
        """Template points, shape (n, 3), to LPS mm, same shape."""
        rows = np.asarray(points, dtype=float).reshape(-1, 3)
        shift_x, shift_y = self._shift(rows[:, 2])
        across = rows[:, :2] * self.girth + np.column_stack([shift_x, shift_y])
        z = np.interp(rows[:, 2], LEVELS_MM, self._levels())
        return np.asarray(np.column_stack([across, z]) + np.array(self.carina_mm))

    def template_z(self, z_mm: npt.ArrayLike) -> Floats:
        """LPS z to the template's Z."""
        moved = np.asarray(z_mm, dtype=float) - self.carina_mm[2]
        return np.asarray(np.interp(moved, self._levels(), LEVELS_MM))

    def template_across(self, x_mm: Floats, y_mm: Floats, z: Floats) -> tuple[Floats, Floats]:
        """LPS x, shape (nx,), and y, shape (ny,), on the planes Z, shape (nz,), to the template.

        Returns:
            X of shape (nz, nx) and Y of shape (nz, ny).
        """
        shift_x, shift_y = self._shift(z)
        across_x = (x_mm[None, :] - self.carina_mm[0] - shift_x[:, None]) / self.girth
        across_y = (y_mm[None, :] - self.carina_mm[1] - shift_y[:, None]) / self.girth
        return across_x, across_y

    def _shift(self, z: Floats) -> tuple[Floats, Floats]:
        sideways = self.scoliosis_mm * np.sin(np.pi * (z + 60.0) / 190.0)
        return sideways, -self.kyphosis_mm * ((z + 60.0) / 110.0) ** 2

    def _levels(self) -> Floats:
        steps = [(b - a) * s for (a, b), s in zip(pairwise(LEVELS_MM), self.stretch, strict=True)]
        levels = np.concatenate([[0.0], np.cumsum(steps)]) * self.height
        return np.asarray(levels - levels[CARINA_INDEX])


def draw_build(
    rng: np.random.Generator, *, height: float | None, girth: float | None, carina_mm: Vector
) -> Build:
    """A patient by chance; a stated height or girth is kept and changes nothing else."""
    tall, wide = (float(value) for value in rng.uniform(0.87, 1.13, 2))
    stretch = tuple(float(value) for value in rng.uniform(0.96, 1.04, len(LEVELS_MM) - 1))
    kyphosis, scoliosis, deviation, spine, apex = (float(value) for value in rng.uniform(-1, 1, 5))
    return Build(
        height=tall if height is None else height,
        girth=wide if girth is None else girth,
        stretch=stretch,
        kyphosis_mm=2.5 * kyphosis,
        scoliosis_mm=3.0 * scoliosis,
        tracheal_deviation_mm=4.0 * deviation,
        spine_shift_mm=4.0 * spine,
        apex_mm=2.0 * apex,
        carina_mm=carina_mm,
    )
