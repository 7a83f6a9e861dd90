"""The regions of the protocol, and how a set of them lies."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Region(StrEnum):
    """The four groups of stations that the protocol's rules speak of [P]."""

    I = "I"  # noqa: E741 - the protocol's own names
    II = "II"
    III = "III"
    IV = "IV"


class Spread(StrEnum):
    """How the involved regions lie to each other [P]: a set is distant when any pair in it is."""

    NONE = "none"
    ONE = "one region"
    CLOSE = "close"
    DISTANT = "distant"


DISTANT_PAIRS = frozenset({frozenset({Region.I, Region.IV}), frozenset({Region.II, Region.IV})})


def spread(regions: Iterable[Region]) -> Spread:
    """How a set of involved regions lies [P].

    >>> print(spread([Region.I, Region.III]), spread([Region.I, Region.III, Region.IV]))
    close distant
    """
    involved = frozenset(regions)
    if len(involved) < 2:
        return Spread.ONE if involved else Spread.NONE
    return Spread.DISTANT if any(pair <= involved for pair in DISTANT_PAIRS) else Spread.CLOSE
