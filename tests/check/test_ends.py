"""Ends of the scan, the image's edge, holes that were filled: planted, and nothing on a clean case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.check.ends import check_changes, check_scan_ends
from pipeline.core.case import Case
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import Changes, PastEnd, TargetSet
from pipeline.targets import build_ifi
from tests.cases import POSITIONS, case_of, disc, grid_of, plan_of


@pytest.fixture(scope="module")
def clean() -> tuple[Case, TargetSet]:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    return case, build_ifi(case, plan=plan_of(), organs={})


def with_changes(targets: TargetSet, name: str, changes: Changes) -> TargetSet:
    planted = tuple(replace(t, changes=changes) if t.name == name else t for t in targets.targets)
    return replace(targets, targets=planted)


def told(found: tuple[Finding, ...]) -> list[tuple[str, str, Severity]]:
    return [(one.where, one.code, one.severity) for one in found]


def test_nothing_on_a_clean_case(clean: tuple[Case, TargetSet]) -> None:
    assert check_changes(*clean) == ()
    assert check_scan_ends(*clean) == ()


def test_what_the_scans_ends_took(clean: tuple[Case, TargetSet]) -> None:
    case, targets = clean
    past = (PastEnd(end="upper", slices=2, volume_cc=1.25), PastEnd(end="lower", slices=1, volume_cc=0.5))
    found = check_changes(case, with_changes(targets, "CTV", Changes(past_ends=past)))
    assert told(found) == [("ifi.CTV", "CUT_BY_SCAN_END", Severity.WARNING)] * 2
    assert "runs past the upper end of the scan: 2 slices with 1.25 cc are cut off" in found[0].message
    assert "runs past the lower end of the scan: 1 slices with 0.50 cc are cut off" in found[1].message


@pytest.mark.parametrize("cc, codes", [(0.009, 0), (0.011, 1)])
def test_what_the_images_edge_took(clean: tuple[Case, TargetSet], cc: float, codes: int) -> None:
    case, targets = clean
    found = check_changes(case, with_changes(targets, "PTV", Changes(outside_image_cc=cc)))
    assert told(found) == [("ifi.PTV", "CUT_BY_IMAGE_EDGE", Severity.WARNING)] * codes
    assert not found or found[0].message.startswith("0.01 cc lie outside the image")


@pytest.mark.parametrize("share, severity", [(0.0, None), (0.045, Severity.INFO), (0.055, Severity.WARNING)])
def test_holes_that_were_filled(
    clean: tuple[Case, TargetSet], share: float, severity: Severity | None
) -> None:
    case, targets = clean
    filled = share * targets["PGTV"].contours.volume_cc
    found = check_changes(case, with_changes(targets, "PGTV", Changes(filled_cc=filled)))
    assert told(found) == ([("ifi.PGTV", "HOLES_FILLED", severity)] if severity else [])


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("first, at_end", [(26, True), (0, True), (1, False), (25, False)])
def test_a_gtv_on_an_outermost_slice_may_go_on(position: str, first: int, at_end: bool) -> None:
    grid = grid_of(position)
    assert grid.size[2] == 30
    case = case_of(grid, [{k: disc(20, -35, 10) for k in range(first, first + 4)}])
    found = check_scan_ends(case, build_ifi(case, plan=plan_of(), organs={}))
    assert told(found) == [("ifi.GTV-N1", "GTV_AT_SCAN_END", Severity.STOP)] * at_end


def scanned(heights: tuple[float, ...]) -> ScannedPlanes:
    """Upright planes at heights; the middle of the patient is at 20, -35."""
    origins = np.array([(0.0, 0.0, height) for height in heights])
    return ScannedPlanes(origins_mm=origins, row=np.array([1.0, 0, 0]), column=np.array([0, 1.0, 0]))


@pytest.mark.parametrize(
    "lowest, highest, codes",
    [
        (60.0, 160.0, []),
        # The GTV is on planes 104.5 to 119.5, the PTV 17.5 mm further out with half a slice: 88 to 136.
        (104.5, 160.0, ["GTV_AT_SCAN_END", "CUT_BY_SCAN_END", "CUT_BY_SCAN_END", "CUT_BY_SCAN_END"]),
        (60.0, 119.5, ["GTV_AT_SCAN_END", "CUT_BY_SCAN_END", "CUT_BY_SCAN_END", "CUT_BY_SCAN_END"]),
        (94.5, 160.0, ["CUT_BY_SCAN_END"]),
        (60.0, 129.5, ["CUT_BY_SCAN_END"]),
    ],
)
def test_of_a_series_on_another_grid_the_planes_that_were_scanned_count(
    clean: tuple[Case, TargetSet], lowest: float, highest: float, codes: list[str]
) -> None:
    case, targets = clean
    planes = [*np.arange(lowest, highest, 5.0), highest]
    found = check_scan_ends(replace(case, scanned=scanned(tuple(planes))), targets)
    assert [one.code for one in found] == codes
