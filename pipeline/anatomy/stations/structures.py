"""Structures by name: organs, groups of the atlas, and structures derived from others (`derived.py`).

All arrays are crops around the spine, shape (w, v, u); indices grow to the head, the back and the left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock, RLock

import numpy as np

from pipeline.anatomy.organ_view import Bools, Floats, OrganView, joined
from pipeline.anatomy.stations.lacking import LackingError, Trace
from pipeline.core.anatomy import Landmark
from pipeline.core.box import Box, inside, shared

# How far around the spine stations reach: sideways of its middle, before and behind its front [I].
REACH_SIDE_MM, REACH_FRONT_MM, REACH_BACK_MM = 90.0, 125.0, 50.0

SPINE = tuple(
    f"vertebrae_{level}"
    for level in (
        *(f"C{n}" for n in range(4, 8)),
        *(f"T{n}" for n in range(1, 13)),
        *(f"L{n}" for n in range(1, 4)),
    )
)


# A derived structure's voxels on the crop, or None, and a note when they were inferred.
Derived = tuple[Bools | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """The part of the CT that stations can lie in: (w, v, u) slices of the view, and coordinates in mm."""

    where: tuple[slice, slice, slice]
    w: Floats
    v: Floats
    u: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns."""
        return (len(self.w), len(self.v), len(self.u))

    def put(self, part: Bools, where: Box, found: Bools) -> None:
        """Add what a part of the view, at (w, v, u) slices, has within the crop to a mask of the crop."""
        both = shared(where, self.where)
        found[inside(both, self.where)] |= part[inside(both, where)]


class Structures:
    """Masks by name.

    Attributes:
        view: the patient's organs.
        landmarks: those found.
        groups: of the atlas.
        crop: the part of the CT that masks are given on.
    """

    def __init__(
        self,
        view: OrganView,
        landmarks: Mapping[str, Landmark],
        groups: Mapping[str, tuple[str, ...]],
        derived: Mapping[str, Callable[[Structures], Derived]],
    ) -> None:
        self.view = view
        self.landmarks = landmarks
        self.groups = groups
        self.crop = _crop(view)
        self._derived = derived
        self._lock = Lock()
        self._locks: dict[str, RLock] = {}
        self._masks: dict[str, tuple[Bools | None, str]] = {}

    def mask(self, name: str, trace: Trace | None = None) -> Bools:
        """A structure's voxels; a derived one notes how it came about.

        Raises:
            LackingError: it is not known.
        """
        if name not in self._masks:
            # Whoever comes second waits rather than making it again; no structure is made of itself.
            with self._lock_of(name):
                if name not in self._masks:
                    self._masks[name] = self._find(name)
        mask, note = self._masks[name]
        if mask is None:
            raise LackingError(f"no {name}")
        if note and trace is not None:
            trace.note(note)
        return mask

    def _lock_of(self, name: str) -> RLock:
        with self._lock:
            return self._locks.setdefault(name, RLock())

    def known(self, name: str) -> bool:
        """Whether a structure is known."""
        try:
            self.mask(name)
        except LackingError:
            return False
        return True

    def union(self, names: tuple[str, ...], trace: Trace | None = None) -> Bools:
        """The voxels of those that are known.

        Raises:
            LackingError: none is.
        """
        known = [name for name in names if self.known(name)]
        if not known:
            raise LackingError(f"no {' or '.join(names)}")
        masks = [self.mask(name, trace) for name in known]
        return joined(masks)

    def members(self, name: str) -> tuple[str, ...]:
        """The organs of a group, of its groups as well; a structure's own name otherwise."""
        if name not in self.groups:
            return (name,)
        listed = [organ for member in self.groups[name] for organ in self.members(member)]
        return tuple(dict.fromkeys(listed))

    def level(self, name: str) -> float | None:
        """Frame coordinate w of a landmark in mm; None when it is not known."""
        found = self.landmarks.get(name)
        return None if found is None else self.view.level(found.point_mm)

    def organ(self, name: str) -> Bools | None:
        """An organ's voxels as given; None when it is not known."""
        if name not in self.view.organs:
            return None
        found = np.zeros(self.crop.shape, dtype=bool)
        near = self.view.around((name,))
        self.crop.put(near.mask(name), near.where, found)
        return found

    def _find(self, name: str) -> tuple[Bools | None, str]:
        if name in self.groups:
            known = [
                mask for mask in (self._find_member(one) for one in self.members(name)) if mask is not None
            ]
            return (joined(known) if known else None), ""
        if name in self._derived:
            mask, note = self._derived[name](self)
            return present(mask), note
        return present(self.organ(name)), ""

    def _find_member(self, name: str) -> Bools | None:
        return self.mask(name) if self.known(name) else None


def present(mask: Bools | None) -> Bools | None:
    """A mask with voxels; None for an empty one."""
    if mask is None or not (mask[::2, ::4, ::4].any() or mask.any()):  # a few tell of most
        return None
    return mask


def _crop(view: OrganView) -> Crop:
    """Around the spine; without one around the airway, else the middle of the image."""
    near = view.around(SPINE)
    bones = [near.mask(name)[:, ::2, ::2] for name in SPINE if name in view.organs]
    spine = joined(bones) if bones else None
    if spine is not None and spine.any():  # a few voxels between these rows and columns are no spine
        columns = 2 * np.flatnonzero(spine.any(axis=(0, 1)))
        rows = 2 * np.flatnonzero(spine.any(axis=(0, 2)))
        left = right = float(near.u[columns].mean())
        front, back = float(near.v[rows[0]]), float(near.v[rows[-1]])
        back = max(front, back - REACH_BACK_MM)
    else:
        airway = view.union(("trachea", "main_bronchi"))
        u = view.u if airway is None else view.u[airway.any(axis=(0, 1))]
        v = view.v if airway is None else view.v[airway.any(axis=(0, 2))]
        left, right, front, back = float(u.mean()), float(u.mean()), float(v.mean()), float(v.mean())
    u_in = np.flatnonzero((view.u >= right - REACH_SIDE_MM) & (view.u <= left + REACH_SIDE_MM))
    v_in = np.flatnonzero((view.v >= front - REACH_FRONT_MM) & (view.v <= back + REACH_BACK_MM))
    where = (slice(0, len(view.w)), _span(v_in), _span(u_in))
    return Crop(where=where, w=view.w, v=view.v[where[1]], u=view.u[where[2]])


def _span(indices: np.ndarray[tuple[int], np.dtype[np.intp]]) -> slice:
    return slice(int(indices[0]), int(indices[-1]) + 1)
