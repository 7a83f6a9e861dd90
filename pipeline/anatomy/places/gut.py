"""How far a lesion lies from the thoracic stomach (conduit), the stomach and the intestine."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import shapely

from pipeline.core.anatomy import GUT, STOMACH, Organs
from pipeline.core.case import Lesion
from pipeline.core.contour import Contours
from pipeline.core.fewer_points import simplified
from pipeline.core.raster import mask_sections, mask_to_contours
from pipeline.core.solid import Solid, solid_from_contours
from pipeline.core.surface import Surface, surface_distance_mm, surface_of, values_at
from pipeline.core.volume import Mask

Points = npt.NDArray[np.float64]

_PITCH_MM = 0.8
# How finely an outline is looked at for a first distance, by how many points of the lesion; pairs at once.
_THIN_MM, _FEW, _PAIRS_AT_ONCE = 0.5, 400, 2_000_000


def gut_masks(organs: Organs, conduit: Mask | None) -> tuple[Mask, ...]:
    """Stomach and intestine as far as they are known, and what was drawn up into the chest."""
    found = [organs[name] for name in GUT if name in organs]
    return (*found, *([] if conduit is None else [conduit]))


def stomach_known(organs: Organs, conduit: Mask | None) -> bool:
    """Whether stomach or conduit is known: without it nothing can be called far from the gut."""
    masks = [organs[name] for name in STOMACH if name in organs] + ([] if conduit is None else [conduit])
    return any(not mask.is_empty for mask in masks)


def distance_to_gut_mm(lesion: Lesion, gut: Iterable[Mask]) -> float | None:
    """Least distance from the lesion's surface to that of any of the masks, 0 where they meet.

    None where there is no mask with voxels.
    """
    solid = solid_from_contours(lesion.contours)
    surface = surface_of(solid)
    told = [_distance(solid, surface, mask) for mask in gut]
    known = [mm for mm in told if mm is not None]
    return min(known, default=None)


def _distance(lesion: Solid, surface: Surface, mask: Mask) -> float | None:
    outlines = mask_to_contours(mask)
    if outlines.is_empty:
        return None
    # Points of the outlines lie on the mask's surface: nothing further off than the nearest of them counts.
    reach = _least(surface.vertices, _points(outlines)) + mask.grid.slice_spacing_mm
    other = solid_from_contours(_near(lesion, mask, reach), pitch_mm=_PITCH_MM)
    return _apart(lesion, surface, other)


def _points(outlines: Contours) -> Points:
    """Corners of all outlines as (u, v, w) in mm."""
    levels = outlines.grid.plane_positions_mm
    flat = [
        np.column_stack([points, np.full(len(points), levels[k])])
        for k, section in outlines.sections.items()
        if len(points := shapely.get_coordinates(simplified(section, _THIN_MM)))
    ]
    return np.concatenate(flat)


def _least(some: Points, others: Points) -> float:
    """Least distance of some of the points to any of the others."""
    few = some[:: 1 + len(some) // _FEW]
    return min(
        float(np.linalg.norm(others[None] - part[:, None], axis=2).min())
        for part in np.array_split(few, 1 + len(few) * len(others) // _PAIRS_AT_ONCE)
        if len(part)
    )


def _near(lesion: Solid, mask: Mask, reach: float) -> Contours:
    """The mask's outlines within a reach of the lesion's extents."""
    u0, u1, v0, v1, w0, w1 = lesion.bounds_mm()
    levels = mask.grid.plane_positions_mm
    beyond = reach + mask.grid.slice_spacing_mm / 2.0  # an end goes on for half a slice
    slices = [k for k, w in enumerate(levels) if w0 - beyond <= w <= w1 + beyond]
    bounds = (u0 - reach, v0 - reach, u1 + reach, v1 + reach)
    return Contours(grid=mask.grid, sections=mask_sections(mask, slices, bounds))


def _apart(lesion: Solid, surface: Surface, other: Solid) -> float:
    its = surface_of(other)
    # Whichever lies inside the other, a corner of its surface is inside.
    if (values_at(other, surface.vertices) > 0).any() or (values_at(lesion, its.vertices) > 0).any():
        return 0.0
    return surface_distance_mm(surface, its)
