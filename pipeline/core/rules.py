"""The protocol as values: ranges, margins, barriers, colours. Files are read in `read/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.core.decision import DecisionRules
from pipeline.core.elective import ElectivePlan, ElectiveRules
from pipeline.core.frozen import FrozenMap
from pipeline.core.margin import Margin
from pipeline.core.prescription import DoseRules
from pipeline.core.ranged import Ranged

Colour = tuple[int, int, int]

IFI, ENI = "ifi", "eni"  # the two arms, as outputs name them

BODY = "body"
# The structures that a protocol may name as a barrier: the body keeps what is inside it, the others take it.
BARRIERS = (BODY, "lung", "airway", "bone", "heart", "great_vessels")


class Ends(StrEnum):
    """How a contour stack ends beyond its first and last plane.

    `flat`: the end contour goes on unchanged for half a slice. `tapered`: it shrinks linearly to
    its innermost point over that half slice.
    """

    FLAT = "flat"
    TAPERED = "tapered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A structure that a CTV does not enter unless a GTV is there."""

    structure: str
    overlap_mm: float
    on: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvolvedField:
    """CTV margins of the IFI arm."""

    horizontal: Ranged
    craniocaudal: Ranged


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A rule with source key A: the sources are silent, and the report must name it where it was used.

    Attributes:
        sentence: what is assumed.
        arms: the arms that use it (`ifi`, `eni`); none for one of the choice of arm and dose plan.
        unless_set: setting keys (`ifi.horizontal`, `ends`, ...); once a user has stated all of them, the
            assumption is not used any more. Empty: a user cannot replace it.
    """

    sentence: str
    arms: tuple[str, ...]
    unless_set: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A checked protocol file.

    Attributes:
        name, title, version: as the file says.
        file, sha256: its name and hash.
        pgtv, ptv: uniform margins; no PGTV where the protocol has none.
        ifi: CTV margins of involved-field irradiation.
        eni: the rules of elective nodal irradiation; None where the protocol has none.
        decision: how the arm is chosen; None where the protocol does not say.
        doses: the dose plans; None where the protocol has none.
        ends: how contour stacks end.
        barriers: in the order of the file.
        fill_ptv_holes: whether holes of a PTV are filled.
        colours: target kind (`GTV-T`, `GTV-N`, `PGTV`, `CTV`, `PTV`) to RGB, 0 to 255.
        sources: source key to its text.
        assumptions: every rule with key A, by its name.
    """

    name: str
    title: str
    version: str
    file: str
    sha256: str
    pgtv: Ranged | None
    ptv: Ranged
    ifi: InvolvedField
    eni: ElectiveRules | None
    ends: Ends
    barriers: tuple[Barrier, ...]
    fill_ptv_holes: bool
    colours: Mapping[str, Colour]
    sources: Mapping[str, str]
    assumptions: Mapping[str, Assumption] = field(default_factory=dict)
    decision: DecisionRules | None = None
    doses: DoseRules | None = None


class ArmChoice(StrEnum):
    """What a user may ask for; `auto` lets the protocol's rules decide."""

    AUTO = "auto"
    IFI = "ifi"
    ENI = "eni"
    BOTH = "both"


class Holes(StrEnum):
    """What a structure set says of a hole.

    `even-odd`: a CLOSED_PLANAR contour inside another one, which most systems read as a hole. `keyhole`:
    shell and holes are one contour, joined by channels of no width, for systems that fill every contour.
    `xor`: all contours of an ROI that has holes are of the type CLOSEDPLANAR_XOR.
    """

    EVEN_ODD = "even-odd"
    KEYHOLE = "keyhole"
    XOR = "xor"


class Naming(StrEnum):
    """Schemes of ROI names: the paper's, or AAPM TG-263 with dose levels where a plan is known."""

    PROTOCOL = "protocol"
    TG263 = "tg263"


class MarginName(StrEnum):
    """The CTV margins that a user can set. A single direction beats the group it belongs to."""

    HORIZONTAL = "horizontal"
    CRANIOCAUDAL = "craniocaudal"
    LEFT = "left"
    RIGHT = "right"
    ANTERIOR = "anterior"
    POSTERIOR = "posterior"
    SUPERIOR = "superior"
    INFERIOR = "inferior"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user chose for a run; None or absent leaves it to the protocol.

    Attributes:
        arm: the arm asked for.
        margins: CTV margins of the IFI arm in mm.
        eni_margins: CTV margins of the ENI arm in mm.
        ends: how contour stacks end.
        fill_ptv_holes: whether holes of a PTV are filled.
        barriers: structure to on or off.
        switches: other switches of the protocol by key, `eni.conduit_in_stations`.
        figures: other figures of the protocol by key, `eni.I-II.lower.carina`, in the protocol's unit.
        keep_uncropped: whether the CTV before barriers is written as well.
        allow_inferred: whether landmarks that were only inferred may be used.
        off_protocol: figures outside the protocol's range are taken, and the report says so.
    """

    arm: ArmChoice = ArmChoice.AUTO
    margins: Mapping[MarginName, float] = field(default_factory=dict)
    eni_margins: Mapping[MarginName, float] = field(default_factory=dict)
    ends: Ends | None = None
    fill_ptv_holes: bool | None = None
    barriers: Mapping[str, bool] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    keep_uncropped: bool = False
    allow_inferred: bool = True
    off_protocol: bool = False

    def __post_init__(self) -> None:
        for name in ("margins", "eni_margins", "barriers", "switches", "figures"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPlan:
    """Every figure that building the volumes of an arm takes: protocol and user's choices joined.

    Attributes:
        arm: `ifi` or `eni`.
        pgtv, ctv: margins around the GTV; None where the protocol has no PGTV.
        ptv: margin around the CTV.
        ends: how contour stacks end.
        fill_ptv_holes: whether holes of a PTV are filled.
        barriers: those to be applied, in the order of the protocol; the ones switched off are not here.
        elective: of the ENI arm.
        keep_uncropped: whether the CTV before barriers is given as a volume of its own.
        skin_rim_mm: the PTV keeps this far under the skin; None where it is not cut [off by default: A].
    """

    arm: str
    pgtv: Margin | None
    ctv: Margin
    ptv: Margin
    ends: Ends
    fill_ptv_holes: bool
    barriers: tuple[Barrier, ...]
    elective: ElectivePlan | None = None
    keep_uncropped: bool = False
    skin_rim_mm: float | None = None
