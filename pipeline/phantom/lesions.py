"""Gross tumours: where they sit, how they look, and how an observer draws them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pipeline.core.case import Lesion, LesionKind
from pipeline.core.contour import Contours
from pipeline.core.errors import UsageError
from pipeline.core.grid import Grid, Vector
from pipeline.phantom.build import Build
from pipeline.phantom.labels import SOFT
from pipeline.phantom.options import LesionChoice

Floats = npt.NDArray[np.float64]

# Template points. Stations by their names in the atlas.
SITES: MappingProxyType[str, Vector] = MappingProxyType({
    "SCV_R": (-45, -23, 77), "SCV_L": (45, -23, 77), "1R": (-14, -7, 62), "1L": (17, -6, 62),
    "2R": (-17, -11, 38), "2L": (14, -8, 38), "4R": (-18, -11, 17), "4L": (12.5, -6, 3), "7": (-2, 4, -21),
    "8U": (12, 14, 26), "8M": (14, 21, -38), "8Lo": (18, 16, -92), "9R": (-28, 4, -82), "9L": (33, 20.5, -80),
    "15": (2, 32, -150), "16": (28, -12, -132), "17": (18, -10, -162), "18": (-10, -19, -184),
    "19": (24, -5, -185), "20": (6, -3, -174), "tumour_bed": (4, 15, 22), "anastomosis": (6, -6, 70),
})  # fmt: skip
ALIASES = MappingProxyType({
    "supraclavicular_right": "SCV_R", "supraclavicular_left": "SCV_L", "celiac": "20", "cardia": "16",
})  # fmt: skip
REPLACED = (*SOFT, "disc", "airway_wall", "esophagus", "stomach", "thyroid_gland", "azygos_vein")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mass:
    """An irregular ellipsoid, star-shaped about its axis on every axial plane.

    Attributes:
        centre_mm: LPS.
        half_axes_mm: left-right, front-back, craniocaudal.
        phases: four angles that give the irregularity its shape.
        roughness: largest deviation of the outline, as part of its radius.
    """

    centre_mm: Vector
    half_axes_mm: Vector
    phases: tuple[float, ...]
    roughness: float = 0.09

    def reach(self, angle: npt.ArrayLike, height: npt.ArrayLike) -> Floats:
        """Outline in units of the half-axes at an angle and a height of -1 to 1."""
        a, t = np.asarray(angle, dtype=float), np.asarray(height, dtype=float)
        p = self.phases
        waves = (
            0.45 * np.cos(2 * a + p[0] + t)
            + 0.35 * np.cos(3 * a + p[1] - 1.5 * t)
            + 0.2 * np.cos(5 * a + p[2])
        )
        return np.asarray(np.sqrt(np.maximum(1 - t**2, 0)) * (1 + self.roughness * waves))

    def drift(self, height: npt.ArrayLike) -> tuple[Floats, Floats]:
        """How far the axis leans at a height, in units of the half-axes."""
        t = np.asarray(height, dtype=float)
        return 0.08 * np.cos(self.phases[3]) * t, 0.08 * np.sin(self.phases[3]) * t

    def inside(self, x_mm: Floats, y_mm: Floats, z_mm: Floats) -> npt.NDArray[np.bool_]:
        """Which LPS points lie inside; the three arrays broadcast."""
        (cx, cy, cz), (a, b, c) = self.centre_mm, self.half_axes_mm
        t = (z_mm - cz) / c
        lean_x, lean_y = self.drift(t)
        u, v = (x_mm - cx) / a - lean_x, (y_mm - cy) / b - lean_y
        return np.asarray((np.abs(t) < 1) & (u**2 + v**2 < self.reach(np.arctan2(v, u), t) ** 2))

    def outline(self, z_mm: float) -> Floats:
        """Vertices drawn on one plane, shape (n, 2) in LPS x and y, 40 to 80 of them."""
        (cx, cy, cz), (a, b, c) = self.centre_mm, self.half_axes_mm
        t = float(np.clip((z_mm - cz) / c, -0.95, 0.95))
        size = np.sqrt(1 - t**2) * (a + b) / 2
        angle = np.arange(int(np.clip(size * 2 * np.pi / 1.2, 40, 80))) * 2 * np.pi
        angle /= len(angle)
        reach = self.reach(angle, t)
        lean_x, lean_y = self.drift(t)
        u, v = reach * np.cos(angle) + lean_x, reach * np.sin(angle) + lean_y
        # Hundredths of a millimetre, as planning systems write them.
        return np.round(np.column_stack([cx + a * u, cy + b * v]), 2)


def place(
    choices: Iterable[LesionChoice], build: Build, rng: np.random.Generator
) -> list[tuple[LesionChoice, Mass]]:
    """Masses at the sites of this patient; tumours first.

    Raises:
        UsageError: a site that is not known.
    """
    ordered = sorted(choices, key=lambda choice: choice.kind is LesionKind.NODE)
    placed = []
    for choice in ordered:
        name = ALIASES.get(choice.site, choice.site)
        if name not in SITES:
            raise UsageError(
                "unknown lesion site", expected=", ".join([*SITES, *ALIASES]), got=repr(choice.site)
            )
        x, y, z = build.to_patient([SITES[name]])[0] + np.array(choice.shift_mm)
        phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, 4))
        mass = Mass(centre_mm=(float(x), float(y), float(z)), half_axes_mm=choice.half_axes_mm, phases=phases)
        placed.append((choice, mass))
    return placed


def draw(grid: Grid, placed: list[tuple[LesionChoice, Mass]]) -> tuple[Lesion, ...]:
    """Planar contours on the grid's slices, named as the protocol names them."""
    totals = {kind: sum(choice.kind is kind for choice, _ in placed) for kind in LesionKind}
    count = dict.fromkeys(LesionKind, 0)
    lesions = []
    for choice, mass in placed:
        count[choice.kind] += 1
        number = str(count[choice.kind]) if totals[choice.kind] > 1 else ""
        name = f"{choice.kind.value}{number}"
        lesions.append(Lesion(name=name, kind=choice.kind, source_roi=name, contours=_contours(grid, mass)))
    return tuple(lesions)


def _contours(grid: Grid, mass: Mass) -> Contours:
    from shapely.geometry import MultiPolygon, Polygon

    planes = grid.plane_positions_mm
    height = np.abs(planes - mass.centre_mm[2]) / mass.half_axes_mm[2]
    # Nobody draws the last sliver: the outline must keep a quarter of its size.
    drawn = np.flatnonzero(height < 0.968)
    if not len(drawn):
        drawn = np.array([int(np.argmin(height))])
    return Contours(
        grid=grid,
        sections={int(k): MultiPolygon([Polygon(mass.outline(float(planes[k])))]) for k in drawn},
    )
