"""What a CTV does not enter: the body's outside, and organs [C]."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from shapely.geometry import MultiPolygon

from pipeline.core.blank import blank
from pipeline.core.box import shared
from pipeline.core.errors import GeometryError
from pipeline.core.expansion import contract, expand
from pipeline.core.grid import Grid
from pipeline.core.lattice import Field, Lattice, even_steps
from pipeline.core.margin import Margin
from pipeline.core.raster import mask_sections, mask_to_contours
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY, Barrier
from pipeline.core.solid import FAR, PLANES_PER_PITCH, Solid
from pipeline.core.stack import plane_distances
from pipeline.core.volume import Mask
from pipeline.targets.sections import Bounds, Sections, bounds_of

# Of the lattice on which a barrier is moved by its overlap.
_PITCH_MM = 0.8

Indices = npt.NDArray[np.int_]


def cut_at(ctv: Solid, gtv: Solid, barrier: Barrier, structure: Mask) -> Solid:
    """A CTV without what a barrier takes; the GTV is never cut.

    The body keeps what lies inside it; every other structure takes what lies inside it. Both
    leave the barrier's overlap in mm to the CTV.

    Returns:
        The same solid when the barrier takes nothing, else one on the same lattice.

    Raises:
        GeometryError: the structure lies on another grid than the CTV.
    """
    if structure.grid != ctv.lattice.grid:
        raise GeometryError("barrier lies on another grid than the CT", where=barrier.structure)
    if not _may_meet(ctv, structure, takes_inside=barrier.structure != BODY):
        return ctv
    # The overlap moves the barrier's surface, so the structure must be known that far around.
    reach = Margin.uniform(barrier.overlap_mm)
    wide = ctv.lattice.padded(reach)
    inside = _structure_field(structure, wide)
    barred = Solid(lattice=wide, field=-inside if barrier.structure == BODY else inside)
    if barrier.overlap_mm > 0:
        barred = contract(barred, reach)
    kept = -barred.field[ctv.lattice.offset_in(barred.lattice)]
    around_gtv = gtv.lattice.offset_in(ctv.lattice)
    kept[around_gtv] = np.maximum(kept[around_gtv], gtv.field)
    if not ((ctv.field > 0) & (kept <= 0)).any():
        return ctv
    return Solid(lattice=ctv.lattice, field=np.minimum(ctv.field, kept))


def not_applied(barriers: Sequence[Barrier], organs: Mapping[str, Mask], arm: str) -> tuple[Finding, ...]:
    """`BARRIER_NOT_APPLIED` (warning) where a barrier's structure is not known."""
    unknown = [barrier.structure for barrier in barriers if barrier.structure not in organs]
    if not unknown:
        return ()
    return (
        Finding(
            code="BARRIER_NOT_APPLIED",
            severity=Severity.WARNING,
            where=f"{arm}.CTV",
            message=f"not applied: {', '.join(unknown)}; look whether the CTV enters them, or give their "
            "masks with --anatomy",
        ),
    )


def barred_sections(barrier: Barrier, structure: Mask, sections: Sections) -> dict[int, MultiPolygon]:
    """What a barrier takes near some sections, slice by slice; of the body, what it keeps.

    Beyond the scan's ends the last slice is held. The overlap in mm is left to the CTV.

    Raises:
        GeometryError: the structure lies on another grid (`Mask` and `sections` cannot tell).
    """
    grid = structure.grid
    bounds = bounds_of(sections)
    last = grid.size[2] - 1
    held = {k: min(max(k, 0), last) for k in sections}
    if barrier.overlap_mm == 0.0:
        known = mask_sections(structure, sorted(set(held.values())), bounds)
        return {k: known[n] for k, n in held.items() if n in known}
    lattice = _lattice_over(grid, bounds, sorted(set(held.values())))
    wide = lattice.padded(Margin.uniform(barrier.overlap_mm))
    solid = Solid(lattice=wide, field=_structure_field(structure, wide))
    moved = expand if barrier.structure == BODY else contract
    found = moved(solid, Margin.uniform(barrier.overlap_mm)).slice_sections()
    return {k: found[n] for k, n in held.items() if n in found}


def _lattice_over(grid: Grid, bounds: Bounds, slices: Sequence[int]) -> Lattice:
    """The lattice over some bounds and slices."""
    steps = even_steps(grid.slice_spacing_mm, _PITCH_MM * PLANES_PER_PITCH)
    unit = Lattice(grid=grid, pitch_mm=_PITCH_MM, steps_per_slice=steps, start=(0, 0, 0), size=(1, 1, 1))
    planes = [unit.plane_of_slice(k) for k in (slices[0], slices[-1])]
    start = [math.floor(low / _PITCH_MM) for low in bounds[:2]]
    stop = [math.ceil(high / _PITCH_MM) + 1 for high in bounds[2:]]
    return Lattice(
        grid=grid,
        pitch_mm=_PITCH_MM,
        steps_per_slice=steps,
        start=(start[0], start[1], min(planes)),
        size=(stop[0] - start[0], stop[1] - start[1], max(planes) - min(planes) + 1),
    )


