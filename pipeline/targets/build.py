"""PGTV, CTV and PTV of the involved-field arm, PROTOCOL section 1 [P]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.expansion import expand
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY, ArmPlan
from pipeline.core.solid import Solid, default_pitch_mm, solid_from_contours
from pipeline.core.targets import Target, TargetKind, TargetSet
from pipeline.core.thin import widened_where_thin
from pipeline.core.volume import Mask
from pipeline.targets.assemble import NOISE_CC, Draft, assemble, joined
from pipeline.targets.barriers import cut_at

ARM = "ifi"

# Of what a CTV's margins add, a barrier may take this much before a person should look, or must decide.
SHARE_TO_TELL, SHARE_TO_STOP = 0.1, 0.5


def build_ifi(case: Case, *, plan: ArmPlan, organs: Mapping[str, Mask]) -> TargetSet:
    """The volumes of involved-field irradiation, over all lesions.

    Each lesion becomes a solid and is grown on its own lattice, fine enough for its size; the
    CTV's field, not its contours, is grown to the PTV. Sections of all lesions are then united
    slice by slice.

    Args:
        case: at least one lesion.
        plan: margins, barriers, ends.
        organs: masks by barrier name, on the CT's grid; a barrier of the plan without one is
            reported and not applied.

    Returns:
        GTVs as drawn, then PGTV, CTV, PTV.
    """
    cutters = [b for b in plan.barriers if b.structure in organs]
    grown = [_grow(lesion.contours, plan, organs) for lesion in case.lesions]
    drawn = joined([dict(lesion.contours.sections) for lesion in case.lesions])
    unknown = [b.structure for b in plan.barriers if b.structure not in organs]
    findings = [
        Finding(
            code="BARRIER_NOT_APPLIED",
            severity=Severity.WARNING,
            where=f"{ARM}.CTV",
            message=(f"not applied: {', '.join(unknown)}; look whether the CTV enters them"),
        )
    ] * bool(unknown)
    findings += _cut_findings(grown)
    gtvs = [
        Target(
            name=lesion.name,
            kind=TargetKind.GTV,
            contours=lesion.contours,
            recipe=f"as drawn, ROI {lesion.source_roi}",
        )
        for lesion in case.lesions
    ]
    made = [
        _target("PGTV", TargetKind.PGTV, plan.pgtv, [g.pgtv for g in grown], f"GTV + {plan.pgtv}"),
        _target(
            "CTV",
            TargetKind.CTV,
            plan.ctv,
            [g.ctv for g in grown],
            f"GTV + {plan.ctv}" + "".join(f", not in {_outside(b.structure)}" for b in cutters),
        ),
        _target("PTV", TargetKind.PTV, plan.ptv, [g.ptv for g in grown], f"CTV + {plan.ptv}"),
    ]
    targets: dict[TargetKind, Target] = {}
    for draft in made:
        fill = draft.kind is not TargetKind.PTV or plan.fill_ptv_holes
        # Whatever a CTV's filled holes hold, its PTV holds too.
        held = targets[TargetKind.CTV].contours.sections if draft.kind is TargetKind.PTV else drawn
        targets[draft.kind], told = assemble(draft, held, case.volume.grid, fill_holes=fill, arm=ARM)
        findings += told
    return TargetSet(arm=ARM, targets=(*gtvs, *targets.values()), findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grown:
    """One volume of one lesion: its solid, and the solid before barriers, and what it grew from."""

    solid: Solid
    uncut: Solid
    base: Solid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _GrownLesion:
    pgtv: _Grown
    ctv: _Grown
    ptv: _Grown
    taken_cc: Mapping[str, float] = field(default_factory=dict)


def _grow(drawn: Contours, plan: ArmPlan, organs: Mapping[str, Mask]) -> _GrownLesion:
    gtv = solid_from_contours(widened_where_thin(drawn, default_pitch_mm(drawn)), ends=plan.ends)
    pgtv, uncut = expand(gtv, plan.pgtv), expand(gtv, plan.ctv)
    ctv, taken = _within_barriers(uncut, gtv, plan, organs)
    ptv = expand(ctv, plan.ptv)
    return _GrownLesion(
        pgtv=_Grown(solid=pgtv, uncut=pgtv, base=gtv),
        ctv=_Grown(solid=ctv, uncut=uncut, base=gtv),
        ptv=_Grown(solid=ptv, uncut=ptv, base=ctv),
        taken_cc=taken,
    )


def _within_barriers(
    uncut: Solid, gtv: Solid, plan: ArmPlan, organs: Mapping[str, Mask]
) -> tuple[Solid, dict[str, float]]:
    """A CTV cut at every barrier that is known, and the cc that each took."""
    ctv = uncut
    taken: dict[str, float] = {}
    for barrier in plan.barriers:
        if barrier.structure not in organs:
            continue
        before = ctv
        ctv = cut_at(before, gtv, barrier, organs[barrier.structure])
        if ctv is not before:
            taken[barrier.structure] = before.volume_cc - ctv.volume_cc
    return ctv, taken


def _target(name: str, kind: TargetKind, margin: Margin, grown: Sequence[_Grown], recipe: str) -> Draft:
    cut = any(g.solid is not g.uncut for g in grown)
    sections = joined([g.solid.slice_sections() for g in grown])
    uncut = joined([g.uncut.slice_sections() for g in grown]) if cut else sections
    return Draft(
        name=name,
        kind=kind,
        recipe=recipe,
        requested=margin,
        measured=_least([_reached(g.base, g.uncut) for g in grown]),
        sections=sections,
        uncut=uncut,
    )


def _reached(base: Solid, grown: Solid) -> Margin:
    """Surface to surface distance of two solids' extents in the six directions."""
    inner, outer = base.bounds_mm(), grown.bounds_mm()
    # Low ends move down, high ends up; what moves the other way has reached nothing.
    right, left, anterior, posterior, inferior, superior = (
        max(0.0, sign * (b - a)) for sign, a, b in zip((-1, 1, -1, 1, -1, 1), inner, outer, strict=True)
    )
    return Margin(
        left=left,
        right=right,
        anterior=anterior,
        posterior=posterior,
        superior=superior,
        inferior=inferior,
    )


