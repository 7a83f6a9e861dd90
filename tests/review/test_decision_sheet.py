"""The sheet of words: what stops a case stands first, steps and doses after it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from pipeline.core.report import Decision, Finding, Reason, Severity
from pipeline.review import draw_decision_sheet
from pipeline.review.decision_sheet import decision_lines

REASON = Reason(rule="R0, above 50 mm: IFI.", value="61 mm", threshold="50 mm", source="R", result="ifi")
DECISION = Decision(arm="ifi", plan="3", reasons=(REASON,))
STOP = Finding(code="GTV_AT_SCAN_END", severity=Severity.STOP, where="ifi.GTV-T", message="it may go on")
DOUBT = Finding(code="STRAY_PART", severity=Severity.WARNING, where="ifi.CTV", message="look at it")


def words(*findings: Finding) -> list[str]:
    return [text for text, _ in decision_lines(DECISION, {}, findings)]


def test_what_stops_a_case_stands_before_the_choice() -> None:
    told = words(DOUBT, STOP)
    head = told.index("Stopped: a person must decide on these first (1)")
    assert told[head + 1] == "ifi.GTV-T: it may go on [GTV_AT_SCAN_END]"
    assert head < told.index("Choice of arm")
    assert not any("STRAY_PART" in line for line in told)


def test_a_case_without_stops_says_nothing_of_them() -> None:
    assert not any("Stopped" in line for line in words(DOUBT))
    assert "      61 mm, threshold 50 mm: ifi" in words()


def test_the_sheet_has_room_for_every_line(tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    with (
        Image.open(draw_decision_sheet(tmp_path / "few", DECISION, {})) as few,
        Image.open(draw_decision_sheet(tmp_path / "many", DECISION, {}, [STOP] * 12)) as many,
    ):
        assert many.height - few.height == 25 * 14  # twelve, a heading and a blank line
        assert many.width == few.width
