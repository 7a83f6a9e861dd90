"""The elective volume against the involved field of the same case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shapely.affinity import translate

from pipeline.check import check_arms
from pipeline.core.contour import Contours
from pipeline.core.targets import TargetSet
from pipeline.targets import build_ifi
from tests.cases import case_of, disc, grid_of, plan_of


@pytest.fixture
def field() -> TargetSet:
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    return build_ifi(case, plan=plan_of(), organs={})


def elective(field: TargetSet, dx: float) -> TargetSet:
    """The same volumes moved, as if of the other arm."""
    ctv = field["CTV"]
    moved = {k: translate(section, dx) for k, section in ctv.contours.sections.items()}
    contours = Contours(grid=ctv.contours.grid, sections=moved)
    targets = tuple(replace(t, contours=contours) if t is ctv else t for t in field.targets)
    return replace(field, arm="eni", targets=targets)


def test_one_that_holds_it_and_one_arm_alone_are_fine(field: TargetSet) -> None:
    assert check_arms((field, elective(field, 0.0))) == ()
    assert check_arms((field,)) == ()


def test_what_lies_outside_is_told_in_cc_and_slices(field: TargetSet) -> None:
    (told,) = check_arms((field, elective(field, 500.0)))
    ctv = field["CTV"].contours
    assert (told.code, told.where) == ("ENI_WITHOUT_IFI", "eni.CTV")
    assert told.message.startswith(f"{ctv.volume_cc:.2f} cc of the IFI arm's CTV lie outside it")
    assert f"on {len(ctv.slices)} slices from {min(ctv.slices)} to {max(ctv.slices)}" in told.message
