"""Our expansions of LUNG1-002 beside those of the planning system that made its CTV-1 and PTV-1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from shapely.geometry import MultiPolygon

from pipeline.core.case import LesionKind
from pipeline.core.contour import Contours
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid, default_pitch_mm, solid_from_contours
from pipeline.core.thin import widened_where_thin
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from pipeline.targets.sections import joined

ARCHIVE = "lung1-002/ct-and-xio-plan.tar.xz"
Points = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One expansion: ours, the planning system's, and ours had each contour filled its slice.

    Attributes:
        what: which ROI was grown by how much, into which.
        theirs, ours, filled: the volumes' contours.
        distance_mm: from points all over either surface to the other surface, in space.
    """

    what: str
    theirs: Contours
    ours: Contours
    filled: Contours
    distance_mm: Points

    @property
    def percent(self) -> float:
        """What our volume differs from theirs."""
        return 100.0 * (self.ours.volume_cc / self.theirs.volume_cc - 1.0)

    @property
    def filled_percent(self) -> float:
        """The same for contours that fill their slices."""
        return 100.0 * (self.filled.volume_cc / self.theirs.volume_cc - 1.0)


def compare(folder: Path) -> tuple[Comparison, Comparison]:
    """GTV-1 + 5 mm against CTV-1, and CTV-1 + 10 mm against PTV-1.

    Args:
        folder: the unpacked export.
    """
    choice = (GtvChoice(roi_name="GTV-1", kind=LesionKind.TUMOUR),)
    case = read_case(folder, ReadOptions(gtv=choice), load_roles()).case
    others = {one.name: one.contours for one in case.structures}
    gtv, ctv, ptv = case.lesions[0].contours, others["CTV-1"], others["PTV-1"]
    return _grown("GTV-1 + 5 mm, CTV-1", gtv, 5.0, ctv), _grown("CTV-1 + 10 mm, PTV-1", ctv, 10.0, ptv)


def _grown(what: str, base: Contours, mm: float, theirs: Contours) -> Comparison:
    margin = Margin.uniform(mm)
    ours = expand(solid_from_contours(base), margin)
    return Comparison(
        what=what,
        theirs=theirs,
        ours=_written(base, margin),
        filled=_of_filled_slices(base, margin),
        distance_mm=_distances(ours, solid_from_contours(theirs)),
    )


def _written(base: Contours, margin: Margin) -> Contours:
    """As a run writes it: parts too thin for the lattice made wide enough."""
    seen = widened_where_thin(base, default_pitch_mm(base))
    return _on_slices(base, expand(solid_from_contours(seen), margin).slice_sections())


def _on_slices(base: Contours, sections: Mapping[int, MultiPolygon]) -> Contours:
    return Contours(
        grid=base.grid, sections={k: s for k, s in sections.items() if 0 <= k < base.grid.size[2]}
    )


def _of_filled_slices(base: Contours, margin: Margin) -> Contours:
    """The expansion of the solid in which every contour goes on unchanged for half a slice both ways."""
    single = (Contours(grid=base.grid, sections={k: section}) for k, section in base.sections.items())
    grown = joined(expand(solid_from_contours(one, pitch_mm=0.8), margin).slice_sections() for one in single)
    return _on_slices(base, grown)


def _distances(one: Solid, other: Solid) -> Points:
    """Both ways, between the surfaces' points on the lattices' edges."""
    first, second = _surface(one), _surface(other)
    return np.concatenate([KDTree(second).query(first)[0], KDTree(first).query(second)[0]])


def _surface(solid: Solid) -> Points:
    """Where the field crosses zero on edges of the lattice, shape (n, 3) in frame mm."""
    found = []
    origin, pitches = np.array(solid.lattice.origin_mm), np.array(solid.lattice.pitches_mm)
    for axis in range(3):
        lines = np.moveaxis(solid.field, axis, 0)
        here, following = lines[:-1], lines[1:]
        where = np.nonzero((here > 0) != (following > 0))
        # A flat end lies on the last plane inside, next to a field that is nowhere near zero.
        part = here[where] / (here[where] - following[where])
        index = np.stack(where, axis=1).astype(float)
        index[:, 0] += part
        # The moved axis came first; (w, v, u) back in order.
        order = [1, 2]
        order.insert(axis, 0)
        found.append(index[:, order][:, ::-1] * pitches + origin)
    return np.concatenate(found)
