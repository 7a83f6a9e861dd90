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
        if self.lowest == self.highest:
            return f"{self.lowest:g} mm"
        return f"{self.lowest:g} to {self.highest:g} mm"
