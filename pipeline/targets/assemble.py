"""Sections of several lesions to one target on the CT's slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from pipeline.core.raster import as_multipolygon, image_outline
from pipeline.core.targets import Changes, PastEnd, Target, TargetKind
from pipeline.targets.sections import Sections

# Slivers between the outlines of united lesions are no parts or holes of their own.
SLIVER_MM2 = 0.5
# Parts below this, as at the very tip of a volume, are no contours that a planning system takes.
SPECK_MM2 = 2.0
UNCROPPED = "CTV_uncropped"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """A target before it is assembled: all lesions united, sections also past the scan's ends.

    Attributes:
        sections: what is left after barriers.
        uncut: what there was before them; the same object when no barrier took anything.
        kept_open: holes over these are not filled, besides those that barriers made.
    """

    name: str
    kind: TargetKind
    recipe: str
    requested: Margin
    measured: Margin
    sections: Sections
    uncut: Sections
    kept_open: Sections = field(default_factory=dict)


def assemble(draft: Draft, drawn: Sections, grid: Grid, *, fill_holes: bool) -> Target:
    """Cut a draft at the ends of scan and image and fill its holes; the target says what that changed.

    Args:
        draft: sections of all lesions.
        drawn: what the target must hold: the GTVs as drawn; for a PTV the CTV that is written.
        grid: of the CT.
        fill_holes: fill in-plane holes, but for those that a barrier made.
    """
    image = image_outline(grid)
    sections: dict[int, MultiPolygon] = {}
    filled = outside = 0.0
    for k in range(grid.size[2]):
        section = draft.sections.get(k)
        if section is None:
            continue
        if fill_holes and any(len(part.interiors) for part in section.geoms):
            section, area = _without_holes(section, _barred(draft, k))
            filled += area
        if k in drawn and not shapely.covers(section, drawn[k]):
            section = as_multipolygon(shapely.union(section, drawn[k]))
        if not shapely.covers(image, section):
            inside = as_multipolygon(shapely.intersection(section, image))
            outside += section.area - inside.area
            section = inside
        section = MultiPolygon([part for part in section.geoms if part.area >= SPECK_MM2])
        if not section.is_empty:
            sections[k] = section
    per_slice_cc = grid.slice_spacing_mm / 1000.0
    # Holes are no cut: the figure before all cuts has them filled where the target has.
    uncut = (
        _without_holes(s, draft.kept_open.get(k, MultiPolygon()))[0] if fill_holes else s
        for k, s in draft.uncut.items()
    )
    uncut_cc = sum(section.area for section in uncut) * per_slice_cc
    return Target(
        name=draft.name,
        kind=draft.kind,
        contours=Contours(grid=grid, sections=sections),
        recipe=draft.recipe,
        requested=draft.requested,
        measured=draft.measured,
        uncut_volume_cc=uncut_cc,
        changes=Changes(
            past_ends=tuple(_past_ends(draft.sections, grid)),
            outside_image_cc=outside * per_slice_cc,
            filled_cc=filled * per_slice_cc,
            barred=draft.uncut is not draft.sections,
        ),
    )


def _barred(draft: Draft, k: int) -> shapely.Geometry:
    """What barriers took from a slice, and what is to stay open."""
    kept = draft.kept_open.get(k, MultiPolygon())
    if draft.uncut is draft.sections or k not in draft.uncut:
        return kept
    return shapely.union(shapely.difference(draft.uncut[k], draft.sections[k]), kept)


def _without_holes(section: MultiPolygon, barred: shapely.Geometry) -> tuple[MultiPolygon, float]:
    """A section with its holes filled where no barrier made them, and the area filled in mm2."""
    filled = 0.0
    shells = []
    for part in section.geoms:
        kept = []
        for ring in part.interiors:
            hole = Polygon(ring)
            if shapely.intersection(hole, barred).area > SLIVER_MM2:
                kept.append(ring)
            else:
                filled += hole.area
        shells.append(Polygon(part.exterior, kept))
    if filled == 0.0:
        return section, 0.0
    return as_multipolygon(shapely.union_all(shells)), filled


def _past_ends(sections: Sections, grid: Grid) -> Iterator[PastEnd]:
    first_is_lower = grid.axes[2, 2] > 0
    for past, end in (
        ([k for k in sections if k < 0], "lower" if first_is_lower else "upper"),
        ([k for k in sections if k >= grid.size[2]], "upper" if first_is_lower else "lower"),
    ):
        if past:
            lost_cc = sum(sections[k].area for k in past) * grid.slice_spacing_mm / 1000
            yield PastEnd(end=end, slices=len(past), volume_cc=lost_cc)


def uncropped_ctv(sections: Sections, grid: Grid, *, before: str) -> Target:
    """A CTV from before something took a part of it, inside the image, as a volume of its own."""
    image = image_outline(grid)
    cut = {
        k: as_multipolygon(shapely.intersection(sections[k], image))
        for k in sections
        if 0 <= k < grid.size[2]
    }
    inside = {k: section for k, section in cut.items() if not section.is_empty}
    return Target(
        name=UNCROPPED,
        kind=TargetKind.UNCROPPED,
        contours=Contours(grid=grid, sections=inside),
        recipe=f"the CTV before {before}",
    )
