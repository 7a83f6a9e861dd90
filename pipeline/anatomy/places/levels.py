"""The two levels that tell a region by themselves: the sternal notch and the hiatus."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.anatomy import Landmarks
from pipeline.core.errors import GeometryError
from pipeline.core.grid import Grid

NOTCH, HIATUS = "sternal_notch", "hiatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A landmark's level: frame coordinate w, and its expected error, one-sided."""

    name: str
    mm: float
    error_mm: float
    inferred: bool

    def __str__(self) -> str:
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The levels known of a patient."""

    notch: Level | None
    hiatus: Level | None


def levels_of(landmarks: Landmarks, grid: Grid) -> Levels:
    """The levels in a grid's frame.

    Raises:
        GeometryError: the notch does not lie above the hiatus.
    """
    notch, hiatus = (_level(name, landmarks, grid) for name in (NOTCH, HIATUS))
    if notch and hiatus and notch.mm <= hiatus.mm:
        raise GeometryError(
            "sternal notch is not above the hiatus",
            expected="the notch nearer to the head",
            got=f"{notch.mm - hiatus.mm:.1f} mm above it",
            todo="state both in a file with --landmarks",
        )
    return Levels(notch=notch, hiatus=hiatus)


def _level(name: str, landmarks: Landmarks, grid: Grid) -> Level | None:
    if name not in landmarks.found:
        return None
    landmark = landmarks.found[name]
    w = float(grid.frame.from_patient([landmark.point_mm])[0, 2])
    return Level(name=name, mm=w, error_mm=landmark.error_mm, inferred=landmark.inferred)
