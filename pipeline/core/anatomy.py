"""Organs and landmarks of one patient, and where each of them came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipeline.core.errors import GeometryError
from pipeline.core.frozen import FrozenMap
from pipeline.core.grid import Grid, Vector
from pipeline.core.report import Finding
from pipeline.core.volume import Mask

# What the protocol calls stomach or intestine [P; the list: A].
STOMACH = ("gastric_conduit", "stomach")
ESOPHAGUS, CONDUIT = "esophagus", "gastric_conduit"
GUT = (*STOMACH, "duodenum", "small_bowel", "colon")
# What may hold gas of its own.
HOLLOW = (ESOPHAGUS, *GUT)
# Unpaired organs, and the side of the spine where nearly everybody has them [A]. Not the stomach, which
# operations for this disease move.
UNPAIRED_SIDES = FrozenMap(
    {
        "liver": "right",
        "spleen": "left",
        "heart": "left",
        "superior_vena_cava": "right",
        "inferior_vena_cava": "right",
    }
)


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
        object.__setattr__(self, "by_name", FrozenMap(self.by_name))

    def with_conduit_named(self) -> Organs:
        """The same where the gullet was resected: what is called esophagus is the conduit."""
        if CONDUIT in self or ESOPHAGUS not in self:
            return self
        gullet = self.by_name[ESOPHAGUS]
        named = replace(gullet, name=CONDUIT, detail=f"{gullet.detail}, called {ESOPHAGUS}")
        kept = {name: organ for name, organ in self.by_name.items() if name != ESOPHAGUS}
        return replace(self, by_name={**kept, CONDUIT: named})

    def __contains__(self, name: str) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> Mask:
        return self.by_name[name].mask

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to find a landmark, as the atlas states it.

    Attributes:
        method: name of a finder of `pipeline.anatomy.landmarks`.
        organs: the organs that it looks at.
        landmark: the landmark that it starts from; empty when it needs none.
        mm: the finder's figure: a distance, width or area (mm2); its docstring says which.
        error_mm: expected error of the level, one-sided.
        inferred: whether the landmark itself is not seen, but told from something else.
        how: a phrase for the report.
        source: source key of the rule and of its figures.
    """

    method: str
    organs: tuple[str, ...] = ()
    landmark: str = ""
    mm: float = 0.0
    error_mm: float
    inferred: bool
    how: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkRule:
    """A landmark of the atlas: its name, what it is, and the attempts to find it, the best first."""

    name: str
    meaning: str
    attempts: tuple[Attempt, ...]


# A landmark that was only inferred and may be further off than this must be looked at by a person [A]: the
# protocol's margins along the patient are 10 to 15 mm.
MOST_ERROR_MM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """A landmark found.

    Attributes:
        name: as the output contract has it (`carina`, `T1_top`).
        point_mm: LPS. The level along the patient is meant; across it the point says where it was seen.
        inferred: whether it was told from something else than itself.
        error_mm: expected error of the level, one-sided; 0 for one that the user stated.
        how: a phrase.
        notes: what the better attempts lacked.
    """

    name: str
    point_mm: Vector
    inferred: bool
    error_mm: float
    how: str
    notes: tuple[str, ...] = ()

    @property
    def is_uncertain(self) -> bool:
        """Whether it was only inferred and may be more than 10 mm off."""
        return self.inferred and self.error_mm > MOST_ERROR_MM


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landmarks:
    """The landmarks of a patient.

    Attributes:
        found: by name.
        missing: why each of the others was not found.
        findings: levels that do not fit each other, and what was inferred with a large expected error.
    """

    found: Mapping[str, Landmark]
    missing: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", FrozenMap(self.found))
        object.__setattr__(self, "missing", FrozenMap(self.missing))
