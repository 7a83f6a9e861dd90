"""Small CTs in every patient position, exact shapes on them, and structure sets written from both."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom import Dataset
from shapely.geometry import MultiPolygon, Point, Polygon

from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.volume import Volume
from pipeline.write import CtIdentity, RoiOut, StructureSetContext, write_ct_series

# Unit vectors of rows (i) and columns (j) in LPS, as a scanner stores each position.
AXES = {
    "HFS": ((1, 0, 0), (0, 1, 0)),
    "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)),
    "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDL": ((0, -1, 0), (1, 0, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)),
    "FFDL": ((0, 1, 0), (1, 0, 0)),
    "FFDR": ((0, -1, 0), (-1, 0, 0)),
}
CENTRE = (13.3, -21.7, 101.4)  # of every grid and shape: off the origin, between voxels
IDENTITY = CtIdentity(
    seed="samples",
    patient_name="Sample^Anna",
    patient_id="S-1",
    birth_date="19500203",
    sex="F",
    study_date="20240105",
    study_time="101112",
    study_id="7",
    study_description="Planning",
)


def make_grid(
    position: str = "HFS",
    *,
    size: tuple[int, int, int] = (96, 80, 18),
    spacing: tuple[float, float, float] = (0.9, 1.1, 3.0),
) -> Grid:
    """A grid around CENTRE, not square, k along the normal of rows and columns."""
    row, column = (np.array(axis, dtype=float) for axis in AXES[position])
    axes = np.column_stack([row, column, np.cross(row, column)])
    middle = (np.array(size) - 1) / 2 * np.array(spacing)
    origin = np.array(CENTRE) - axes @ middle
    return Grid(
        size=size,
        spacing_mm=spacing,
        origin_mm=tuple(origin.tolist()),
        direction=tuple(axes.ravel().tolist()),
        frame_of_reference="1.2.3.4",
    )


def write_ct(folder: Path, grid: Grid, identity: CtIdentity = IDENTITY) -> tuple[Dataset, ...]:
    hu = np.full(grid.shape, -1000, dtype=np.int16)
    hu[:, 5:-5, 5:-5] = 40
    return write_ct_series(folder, Volume(grid=grid, hu=hu), identity)


def sphere(grid: Grid, radius: float, centre: tuple[float, float, float] = CENTRE) -> Contours:
    """Circles where the sphere meets the slice planes."""
    sections = {}
    for k, w in enumerate(grid.plane_positions_mm):
        square = radius**2 - (w - centre[2]) ** 2
        if square > 0:
            sections[k] = disc(centre[0], centre[1], math.sqrt(square))
    return Contours(grid=grid, sections=sections)


def ring(grid: Grid) -> Contours:
    """A tube: every section has a hole, and an island stands in the hole."""
    u, v, _ = CENTRE
    section = disc(u, v, 24).difference(disc(u + 1, v, 15)).union(disc(u, v + 2, 6))
    return Contours(grid=grid, sections=dict.fromkeys(range(3, 15), MultiPolygon(section)))


def two_parts(grid: Grid) -> Contours:
    """A round and a square prism side by side."""
    u, v, _ = CENTRE
    square = Polygon([(u + 8, v - 9), (u + 27, v - 9), (u + 27, v + 11), (u + 8, v + 11)])
    section = MultiPolygon([disc(u - 15, v, 11), square])
    return Contours(grid=grid, sections=dict.fromkeys(range(2, 12), section))


def disc(u: float, v: float, radius: float) -> Polygon:
    return Point(u, v).buffer(radius, quad_segs=64)


def roi(name: str, contours: Contours, interpreted_type: str = "PTV", **more: object) -> RoiOut:
    colour = (255, 128, 0)
    return RoiOut(name=name, contours=contours, interpreted_type=interpreted_type, colour=colour, **more)


def four_rois(grid: Grid) -> list[RoiOut]:
    return [
        roi("GTV-T", sphere(grid, 16), "GTV"),
        roi("GTV-N", sphere(grid, 5), "GTV"),
        roi("CTV", ring(grid), "CTV", description="GTV + 7 mm, less the airway"),
        roi("PTV", two_parts(grid), "PTV", description="CTV + 5 mm"),
    ]


def context(headers: tuple[Dataset, ...], **more: object) -> StructureSetContext:
    values: dict[str, object] = {
        "label": "DRAFT IFI",
        "description": "rt-targets 1.2.3, protocol p",
        "moment": datetime(2024, 5, 6, 7, 8, 9),
    }
    return StructureSetContext(headers=headers, **{**values, **more})
