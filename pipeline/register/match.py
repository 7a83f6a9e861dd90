"""What is compared at each step of the fit: organs' distances, or Hounsfield units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

import numpy as np

from pipeline.register.channel import CommonOrgans, channel
from pipeline.register.coarse import HU_RANGE, Bools, CoarsePatient, Floats
from pipeline.register.images import by_shifts, image_of, longer, moved, reached, shifts_of

# Far organs show the way at first; near surfaces settle it, whose neighbours are the same in both patients.
FAR_MM, NEAR_MM = 20.0, 10.0


class Metric(Enum):
    """How far two images are from a match.

    Distances are alike where they match. Hounsfield units need not be, where one patient has contrast; and
    mutual information does not push the patients apart until only air meets air.
    """

    MEAN_SQUARES = auto()
    MUTUAL_INFORMATION = auto()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Two images to be matched, and how.

    Attributes:
        fixed, moving: of the patient and of the reference.
        mask: where the patient's counts.
        metric: how far they are from a match.
    """

    fixed: Any
    moving: Any
    mask: Any
    metric: Metric


class Match(Protocol):
    """A way to compare two patients."""

    def at_first(self) -> Pair:
        """The images before anything is known, each on its own grid."""

    def after(self, so_far: Any, region: Bools, *, last: bool) -> Pair:
        """The images after a transform, both on the patient's grid, to be compared in a region."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrganMatch:
    """By the organs that both have.

    The reference's distances are measured anew on the patient's grid after each step: a millimetre of a small
    patient's is less than one of a large patient's, and the difference would pull at the organs.
    """

    patient: CoarsePatient
    reference: CoarsePatient
    common: CommonOrgans

    def at_first(self) -> Pair:
        """Distances of a long reach, on each patient's own grid."""
        fixed, near = channel(self.common.patient, self.patient.grid, clip_mm=FAR_MM)
        moving, _ = channel(self.common.reference, self.reference.grid, clip_mm=FAR_MM)
        return Pair(
            fixed=image_of(fixed, self.patient.grid),
            moving=image_of(moving, self.reference.grid),
            mask=image_of(near, self.patient.grid),
            metric=Metric.MEAN_SQUARES,
        )

    def after(self, so_far: Any, region: Bools, *, last: bool) -> Pair:
        """Distances on the patient's grid, of a short reach at last."""
        clip_mm, grid = (NEAR_MM if last else FAR_MM), self.patient.grid
        so_far = by_shifts(shifts_of(so_far, grid), grid)  # each organ moves by it, and splines are slow
        shares = {name: self._moved(share, so_far) for name, share in self.common.reference.items()}
        fixed, near = channel(self.common.patient, grid, clip_mm=clip_mm)
        moving, its = channel(shares, grid, clip_mm=clip_mm)
        there = reached(self.reference.grid, grid, so_far)
        return Pair(
            fixed=image_of(fixed, grid),
            moving=image_of(moving, grid),
            mask=image_of((near | its) & region & there, grid),
            metric=Metric.MEAN_SQUARES,
        )

    def _moved(self, share: Floats, so_far: Any) -> Floats:
        values, grid = longer(share, self.reference.grid, 2 * FAR_MM)
        return moved(values, grid, self.patient.grid, so_far)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HuMatch:
    """By Hounsfield units within the patient's body."""

    patient: CoarsePatient
    reference: CoarsePatient

    def at_first(self) -> Pair:
        """Each patient's own."""
        return Pair(
            fixed=image_of(self.patient.hu, self.patient.grid),
            moving=image_of(self.reference.hu, self.reference.grid),
            mask=image_of(self.patient.body, self.patient.grid),
            metric=Metric.MUTUAL_INFORMATION,
        )

    def after(self, so_far: Any, region: Bools, *, last: bool) -> Pair:
        """The reference's brought on the patient's grid."""
        del last
        grid = self.patient.grid
        hu = moved(self.reference.hu, self.reference.grid, grid, so_far, outside=HU_RANGE[0])
        there = reached(self.reference.grid, grid, so_far)
        return Pair(
            fixed=image_of(self.patient.hu, grid),
            moving=image_of(np.ascontiguousarray(hu), grid),
            mask=image_of(self.patient.body & region & there, grid),
            metric=Metric.MUTUAL_INFORMATION,
        )
