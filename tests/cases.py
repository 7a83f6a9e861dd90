"""Small cases made by hand for the tests of pure rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from shapely.geometry import MultiPolygon, Point

from pipeline.core.case import Case, Lesion, LesionKind, Source
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from pipeline.core.rules import ArmPlan, Barrier, Ends
from pipeline.core.volume import Volume

# Direction cosines (columns i, j, k) of an axial series by patient position.
POSITIONS = {
    "HFS": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "HFP": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    "FFS": (-1, 0, 0, 0, 1, 0, 0, 0, -1),
    "FFP": (1, 0, 0, 0, -1, 0, 0, 0, -1),
    "HFDL": (0, 1, 0, -1, 0, 0, 0, 0, 1),
    "HFDR": (0, -1, 0, 1, 0, 0, 0, 0, 1),
}

BODY_BARRIER = Barrier(structure="body", overlap_mm=0.0, on=True, source="C")


def grid_of(
    position: str = "HFS",
    *,
    size: tuple[int, int, int] = (80, 64, 30),
    spacing: tuple[float, float, float] = (1.2, 0.9, 3.0),
    centre: tuple[float, float, float] = (20.0, -35.0, 112.0),
) -> Grid:
    """A grid whose middle lies at `centre` (LPS mm), stored as the position has it."""
    axes = np.array(POSITIONS[position], dtype=float).reshape(3, 3)
    half = axes @ (np.array(spacing) * (np.array(size) - 1) / 2)
    origin = np.array(centre) - half
    return Grid(
        size=size,
        spacing_mm=spacing,
        origin_mm=tuple(origin.tolist()),
        direction=tuple(map(float, POSITIONS[position])),
    )


def disc(u: float, v: float, radius: float) -> MultiPolygon:
    return MultiPolygon([Point(u, v).buffer(radius, quad_segs=60)])


def case_of(
    grid: Grid, sections: Sequence[Mapping[int, MultiPolygon]], *, hu: np.ndarray | None = None
) -> Case:
    """A case with one nodal lesion for each mapping of slice to section."""
    volume = Volume(grid=grid, hu=np.full(grid.shape, 40, dtype=np.int16) if hu is None else hu)
    lesions = tuple(
        Lesion(
            name=f"GTV-N{number}",
            kind=LesionKind.NODE,
            source_roi=f"node {number}",
            contours=Contours(grid=grid, sections=dict(drawn)),
        )
        for number, drawn in enumerate(sections, start=1)
    )
    return Case(volume=volume, lesions=lesions, structures=(), source=Source(kind="dicom"))


def plan_of(
    *,
    pgtv: float = 5.0,
    ctv: Margin | None = None,
    ptv: float = 5.0,
    barriers: tuple[Barrier, ...] = (),
    fill_ptv_holes: bool = True,
) -> ArmPlan:
    return ArmPlan(
        arm="ifi",
        pgtv=Margin.uniform(pgtv),
        ctv=ctv or Margin.axial(horizontal=7.0, craniocaudal=12.5),
        ptv=Margin.uniform(ptv),
        ends=Ends.FLAT,
        fill_ptv_holes=fill_ptv_holes,
        barriers=barriers,
    )
