"""The barriers of a protocol as masks of the patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.aerated import beside, join_air
from pipeline.core.anatomy import Organs, OrganSource
from pipeline.core.barriers import BarrierOrgans
from pipeline.core.blank import blank
from pipeline.core.box import NOWHERE, Box, hull, shared, whole
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask, Volume

Bools = npt.NDArray[np.bool_]

# What lung encloses in an axial slice and is no larger than this is a vessel or bronchus of it; more may be a
# tumour or the mediastinum [A].
MOST_ENCLOSED_MM2 = 400.0


def barrier_masks(
    organs: Organs,
    table: Mapping[str, BarrierOrgans],
    wanted: Iterable[str],
    *,
    volume: Volume | None = None,
    slices: range | None = None,
) -> dict[str, Mask]:
    """Barrier to its mask on the CT's grid; those of which no organ is known are left out.

    Args:
        organs: of the patient.
        table: barrier to its organs.
        wanted: barriers.
        volume: the CT, which tells what of a lung was not drawn; without it nothing is added.
        slices: only these are looked at; a mask that is made up may be empty elsewhere. All by default.
    """
    found = {}
    reach = whole(organs.grid.shape)
    if slices is not None:
        reach = (slice(slices.start, slices.stop), *reach[1:])
    for barrier in wanted:
        known = [name for name in table[barrier].organs if name in organs]
        if not known:
            continue
        entry = table[barrier]
        others = tuple(name for other in entry.air_apart_from for name in table[other].organs)
        if len(known) == 1 and not entry.filled and _joins(entry, organs, known, volume) is None:
            found[barrier] = organs[known[0]]
            continue
        found[barrier] = _made_up(organs, known, table[barrier], reach, others=others, volume=volume)
    return found


def _made_up(
    organs: Organs,
    known: Sequence[str],
    entry: BarrierOrgans,
    reach: Box,
    *,
    others: Sequence[str],
    volume: Volume | None,
) -> Mask:
    """The union of known organs within reach, with what else belongs to the barrier."""
    grid = organs.grid
    boxes = [shared(organs[name].box, reach) for name in known]
    voxels = blank(grid.shape).view(np.bool_)
    for name, box in zip(known, boxes, strict=True):
        voxels[box] |= organs[name].voxels[box]
    within = hull(boxes)
    below_hu = _joins(entry, organs, known, volume)
    if volume is not None and below_hu is not None and within != NOWHERE:
        # An airway may end anywhere along the patient; lungs are drawn from end to end.
        within = beside((reach[0], *within[1:]) if entry.along else within, reach, grid.spacing_mm)
        join_air(voxels[within], within, volume, organs, below_hu, others=others)
    if entry.filled:
        _fill(voxels[within], MOST_ENCLOSED_MM2 / (grid.spacing_mm[0] * grid.spacing_mm[1]))
    return Mask(grid=grid, voxels=voxels, within=within)


def _joins(entry: BarrierOrgans, organs: Organs, known: Sequence[str], volume: Volume | None) -> float | None:
    """Below how many HU air is joined to what is known; None where none is.

    Image processing has looked at the air already.
    """
    stated = any(organs.by_name[name].source is not OrganSource.IMAGE for name in known)
    if volume is None or not stated or any(name not in organs for name in entry.air_needs):
        return None
    return entry.with_air_below_hu


def holes_in_barriers(
    organs: Organs, table: Mapping[str, BarrierOrgans], wanted: Iterable[str]
) -> tuple[Finding, ...]:
    """`BARRIER_PARTLY_KNOWN` (info) where organs that a barrier needs are not known and others of it are."""
    found = []
    for barrier in wanted:
        entry = table[barrier]
        known = [name for name in entry.organs if name in organs]
        lacking = [name for name in entry.needs if name not in organs]
        if known and lacking and not any(name in organs for name in entry.whole):
            found.append(
                Finding(
                    code="BARRIER_PARTLY_KNOWN",
                    severity=Severity.INFO,
                    where=f"barrier {barrier}",
                    message=f"made of {', '.join(known)}; not known: {', '.join(lacking)}. "
                    "Look whether the CTV enters them",
                )
            )
    return tuple(found)


def _fill(voxels: Bools, most_pixels: float) -> None:
    """Fill small holes of each slice, in place."""
    import cc3d

    for k in np.flatnonzero(voxels.any(axis=(1, 2))).tolist():
        rows, columns = (np.flatnonzero(voxels[k].any(axis=axis)) for axis in (1, 0))
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        part = voxels[k][box]
        labels = cc3d.connected_components(np.ascontiguousarray(~part), connectivity=4)
        sizes = np.bincount(labels.ravel())
        edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        small = sizes <= most_pixels
        small[0] = False  # what is lung already
        small[edge] = False
        part |= small[labels]
