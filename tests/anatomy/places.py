"""Stations, landmarks and lesions of boxes and balls, on grids of every kind."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.case import Lesion, LesionKind
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.regions import Region
from pipeline.core.solid import Solid, solid_from_contours
from pipeline.core.stations import Station, Stations
from tests import oracles

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

REGIONS = {
    "1R": Region.I, "1L": Region.I, "2R": Region.II, "4L": Region.II, "7": Region.III, "8M": Region.III,
    "15": Region.IV, "20": Region.IV,
}  # fmt: skip


def box_contours(grid: Grid, box: Box) -> Contours:
    """Rectangles (u, v) on the slices whose half-slice neighbourhood lies in the range of w."""
    (u0, u1), (v0, v1), (w0, w1) = box
    return _prism(grid, shapely.box(u0, v0, u1, v1), (w0, w1))


def _prism(grid: Grid, outline: Polygon, w: tuple[float, float]) -> Contours:
    half = grid.slice_spacing_mm / 2
    planes = grid.plane_positions_mm
    inside = np.flatnonzero((planes - half > w[0] - 1e-6) & (planes + half < w[1] + 1e-6))
    return Contours(grid=grid, sections={int(k): MultiPolygon([outline]) for k in inside})


def ball_contours(grid: Grid, centre: tuple[float, float, float], radius: float) -> Contours:
    sections = {}
    for k, w in enumerate(grid.plane_positions_mm):
        rest = radius**2 - (w - centre[2]) ** 2
        if rest > 0.04:
            sections[k] = MultiPolygon([oracles.circle(math.sqrt(rest), centre[:2])])
    return Contours(grid=grid, sections=sections)


def lesion(contours: Contours, name: str = "GTV-N") -> Lesion:
    return Lesion(name=name, kind=LesionKind.NODE, source_roi=name, contours=contours)


def station(
    name: str, contours: Contours, *, with_conduit: Contours | None = None, pitch: float = 0.8
) -> Station:
    def solid(of: Contours) -> Solid:
        return solid_from_contours(of, pitch_mm=pitch)

    left_in = solid(with_conduit) if with_conduit else None
    return Station(name=name, region=REGIONS[name], solid=solid(contours), with_conduit=left_in)


def stations_of(grid: Grid, *built: Station) -> Stations:
    by_name = {one.name: one for one in built}
    return Stations(
        grid=grid,
        regions=REGIONS,
        built=by_name,
        not_built={name: "left out of the test" for name in REGIONS if name not in by_name},
        labels=np.zeros(grid.shape, dtype=np.uint8),
    )


def landmarks_of(
    grid: Grid, levels: Mapping[str, float], *, error_mm: float = 0.0, inferred: bool = False
) -> Landmarks:
    """Landmarks at heights w in the grid's frame, off to the side."""
    found = {
        name: Landmark(
            name=name,
            point_mm=tuple(grid.frame.to_patient([(31.0, -12.0, w)])[0].tolist()),
            inferred=inferred,
            error_mm=error_mm,
            how="made",
        )
        for name, w in levels.items()
    }
    return Landmarks(found=found)
