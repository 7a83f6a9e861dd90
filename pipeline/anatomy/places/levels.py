"""The two levels that tell a region by themselves: the sternal notch and the hiatus."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.anatomy import Landmarks
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
    """The levels known of a patient; `contradict` where they cannot both be right, and none was used."""

    notch: Level | None
    hiatus: Level | None
    contradict: bool = False


def levels_of(landmarks: Landmarks, grid: Grid) -> Levels:
    """The levels in a grid's frame; neither where the notch does not lie above the hiatus."""
    notch, hiatus = (_level(name, landmarks, grid) for name in (NOTCH, HIATUS))
    if notch and hiatus and notch.mm <= hiatus.mm:
        return Levels(notch=None, hiatus=None, contradict=True)
    return Levels(notch=notch, hiatus=hiatus)


def _level(name: str, landmarks: Landmarks, grid: Grid) -> Level | None:
    if name not in landmarks.found:
        return None
    landmark = landmarks.found[name]
    w = float(grid.frame.from_patient([landmark.point_mm])[0, 2])
    return Level(name=name, mm=w, error_mm=landmark.error_mm, inferred=landmark.inferred)
