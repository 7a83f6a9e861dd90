"""Target volumes as results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.margin import Margin
from pipeline.core.report import Finding
from pipeline.core.rules import ENI

# Less than this is the noise of two polygonal outlines of one surface.
NOISE_CC = 0.01


class TargetKind(StrEnum):
    """The volumes of the protocol, section 1."""

    GTV = "GTV"
    PGTV = "PGTV"
    CTV = "CTV"
    PTV = "PTV"
    UNCROPPED = "uncropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEnd:
    """What of a volume lies past one end of the scan: `upper` or `lower`, on how many slices, how much."""

    end: str
    slices: int
    volume_cc: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of a volume when it was brought onto the CT's slices, for the checks.

    Attributes:
        past_ends: what the ends of the scan took.
        outside_image_cc: what the image's edge took.
        filled_cc: holes within slices that were filled.
        barred: whether barriers or smoothing took anything before.
    """

    past_ends: tuple[PastEnd, ...] = ()
    outside_image_cc: float = 0.0
    filled_cc: float = 0.0
    barred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """One volume of an arm.

    Attributes:
        name: ROI name of the protocol's scheme: `GTV-T`, `GTV-N1`, `PGTV`, `CTV`, `PTV`.
        kind: what it is.
        contours: the final polygons on the CT slices.
        recipe: one line that says how it was made.
        requested: margin asked for; None for a GTV.
        measured: margin reached on the uncut expansion, surface to surface, per direction; where
            lesions differ, each direction's least. None for a GTV.
        uncut_volume_cc: volume before barriers, the scan's end and the image's edge took their part; of a
            PTV, which grows from the CTV that barriers have cut, before the latter two.
        changes: what the scan's end, the image's edge and the filling of holes changed.
    """

    name: str
    kind: TargetKind
    contours: Contours
    recipe: str
    requested: Margin | None = None
    measured: Margin | None = None
    uncut_volume_cc: float | None = None
    changes: Changes = Changes()

    @property
    def is_cut(self) -> bool:
        """Whether anything took a part of it after its growth, more than outlines differ by."""
        uncut = self.uncut_volume_cc
        return uncut is not None and uncut - self.contours.volume_cc > NOISE_CC


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetSet:
    """The volumes of one arm (`ifi` or `eni`), GTVs first, and the doubts met while building."""

    arm: str
    targets: tuple[Target, ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if len({target.contours.grid for target in self.targets}) > 1:
            raise GeometryError("targets lie on different grids", where=self.arm, expected="one grid")

    def of_kind(self, kind: TargetKind) -> tuple[Target, ...]:
        """All volumes of a kind: several GTVs, one CTV."""
        return tuple(target for target in self.targets if target.kind is kind)

    def ends_at_boundaries(self, target: Target) -> bool:
        """Whether a volume ends at levels of the patient, not at its margin: the elective CTV."""
        return self.arm == ENI and target.kind is TargetKind.CTV

    def __getitem__(self, name: str) -> Target:
        for target in self.targets:
            if target.name == name:
                return target
        raise GeometryError("no such target", expected=", ".join(t.name for t in self.targets), got=name)
