"""Organs of one patient, and where each of them came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid
from pipeline.core.report import Finding
from pipeline.core.volume import Mask


class OrganSource(StrEnum):
    """Where an organ's mask came from, in order of trust: an earlier one takes the place of a later one."""

    STRUCTURE_SET = "structure set"
    MASKS = "masks"
    SEGMENTATION = "TotalSegmentator"
    IMAGE = "image processing"

    @property
    def rank(self) -> int:
        """0 for the most trusted source."""
        return list(OrganSource).index(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Organ:
    """One organ of the patient.

    Attributes:
        name: TotalSegmentator's name (`lung_left`, `vertebrae_T4`, `aorta`), or one that the atlas defines.
        mask: not empty, on the CT's grid.
        source: where it came from.
        detail: the ROI, file or method.
    """

    name: str
    mask: Mask
    source: OrganSource
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Organs:
    """What is known of a patient's organs, one of each name, on one grid.

    Attributes:
        grid: of the CT.
        by_name: name to organ.
        findings: conflicts between sources, and what could not be used.

    Raises:
        GeometryError: an organ on another grid.
    """

    grid: Grid
    by_name: Mapping[str, Organ]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        for organ in self.by_name.values():
            if organ.mask.grid != self.grid:
                raise GeometryError("organ lies on another grid than the CT", where=organ.name)
        object.__setattr__(self, "by_name", MappingProxyType(dict(self.by_name)))

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> Mask:
        return self.by_name[name].mask

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)
