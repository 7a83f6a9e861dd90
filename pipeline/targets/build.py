"""PGTV, CTV and PTV of the involved-field arm, PROTOCOL section 1 [P]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.case import Case
from pipeline.core.expansion import expand
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY, IFI, ArmPlan
from pipeline.core.solid import Solid
from pipeline.core.targets import NOISE_CC, Target, TargetKind, TargetSet
from pipeline.core.volume import Mask
from pipeline.targets.assemble import assemble, uncropped_ctv
from pipeline.targets.barrier_groups import shares, together, united
from pipeline.targets.barriers import cut_at, not_applied
from pipeline.targets.gross import (
    Gross,
    Grown,
    as_drawn,
    gross_volumes,
    grown_draft,
    gtv_targets,
    pgtv_drafts,
)
from pipeline.targets.skin import off_skin, skin_findings

# Of what a CTV's margins add, a barrier may take this much before a person should look. Where the body's
# outside takes half, image and contours hardly belong together, and a person must decide. Lung is all round
# some lesions.
SHARE_TO_TELL, SHARE_TO_STOP = 0.1, 0.5


def build_ifi(
    case: Case, *, plan: ArmPlan, organs: Mapping[str, Mask], gross: Sequence[Gross] | None = None
) -> TargetSet:
    """The volumes of involved-field irradiation, over all lesions.

    Each lesion becomes a solid and is grown on its own lattice, fine enough for its size; the
    CTV's field, not its contours, is grown to the PTV. Sections of all lesions are then united
    slice by slice.

    Args:
        case: at least one lesion.
        plan: margins, barriers, ends.
        organs: masks by barrier name, on the CT's grid; a barrier of the plan without one is
            reported and not applied.
        gross: of `gross_volumes` with the plan's ends and PGTV margin, where they were made already.

    Returns:
        GTVs as drawn, then PGTV, CTV, PTV, and where the plan asks for it the CTV before barriers.
    """
    gross = gross or gross_volumes(case, ends=plan.ends, pgtv=plan.pgtv)
    grown = [_grow(one, plan, organs) for one in gross]
    findings = [*not_applied(plan.barriers, organs, IFI), *_cut_findings(grown)]
    outside = "".join(f", not in {_outside(b.structure)}" for b in plan.barriers if b.structure in organs)
    ctv, ptv = [g.ctv for g in grown], [g.ptv for g in grown]
    made = [
        *pgtv_drafts(gross, plan.pgtv),
        grown_draft("CTV", TargetKind.CTV, plan.ctv, ctv, recipe=f"GTV + {plan.ctv}{outside}"),
        grown_draft("PTV", TargetKind.PTV, plan.ptv, ptv, recipe=f"CTV + {plan.ptv}"),
    ]
    drawn = as_drawn(case)
    targets: dict[TargetKind, Target] = {}
    for draft in made:
        fill = draft.kind is not TargetKind.PTV or plan.fill_ptv_holes
        # Whatever a CTV's filled holes hold, its PTV holds too.
        held, kept = drawn, draft
        if draft.kind is TargetKind.PTV:
            held = targets[TargetKind.CTV].contours.sections
            kept = off_skin(draft, organs, plan.skin_rim_mm)
            findings += skin_findings(draft, kept, case.volume.grid, organs, plan.skin_rim_mm, arm=IFI)
        targets[draft.kind] = assemble(kept, held, case.volume.grid, fill_holes=fill)
    last = []
    if plan.keep_uncropped:
        whole = next(draft.uncut for draft in made if draft.kind is TargetKind.CTV)
        last.append(uncropped_ctv(whole, case.volume.grid, before="barriers"))
    return TargetSet(
        arm=IFI, targets=(*gtv_targets(case), *targets.values(), *last), findings=tuple(findings)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _GrownLesion:
    ctv: Grown
    ptv: Grown
    taken_cc: Mapping[str, float] = field(default_factory=dict)


def _grow(one: Gross, plan: ArmPlan, organs: Mapping[str, Mask]) -> _GrownLesion:
    uncut = expand(one.solid, plan.ctv)
    ctv, taken = _within_barriers(uncut, one.solid, plan, organs)
    ptv = expand(ctv, plan.ptv)
    return _GrownLesion(
        ctv=Grown(solid=ctv, uncut=uncut, base=one.solid),
        ptv=Grown(solid=ptv, uncut=ptv, base=ctv),
        taken_cc=taken,
    )


def _within_barriers(
    uncut: Solid, gtv: Solid, plan: ArmPlan, organs: Mapping[str, Mask]
) -> tuple[Solid, dict[str, float]]:
    """A CTV cut at every barrier that is known, and the cc that each took."""
    ctv = uncut
    taken: dict[str, float] = {}
    for barriers in together(plan.barriers, organs):
        before = ctv
        masks = [organs[barrier.structure] for barrier in barriers]
        ctv = cut_at(before, gtv, barriers[0], united(masks))
        if ctv is not before:
            lost_cc = before.volume_cc - ctv.volume_cc
            parts = shares(before, gtv, masks)
            taken |= {b.structure: lost_cc * part for b, part in zip(barriers, parts, strict=True)}
    return ctv, taken


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
    if share > SHARE_TO_STOP and structure == BODY:
        severity, todo = Severity.STOP, "; do not use the CTV before this is explained"
    return Finding(
        code="CTV_CUT_BY_BARRIER",
        severity=severity,
        where=f"{IFI}.CTV",
        message=f"barrier {structure} took {volume_cc:.2f} cc (sum over lesions) from the CTV, "
        f"{100 * share:.0f} % of what its margins add to the GTVs{todo}",
    )


def _outside(structure: str) -> str:
    return "air outside the body" if structure == BODY else structure
