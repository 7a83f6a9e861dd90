"""Margins in the six patient directions."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from pipeline.core.errors import GeometryError

MAX_MARGIN_MM = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Semi-axes in mm of an expansion, in patient directions, never image axes.

    Each octant is an octant of the ellipsoid with its three semi-axes [C].

    Raises:
        GeometryError: a value below 0, above 100 mm or not finite.
    """

    left: float
    right: float
    anterior: float
    posterior: float
    superior: float
    inferior: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and 0.0 <= value <= MAX_MARGIN_MM):
                raise GeometryError(
                    f"margin {field.name} cannot be used",
                    expected=f"0 to {MAX_MARGIN_MM:g} mm",
                    got=f"{value} mm",
                    todo="to make a volume smaller, contract it by a margin of 0 or more",
                )

    @classmethod
    def uniform(cls, mm: float) -> Margin:
        """The same margin in all six directions."""
        return cls.axial(horizontal=mm, craniocaudal=mm)

    @classmethod
    def axial(cls, *, horizontal: float, craniocaudal: float) -> Margin:
        """One margin in every in-plane direction and one along the patient's long axis."""
        return cls(
            left=horizontal,
            right=horizontal,
            anterior=horizontal,
            posterior=horizontal,
            superior=craniocaudal,
            inferior=craniocaudal,
        )

    @classmethod
    def of(cls, *six: float) -> Margin:
        """From (left, right, anterior, posterior, superior, inferior), as `as_tuple` gives them."""
        left, right, anterior, posterior, superior, inferior = six
        return cls(
            left=left,
            right=right,
            anterior=anterior,
            posterior=posterior,
            superior=superior,
            inferior=inferior,
        )

    def as_tuple(self) -> tuple[float, float, float, float, float, float]:
        """(left, right, anterior, posterior, superior, inferior)."""
        return (self.left, self.right, self.anterior, self.posterior, self.superior, self.inferior)

    @property
    def largest(self) -> float:
        """The largest of the six."""
        return max(self.as_tuple())

    def mirrored(self) -> Margin:
        """Each direction swapped with its opposite: the margin of the complement's growth."""
        return Margin(
            left=self.right,
            right=self.left,
            anterior=self.posterior,
            posterior=self.anterior,
            superior=self.inferior,
            inferior=self.superior,
        )

    def __str__(self) -> str:
        names = ("L", "R", "A", "P", "S", "I")
        return " ".join(f"{n} {v:g}" for n, v in zip(names, self.as_tuple(), strict=True)) + " mm"
