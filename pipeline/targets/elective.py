"""PGTV, CTV and PTV of elective nodal irradiation, PROTOCOL section 3 [P, A].

For each row of the involved regions: the expansion of the GTV within the region envelopes, with the listed
stations, between the boundaries. These united, and the core. Barriers are removed once, at the end, never any
part of a GTV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.case import Case
from pipeline.core.elective import ElectiveBuilt, ElectivePlan, RowBuilt, Sense
from pipeline.core.errors import GeometryError
from pipeline.core.expansion import expand
from pipeline.core.grid import Grid
from pipeline.core.margin import Margin
from pipeline.core.raster import as_multipolygon, mask_to_contours
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY, ENI, ArmPlan, Barrier
from pipeline.core.solid import solid_from_contours
from pipeline.core.targets import NOISE_CC, Target, TargetKind, TargetSet
from pipeline.core.volume import Mask
from pipeline.targets.assemble import UNCROPPED, Draft, assemble, uncropped_ctv
from pipeline.targets.barriers import barred_sections, not_applied
from pipeline.targets.envelope import Envelope
from pipeline.targets.gross import Gross, as_drawn, gross_volumes, gtv_targets, least, pgtv_drafts, reached
from pipeline.targets.patient import PatientMap, empty_stations, involved_rows
from pipeline.targets.rows import Expanded, RowSections, row_built, row_sections
from pipeline.targets.sections import Sections, common, joined, thinned, volume_cc, without
from pipeline.targets.skin import off_skin, skin_findings
from pipeline.targets.smoothing import flecks_removed, slits_closed, slivers_removed, specks_removed

# A station of which more than this lies between the boundaries counts as whole.
MOST_LEFT = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EniBuilt:
    """The volumes of the arm, and how its CTV came about."""

    targets: TargetSet
    built: ElectiveBuilt


def build_eni(
    case: Case,
    *,
    plan: ArmPlan,
    patient: PatientMap,
    organs: Mapping[str, Mask],
    gross: Sequence[Gross] | None = None,
) -> EniBuilt:
    """The volumes of elective nodal irradiation, over all lesions.

    Args:
        case: at least one lesion.
        plan: of the ENI arm.
        patient: his stations, landmarks and the lesions' regions; `what_lacks` has found nothing.
        organs: masks by barrier name, on the CT's grid; a barrier without one is reported and not applied.
        gross: of `gross_volumes` with the plan's ends and PGTV margin, where they were made already.

    Raises:
        GeometryError: a plan of another arm, or stations on another grid than the CT.
    """
    elective, grid = plan.elective, case.volume.grid
    if elective is None or patient.stations.grid != grid:
        raise GeometryError("elective irradiation needs its own plan, and stations on the CT's grid")
    gross = gross or gross_volumes(case, ends=plan.ends, pgtv=plan.pgtv)
    drawn = as_drawn(case)
    parts = _parts(plan, elective, patient, gross)
    united = joined([*(row.whole() for row in parts.rows), parts.core])
    uncropped = thinned(slits_closed(united, elective.gap_mm))
    cropped, taken, ringed = _cropped(uncropped, drawn, plan, organs, grid)
    smooth = slivers_removed(cropped, drawn, elective.sliver_mm)
    smooth = flecks_removed(smooth, drawn, elective.fleck_mm2)
    smooth = specks_removed(smooth, drawn, elective.speck_cc, grid)
    kept_open = ringed if elective.conduit_in_stations else joined([ringed, parts.conduit])
    ctv = _ctv_draft(plan, parts, smooth, uncropped, kept_open)
    findings = [
        *not_applied(plan.barriers, organs, ENI),
        *empty_stations([r.row for r in parts.rows], patient),
    ]
    targets, told = _assembled(case, plan, (*pgtv_drafts(gross, plan.pgtv), ctv), drawn, organs)
    rows = tuple(row_built(row, targets["CTV"].contours.sections, grid) for row in parts.rows)
    built = ElectiveBuilt(
        rows=rows,
        core_cc=volume_cc(parts.core, grid),
        uncropped_cc=volume_cc(uncropped, grid),
        barriers_cc=taken,
        smoothing_cc=volume_cc(cropped, grid) - volume_cc(smooth, grid),
        conduit_cc=_in_conduit(targets, parts.conduit, grid),
    )
    findings += [*told, *_clipping(built)]
    if plan.keep_uncropped:
        targets[UNCROPPED] = uncropped_ctv(uncropped, grid, before="barriers and smoothing")
    whole = TargetSet(arm=ENI, targets=(*gtv_targets(case), *targets.values()), findings=tuple(findings))
    return EniBuilt(targets=whole, built=built)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Parts:
    rows: tuple[RowSections, ...]
    core: Sections
    conduit: Sections
    measured: Margin


def _parts(plan: ArmPlan, elective: ElectivePlan, patient: PatientMap, gross: Sequence[Gross]) -> _Parts:
    """Rows, core and conduit before anything is united."""
    envelope = Envelope(patient.stations, elective.envelope_gap_mm)
    expansions = [expand(one.solid, plan.ctv) for one in gross]
    core = joined([thinned(expand(one.solid, elective.core).slice_sections()) for one in gross])
    sections = [thinned(one.slice_sections()) for one in expansions]
    mask = patient.stations.conduit
    conduit = {} if mask is None else mask_to_contours(mask).sections
    expanded = [
        Expanded(gross=one, sections=envelope.clipped(its)) for one, its in zip(gross, sections, strict=True)
    ]
    rows = tuple(
        row_sections(row, elective, patient, expanded, conduit)
        for row in involved_rows(elective.rows, patient)
    )
    measured = least([reached(one.solid, its) for one, its in zip(gross, expansions, strict=True)])
    return _Parts(rows=rows, core=core, conduit=conduit, measured=measured)


def _cropped(
    sections: Sections, drawn: Sections, plan: ArmPlan, organs: Mapping[str, Mask], grid: Grid
) -> tuple[dict[int, MultiPolygon], dict[str, float], Sections]:
    """The CTV without what the barriers take, the cc that each took, and what of them it rings.

    Never any part of a GTV is taken. Stations have organs taken out already: a hole over a vessel is there
    before the barrier is asked.
    """
    left = dict(sections)
    holes = _holes(sections)
    ringed: list[Sections] = []
    taken: dict[str, float] = {}
    for barrier in plan.barriers:
        if barrier.structure not in organs or not left:
            continue
        barred = barred_sections(barrier, organs[barrier.structure], left)
        ringed.append((without if barrier.structure == BODY else common)(holes, barred))
        before = volume_cc(left, grid)
        cut = common(left, barred) if barrier.structure == BODY else without(left, barred)
        left = {
            k: _with(cut.get(k), drawn.get(k)) if _meets(k, drawn, barred, barrier) else cut[k]
            for k in left
            if k in cut or k in drawn
        }
        taken[barrier.structure] = before - volume_cc(left, grid)
    return left, taken, joined(ringed)


def _meets(k: int, drawn: Sections, barred: Sections, barrier: Barrier) -> bool:
    """Whether a barrier may have taken a part of a GTV on a slice."""
    if k not in drawn:
        return False
    if barrier.structure == BODY:
        return k not in barred or not shapely.covers(barred[k], drawn[k])
    return k in barred and bool(shapely.intersects(barred[k], drawn[k]))


def _holes(sections: Sections) -> dict[int, MultiPolygon]:
    """What sections ring."""
    rings = {
        k: [ring for part in section.geoms for ring in part.interiors] for k, section in sections.items()
    }
    return {
        k: as_multipolygon(shapely.union_all([Polygon(ring) for ring in found]))
        for k, found in rings.items()
        if found
    }


def _with(section: MultiPolygon | None, drawn: MultiPolygon | None) -> MultiPolygon:
    """What is left of a section, with the GTV back in it."""
    parts = [one for one in (section, drawn) if one is not None]
    return parts[0] if len(parts) == 1 else as_multipolygon(shapely.union_all(parts))


def _ctv_draft(
    plan: ArmPlan, parts: _Parts, smooth: Sections, uncropped: Sections, kept_open: Sections
) -> Draft:
    rows = ", ".join(row.row.name for row in parts.rows)
    return Draft(
        name="CTV",
        kind=TargetKind.CTV,
        recipe=f"elective stations of region {rows} and GTV + {plan.ctv} between their boundaries",
        requested=plan.ctv,
        measured=parts.measured,
        sections=smooth,
        uncut=uncropped,
        kept_open=kept_open,
    )


def _assembled(
    case: Case,
    plan: ArmPlan,
    drafts: Sequence[Draft],
    drawn: Sections,
    organs: Mapping[str, Mask],
) -> tuple[dict[str, Target], list[Finding]]:
    """PGTV, CTV, and the PTV that grows from the CTV's contours."""
    grid = case.volume.grid
    targets = {draft.name: assemble(draft, drawn, grid, fill_holes=True) for draft in drafts}
    contours = targets["CTV"].contours
    base = solid_from_contours(contours, ends=plan.ends)
    grown = expand(base, plan.ptv)
    sections = grown.slice_sections()
    ptv = Draft(
        name="PTV",
        kind=TargetKind.PTV,
        recipe=f"CTV + {plan.ptv}",
        requested=plan.ptv,
        measured=reached(base, grown),
        sections=sections,
        uncut=sections,
    )
    kept = off_skin(ptv, organs, plan.skin_rim_mm)
    targets["PTV"] = assemble(kept, contours.sections, grid, fill_holes=plan.fill_ptv_holes)
    return targets, skin_findings(ptv, kept, grid, organs, plan.skin_rim_mm, arm=ENI)


