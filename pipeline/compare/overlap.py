"""How much two structures have in common, on the slices they are drawn on."""

from __future__ import annotations

from dataclasses import dataclass

import shapely

from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Volumes in cubic centimetres, polygon area times slice spacing.

    Attributes:
        one_cc, other_cc: of the two structures.
        common_cc: of what lies in both.
        dice: twice the common volume by the sum of the two, 0 to 1.
    """

    one_cc: float
    other_cc: float
    common_cc: float
    dice: float


def check_comparable(one: Contours, other: Contours) -> None:
    """Refuse structures that have nothing to compare.

    Raises:
        GeometryError: a structure without contours, or two grids.
    """
    if one.is_empty or other.is_empty:
        raise GeometryError("a structure without contours cannot be compared")
    if one.grid != other.grid:
        raise GeometryError("structures on two grids cannot be compared", expected="contours on one CT")


def overlap(one: Contours, other: Contours) -> Overlap:
    """Volumes of two structures, of what they share, and Dice; symmetric.

    Raises:
        GeometryError: a structure without contours, or two grids.
    """
    check_comparable(one, other)
    shared = one.sections.keys() & other.sections.keys()
    area = sum(shapely.intersection(one.sections[k], other.sections[k]).area for k in sorted(shared))
    common = float(area) * one.grid.slice_spacing_mm / 1000.0
    dice = 2.0 * common / (one.volume_cc + other.volume_cc)
    return Overlap(one_cc=one.volume_cc, other_cc=other.volume_cc, common_cc=common, dice=dice)
