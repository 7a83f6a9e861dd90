"""What is taken out of stations: the organs that fill a part of their room."""

from __future__ import annotations

from pipeline.anatomy.organ_view import Bools, joined
from pipeline.anatomy.stations.structures import Structures

_CONDUIT = "conduit"


class Barriers:
    """What is taken out of stations.

    Attributes:
        conduit: its voxels; None where there is none. Stations are made with and without it.
        lacking: organs of the groups that are not known, in the order met.
    """

    def __init__(self, structures: Structures) -> None:
        self._structures = structures
        self._made: dict[tuple[str, ...], Bools | None] = {}
        self.conduit = structures.mask(_CONDUIT) if structures.known(_CONDUIT) else None
        self.lacking: dict[str, None] = {}

    def mask(self, names: tuple[str, ...]) -> Bools | None:
        """All that the names stand for, without the conduit; None where nothing of it is known."""
        if names not in self._made:
            known = [self._structures.mask(name) for name in names if self._structures.known(name)]
            union = joined(known) if known else None
            if union is not None and self.conduit is not None:
                union = union & ~self.conduit
            self._made[names] = union
            listed = (organ for name in names for organ in self._structures.members(name))
            self.lacking |= {organ: None for organ in listed if not self._structures.known(organ)}
        return self._made[names]
