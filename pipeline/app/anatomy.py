"""Organs and landmarks of a patient, from what the user gives and what the CT shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.app.organs import organs_given
from pipeline.core.report import Finding, Severity

if TYPE_CHECKING:
    from pipeline.app.values import InputChoice
    from pipeline.core.anatomy import LandmarkRule, Landmarks, Organs
    from pipeline.core.volume import Volume
    from pipeline.read import LoadedScan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientAnatomy:
    """What is known of a patient.

    Attributes:
        volume: the CT.
        organs: given ones and those that the CT shows; their findings are among `findings`.
        landmarks: of the atlas.
        missing: a remark on each landmark that was not found.
    """

    volume: Volume
    organs: Organs
    landmarks: Landmarks
    missing: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Doubts about organs and landmarks."""
        return (*self.organs.findings, *self.landmarks.findings, *self.missing)


def anatomy_of(
    choice: InputChoice, scan: LoadedScan, *, levels: Sequence[LandmarkRule] = ()
) -> PatientAnatomy:
    """Read the organs and stated landmarks, and find the landmarks of the atlas.

    Args:
        choice: what the user gives.
        scan: as read.
        levels: further landmarks to find.

    Raises:
        InputError: an anatomy or a file of landmarks that cannot be used.
    """
    from pipeline.read import load_landmark_rules, point_rois, read_landmark_file
    from pipeline.run.anatomy import find_anatomy

    rules, grid = (*load_landmark_rules(), *levels), scan.volume.grid
    given = organs_given(choice, scan)
    names = [rule.name for rule in rules]
    stated = point_rois(scan.structure_set, names, grid) if scan.structure_set else {}
    if choice.landmarks is not None:
        stated |= read_landmark_file(choice.landmarks, names, grid)
    organs, landmarks = find_anatomy(scan.volume, given, rules, stated)
    missing = tuple(_not_found(name, reason) for name, reason in landmarks.missing.items())
    return PatientAnatomy(
        volume=scan.volume,
        organs=organs,
        landmarks=landmarks,
        missing=missing,
    )


def _not_found(name: str, reason: str) -> Finding:
    return Finding(
        code="LANDMARK_NOT_FOUND",
        severity=Severity.INFO,
        where=f"landmark {name}",
        message=f"{reason}; state it in a file with --landmarks if you need it",
    )
