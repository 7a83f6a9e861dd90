"""A synthetic patient for the pictures: air, a grey block, and contours where the tests want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
from shapely.geometry import MultiPolygon

from pipeline.core.case import Lesion, LesionKind
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.volume import Volume
from pipeline.review import Overlay
from tests.cases import grid_of

CENTRE = (20.0, -35.0, 112.0)
RED, GREEN, BLUE = (255, 0, 0), (0, 200, 0), (0, 0, 255)


def patient_grid(
    position: str = "HFS", *, extent: tuple[int, int, int] = (96, 80, 40)
) -> tuple[Grid, tuple[float, float, float]]:
    """A grid of `extent` voxels of 1.2 x 0.9 x 3 mm along the patient's u, v, w, however stored.

    Gives the frame coordinates of its lowest voxel too.
    """
    size, spacing = extent, (1.2, 0.9, 3.0)
    low = tuple(c - s * (n - 1) / 2 for c, s, n in zip(CENTRE, spacing, size, strict=True))
    if position in {"HFDL", "HFDR"}:
        size, spacing = (size[1], size[0], size[2]), (spacing[1], spacing[0], spacing[2])
    return grid_of(position, size=size, spacing=spacing, centre=CENTRE), low


def volume_of(grid: Grid, bright: Iterable[tuple[float, float, float]], *, radius: float = 6.0) -> Volume:
    """Air at -1000 HU with balls of 300 HU at LPS points: voxel by voxel, without the frame's help."""
    k, j, i = np.indices(grid.shape)
    points = grid.to_patient(np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1))
    hu = np.full(len(points), -1000, dtype=np.int16)
    for centre in bright:
        hu[np.linalg.norm(points - np.array(centre), axis=1) < radius] = 300
    return Volume(grid=grid, hu=hu.reshape(grid.shape))


def stack(grid: Grid, section: MultiPolygon, *, low: float, high: float) -> Contours:
    """The section on every slice whose plane lies between two levels in mm."""
    levels = grid.plane_positions_mm
    return Contours(grid=grid, sections={k: section for k, w in enumerate(levels) if low <= w <= high})


def sections(grid: Grid, of_slice: Mapping[int, MultiPolygon]) -> Contours:
    return Contours(grid=grid, sections=of_slice)


def overlay(name: str, contours: Contours, colour: tuple[int, int, int]) -> Overlay:
    return Overlay(name=name, contours=contours, colour=colour)


def lesion(contours: Contours, name: str = "GTV-T") -> Lesion:
    return Lesion(name=name, kind=LesionKind.TUMOUR, source_roi="tumour", contours=contours)


def is_colour(
    pixels: npt.NDArray[np.uint8], colour: tuple[int, int, int], tolerance: int = 12
) -> npt.NDArray[np.bool_]:
    """Where pixels of shape (rows, columns, 3) have a colour."""
    return np.asarray((np.abs(pixels.astype(int) - np.array(colour)) <= tolerance).all(axis=2))
