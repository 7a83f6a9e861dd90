"""The types of an inventory: what an input holds, for `inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.errors import TargetsError
from pipeline.core.report import Finding
from pipeline.read.ct_series import SeriesFacts
from pipeline.read.roles import RoleRules, guess_role


@dataclass(frozen=True, slots=True, kw_only=True)
class RoiEntry:
    """One ROI, or one mask.

    Attributes:
        number: ROI Number; for masks, counted from 1.
        name: as found.
        interpreted_type: as the structure set has it; empty for masks.
        contours: how many contours of any type it has; 0 for masks.
        slices: on how many CT slices it lies; None where that cannot be said.
        volume_cc: polygon area times slice spacing (voxels for masks); None where it cannot be said.
        role: `GTV-T` or `GTV-N` by its name alone, else empty.
        problem: why it cannot be measured; empty when it can.
    """

    number: int
    name: str
    interpreted_type: str
    contours: int
    slices: int | None
    volume_cc: float | None
    role: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSetEntry:
    """One structure set, or one folder or map of masks.

    Attributes:
        file: its name without the folder.
        uid: SOP Instance UID; empty for masks.
        label: Structure Set Label; may be empty.
        series_uids: the series that it refers to.
        rois: its ROIs, or masks.
        problem: why it cannot be read; empty when it can.
    """

    file: str
    uid: str
    label: str
    series_uids: tuple[str, ...]
    rois: tuple[RoiEntry, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a run would take: the CT, the structure set or masks, and each lesion's ROI and output name."""

    series_uid: str
    structure_set: str
    lesions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything found.

    Attributes:
        kind: `dicom` or `files`.
        series: the CT series, or the one CT image, with their problems.
        structure_sets: structure sets or masks.
        others: objects of other kinds by modality, and `not DICOM`, with their counts.
        use: what a run would take; None when it would refuse.
        refusal: the error that a run would give; None when it would start.
        findings: the doubts that a run would tell.
    """

    kind: str
    series: tuple[SeriesFacts, ...]
    structure_sets: tuple[StructureSetEntry, ...]
    others: Mapping[str, int]
    use: Use | None
    refusal: TargetsError | None
    findings: tuple[Finding, ...]


def role_name(name: str, rules: RoleRules) -> str:
    """`GTV-T` or `GTV-N` by the name alone, else empty."""
    role = guess_role(name, rules)
    return role.value if role else ""
