"""The volumes of the arms that are to be built, from what is known of the patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.anatomy.barrier_masks import barrier_masks, holes_in_barriers
from pipeline.check import check_arms, check_conduit, check_inside_body, check_targets
from pipeline.core.anatomy import CONDUIT
from pipeline.core.case import Case
from pipeline.core.elective import ElectiveBuilt
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY, ENI, IFI
from pipeline.core.targets import TargetSet
from pipeline.core.volume import Mask
from pipeline.run.body import doubts_about_body, slices_within_reach
from pipeline.run.boundaries import uncertain_boundaries
from pipeline.run.known import FoundMap, Known
from pipeline.run.measured import conduit_of
from pipeline.strategy import PlannedArm
from pipeline.targets import (
    Gross,
    PatientMap,
    build_eni,
    build_ifi,
    gross_volumes,
    what_lacks,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmsBuilt:
    """What was built.

    Attributes:
        arms: the volumes, `ifi` before `eni`; an arm that could not be built is not among them.
        elective: how the CTV of the ENI arm came about; None where that arm was not built.
        findings: every doubt.
    """

    arms: tuple[TargetSet, ...]
    elective: ElectiveBuilt | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Materials:
    """What arms are made of, whichever of them are built.

    Attributes:
        barriers: barrier to its mask.
        gross: the lesions as solids.
        findings: doubts about the barriers.
    """

    barriers: Mapping[str, Mask]
    gross: tuple[Gross, ...]
    findings: tuple[Finding, ...]


def materials_of(case: Case, known: Known, planned: Mapping[str, PlannedArm]) -> Materials:
    """Barriers and lesions for the planned arms, of which there is at least one."""
    masks, findings = _barriers(case, known, planned)
    plan = next(iter(planned.values())).plan
    gross = gross_volumes(case, ends=plan.ends, pgtv=plan.pgtv)
    return Materials(barriers=masks, gross=gross, findings=tuple(findings))


def build_arms(
    case: Case,
    known: Known,
    planned: Mapping[str, PlannedArm],
    *,
    materials: Materials | None = None,
    beside: PlannedArm | None = None,
    on_made: Callable[[TargetSet], None] = lambda _: None,
    allow_inferred: bool = True,
) -> ArmsBuilt:
    """Build the planned arms.

    Args:
        case: as read.
        known: organs, and the map that the ENI arm needs.
        planned: arm to its plan.
        materials: of `materials_of` for the same arms, where they were made already.
        beside: of an involved field that is not asked for: the ENI arm is held against it all the same.
        on_made: given the volumes of each planned arm before they are checked; by any thread.
        allow_inferred: whether landmarks that were only inferred may be used.

    Raises:
        GeometryError: a volume that cannot be built.
    """
    if not planned:
        return ArmsBuilt(arms=(), elective=None, findings=())
    made_of = materials or materials_of(case, known, planned)
    masks, gross = made_of.barriers, made_of.gross
    findings = [*made_of.findings, *(finding for plan in planned.values() for finding in plan.findings)]
    lacking: tuple[Finding, ...] = ()
    patient = None
    if ENI in planned:
        lacking, patient = _patient_map(known.map, planned[ENI], allow_inferred=allow_inferred)
    with ThreadPoolExecutor(max_workers=1) as aside:  # the arms share nothing but the lesions
        field = planned.get(IFI) or (beside if patient is not None and not lacking else None)
        ifi = (
            aside.submit(_ifi, case, known, field, masks, gross, on_made=on_made if IFI in planned else None)
            if field is not None
            else None
        )
        eni = None
        if patient is not None and not lacking:
            made = build_eni(case, plan=planned[ENI].plan, patient=patient, organs=masks, gross=gross)
            on_made(made.targets)
            eni = (made, (*made.targets.findings, *check_targets(case, made.targets, known.organs)))
        done = ifi.result() if ifi else None
    both = (*([done[0]] if done else []), *([eni[0].targets] if eni else []))
    arms = tuple(one for one in both if one.arm in planned)
    findings += [*(done[1] if done else ()), *lacking]
    if eni is not None and patient is not None:
        findings += [*eni[1], *uncertain_boundaries(eni[0].built, patient)]
    findings += check_arms(both)
    named = known.organs.by_name.get(CONDUIT)
    conduit = named.mask if named is not None else conduit_of(known)
    if conduit is not None:
        findings += [finding for arm in arms for finding in check_conduit(arm, conduit)]
    once = tuple(dict.fromkeys(findings))  # of the lesions, both arms tell the same
    return ArmsBuilt(arms=arms, elective=eni[0].built if eni else None, findings=once)


def _ifi(
    case: Case,
    known: Known,
    planned: PlannedArm,
    masks: Mapping[str, Mask],
    gross: Sequence[Gross],
    *,
    on_made: Callable[[TargetSet], None] | None,
) -> tuple[TargetSet, tuple[Finding, ...]]:
    """The IFI arm with its doubts; without them where it is not written."""
    targets = build_ifi(case, plan=planned.plan, organs=masks, gross=gross)
    if on_made is None:
        return targets, ()
    on_made(targets)
    return targets, (*targets.findings, *check_targets(case, targets, known.organs))


def _barriers(
    case: Case, known: Known, planned: Mapping[str, PlannedArm]
) -> tuple[dict[str, Mask], list[Finding]]:
    """The masks of all barriers of the planned arms, and doubts about them."""
    margins = [one.plan.ctv for one in planned.values()]
    wanted = list(dict.fromkeys(b.structure for one in planned.values() for b in one.plan.barriers))
    findings: list[Finding] = []
    body = known.organs.by_name.get(BODY)
    if body is not None:
        doubts = doubts_about_body(case, body, margins)
        findings += doubts or check_inside_body(case, body.mask)
        wanted = [name for name in wanted if name != BODY or not doubts]
    slices = None if ENI in planned else slices_within_reach(case, margins)
    masks = barrier_masks(known.organs, known.barriers, wanted, volume=case.volume, slices=slices)
    findings += holes_in_barriers(known.organs, known.barriers, wanted)
    return masks, findings


def _patient_map(
    found: FoundMap | None, planned: PlannedArm, *, allow_inferred: bool
) -> tuple[tuple[Finding, ...], PatientMap | None]:
    """The map that elective irradiation needs, and what of it is lacking."""
    elective = planned.plan.elective
    if elective is None:
        return (), None
    if found is None:
        return (_no_map(),), None
    patient = PatientMap(
        stations=found.stations,
        landmarks=found.landmarks,
        regions=found.regions,
        allow_inferred=allow_inferred,
    )
    return what_lacks(elective.rows, patient), patient


def _no_map() -> Finding:
    return Finding(
        code="STATIONS_NOT_USABLE",
        severity=Severity.STOP,
        where=ENI,
        message="it is not built: there are no stations that may be used; see what is said of them, and give "
        "organ masks (--anatomy), stations of the patient's own, or a reference patient that fits (--atlas)",
    )
