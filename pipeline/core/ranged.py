"""A figure of a protocol with its allowed range."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranged:
    """A figure of the protocol: default and allowed range in mm, with its source key."""

    default: float
    lowest: float
    highest: float
    source: str

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return self.lowest <= value <= self.highest

    def __str__(self) -> str:
        """A length in words.

        >>> print(Ranged(default=7, lowest=6, highest=8, source="P"))
        6 to 8 mm
        >>> print(Ranged(default=5, lowest=5, highest=5, source="P"))
        5 mm
        """
        if self.lowest == self.highest:
            return f"{self.lowest:g} mm"
        return f"{self.lowest:g} to {self.highest:g} mm"
