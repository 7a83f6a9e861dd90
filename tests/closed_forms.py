"""Cases whose grown volumes are known exactly: circle and rectangle prisms on CT grids of every kind.

A case knows its grid, its contours and the truth of every volume; the tests of the geometry and the
tests of the whole program, structure set in to structure set out, draw from the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from tests import oracles

PGTV = Margin.uniform(5.0)
PTV = Margin.uniform(5.0)

# Unit vectors of i (columns to the right of the image) and j for the patient positions of DICOM.
IMAGE_AXES: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
}


def make_grid(
    *,
    size: tuple[int, int, int] = (96, 80, 30),
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 3.0),
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    position: str = "HFS",
    flip_k: bool = False,
    yaw_deg: float = 0.0,
) -> Grid:
    """A grid centred on a patient point; `flip_k` stores the slices in the opposite order.

    `yaw_deg` turns the image axes about the patient's long axis.
    """
    i, j = (np.array(axis, dtype=float) for axis in IMAGE_AXES[position])
    if yaw_deg:
        c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
        turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        i, j = turn @ i, turn @ j
    k = np.cross(i, j) * (-1.0 if flip_k else 1.0)
    axes = np.stack([i, j, k], axis=1)
    middle = axes @ ((np.array(size) - 1) / 2.0 * np.array(spacing_mm))
    origin = np.array(centre_mm) - middle
    return Grid(
        size=size,
        spacing_mm=spacing_mm,
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(value) + 0.0 for value in axes.ravel()),  # type: ignore[arg-type]
        frame_of_reference="1.2.826.0.1.3680043.8.498.1",
    )


@dataclass(frozen=True, kw_only=True)
class PrismCase:
    """A prism lesion of `planes` equal contours around the middle of a grid.

    Attributes:
        half_mm: radius, or half-widths (u, v) of a rectangle.
        shift_mm: in-plane offset of the lesion from the grid's centre, part of a voxel.
        centre_mm: patient coordinates of the grid's centre.
        ctv: margin of the involved field.
    """

    name: str
    half_mm: float | tuple[float, float]
    planes: int
    spacing_mm: tuple[float, float, float]
    ctv: Margin
    shift_mm: tuple[float, float] = (0.0, 0.0)
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    position: str = "HFS"
    flip_k: bool = False
    size: tuple[int, int, int] = field(default=(0, 0, 0))

    def grid(self) -> Grid:
        """Wide enough for the PTV, not square."""
        half = max(self.half_mm) if isinstance(self.half_mm, tuple) else self.half_mm
        wide = 2.0 * (half + max(self.ctv.as_tuple()[:4]) + PTV.largest + 4.0)
        along = (
            self.planes * self.spacing_mm[2]
            + 2.0 * (max(self.ctv.superior, self.ctv.inferior) + PTV.largest)
            + 4.0
        )
        size = (
            int(wide / self.spacing_mm[0]) + 14,
            int(wide / self.spacing_mm[1]) + 1,
            int(along / self.spacing_mm[2]) + 3,
        )
        return make_grid(
            size=size,
            spacing_mm=self.spacing_mm,
            centre_mm=self.centre_mm,
            position=self.position,
            flip_k=self.flip_k,
        )

    def outline(self) -> Polygon:
        """The lesion's contour in frame (u, v) mm: axis-aligned, so patient x and y."""
        centre = (self.centre_mm[0] + self.shift_mm[0], self.centre_mm[1] + self.shift_mm[1])
        if isinstance(self.half_mm, tuple):
            return oracles.rectangle(*self.half_mm, centre)
        return oracles.circle(self.half_mm, centre)

    def lesion_slices(self) -> range:
        first = (self.grid().size[2] - self.planes) // 2
        return range(first, first + self.planes)

    def contours(self) -> Contours:
        outline = MultiPolygon([self.outline()])
        return Contours(grid=self.grid(), sections=dict.fromkeys(self.lesion_slices(), outline))

    def z_range(self) -> tuple[float, float]:
        """Where the lesion lies along the patient: half a slice beyond its end contours."""
        planes = self.plane_positions()[list(self.lesion_slices())]
        half = self.spacing_mm[2] / 2.0
        return float(planes.min() - half), float(planes.max() + half)

    def plane_positions(self) -> oracles.Points:
        """Patient z of every slice, told from the grid's origin and direction alone."""
        grid = self.grid()
        return np.array(
            [grid.origin_mm[2] + k * grid.spacing_mm[2] * grid.direction[8] for k in range(grid.size[2])]
        )

    def margins(self, target: str) -> tuple[Margin, ...]:
        return {"GTV": (), "PGTV": (PGTV,), "CTV": (self.ctv,), "PTV": (self.ctv, PTV)}[target]

    def truth(self, target: str) -> dict[int, BaseGeometry]:
        """Exact section of a target on every slice that it meets."""
        margins = [margin.as_tuple() for margin in self.margins(target)]
        found = {
            k: oracles.prism_section(self.outline(), self.z_range(), margins, float(z))
            for k, z in enumerate(self.plane_positions())
        }
        return {k: section for k, section in found.items() if not section.is_empty and section.area > 0}

    def ends(self, target: str) -> tuple[float, float]:
        """Lowest and highest z of a target."""
        margins = self.margins(target)
        low, high = self.z_range()
        return low - sum(m.inferior for m in margins), high + sum(m.superior for m in margins)