def _least(margins: Sequence[Margin]) -> Margin:
    least = [min(values) for values in zip(*(m.as_tuple() for m in margins), strict=True)]
    left, right, anterior, posterior, superior, inferior = least
    return Margin(
        left=left,
        right=right,
        anterior=anterior,
        posterior=posterior,
        superior=superior,
        inferior=inferior,
    )


def _cut_findings(grown: Sequence[_GrownLesion]) -> list[Finding]:
    """What each barrier took, as a share of what the margins add to the GTVs."""
    totals: dict[str, float] = {}
    for lesion in grown:
        for structure, volume in lesion.taken_cc.items():
            totals[structure] = totals.get(structure, 0.0) + volume
    if not totals:
        return []
    added = sum(lesion.ctv.uncut.volume_cc - lesion.ctv.base.volume_cc for lesion in grown)
    return [
        _cut_finding(structure, volume, volume / added)
        for structure, volume in totals.items()
        if volume >= NOISE_CC
    ]


def _cut_finding(structure: str, volume_cc: float, share: float) -> Finding:
    severity, todo = Severity.INFO, ""
    if share > SHARE_TO_TELL:
        severity, todo = Severity.WARNING, "; look at it"
    if share > SHARE_TO_STOP:
        severity, todo = Severity.STOP, "; do not use the CTV before this is explained"
    return Finding(
        code="CTV_CUT_BY_BARRIER",
        severity=severity,
        where=f"{ARM}.CTV",
        message=f"barrier {structure} took {volume_cc:.2f} cc (sum over lesions) from the CTV, "
        f"{100 * share:.0f} % of what its margins add to the GTVs{todo}",
    )


def _outside(structure: str) -> str:
    return "air outside the body" if structure == BODY else structure
