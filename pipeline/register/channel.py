"""The organs of a patient as one image: a weighted sum of distances to their surfaces.

A registration of SimpleITK compares one image with one image, so the organs share one. Each gives its
signed distance, clipped so that it speaks of its neighbourhood only, times a weight. The weights differ in
sign where organs face each other: between two surfaces the sum of both distances is the same everywhere, and
their difference tells where one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Organs
from pipeline.core.grid import Grid
from pipeline.register.coarse import Bools, CoarsePatient, Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Organs that are one for the registration.

    Attributes:
        members: organs of which those count that both patients have.
        weight: of its distance in the sum. Small organs have little room to be heard in, and weigh more.
    """

    members: tuple[str, ...]
    weight: float


_SPINE = (*(f"C{n}" for n in range(1, 8)), *(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6)))

# What surgery moves (esophagus, stomach, conduit) and what hangs on filling (bowel) is no guide. The
# vertebrae are one: a level called by its neighbour's name must not pull the patient by a vertebra.
GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "lung_left": Group(members=("lung_left",), weight=1.0),
        "lung_right": Group(members=("lung_right",), weight=-1.0),
        "trachea": Group(members=("trachea",), weight=2.0),
        "main_bronchi": Group(members=("main_bronchi",), weight=2.0),
        "aorta": Group(members=("aorta",), weight=2.0),
        "heart": Group(members=("heart",), weight=-1.0),
        "superior_vena_cava": Group(members=("superior_vena_cava",), weight=1.5),
        "brachiocephalic_vein_left": Group(members=("brachiocephalic_vein_left",), weight=1.5),
        "brachiocephalic_trunk": Group(members=("brachiocephalic_trunk",), weight=-1.5),
        "sternum": Group(members=("sternum",), weight=2.0),
        "clavicles": Group(members=("clavicula_left", "clavicula_right"), weight=1.5),
        "vertebrae": Group(members=tuple(f"vertebrae_{level}" for level in _SPINE), weight=1.5),
        "spinal_cord": Group(members=("spinal_cord",), weight=1.0),
        "liver": Group(members=("liver",), weight=0.5),
        "spleen": Group(members=("spleen",), weight=0.5),
        "kidney_left": Group(members=("kidney_left",), weight=0.5),
        "kidney_right": Group(members=("kidney_right",), weight=0.5),
        "body": Group(members=("body",), weight=0.5),
    }
)

ORGANS_USED = tuple(dict.fromkeys(organ for group in GROUPS.values() for organ in group.members))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonOrgans:
    """The groups that both patients have, on their large voxels: group to the part of each voxel filled."""

    patient: Mapping[str, Floats]
    reference: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.patient)


def common_organs(
    patient: CoarsePatient, organs: Organs, reference: CoarsePatient, its_organs: Organs
) -> CommonOrgans:
    """What both patients have. A group counts with the members that both have."""
    ours: dict[str, Floats] = {}
    theirs: dict[str, Floats] = {}
    for name, group in GROUPS.items():
        members = [one for one in group.members if one in organs and one in its_organs]
        if not members:
            continue
        here, there = _share(patient, organs, members), _share(reference, its_organs, members)
        if inside(here).any() and inside(there).any():
            ours[name], theirs[name] = here, there
    return CommonOrgans(patient=ours, reference=theirs)


def inside(share: Floats) -> Bools:
    """The large voxels of which more than half is filled."""
    return np.asarray(share > 0.5)


def channel(shares: Mapping[str, Floats], grid: Grid, *, clip_mm: float) -> tuple[Floats, Bools]:
    """The sum of the groups' weighted distances in mm, and where any of them is not clipped."""
    total = np.zeros(grid.shape, dtype=np.float32)
    near = np.zeros(grid.shape, dtype=bool)
    for name, share in shares.items():
        distance = signed_distance(share, grid, clip_mm=clip_mm)
        total += np.float32(GROUPS[name].weight) * distance
        near |= np.abs(distance) < clip_mm
    return total, near


def signed_distance(share: Floats, grid: Grid, *, clip_mm: float) -> Floats:
    """Distance to an organ's surface in mm, below 0 inside, clipped at both ends.

    An organ that the scan cuts is taken to go on as it ends: the cut is no surface.
    """
    from scipy.ndimage import distance_transform_edt

    spacing = grid.spacing_mm[::-1]
    reach = tuple(int(np.ceil(clip_mm / step)) + 1 for step in spacing)
    padded = np.pad(inside(share), [(reach[0], reach[0]), (0, 0), (0, 0)], mode="edge")
    result = np.full(padded.shape, clip_mm, dtype=np.float32)
    if padded.any():
        box = _box(padded, reach)
        voxels = padded[box]
        outwards = distance_transform_edt(~voxels, sampling=spacing)
        inwards = distance_transform_edt(voxels, sampling=spacing) if not voxels.all() else np.inf
        # Centre to centre, both pass the surface half a voxel before they end.
        half = min(spacing) / 2
        signed = np.where(voxels, half - inwards, outwards - half)
        result[box] = np.clip(signed, -clip_mm, clip_mm)
    return np.ascontiguousarray(result[reach[0] : -reach[0]])


def _share(patient: CoarsePatient, organs: Organs, members: Iterable[str]) -> Floats:
    first, *others = (organs[name].voxels for name in members)
    voxels: npt.NDArray[np.bool_] = first if not others else first.copy()
    for one in others:
        voxels |= one
    return patient.share(voxels)


def _box(voxels: Bools, reach: tuple[int, ...]) -> tuple[slice, ...]:
    spans = []
    for axis, margin in enumerate(reach):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(voxels.any(axis=others))
        spans.append(slice(max(0, int(found[0]) - margin), int(found[-1]) + margin + 1))
    return tuple(spans)
