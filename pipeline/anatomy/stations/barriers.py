"""What is taken out of stations: the organs that fill a part of their room."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.anatomy.organ_view import Bools, joined
from pipeline.anatomy.stations.structures import Structures

_CONDUIT = "conduit"


class Barriers:
    """What is taken out of stations.

    Attributes:
        conduit: the voxels of what was drawn up into the chest; None where there is none.
    """

    def __init__(self, structures: Structures) -> None:
        self._structures = structures
        self.conduit = structures.mask(_CONDUIT) if structures.known(_CONDUIT) else None

    def inside(self, names: tuple[str, ...], where: tuple[slice, slice, slice]) -> Bools | None:
        """All that the names stand for in a part of the crop, without the conduit; None for nothing there."""
        known = [name for name in self._listed(names) if self._structures.known(name)]
        parts = [self._structures.mask(name)[where] for name in known]
        filled = [part for part in parts if part.any()]
        if not filled:
            return None
        union = joined(filled)
        return union if self.conduit is None else union & ~self.conduit[where]

    def lacking(self, names: Iterable[str]) -> list[str]:
        """Of all that the names stand for, what is not known."""
        return [name for name in self._listed(names) if not self._structures.known(name)]

    def _listed(self, names: Iterable[str]) -> Iterable[str]:
        return dict.fromkeys(organ for name in names for organ in self._structures.members(name))
