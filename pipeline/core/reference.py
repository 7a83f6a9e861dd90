"""A reference patient with stations as labels, and those labels brought to another patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from pipeline.core.anatomy import Organs
from pipeline.core.errors import GeometryError
from pipeline.core.frozen import FrozenMap
from pipeline.core.grid import Grid
from pipeline.core.report import Finding
from pipeline.core.volume import Mask, Volume

# Of the finding that says that a reference patient's stations must not be used.
FIT_FAILED = "ATLAS_FIT_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferencePatient:
    """A patient whose stations were drawn: the label-map atlas.

    Attributes:
        name: of its folder.
        volume: the CT.
        labels: name to mask, not empty and on the CT's grid.
        organs: as far as there are; may be none.

    Raises:
        GeometryError: a label or the organs on another grid than the CT.
    """

    name: str
    volume: Volume
    labels: Mapping[str, Mask]
    organs: Organs

    def __post_init__(self) -> None:
        for label, mask in self.labels.items():
            if mask.grid != self.volume.grid:
                raise GeometryError("label lies on another grid than the reference CT", where=label)
        if self.organs.grid != self.volume.grid:
            raise GeometryError("organs lie on another grid than the reference CT", where=self.name)
        object.__setattr__(self, "labels", FrozenMap(self.labels))


class RegistrationMethod(StrEnum):
    """What the two patients were matched by."""

    ORGANS = "distance maps of the organs"
    HU = "Hounsfield units"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganFit:
    """How well an organ of both patients fits after registration, where both scans reach.

    Attributes:
        dice: 0 to 1.
        distance_mm: mean distance between the two surfaces, taken from either.
    """

    dice: float
    distance_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationQuality:
    """Figures of a registration where both scans reach; of organs and Hounsfield units, near the labels.

    Attributes:
        organs: organ, or group of organs, to its fit; empty where the patients have none in common.
        body_dice: Dice of the two bodies from Hounsfield units, 0 to 1.
        correlation: of the Hounsfield units in the patient's body, clipped to -1000 to 300; -1 to 1.
        mutual_information: of the same, in nats.
        overlap: part of the patient's body that the reference scan reaches.
        mirrored_gain: the best correlation of the reference mirrored left to right, less that of the
            reference as it is, each over shifts of the whole: above 0 the mirrored one fits better.
        folded: part of the labels' volume where the transform folds over itself.
    """

    organs: Mapping[str, OrganFit] = field(default_factory=dict)
    body_dice: float
    correlation: float
    mutual_information: float
    overlap: float
    mirrored_gain: float
    folded: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "organs", FrozenMap(self.organs))

    @property
    def organ_dice(self) -> float | None:
        """Mean over the organs; None without organs."""
        return float(np.mean([one.dice for one in self.organs.values()])) if self.organs else None

    @property
    def organ_distance_mm(self) -> float | None:
        """Mean over the organs of the distance between surfaces; None without organs."""
        return float(np.mean([one.distance_mm for one in self.organs.values()])) if self.organs else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegisteredLabels:
    """The labels of a reference patient on the patient's CT.

    Attributes:
        grid: of the patient's CT.
        labels: name to mask, none empty, no voxel in two of them; in the reference's order.
        not_moved: name to the reason why a label has no mask.
        method: what the patients were matched by.
        quality: figures of the match.
        findings: doubts; a `stop` where the match must not be used as it is.

    Raises:
        GeometryError: a label on another grid.
    """

    grid: Grid
    labels: Mapping[str, Mask]
    not_moved: Mapping[str, str]
    method: RegistrationMethod
    quality: RegistrationQuality
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        for label, mask in self.labels.items():
            if mask.grid != self.grid:
                raise GeometryError("moved label lies on another grid than the CT", where=label)
        for name in ("labels", "not_moved"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))
