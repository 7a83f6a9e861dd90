"""A patient of boxes and discs on a small grid, the rules to try on him, and what they give.

Boxes and places are told in voxel steps or mm from the grid's centre along u, v, w (left, back, head), so
that they are the same however the grid is stored. The centre is a corner of eight voxels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.derived import DERIVED
from pipeline.anatomy.stations.fields import embedded, station_lattice
from pipeline.anatomy.stations.primitives import in_box
from pipeline.anatomy.stations.scene import Scene
from pipeline.anatomy.stations.structures import Structures
from pipeline.core.anatomy import Landmark, Landmarks, Organs
from pipeline.core.atlas import COMBINATIONS, Figure, Option, StationAtlas, Term
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid
from pipeline.core.volume import Mask
from tests.anatomy.organs_of import organs
from tests.closed_forms import make_grid

Span = tuple[float, float]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

SIZE, SPACING = (64, 52, 24), (1.3, 0.9, 3.0)
CENTRE = (7.3, -11.9, 103.7)
GRIDS = {
    "HFS": make_grid(size=SIZE, spacing_mm=SPACING, centre_mm=CENTRE),
    "HFDL, turned, from head to foot": make_grid(
        size=SIZE, spacing_mm=SPACING, centre_mm=CENTRE, position="HFDL", flip_k=True, yaw_deg=12.0
    ),
}
HFS = GRIDS["HFS"]
PITCH = 0.8


def centre(grid: Grid) -> np.ndarray:
    """The grid's centre in frame coordinates."""
    middle = grid.to_patient([[(count - 1) / 2.0 for count in grid.size]])
    return grid.frame.from_patient(middle)[0]


def steps(grid: Grid) -> np.ndarray:
    """Voxel steps along u, v, w."""
    frame = np.array([grid.frame.left, grid.frame.posterior, grid.frame.superior])
    return np.abs(frame @ grid.axes) @ np.array(grid.spacing_mm)


