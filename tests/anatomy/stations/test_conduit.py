"""What is said of a conduit's way through the chest, and of a mask that breaks off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import or_

import pytest

from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.conduit import check_conduit_mask
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
from tests.anatomy.organs_of import organs
from tests.cases import POSITIONS, grid_of
from tests.targets.elective_patients import landmarks, mask_of

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

# (left, back, head) in mm; the carina lies at 0, the hiatus at -120.
ORGANS: dict[str, Box] = {
    "trachea": ((-10, 10), (-10, 5), (0, 60)),
    "main_bronchi": ((-40, 40), (-8, 4), (-25, 6)),
    "aorta": ((-15, 15), (-50, -30), (-60, 40)),
    "sternum": ((-20, 20), (-100, -90), (-120, 40)),
    "heart": ((-40, 60), (-60, 0), (-100, -20)),
}
LEVELS = {"carina": 0.0, "hiatus": -120.0}
POSTERIOR: Box = ((-25, 10), (10, 35), (-124, 50))
RETROSTERNAL: Box = ((-20, 20), (-82, -60), (-124, 50))
LEFT: Box = ((45, 65), (0, 30), (-124, 50))
RIGHT: Box = ((-75, -45), (0, 30), (-124, 50))


def grid(position: str = "HFS") -> Grid:
    return grid_of(position, size=(70, 66, 66), spacing=(3.2, 3.0, 4.0), centre=(4.0, -30.0, -30.0))


def without(*names: str) -> dict[str, Box]:
    return {name: box for name, box in ORGANS.items() if name not in names}


def mask(on: Grid, *boxes: Box) -> Mask:
    parts = [mask_of(on, box) for box in boxes]
    return reduce(or_, parts)


def told(
    *conduit: Box,
    position: str = "HFS",
    boxes: Mapping[str, Box] = ORGANS,
    levels: Mapping[str, float] = LEVELS,
) -> dict[str, Finding]:
    on = grid(position)
    known = organs(on, {name: mask_of(on, box) for name, box in boxes.items()})
    findings = check_conduit_mask(OrganView(known), mask(on, *conduit), landmarks(on, levels))
    return {one.code: one for one in findings}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(
    "conduit, words",
    [
        (POSTERIOR, r"in the posterior mediastinum: its middle is 2\d mm behind that of the airway"),
        (
            RETROSTERNAL,
            r"behind the sternum: its middle is 2\d mm in front of the aorta, its front \d+ mm behind",
        ),
        (RIGHT, r"through the right chest: its middle is 2\d mm right of the bronchi's right end"),
        (LEFT, r"through the left chest: its middle is 1\d mm left of the bronchi's left end"),
    ],
)
def test_the_way_however_the_patient_lies(position: str, conduit: Box, words: str) -> None:
    found = told(conduit, position=position)
    assert list(found) == ["CONDUIT_ROUTE"]
    assert found["CONDUIT_ROUTE"].severity is Severity.INFO
    assert re.match(words, found["CONDUIT_ROUTE"].message), found["CONDUIT_ROUTE"].message


def test_without_an_airway_the_heart_tells() -> None:
    spine: Box = ((-15, 15), (40, 60), (-124, 80))
    found = told(POSTERIOR, boxes={**without("trachea", "main_bronchi"), "vertebrae_T5": spine})
    assert "behind that of the heart" in found["CONDUIT_ROUTE"].message


@pytest.mark.parametrize("lacking", ["sternum", "aorta"])
def test_what_cannot_be_told_is_said(lacking: str) -> None:
    assert "not told" in told(RETROSTERNAL, boxes=without(lacking))["CONDUIT_ROUTE"].message


@pytest.mark.parametrize("gap, words", [(34.0, "behind the sternum"), (48.0, "not told")])
def test_far_behind_the_sternum_is_not_behind_it(gap: float, words: str) -> None:
    conduit: Box = ((-20, 20), (gap - 90, gap - 75), (-124, 50))
    aorta: Box = ((-15, 15), (-15, -5), (-60, 40))
    airway: Box = ((-10, 10), (0, 10), (0, 60))
    boxes = {"aorta": aorta, "trachea": airway, "sternum": ORGANS["sternum"]}
    assert words in told(conduit, boxes=boxes)["CONDUIT_ROUTE"].message


@pytest.mark.parametrize("aside", [-1.0, 1.0])
@pytest.mark.parametrize("lacking", [(), ("trachea", "main_bronchi")])
def test_far_beside_the_spine_is_no_mediastinum(aside: float, lacking: tuple[str, ...]) -> None:
    low, high = sorted((aside * 20.0, aside * 60.0))
    conduit: Box = ((low, high), (10, 35), (-124, 50))
    spine: Box = ((-15, 15), (40, 60), (-124, 80))
    wide: Box = ((-70, 70), (-8, 4), (-25, 6))
    boxes = {**without(*lacking), "vertebrae_T5": spine}
    if not lacking:
        boxes["main_bronchi"] = wide
    assert "not told" in told(conduit, boxes=boxes)["CONDUIT_ROUTE"].message
    near: Box = ((-10, 20), (10, 35), (-124, 50))
    assert "posterior mediastinum" in told(near, boxes=boxes)["CONDUIT_ROUTE"].message


def test_a_conduit_that_is_not_seen_about_the_carina() -> None:
    found = told(((-25, 10), (10, 35), (-124, -40)))
    assert "not seen about the carina" in found["CONDUIT_ROUTE"].message
    assert told(POSTERIOR, levels={}) == {}


def test_a_mask_in_pieces_is_told_with_their_levels() -> None:
    lower, upper = ((-25, 10), (10, 35), (-124, -50)), ((-25, 10), (10, 35), (-20, 50))
    found = told(lower, upper)
    assert found["CONDUIT_IN_PIECES"].severity is Severity.WARNING
    assert "in 2 pieces" in found["CONDUIT_IN_PIECES"].message
    assert "Between them it is left in" in found["CONDUIT_IN_PIECES"].message
    beside = ((30, 60), (10, 35), (-124, 0))
    assert "They lie side by side" in told(POSTERIOR, beside)["CONDUIT_IN_PIECES"].message
    speck = ((0, 4), (60, 64), (0, 4))
    assert "CONDUIT_IN_PIECES" not in told(POSTERIOR, speck)


def test_a_mask_that_ends_above_the_hiatus() -> None:
    short = ((-25, 10), (10, 35), (-90, 50))
    found = told(short)
    assert found["CONDUIT_ENDS_EARLY"].severity is Severity.WARNING
    assert re.search(r"ends (29|3[0-3]) mm above the hiatus", found["CONDUIT_ENDS_EARLY"].message)
    assert "CONDUIT_ENDS_EARLY" not in told(((-25, 10), (10, 35), (-104, 50)))
    assert "CONDUIT_ENDS_EARLY" not in told(short, levels={"carina": 0.0})
    colon: Box = ((60, 90), (-60, -30), (-150, -130))
    assert "CONDUIT_ENDS_EARLY" in told(short, boxes={**ORGANS, "colon": colon}), "elsewhere"
    stomach: Box = ((-10, 60), (0, 20), (-130, -80))
    assert "CONDUIT_ENDS_EARLY" not in told(short, boxes={**ORGANS, "stomach": stomach})
