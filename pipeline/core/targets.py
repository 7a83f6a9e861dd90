"""Target volumes as results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError
from pipeline.core.margin import Margin
from pipeline.core.report import Finding


class TargetKind(StrEnum):
    """The volumes of the protocol, section 1."""

    GTV = "GTV"
    PGTV = "PGTV"
    CTV = "CTV"
    PTV = "PTV"
    UNCROPPED = "uncropped"


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
    """

    name: str
    kind: TargetKind
    contours: Contours
    recipe: str
    requested: Margin | None = None
    measured: Margin | None = None
    uncut_volume_cc: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetSet:
    """The volumes of one arm (`ifi` or `eni`), GTVs first, and the doubts met while building."""

    arm: str
    targets: tuple[Target, ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if len({target.contours.grid for target in self.targets}) > 1:
            raise GeometryError("targets lie on different grids", where=self.arm, expected="one grid")

    def __getitem__(self, name: str) -> Target:
        for target in self.targets:
            if target.name == name:
                return target
        raise GeometryError("no such target", expected=", ".join(t.name for t in self.targets), got=name)