@lru_cache(maxsize=8)
def places(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every voxel centre along u, v, w in mm from the grid's centre, each of the shape of a mask."""
    k, j, i = np.indices(grid.shape)
    points = grid.to_patient(np.column_stack([i.ravel(), j.ravel(), k.ravel()]))
    frame = grid.frame.from_patient(points) - centre(grid)
    return tuple(axis.reshape(grid.shape) for axis in frame.T)  # type: ignore[return-value]


def where(grid: Grid, inside: Callable[..., Bools]) -> Bools:
    """Voxels whose centre (u, v, w) in mm from the grid's centre is inside."""
    return inside(*places(grid))


def box(grid: Grid, u: Span, v: Span, w: Span) -> Bools:
    """A box of voxels; its faces lie so many voxel steps from the grid's centre."""
    inside = np.ones(grid.shape, dtype=bool)
    for place, step, (low, high) in zip(places(grid), steps(grid), (u, v, w), strict=True):
        inside &= (place > low * step) & (place < high * step)
    return inside


def mm(grid: Grid, axis: int, count: float) -> float:
    """Frame coordinate of a place so many voxel steps from the centre."""
    return float(centre(grid)[axis] + count * steps(grid)[axis])


def term(raw: Mapping[str, Any]) -> Term:
    """A term as it stands in an atlas file."""
    ((name, content),) = raw.items()
    if name in COMBINATIONS:
        parts = content if isinstance(content, list) else [content]
        return Term(primitive=name, place=f"made, key {name}", terms=tuple(term(part) for part in parts))
    keys = content if isinstance(content, dict) else {"name": content}
    return Term(primitive=name, place=f"made, key {name}", keys={k: _value(v) for k, v in keys.items()})


def way(raw: Mapping[str, Any]) -> Term:
    """A way to a point or path as it stands in an atlas file."""
    if len(raw) == 1 and isinstance(next(iter(raw.values())), dict):
        return term(raw)
    return Term(primitive=next(iter(raw)), place="made", keys={k: _value(v) for k, v in raw.items()})


def _value(raw: Any) -> Any:
    if isinstance(raw, list):
        return tuple(_value(one) for one in raw)
    return {k: _value(v) for k, v in raw.items()} if isinstance(raw, dict) else raw


def landmarks(grid: Grid, levels: Mapping[str, float]) -> Landmarks:
    """Landmarks at heights in mm from the grid's centre, off to the side."""
    points = {name: centre(grid) + np.array([3.0, -2.0, level]) for name, level in levels.items()}
    return Landmarks(
        found={
            name: Landmark(
                name=name,
                point_mm=tuple(grid.frame.to_patient([point])[0].tolist()),  # type: ignore[arg-type]
                inferred=False,
                error_mm=1.0,
                how="made",
            )
            for name, point in points.items()
        }
    )


def patient(grid: Grid, masks: Mapping[str, Bools]) -> Organs:
    return organs(grid, {name: Mask(grid=grid, voxels=voxels) for name, voxels in masks.items()})


def atlas(
    *,
    figures: Mapping[str, float] | None = None,
    options: Mapping[str, Mapping[str, str]] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    points: Mapping[str, list[dict[str, Any]]] | None = None,
    paths: Mapping[str, list[dict[str, Any]]] | None = None,
    spaces: Mapping[str, dict[str, Any]] | None = None,
) -> StationAtlas:
    """An atlas without stations. An option's first choice is its default."""
    return StationAtlas(
        version="made",
        sha256="",
        options={
            name: Option(meaning="", choices=choices, default=next(iter(choices)), source="OWN")
            for name, choices in (options or {}).items()
        },
        figures={name: Figure(mm=value, source="OWN") for name, value in (figures or {}).items()},
        groups={name: tuple(members) for name, members in (groups or {}).items()},
        levels=(),
        points={name: tuple(way(one) for one in ways) for name, ways in (points or {}).items()},
        paths={name: tuple(way(one) for one in ways) for name, ways in (paths or {}).items()},
        spaces={name: term(one) for name, one in (spaces or {}).items()},
        stations={},
        priority=(),
        least_cc=0.0,
        sources={"OWN": "I: made"},
    )


def scene(
    grid: Grid = HFS,
    masks: Mapping[str, Bools] | None = None,
    levels: Mapping[str, float] | None = None,
    *,
    pitch: float = PITCH,
    chosen: Mapping[str, str] | None = None,
    **rules: Any,
) -> Scene:
    """A patient under an atlas; `levels` in mm from the grid's centre, `rules` as for `atlas`."""
    made = atlas(**rules)
    structures = Structures(
        OrganView(patient(grid, masks or {})), landmarks(grid, levels or {}).found, made.groups, DERIVED
    )
    lattice = station_lattice(grid, structures.crop, pitch)
    return Scene(made, made.chosen(chosen or {}), structures, lattice)


def solid(of: Scene, raw: Mapping[str, Any]) -> Solid:
    """What a term gives, cut where the lattice ends."""
    field, window = in_box(of, term(raw), of.lattice)
    outer = window.padded(Margin.uniform(0.0))
    return Solid(lattice=outer, field=embedded(field, window, outer))


def volume(of: Scene, raw: Mapping[str, Any]) -> float:
    """Volume in mm3 of what a term gives."""
    return 1000.0 * solid(of, raw).volume_cc


def area(of: Scene, raw: Mapping[str, Any], w: float) -> float:
    """Area in mm2 of what a term gives on the lattice plane nearest to a height in mm from the centre."""
    return section(of, raw, w).area


def section(of: Scene, raw: Mapping[str, Any], w: float):
    made = solid(of, raw)
    level = centre(made.lattice.grid)[2] + w
    return made.section(round((level - made.lattice.origin_mm[2]) / made.lattice.plane_pitch_mm))


def bounds(of: Scene, raw: Mapping[str, Any]) -> np.ndarray:
    """Extents (u low, u high, v low, v high, w low, w high) in mm from the grid's centre."""
    made = solid(of, raw)
    return np.array(made.bounds_mm()) - np.repeat(centre(made.lattice.grid), 2)