def _in_conduit(targets: Mapping[str, Target], conduit: Sections, grid: Grid) -> dict[str, float]:
    if not conduit:
        return {}
    return {
        name: volume_cc(common(target.contours.sections, conduit), grid) for name, target in targets.items()
    }


def _clipping(built: ElectiveBuilt) -> list[Finding]:
    """What barriers and smoothing took, and boundaries that the CTV does not reach."""
    taken = {name: cc for name, cc in built.barriers_cc.items() if cc >= NOISE_CC}
    told = ", ".join(f"{name} {cc:.1f} cc" for name, cc in taken.items()) or "nothing"
    findings = [
        Finding(
            code="ENI_CLIPPED",
            severity=Severity.INFO,
            where=f"{ENI}.CTV",
            message=f"of {built.uncropped_cc:.1f} cc barriers took: {told}; "
            f"smoothing {built.smoothing_cc:.1f} cc",
        )
    ]
    findings += [
        Finding(
            code="BOUNDARY_NOT_REACHED",
            # That the volume ends short of what a rule gives beyond a lesion must be looked at.
            severity=Severity.WARNING if boundary.term.sense is Sense.LESIONS else Severity.INFO,
            where=f"{ENI}.CTV, region {row.row.name}, {boundary.end} boundary",
            message=f"the CTV does not reach it: {boundary.ended_by}",
        )
        for row in built.rows
        for boundary in (row.upper, row.lower)
        if not boundary.reached
    ]
    findings += [finding for row in built.rows if (finding := _stations_cut(row)) is not None]
    return findings


def _stations_cut(row: RowBuilt) -> Finding | None:
    """`STATIONS_CUT` (info): listed stations that the boundaries leave only in part."""
    shares = {
        name: row.stations_cc[name] / whole for name, whole in row.stations_whole_cc.items() if whole > 0
    }
    cut = [f"{name} {100.0 * share:.0f} %" for name, share in shares.items() if share < MOST_LEFT]
    if not cut:
        return None
    return Finding(
        code="STATIONS_CUT",
        severity=Severity.INFO,
        where=f"{ENI}.CTV, region {row.row.name}",
        message=f"of these listed stations only a part lies between the boundaries: {', '.join(cut)}",
    )
