"""The protocol and the user's choices joined into the figures of an arm; ranges are enforced here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from pipeline.core.elective import ElectivePlan, ElectiveRules
from pipeline.core.errors import UsageError
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ENI, IFI, ArmPlan, Barrier, MarginName, Protocol, Settings
from pipeline.strategy.ranges import Figure, in_range

_WORD = {True: "on", False: "off"}
_CRANIOCAUDAL = (MarginName.CRANIOCAUDAL, MarginName.SUPERIOR, MarginName.INFERIOR)
_HORIZONTAL_DIRECTIONS = {MarginName.LEFT, MarginName.RIGHT, MarginName.ANTERIOR, MarginName.POSTERIOR}


# A PTV may be kept so far under the skin; more is no skin.
SKIN_RIM_KEY, MOST_SKIN_RIM_MM = "ptv_skin_rim", 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """The plan of an arm and what has to be said about it.

    Attributes:
        plan: every figure that building takes.
        findings: what the user chose outside or beside the protocol.
        assumptions: name to sentence of each rule with source A that the plan uses.
    """

    plan: ArmPlan
    findings: tuple[Finding, ...]
    assumptions: Mapping[str, str]


def plan_ifi(protocol: Protocol, settings: Settings) -> PlannedArm:
    """Involved-field irradiation: the protocol's defaults joined with the user's choices.

    Raises:
        UsageError: a margin below 0, above 100 mm, or outside the protocol's range without
            `settings.off_protocol`; a barrier that the protocol does not have.
    """
    return _planned(protocol, settings, IFI)


def plan_eni(protocol: Protocol, settings: Settings) -> PlannedArm:
    """Elective nodal irradiation: the protocol's defaults joined with the user's choices.

    Raises:
        UsageError: as `plan_ifi`, and for the distances of boundaries; a protocol without elective rules.
    """
    return _planned(protocol, settings, ENI)


def _planned(protocol: Protocol, settings: Settings, arm: str) -> PlannedArm:
    margins = settings.margins if arm == IFI else settings.eni_margins
    findings = [*_check_margins(protocol, settings, arm), *_switches(protocol, settings, arm)]
    elective = None
    if arm == ENI:
        elective, told = _elective(protocol, settings)
        findings += told
        findings += _core_over_margin(elective.core, _ctv_margin(protocol, margins, arm))
    fill = settings.fill_ptv_holes
    plan = ArmPlan(
        arm=arm,
        pgtv=Margin.uniform(protocol.pgtv.default) if protocol.pgtv else None,
        ctv=_ctv_margin(protocol, margins, arm),
        ptv=Margin.uniform(protocol.ptv.default),
        ends=settings.ends or protocol.ends,
        fill_ptv_holes=protocol.fill_ptv_holes if fill is None else fill,
        barriers=_barriers(protocol, settings),
        elective=elective,
        keep_uncropped=settings.keep_uncropped,
        skin_rim_mm=settings.figures.get(SKIN_RIM_KEY),
    )
    stated = _stated(settings, margins, arm)
    assumptions = {
        name: assumption.sentence
        for name, assumption in protocol.assumptions.items()
        if arm in assumption.arms and not (assumption.unless_set and stated.issuperset(assumption.unless_set))
    }
    return PlannedArm(plan=plan, findings=tuple(findings), assumptions=assumptions)


def elective_of(protocol: Protocol) -> ElectiveRules:
    """The elective rules of a protocol.

    Raises:
        UsageError: it has none.
    """
    if protocol.eni is None:
        raise UsageError(
            "the protocol has no elective irradiation",
            where="--arm",
            expected="ifi",
            got=f"protocol {protocol.name}",
            todo="ask for --arm ifi, or name another protocol with --protocol",
        )
    return protocol.eni


def _allowed(protocol: Protocol, arm: str, name: MarginName) -> Figure:
    margins = protocol.ifi if arm == IFI else elective_of(protocol)
    allowed = margins.craniocaudal if name in _CRANIOCAUDAL else margins.horizontal
    return Figure(
        what="margin",
        key=f"{arm}.{name}",
        where=f"{arm}, CTV, {name}",
        option=f"margin {arm}.{name}",
        allowed=allowed,
    )


def _ctv_margin(protocol: Protocol, margins: Mapping[MarginName, float], arm: str) -> Margin:
    rules = protocol.ifi if arm == IFI else elective_of(protocol)
    horizontal = margins.get(MarginName.HORIZONTAL, rules.horizontal.default)
    craniocaudal = margins.get(MarginName.CRANIOCAUDAL, rules.craniocaudal.default)
    return Margin(
        left=margins.get(MarginName.LEFT, horizontal),
        right=margins.get(MarginName.RIGHT, horizontal),
        anterior=margins.get(MarginName.ANTERIOR, horizontal),
        posterior=margins.get(MarginName.POSTERIOR, horizontal),
        superior=margins.get(MarginName.SUPERIOR, craniocaudal),
        inferior=margins.get(MarginName.INFERIOR, craniocaudal),
    )


def _check_margins(protocol: Protocol, settings: Settings, arm: str) -> list[Finding]:
    margins = settings.margins if arm == IFI else settings.eni_margins
    told = (in_range(_allowed(protocol, arm, name), mm, protocol, settings) for name, mm in margins.items())
    return [finding for finding in told if finding is not None]


def _elective(protocol: Protocol, settings: Settings) -> tuple[ElectivePlan, list[Finding]]:
    rules = elective_of(protocol)
    findings = []
    outward = {key: allowed.default for key, allowed in rules.distances.items()}
    for key, mm in settings.figures.items():
        if key not in outward:
            continue
        figure = Figure(
            what="distance", key=key, where=key, option=f"setting {key}", allowed=rules.distances[key]
        )
        finding = in_range(figure, mm, protocol, settings)
        findings += [] if finding is None else [finding]
        outward[key] = mm
    chosen = {key: settings.switches.get(key, switch.value) for key, switch in rules.switches.items()}
    findings += [
        _changed(ENI, key, _WORD[chosen[key]], _WORD[switch.value])
        for key, switch in rules.switches.items()
        if chosen[key] != switch.value
    ]
    plan = ElectivePlan(
        core=Margin.axial(horizontal=rules.core_horizontal_mm, craniocaudal=rules.core_craniocaudal_mm),
        rows=rules.rows,
        outward_mm=outward,
        envelope_gap_mm=rules.envelope_gap_mm,
        expansion_beyond_boundaries=chosen["eni.expansion_beyond_boundaries"],
        conduit_in_stations=chosen["eni.conduit_in_stations"],
        conduit_in_tumour_expansion=chosen["eni.conduit_in_tumour_expansion"],
        gap_mm=rules.gap_mm,
        sliver_mm=rules.sliver_mm,
        fleck_mm2=rules.fleck_mm2,
        speck_cc=rules.speck_cc,
    )
    return plan, findings


def _core_over_margin(core: Margin, ctv: Margin) -> list[Finding]:
    """`CORE_OVER_MARGIN`: a margin below that of the core has no effect."""
    over = [one.name for one in fields(Margin) if getattr(ctv, one.name) < getattr(core, one.name)]
    if not over:
        return []
    return [
        Finding(
            code="CORE_OVER_MARGIN",
            severity=Severity.WARNING,
            where=f"{ENI}, CTV",
            message=f"the margin asked for is smaller than that of the core, {core} ({', '.join(over)}): "
            "the core is in the CTV all the same",
        )
    ]


def _barriers(protocol: Protocol, settings: Settings) -> tuple[Barrier, ...]:
    return tuple(b for b in protocol.barriers if settings.barriers.get(b.structure, b.on))


def _switches(protocol: Protocol, settings: Settings, arm: str) -> list[Finding]:
    """Findings for what the user switched away from the protocol's own setting."""
    known = {barrier.structure: barrier.on for barrier in protocol.barriers}
    for structure in settings.barriers:
        if structure not in known:
            raise UsageError(
                "unknown barrier",
                where=f"setting barriers.{structure}",
                expected=f"one of {', '.join(known)}",
                got=structure,
            )
    findings = [
        Finding(
            code="BARRIER_SWITCHED",
            severity=Severity.INFO if on else Severity.WARNING,
            where=f"{arm}, barrier {structure}",
            message=f"The barrier {structure} is {_WORD[on]} because the user said so; "
            f"the protocol has it {_WORD[known[structure]]}.",
        )
        for structure, on in settings.barriers.items()
        if on != known[structure]
    ]
    if settings.ends not in (None, protocol.ends):
        findings.append(_changed(arm, "ends", str(settings.ends), str(protocol.ends)))
    rim = settings.figures.get(SKIN_RIM_KEY)
    if rim is not None:
        findings.append(_changed(arm, SKIN_RIM_KEY, f"{rim:g} mm", "off"))
    fill = settings.fill_ptv_holes
    if fill is not None and fill != protocol.fill_ptv_holes:
        findings.append(_changed(arm, "fill_ptv_holes", _WORD[fill], _WORD[protocol.fill_ptv_holes]))
    return findings


def _changed(arm: str, key: str, now: str, before: str) -> Finding:
    return Finding(
        code="SETTING_CHANGED",
        severity=Severity.INFO,
        where=f"{arm}, {key}",
        message=f"{key} is {now} because the user said so; the protocol has it {before}.",
    )


def _stated(settings: Settings, margins: Mapping[MarginName, float], arm: str) -> set[str]:
    """The setting keys that the user has stated, as `Assumption.unless_set` names them."""
    names = set(margins)
    stated = {f"barriers.{structure}" for structure in settings.barriers}
    stated |= {*settings.switches, *settings.figures}
    if MarginName.HORIZONTAL in names or names >= _HORIZONTAL_DIRECTIONS:
        stated.add(f"{arm}.horizontal")
    if MarginName.CRANIOCAUDAL in names or names >= {MarginName.SUPERIOR, MarginName.INFERIOR}:
        stated.add(f"{arm}.craniocaudal")
    if settings.ends is not None:
        stated.add("ends")
    if settings.fill_ptv_holes is not None:
        stated.add("fill_ptv_holes")
    return stated
