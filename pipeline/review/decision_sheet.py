"""A sheet of words: which arm and dose plan the rules give, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import ImageDraw

from pipeline.core.prescription import DoseLevel, Prescription
from pipeline.core.report import Decision, Finding, Severity
from pipeline.core.rules import Colour
from pipeline.review import canvas
from pipeline.review.sheet import EDGE, HEADER, blank_sheet, save

_WIDTH = 1400
_SIZE, _ROW = 17, 25
_COLUMNS = 132  # characters of a line
_HEAD: Colour = (135, 206, 235)
_NOTE = "What the protocol's rules give, for a radiation oncologist to decide on. No prescription."

Line = tuple[str, Colour]


def draw_decision_sheet(
    folder: Path,
    decision: Decision,
    prescriptions: Mapping[str, Prescription],
    findings: Iterable[Finding] = (),
) -> Path:
    """One PNG, `decision.png`: what must be looked at first, the steps of the choice, each arm's dose plan.

    Args:
        folder: where to.
        decision: with the value and source of each step.
        prescriptions: by arm.
        findings: of the case; those of severity `stop` are drawn.

    Raises:
        OutputError: a file that cannot be written.
    """
    lines = decision_lines(decision, prescriptions, findings)
    sheet = blank_sheet(
        _WIDTH,
        HEADER + _ROW * (len(lines) + 2),
        title=f"Arm {decision.arm}, dose plan {decision.plan or '-'}",
    )
    draw = ImageDraw.Draw(sheet)
    for number, (text, colour) in enumerate(lines):
        canvas.write(draw, (EDGE, HEADER + _ROW * (number + 1)), text, size=_SIZE, colour=colour, anchor="lm")
    path = folder / "decision.png"
    save(sheet, path)
    return path


def decision_lines(
    decision: Decision, prescriptions: Mapping[str, Prescription], findings: Iterable[Finding]
) -> list[Line]:
    """The words of the sheet, line by line, with their colours."""
    lines: list[Line] = [(_NOTE, canvas.WARNING), ("", canvas.TEXT)]
    stops = [one for one in findings if one.severity is Severity.STOP]
    if stops:
        lines.append((f"Stopped: a person must decide on these first ({len(stops)})", canvas.STOP))
        for stop in stops:
            lines += _wrapped(f"{stop.where}: {stop.message} [{stop.code}]", canvas.WARNING)
        lines.append(("", canvas.TEXT))
    lines.append(("Choice of arm", _HEAD))
    for reason in decision.reasons:
        threshold = f", threshold {reason.threshold}" if reason.threshold else ""
        lines += _wrapped(f"{reason.rule} [{reason.source}]", canvas.TEXT)
        lines += _wrapped(f"      {reason.value}{threshold}: {reason.result}", canvas.MUTED)
    for arm, one in prescriptions.items():
        head = f"{arm.upper()}, plan {one.plan}, {one.technique} [{one.source}]"
        lines += [("", canvas.TEXT), (head, _HEAD)]
        lines += _wrapped(one.rule, canvas.TEXT)
        for level in one.levels:
            total = f"{level.total_gy:.2f} Gy in {level.fractions} x {level.dose_per_fraction_gy:.2f} Gy"
            lines += _wrapped(f"{level.target}: {total}, {_eqd2(level, one)}", canvas.TEXT)
        lines += _wrapped("Organs: " + " ".join(limit.rule for limit in one.limits), canvas.MUTED)
        for instruction in one.instructions:
            lines += _wrapped(f"{instruction.rule} [{instruction.source}]", canvas.MUTED)
    return lines


def _eqd2(level: DoseLevel, whole: Prescription) -> str:
    told = f"EQD2 {level.eqd2_gy:.2f} Gy (alpha/beta {whole.alpha_beta_gy:g} Gy)"
    if level.cumulative_gy <= level.total_gy:
        return told
    return (
        f"{told}; with the course before {level.cumulative_gy:.2f} Gy, EQD2 {level.cumulative_eqd2_gy:.2f} Gy"
    )


def _wrapped(text: str, colour: Colour) -> list[Line]:
    indent = " " * (len(text) - len(text.lstrip()))
    return [(line, colour) for line in textwrap.wrap(text, _COLUMNS, subsequent_indent=indent + "   ")]
