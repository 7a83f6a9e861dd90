"""Plain text tables with a verdict beside each figure that has a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A measured figure and what it may be.

    Attributes:
        what: the figure's name.
        value: as measured.
        limit: the bound.
        at_least: whether the figure must not fall below the bound (else: not rise above it).
        unit: printed behind both numbers.
    """

    what: str
    value: float
    limit: float
    at_least: bool = False
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the first one to the left, the others to the right."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}\n")
    for line in (head, ["-" * width for width in widths], *rows):
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]).rstrip())


def print_limits(limits: Sequence[Limit]) -> bool:
    """The table of verdicts; whether all hold."""
    rows = [
        [
            limit.what,
            f"{limit.value:.2f}{limit.unit}",
            f"{'>=' if limit.at_least else '<='} {limit.limit:g}{limit.unit}",
            "PASS" if limit.holds else "FAIL",
        ]
        for limit in limits
    ]
    print_table("Against the limits", ["figure", "measured", "limit", ""], rows)
    return all(limit.holds for limit in limits)
