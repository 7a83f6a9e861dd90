"""The protocol as values: ranges, margins, barriers, colours. Files are read in `read/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Colour = tuple[int, int, int]


class Ends(StrEnum):
    """How a contour stack ends beyond its first and last plane.

    `flat`: the end contour goes on unchanged for half a slice. `tapered`: it shrinks linearly to
    its innermost point over that half slice.
    """

    FLAT = "flat"
    TAPERED = "tapered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranged:
    """A figure of the protocol: default and allowed range in mm, with its source key."""

    default: float
    lowest: float
    highest: float
    source: str


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
class Protocol:
    """A checked protocol file.

    Attributes:
        name, title, version: as the file says.
        file, sha256: its name and hash.
        pgtv, ptv: uniform margins.
        ifi: CTV margins of involved-field irradiation.
        ends: how contour stacks end.
        barriers: in the order of the file.
        fill_ptv_holes: whether holes of a PTV are filled.
        colours: target kind (`GTV-T`, `GTV-N`, `PGTV`, `CTV`, `PTV`) to RGB, 0 to 255.
        sources: source key to its text.
        assumptions: every rule with key A, as `key: sentence`.
    """

    name: str
    title: str
    version: str
    file: str
    sha256: str
    pgtv: Ranged
    ptv: Ranged
    ifi: InvolvedField
    ends: Ends
    barriers: tuple[Barrier, ...]
    fill_ptv_holes: bool
    colours: Mapping[str, Colour]
    sources: Mapping[str, str]
    assumptions: Mapping[str, str] = field(default_factory=dict)