CASES: tuple[PrismCase, ...] = (
    PrismCase(
        name="node-5mm-on-3mm",
        half_mm=5.0,
        planes=3,
        spacing_mm=(0.98, 0.98, 3.0),
        ctv=Margin.axial(horizontal=7.0, craniocaudal=12.5),
        shift_mm=(0.31, -0.44),
    ),
    PrismCase(
        name="node-5mm-on-5mm-ffs",
        half_mm=5.0,
        planes=2,
        spacing_mm=(1.17, 1.17, 5.0),
        ctv=Margin.axial(horizontal=6.0, craniocaudal=10.0),
        shift_mm=(0.5, 0.25),
        centre_mm=(-37.3, 112.9, -640.55),
        position="FFS",
    ),
    PrismCase(
        name="box-5mm-on-1mm",
        half_mm=(5.0, 6.0),
        planes=11,
        spacing_mm=(0.8, 0.8, 1.0),
        ctv=Margin.axial(horizontal=8.0, craniocaudal=15.0),
        shift_mm=(0.13, 0.37),
        centre_mm=(12.34, -56.78, 901.2),
        flip_k=True,
    ),
    PrismCase(
        name="cylinder-12mm-h60-hfp",
        half_mm=12.0,
        planes=20,
        spacing_mm=(0.98, 0.98, 3.0),
        ctv=Margin.axial(horizontal=6.0, craniocaudal=10.0),
        shift_mm=(-0.2, 0.45),
        centre_mm=(3.3, 5.7, -12.1),
        position="HFP",
    ),
    PrismCase(
        name="box-15x12-on-2mm-ffp",
        half_mm=(15.0, 12.0),
        planes=10,
        spacing_mm=(1.2, 1.2, 2.0),
        ctv=Margin.axial(horizontal=7.0, craniocaudal=12.5),
        shift_mm=(0.6, -0.6),
        centre_mm=(250.0, -250.0, 77.7),
        position="FFP",
        flip_k=True,
    ),
    PrismCase(
        name="box-20mm-on-5mm-hfdl",
        half_mm=(20.0, 20.0),
        planes=6,
        spacing_mm=(1.0, 1.0, 5.0),
        ctv=Margin.axial(horizontal=8.0, craniocaudal=10.0),
        shift_mm=(0.29, 0.71),
        centre_mm=(-80.4, 30.2, -1500.0),
        position="HFDL",
    ),
    PrismCase(
        name="cylinder-20mm-on-2.5mm-hfdr",
        half_mm=20.0,
        planes=12,
        spacing_mm=(1.1, 0.9, 2.5),
        ctv=Margin.axial(horizontal=6.5, craniocaudal=15.0),
        shift_mm=(0.05, 0.95),
        centre_mm=(44.4, -22.2, 333.25),
        position="HFDR",
        flip_k=True,
    ),
    PrismCase(
        name="unequal-opposites-hfs",
        half_mm=10.0,
        planes=8,
        spacing_mm=(0.9, 0.9, 3.0),
        ctv=Margin(left=8.0, right=6.0, anterior=6.0, posterior=7.5, superior=15.0, inferior=10.0),
        shift_mm=(0.4, 0.1),
    ),
    PrismCase(
        name="unequal-opposites-box-ffs",
        half_mm=(8.0, 14.0),
        planes=7,
        spacing_mm=(0.9, 0.9, 2.0),
        ctv=Margin(left=6.0, right=8.0, anterior=8.0, posterior=6.0, superior=10.0, inferior=15.0),
        shift_mm=(-0.4, 0.3),
        centre_mm=(0.45, 99.1, -7.77),
        position="FFS",
        flip_k=True,
    ),
    PrismCase(
        name="unequal-opposites-hfdl",
        half_mm=7.0,
        planes=5,
        spacing_mm=(1.0, 1.0, 3.0),
        ctv=Margin(left=8.0, right=6.0, anterior=7.0, posterior=6.0, superior=10.0, inferior=15.0),
        shift_mm=(0.5, 0.5),
        centre_mm=(10.0, 20.0, 30.0),
        position="HFDL",
    ),
    PrismCase(
        name="unequal-opposites-ffp",
        half_mm=(6.0, 6.0),
        planes=4,
        spacing_mm=(1.0, 1.0, 4.0),
        ctv=Margin(left=6.0, right=8.0, anterior=6.0, posterior=8.0, superior=15.0, inferior=12.0),
        shift_mm=(0.25, 0.75),
        centre_mm=(-10.0, 20.0, -30.0),
        position="FFP",
    ),
    PrismCase(
        name="one-plane-5mm",
        half_mm=6.0,
        planes=1,
        spacing_mm=(1.0, 1.0, 5.0),
        ctv=Margin.axial(horizontal=7.0, craniocaudal=12.5),
        shift_mm=(0.5, 0.5),
    ),
)


# ------------------------------------------------------------------------------------------- judgement


@dataclass(frozen=True, kw_only=True)
class Errors:
    """How far a measured stack is from the truth.

    Attributes:
        volume_percent: of area times spacing, signed.
        outline_mm: largest Hausdorff distance between outlines on the lesion's own slices.
        wrong_slices: slices present or absent against the truth, where its end is not within 0.5 mm
            of the plane.
    """

    volume_percent: float
    outline_mm: float
    wrong_slices: tuple[int, ...]


def judge(case: PrismCase, target: str, measured: Mapping[int, BaseGeometry]) -> Errors:
    """Compare measured sections, slice index to polygons in frame (u, v) mm, with a target's truth."""
    truth = case.truth(target)
    true_area = sum(section.area for section in truth.values())
    area = sum(section.area for section in measured.values())
    outline = max(
        oracles.outline_distance(measured.get(k, MultiPolygon()), truth[k]) for k in case.lesion_slices()
    )
    planes = case.plane_positions()
    low, high = case.ends(target)
    wrong = tuple(
        k
        for k, z in enumerate(planes)
        if (k in measured) != (low < z < high) and min(abs(z - low), abs(z - high)) > 0.5
    )
    return Errors(volume_percent=100.0 * (area / true_area - 1.0), outline_mm=outline, wrong_slices=wrong)
