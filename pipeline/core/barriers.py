"""What a barrier of a protocol is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierOrgans:
    """The organs of a barrier.

    Attributes:
        organs: names; all that are known are taken together.
        needs: those without which the barrier has holes.
        whole: those of which one is all of the barrier by itself.
        filled: whether what the structure encloses in an axial slice belongs to it.
        with_air_below_hu: what is below this and hangs together with the organs as they were drawn or given
            belongs to it too; None where nothing does.
        air_apart_from: barriers whose organs hold air of their own.
        air_needs: organs without which no air is joined: it would run into theirs.
        along: whether air is joined above and below what was drawn too.
    """

    organs: tuple[str, ...]
    needs: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    filled: bool = False
    with_air_below_hu: float | None = None
    air_apart_from: tuple[str, ...] = ()
    air_needs: tuple[str, ...] = ()
    along: bool = False
