"""Facts of a case, the rules that choose an arm and a dose plan from them, and what they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.core.errors import UsageError
from pipeline.core.frozen import FrozenMap
from pipeline.core.ranged import Ranged
from pipeline.core.regions import Region
from pipeline.core.report import Reason


class Resection(StrEnum):
    """What the resection left behind: nothing, microscopic or visible tumour."""

    R0 = "R0"
    R1 = "R1"
    R2 = "R2"


class Gullet(StrEnum):
    """What an organ called esophagus is: the gullet itself, or after its resection what was drawn up."""

    RESECTED = "resected"
    IN_PLACE = "in_place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the user states of a patient; None or empty is not stated.

    Attributes:
        resection: of the operation.
        months_to_recurrence: from it.
        largest_diameter_mm: in place of the one measured on the contours.
        regions: involved ones, for the case as a whole.
        region_by_lesion: lesion to its region.
        close_to_stomach: whether a lesion lies close to the thoracic stomach or intestine.
        gullet: whether the gullet was taken out.
        sha256: of the file that states them; empty where there is none.
    """

    resection: Resection | None = None
    months_to_recurrence: float | None = None
    largest_diameter_mm: float | None = None
    regions: tuple[Region, ...] = ()
    region_by_lesion: Mapping[str, Region] = field(default_factory=dict)
    close_to_stomach: bool | None = None
    gullet: Gullet | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "region_by_lesion", FrozenMap(self.region_by_lesion))

    def region_of(self, lesions: Sequence[str]) -> dict[str, Region]:
        """Lesion to the region that is stated for it: of a single region of the case, every lesion's.

        Raises:
            UsageError: a region stated for a lesion that there is not.
        """
        unknown = [name for name in self.region_by_lesion if name not in lesions]
        if unknown:
            raise UsageError(
                "region stated for a lesion that there is not",
                where="facts, regions",
                expected=f"one of {', '.join(lesions)}",
                got=", ".join(unknown),
            )
        if len(self.regions) == 1:
            return dict.fromkeys(lesions, self.regions[0])
        return dict(self.region_by_lesion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of a case; None or empty where it could not be.

    Attributes:
        largest_diameter_mm: longest axial diameter over the lesions.
        regions: of all lesions.
        every_lesion_placed: whether each lesion has a region.
        gut_mm: least distance of a lesion to what is known of the thoracic stomach and intestine.
        stomach_known: whether stomach or conduit is among it.
        gullet_in_doubt: whether an organ called esophagus may be the conduit; no distance to it was measured.
    """

    largest_diameter_mm: float
    regions: tuple[Region, ...] = ()
    every_lesion_placed: bool = False
    gut_mm: float | None = None
    stomach_known: bool = False
    gullet_in_doubt: bool = False


class Question(StrEnum):
    """What a step of the choice asks."""

    RESIDUAL = "residual"
    LARGE = "large"
    DISTANT = "distant"
    LATE = "late"
    OTHERWISE = "otherwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the choice: the first one that is answered yes decides.

    Attributes:
        question: what it asks.
        arm: that a yes gives.
        threshold: of a question that compares with one; None for the others.
        unit: of the threshold.
        rule, source: sentence and source key.
    """

    question: Question
    arm: str
    threshold: float | None
    unit: str
    rule: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRules:
    """How a protocol chooses the arm, and what it calls close to stomach or intestine.

    Attributes:
        steps: in their order.
        close_mm: a lesion no further off than this is close.
        close_rule: its sentence.
    """

    steps: tuple[Step, ...]
    close_mm: Ranged
    close_rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the rules give for a case.

    Attributes:
        arm: None where a fact is missing.
        close: whether a lesion is close to stomach or intestine; None where that is not known.
        reasons: every step; those after one that is answered yes are not asked.
        missing: facts that the case still needs.
    """

    arm: str | None
    close: bool | None
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
