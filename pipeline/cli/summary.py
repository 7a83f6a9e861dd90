"""What a finished run prints: volumes, findings, and where the output lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.common import say, table
from pipeline.core.margin import Margin
from pipeline.core.report import Decision, Finding, Report, Severity, StationReport, TargetReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.app import RunOutcome
    from pipeline.core.elective import ElectiveBuilt
    from pipeline.core.prescription import Prescription

_LONGEST_NOTE = 90
_NOT_FOUND = "LANDMARK_NOT_FOUND"


def print_outcome(outcome: RunOutcome, *, as_json: bool, quiet: bool, verbose: bool) -> None:
    """The report as JSON, or the summary, or nothing.

    The outputs are in their place by now: a stdout that is closed or full changes nothing about that.
    """
    if as_json:
        say(outcome.record, end="")
    elif not quiet:
        say(summary(outcome.report, verbose=verbose))
        say(f"\nDRAFT for review, not approved: {outcome.folder}")


def summary(report: Report, *, verbose: bool = False) -> str:
    """Volumes of each arm, stations, landmarks, then findings, the gravest first; seconds when verbose."""
    parts = [decision_text(report.decision)] if report.decision else []
    parts += [prescription_text(arm, one) for arm, one in report.prescriptions.items()]
    parts += [elective_text(report.elective)] if report.elective else []
    for arm, targets in report.targets.items():
        rows = [
            [
                target.name,
                f"{target.volume_cc:.2f}",
                str(target.slices),
                margin_text(target.requested),
                margin_text(target.measured),
                _cut_text(target),
            ]
            for target in targets
        ]
        heads = ["ROI", "cc", "slices", "margin asked (mm)", "reached before cuts", "cut (cc)"]
        parts.append(f"{arm.upper()}, protocol {report.provenance.protocol}\n{table(heads, rows)}")
    if report.stations:
        parts.append(stations_text(report.stations))
    if report.stations and report.lesions:
        placed = [
            [one.roi, "+".join(one.regions) or "-", ", ".join(one.stations) or "-", f"{one.volume_cc:.2f}"]
            for one in report.lesions
        ]
        parts.append(table(["lesion", "region", "in stations", "cc"], placed))
    if report.landmarks:
        rows = [
            [
                name,
                *(f"{value:.1f}" for value in one.point_mm),
                f"{one.expected_error_mm:.1f}",
                one.how + (" (inferred)" if one.inferred else ""),
            ]
            for name, one in report.landmarks.items()
        ]
        parts.append(table(["landmark", "x", "y", "z (mm)", "+-", "how"], rows))
    parts += [findings_text(report.findings, verbose=verbose)] if report.findings else []
    if verbose:
        rows = [[stage, f"{seconds:.2f}"] for stage, seconds in report.provenance.seconds.items()]
        parts.append(table(["stage", "seconds"], rows))
    return "\n\n".join(parts)


def decision_text(decision: Decision) -> str:
    """Arm and plan, and a line for each step that was looked at."""
    rows = [
        [one.result or "-", one.value, one.threshold or "-", one.rule, one.source] for one in decision.reasons
    ]
    head = f"Arm {decision.arm}, dose plan {decision.plan or '-'}"
    return f"{head}\n{table(['result', 'value', 'threshold', 'rule', 'source'], rows)}"


def prescription_text(arm: str, prescription: Prescription) -> str:
    """The dose plan of an arm, a line for each level."""
    levels = "; ".join(
        f"{level.target} {level.fractions} x {level.dose_per_fraction_gy:g} Gy = {level.total_gy:.2f} Gy "
        f"(EQD2 {level.eqd2_gy:.2f})"
        for level in prescription.levels
    )
    return f"{arm.upper()} plan {prescription.plan}, {prescription.technique}: {levels}"


def elective_text(built: ElectiveBuilt) -> str:
    """Boundaries of each row, in words."""
    rows = []
    for row in built.rows:
        for boundary in (row.upper, row.lower):
            reached = "reached" if boundary.reached else f"not reached: {boundary.ended_by}"
            rows.append(
                [row.row.name, boundary.end, f"{boundary.level_mm:.1f}", boundary.term.rule, _short(reached)]
            )
    return table(["region", "boundary", "at (mm)", "rule", "CTV"], rows)


def stations_text(stations: Mapping[str, StationReport]) -> str:
    """A line for each station of the atlas: region, volume, and why it was not built."""
    rows = [
        [
            name,
            station.region,
            f"{station.volume_cc:.2f}" if station.built else "-",
            "built" if station.built else "not built",
            _short("; ".join(station.notes)),
        ]
        for name, station in stations.items()
    ]
    return table(["station", "region", "cc", "state", "notes"], rows)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NOTE else f"{text[: _LONGEST_NOTE - 3].rstrip()}..."


def _cut_text(target: TargetReport) -> str:
    """What barriers, the scan's end and the image's edge took."""
    if target.uncut_volume_cc is None:
        return "-"
    cut = target.uncut_volume_cc - target.volume_cc
    return f"{cut:.2f}" if cut >= 0.005 else "-"


def findings_text(findings: tuple[Finding, ...], *, verbose: bool = False) -> str:
    """One line each: severity, where, sentence; stop first, then warnings, then the rest.

    Landmarks that were not found are many and seldom needed: what needs them says so. They are counted.
    """
    order = [Severity.STOP, Severity.WARNING, Severity.INFO]
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    shown = [finding for finding in ranked if verbose or finding.code != _NOT_FOUND]
    lines = [
        f"{finding.severity:<7}  {finding.where}: {finding.message} [{finding.code}]" for finding in shown
    ]
    hidden = len(ranked) - len(shown)
    if hidden:
        lines.append(f"{Severity.INFO:<7}  {hidden} landmarks were not found: see report.json, or -v")
    return "\n".join(lines)


def margin_text(margin: Margin | None) -> str:
    """A margin as short as it allows: one figure, horizontal and craniocaudal, or all six.

    >>> margin_text(Margin.uniform(5)), margin_text(Margin.axial(horizontal=7, craniocaudal=12.5))
    ('5', '7 horizontal, 12.5 craniocaudal')
    >>> margin_text(Margin(left=6, right=8, anterior=8, posterior=8, superior=10, inferior=15))
    'L 6 R 8 A 8 P 8 S 10 I 15'
    """
    if margin is None:
        return "-"
    figures = [f"{value:.2f}".rstrip("0").rstrip(".") for value in margin.as_tuple()]
    horizontal, craniocaudal = set(figures[:4]), set(figures[4:])
    if len(horizontal | craniocaudal) == 1:
        return figures[0]
    if len(horizontal) == len(craniocaudal) == 1:
        return f"{figures[0]} horizontal, {figures[4]} craniocaudal"
    return " ".join(f"{name} {figure}" for name, figure in zip("LRAPSI", figures, strict=True))
