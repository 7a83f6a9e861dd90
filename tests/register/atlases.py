"""Phantoms as reference patients: station-like labels drawn at known places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from pipeline.core.anatomy import Organs
from pipeline.core.case import LesionKind
from pipeline.core.grid import Grid
from pipeline.core.reference import ReferencePatient
from pipeline.core.volume import Mask, Volume
from pipeline.phantom import LesionChoice, Phantom, PhantomOptions, make_phantom
from pipeline.phantom.lesions import SITES
from pipeline.register import ORGANS_USED
from tests.anatomy.organs_of import organs, organs_of
from tests.phantoms import phantom

STATIONS = tuple(site for site in SITES if site not in {"tumour_bed", "anastomosis"})
RADIUS_MM = 9.0
SPACING_MM = (5.0, 5.0, 5.0)
# Voxels too large for a CT, and quick to make: the sites are the patient's, whatever the voxels.
_NO_CT = (40.0, 40.0, 40.0)


def patient(**changes: object) -> Phantom:
    """A phantom without lesions."""
    return phantom(PhantomOptions(**{"spacing_mm": SPACING_MM, "lesions": (), **changes}))


@lru_cache(maxsize=16)
def _sites(options: PhantomOptions) -> Mapping[str, np.ndarray]:
    lesions = tuple(LesionChoice(site=site, kind=LesionKind.NODE) for site in STATIONS)
    made = make_phantom(replace(options, spacing_mm=_NO_CT, lesions=lesions))
    return {site.site: np.array(site.centre_mm) for site in made.sites.values()}


def truth(one: Phantom) -> Mapping[str, np.ndarray]:
    """Station to the LPS point of its middle in this patient."""
    return _sites(one.options)


def ball(grid: Grid, centre_mm: np.ndarray, radius_mm: float = RADIUS_MM) -> Mask:
    i, j, k = (np.arange(count) for count in grid.size)
    kk, jj, ii = np.meshgrid(k, j, i, indexing="ij", sparse=True)
    centre = grid.to_index([centre_mm])[0]
    steps = [(one - at) * step for one, at, step in zip((ii, jj, kk), centre, grid.spacing_mm, strict=True)]
    return Mask(grid=grid, voxels=sum(step**2 for step in steps) < radius_mm**2)


def balls(one: Phantom) -> dict[str, Mask]:
    """A ball at each station; where two overlap, the first has it."""
    taken = np.zeros(one.volume.grid.shape, dtype=bool)
    labels = {}
    for station, centre in truth(one).items():
        voxels = ball(one.volume.grid, centre).voxels & ~taken
        taken |= voxels
        labels[station] = Mask(grid=one.volume.grid, voxels=voxels)
    return labels


def used_organs(one: Phantom, *, without: Iterable[str] = ()) -> Organs:
    """What the registration looks at."""
    every = organs_of(one, parts=("lung_left", "lung_right", "main_bronchi"))
    left_out = set(without)
    return organs(
        one.volume.grid, {name: every[name] for name in every if name in ORGANS_USED and name not in left_out}
    )


def no_organs(grid: Grid) -> Organs:
    return Organs(grid=grid, by_name={})


def reference(one: Phantom, *, with_organs: bool = True, name: str = "someone") -> ReferencePatient:
    grid = one.volume.grid
    return ReferencePatient(
        name=name,
        volume=one.volume,
        labels=balls(one),
        organs=used_organs(one) if with_organs else no_organs(grid),
    )


def slab(of: ReferencePatient, slices: slice) -> ReferencePatient:
    """The reference as a shorter scan."""
    grid = of.volume.grid
    start, stop, _ = slices.indices(grid.size[2])
    x, y, z = (float(value) for value in grid.to_patient([[0, 0, start]])[0])
    short = replace(grid, size=(*grid.size[:2], stop - start), origin_mm=(x, y, z))

    def cut(masks: Mapping[str, Mask]) -> dict[str, Mask]:
        parts = {name: Mask(grid=short, voxels=mask.voxels[slices]) for name, mask in masks.items()}
        return {name: mask for name, mask in parts.items() if mask.voxels.any()}

    return ReferencePatient(
        name=of.name,
        volume=Volume(grid=short, hu=of.volume.hu[slices]),
        labels=cut(of.labels),
        organs=organs(short, cut({name: of.organs[name] for name in of.organs})),
    )


def mirrored(of: ReferencePatient, *, swap_names: bool = False) -> ReferencePatient:
    """The reference with its arrays turned left to right; the names go along, or are put right."""
    grid = of.volume.grid

    def turned(mask: Mask) -> Mask:
        return Mask(grid=grid, voxels=mask.voxels[:, :, ::-1])

    def renamed(name: str) -> str:
        if not swap_names:
            return name
        if name[-1] in "RL" and name not in of.organs:
            other = name[:-1] + ("L" if name[-1] == "R" else "R")
            return other if other in of.labels else name
        return name.replace("left", "*").replace("right", "left").replace("*", "right")

    return ReferencePatient(
        name=of.name,
        volume=Volume(grid=grid, hu=of.volume.hu[:, :, ::-1]),
        labels={renamed(name): turned(mask) for name, mask in of.labels.items()},
        organs=organs(grid, {renamed(name): turned(of.organs[name]) for name in of.organs}),
    )


def centroid(mask: Mask) -> np.ndarray:
    return mask.grid.to_patient([np.argwhere(mask.voxels).mean(axis=0)[::-1]])[0]


def errors_mm(labels: Mapping[str, Mask], one: Phantom) -> dict[str, float]:
    """Label to the distance of its centroid from the truth."""
    places = truth(one)
    return {name: float(np.linalg.norm(centroid(mask) - places[name])) for name, mask in labels.items()}


def dice(one: Mask, other: Mask) -> float:
    shared = int(np.count_nonzero(one.voxels & other.voxels))
    return 2 * shared / (int(np.count_nonzero(one.voxels)) + int(np.count_nonzero(other.voxels)))