def _may_meet(ctv: Solid, structure: Mask, *, takes_inside: bool) -> bool:
    """Whether a point of the CTV lies near a voxel that the barrier takes: a look that costs little.

    A barrier's outline runs half-way between voxel centres, so a point whose nearest pixel and that
    pixel's neighbours are free, on the slices below and above it, is free.
    """
    lattice, grid = ctv.lattice, structure.grid
    u0, v0, w0 = lattice.origin_mm
    u, v = (start + np.arange(n) * lattice.pitch_mm for start, n in zip((u0, v0), lattice.size, strict=False))
    points = np.stack([*np.meshgrid(u, v), np.full((len(v), len(u)), w0)], axis=-1).reshape(-1, 3)
    index = np.rint(grid.to_index(grid.frame.to_patient(points))).astype(int)
    columns, rows, _ = grid.size
    i, j = np.clip(index[:, 0], 0, columns - 1), np.clip(index[:, 1], 0, rows - 1)
    box = (slice(max(0, j.min() - 1), j.max() + 2), slice(max(0, i.min() - 1), i.max() + 2))
    pixel = np.ravel_multi_index((j - box[0].start, i - box[1].start), structure.voxels[0][box].shape)
    below, above, _ = _neighbours(grid, lattice)
    for k in range(int(below.min()), int(above.max()) + 1):
        inside = (ctv.field[(below == k) | (above == k)] > 0).any(axis=0).ravel()
        taken = structure.voxels[k][box] == takes_inside
        if (_widened(taken).ravel()[pixel] & inside).any():
            return True
    return False


def _widened(pixels: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels and their eight neighbours."""
    wide = pixels.copy()
    wide[1:] |= pixels[:-1]
    wide[:-1] |= pixels[1:]
    rows = wide.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def _neighbours(grid: Grid, lattice: Lattice) -> tuple[Indices, Indices, npt.NDArray[np.float32]]:
    """For every lattice plane the slices below and above it, and how far it is on the way.

    Beyond the scan's ends the last slice is held: nobody knows what lies there.
    """
    last = grid.size[2] - 1
    first = lattice.plane_of_slice(0)
    per_slice = lattice.plane_of_slice(1) - first
    position = np.clip((np.arange(lattice.size[2]) - first) / per_slice, 0, last)
    below = np.minimum(np.floor(position).astype(int), max(0, last - 1))
    above = np.minimum(below + 1, last)
    return below, above, (position - below).astype(np.float32)


def _structure_field(structure: Mask, lattice: Lattice) -> Field:
    """A mask's signed in-plane distance at a lattice, linear between slices."""
    below, above, way = _neighbours(structure.grid, lattice)
    low, high = int(below.min()), int(above.max())
    nearby = _cropped(structure, lattice, low, high)
    sections = mask_to_contours(nearby).sections
    found = plane_distances([sections[k] for k in sections], lattice)
    known = dict(zip(sections, found, strict=True))
    nothing = np.full((lattice.size[1], lattice.size[0]), FAR, dtype=np.float32)
    distances = [known.get(k, nothing) for k in range(low, high + 1)]
    field = np.empty(lattice.shape, dtype=np.float32)
    for plane, (k, following, t) in enumerate(zip(below, above, way, strict=True)):
        field[plane] = (1 - t) * distances[k - low] + t * distances[following - low]
    return field


def _cropped(structure: Mask, lattice: Lattice, low: int, high: int) -> Mask:
    """The mask near a lattice only: pixels further than a few from it are cleared.

    The cut makes new edges outside the lattice; signs on the lattice stay right.
    """
    grid = structure.grid
    u0, v0, w0 = lattice.origin_mm
    far_u = u0 + (lattice.size[0] - 1) * lattice.pitch_mm
    far_v = v0 + (lattice.size[1] - 1) * lattice.pitch_mm
    corners = [(u, v, w0) for u in (u0, far_u) for v in (v0, far_v)]
    index = grid.to_index(grid.frame.to_patient(np.array(corners)))[:, :2]
    i0, j0 = np.maximum(np.floor(index.min(axis=0)).astype(int) - 4, 0)
    i1, j1 = np.maximum(np.ceil(index.max(axis=0)).astype(int) + 5, 0)
    voxels = blank(grid.shape).view(np.bool_)
    box = shared((slice(low, high + 1), slice(j0, j1), slice(i0, i1)), structure.box)
    voxels[box] = structure.voxels[box]
    return Mask(grid=grid, voxels=voxels, within=box)
