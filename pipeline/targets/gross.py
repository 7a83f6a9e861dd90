"""The gross tumour volumes of a case as solids, grown to the PGTV: the same for both arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.core.case import Case, Lesion
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.rules import Ends
from pipeline.core.solid import Solid, default_pitch_mm, solid_from_contours
from pipeline.core.targets import Target, TargetKind
from pipeline.core.thin import widened_where_thin
from pipeline.targets.assemble import Draft
from pipeline.targets.sections import Sections, joined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gross:
    """A lesion as drawn, as a solid on a lattice fine enough for its size, and grown to its PGTV."""

    lesion: Lesion
    solid: Solid
    pgtv: Solid | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grown:
    """One volume of one lesion: its solid, the solid before barriers, and what it grew from."""

    solid: Solid
    uncut: Solid
    base: Solid


def gross_volumes(case: Case, *, ends: Ends, pgtv: Margin | None) -> tuple[Gross, ...]:
    """Every lesion of a case; `ends` and the margin of the PGTV are those of the plan of any arm."""
    found = []
    for lesion in case.lesions:
        drawn = lesion.contours
        solid = solid_from_contours(widened_where_thin(drawn, default_pitch_mm(drawn)), ends=ends)
        found.append(Gross(lesion=lesion, solid=solid, pgtv=expand(solid, pgtv) if pgtv else None))
    return tuple(found)


def as_drawn(case: Case) -> Sections:
    """The union of all lesions."""
    return joined([dict(lesion.contours.sections) for lesion in case.lesions])


def gtv_targets(case: Case) -> tuple[Target, ...]:
    """The lesions as targets, unchanged."""
    return tuple(
        Target(
            name=lesion.name,
            kind=TargetKind.GTV,
            contours=lesion.contours,
            recipe=f"as drawn, ROI {lesion.source_roi}",
        )
        for lesion in case.lesions
    )


def pgtv_drafts(gross: Sequence[Gross], margin: Margin | None) -> list[Draft]:
    """The PGTV over all lesions; none where the protocol has none."""
    grown = [Grown(solid=one.pgtv, uncut=one.pgtv, base=one.solid) for one in gross if one.pgtv]
    if margin is None or not grown:
        return []
    return [grown_draft("PGTV", TargetKind.PGTV, margin, grown, recipe=f"GTV + {margin}")]


def grown_draft(name: str, kind: TargetKind, margin: Margin, grown: Sequence[Grown], *, recipe: str) -> Draft:
    """A target grown lesion by lesion."""
    cut = any(g.solid is not g.uncut for g in grown)
    sections = joined([g.solid.slice_sections() for g in grown])
    uncut = joined([g.uncut.slice_sections() for g in grown]) if cut else sections
    return Draft(
        name=name,
        kind=kind,
        recipe=recipe,
        requested=margin,
        measured=least([reached(g.base, g.uncut) for g in grown]),
        sections=sections,
        uncut=uncut,
    )


def reached(base: Solid, grown: Solid) -> Margin:
    """Surface to surface distance of two solids' extents in the six directions."""
    inner, outer = base.bounds_mm(), grown.bounds_mm()
    # Low ends move down, high ends up; what moves the other way has reached nothing.
    right, left, anterior, posterior, inferior, superior = (
        max(0.0, sign * (b - a)) for sign, a, b in zip((-1, 1, -1, 1, -1, 1), inner, outer, strict=True)
    )
    return Margin.of(left, right, anterior, posterior, superior, inferior)


def least(margins: Sequence[Margin]) -> Margin:
    """The least of several margins in each direction."""
    return Margin.of(*(min(values) for values in zip(*(m.as_tuple() for m in margins), strict=True)))
