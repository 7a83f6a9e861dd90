"""The protocol and the user's choices joined into the figures of the IFI arm; ranges are enforced here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.core.errors import UsageError
from pipeline.core.margin import MAX_MARGIN_MM, Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Barrier, IfiPlan, MarginName, Protocol, Ranged, Settings

_WORD = {True: "on", False: "off"}
_CRANIOCAUDAL = (MarginName.CRANIOCAUDAL, MarginName.SUPERIOR, MarginName.INFERIOR)
_HORIZONTAL_DIRECTIONS = {MarginName.LEFT, MarginName.RIGHT, MarginName.ANTERIOR, MarginName.POSTERIOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedIfi:
    """The plan of the IFI arm and what has to be said about it.

    Attributes:
        plan: every figure that building takes.
        findings: what the user chose outside or beside the protocol.
        assumptions: name to sentence of each rule with source A that the plan uses.
    """

    plan: IfiPlan
    findings: tuple[Finding, ...]
    assumptions: Mapping[str, str]


def plan_ifi(protocol: Protocol, settings: Settings) -> PlannedIfi:
    """Join the protocol's defaults with the user's choices.

    Raises:
        UsageError: a margin below 0, above 100 mm, or outside the protocol's range without
            `settings.off_protocol`; a barrier that the protocol does not have.
    """
    findings = [*_check_margins(protocol, settings), *_switches(protocol, settings)]
    plan = IfiPlan(
        pgtv=Margin.uniform(protocol.pgtv.default),
        ctv=_ctv_margin(protocol, settings),
        ptv=Margin.uniform(protocol.ptv.default),
        ends=settings.ends or protocol.ends,
        fill_ptv_holes=(
            protocol.fill_ptv_holes if settings.fill_ptv_holes is None else settings.fill_ptv_holes
        ),
        barriers=_barriers(protocol, settings),
    )
    stated = _stated(settings)
    assumptions = {
        name: assumption.sentence
        for name, assumption in protocol.assumptions.items()
        if "ifi" in assumption.arms
        and not (assumption.unless_set and stated.issuperset(assumption.unless_set))
    }
    return PlannedIfi(plan=plan, findings=tuple(findings), assumptions=assumptions)


def _ctv_margin(protocol: Protocol, settings: Settings) -> Margin:
    margins = settings.margins
    horizontal = margins.get(MarginName.HORIZONTAL, protocol.ifi.horizontal.default)
    craniocaudal = margins.get(MarginName.CRANIOCAUDAL, protocol.ifi.craniocaudal.default)
    return Margin(
        left=margins.get(MarginName.LEFT, horizontal),
        right=margins.get(MarginName.RIGHT, horizontal),
        anterior=margins.get(MarginName.ANTERIOR, horizontal),
        posterior=margins.get(MarginName.POSTERIOR, horizontal),
        superior=margins.get(MarginName.SUPERIOR, craniocaudal),
        inferior=margins.get(MarginName.INFERIOR, craniocaudal),
    )


def _check_margins(protocol: Protocol, settings: Settings) -> list[Finding]:
    findings = []
    for name, mm in settings.margins.items():
        if not (math.isfinite(mm) and 0 <= mm <= MAX_MARGIN_MM):
            raise UsageError(
                "margin cannot be used",
                where=f"margin ifi.{name}",
                expected=f"0 to {MAX_MARGIN_MM:g} mm; the protocol allows {_range(protocol, name)}",
                got=f"{mm:g} mm",
            )
        allowed = _allowed(protocol, name)
        if allowed.lowest <= mm <= allowed.highest:
            continue
        if not settings.off_protocol:
            raise UsageError(
                "margin outside the protocol's range",
                where=f"margin ifi.{name}",
                expected=f"{_range(protocol, name)} (protocol {protocol.name}, source {allowed.source})",
                got=f"{mm:g} mm",
                todo="choose a value inside the range, or say --off-protocol; the report will then say so",
            )
        findings.append(
            Finding(
                code="MARGIN_OFF_PROTOCOL",
                severity=Severity.WARNING,
                where=f"ifi, CTV, {name}",
                message=f"The margin of {mm:g} mm is outside the protocol's range of "
                f"{_range(protocol, name)}; it was taken because the user declared the case off protocol.",
            )
        )
    return findings


def _allowed(protocol: Protocol, name: MarginName) -> Ranged:
    return protocol.ifi.craniocaudal if name in _CRANIOCAUDAL else protocol.ifi.horizontal


def _range(protocol: Protocol, name: MarginName) -> str:
    allowed = _allowed(protocol, name)
    return f"{allowed.lowest:g} to {allowed.highest:g} mm"


def _barriers(protocol: Protocol, settings: Settings) -> tuple[Barrier, ...]:
    return tuple(b for b in protocol.barriers if settings.barriers.get(b.structure, b.on))


def _switches(protocol: Protocol, settings: Settings) -> list[Finding]:
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
            where=f"ifi, barrier {structure}",
            message=f"The barrier {structure} is {_WORD[on]} because the user said so; "
            f"the protocol has it {_WORD[known[structure]]}.",
        )
        for structure, on in settings.barriers.items()
        if on != known[structure]
    ]
    changed = []
    if settings.ends not in (None, protocol.ends):
        changed.append(("ends", str(settings.ends), str(protocol.ends)))
    fill = settings.fill_ptv_holes
    if fill is not None and fill != protocol.fill_ptv_holes:
        changed.append(("fill_ptv_holes", _WORD[fill], _WORD[protocol.fill_ptv_holes]))
    findings += [
        Finding(
            code="SETTING_CHANGED",
            severity=Severity.INFO,
            where=f"ifi, {key}",
            message=f"{key} is {now} because the user said so; the protocol has it {before}.",
        )
        for key, now, before in changed
    ]
    return findings


def _stated(settings: Settings) -> set[str]:
    """The setting keys that the user has stated, as `Assumption.unless_set` names them."""
    names = set(settings.margins)
    stated = {f"barriers.{structure}" for structure in settings.barriers}
    if MarginName.HORIZONTAL in names or names >= _HORIZONTAL_DIRECTIONS:
        stated.add("ifi.horizontal")
    if MarginName.CRANIOCAUDAL in names or names >= {MarginName.SUPERIOR, MarginName.INFERIOR}:
        stated.add("ifi.craniocaudal")
    if settings.ends is not None:
        stated.add("ends")
    if settings.fill_ptv_holes is not None:
        stated.add("fill_ptv_holes")
    return stated
