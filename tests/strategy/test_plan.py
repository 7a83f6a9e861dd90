"""The protocol and the user's choices joined: which figure wins, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import UsageError
from pipeline.core.margin import Margin
from pipeline.core.report import Severity
from pipeline.core.rules import ArmChoice, Ends, MarginName, Settings
from pipeline.read.protocols import load_protocol
from pipeline.strategy import plan_eni, plan_ifi

PROTOCOL = load_protocol()
CRANIOCAUDAL = {MarginName.CRANIOCAUDAL, MarginName.SUPERIOR, MarginName.INFERIOR}


def margins(**mm: float) -> Settings:
    return Settings(margins={MarginName(name): value for name, value in mm.items()})


def test_without_choices_the_protocol_decides():
    planned = plan_ifi(PROTOCOL, Settings())
    assert planned.plan.ctv == Margin.axial(horizontal=7, craniocaudal=12.5)
    assert planned.plan.pgtv == planned.plan.ptv == Margin.uniform(5)
    assert planned.plan.ends is Ends.FLAT
    assert planned.plan.fill_ptv_holes
    assert planned.plan.barriers == PROTOCOL.barriers
    assert planned.findings == ()
    assert len(planned.assumptions) == 3


def test_a_direction_beats_its_group_in_any_order():
    wanted = Margin(left=6, right=8, anterior=8, posterior=8, superior=10, inferior=15)
    assert plan_ifi(PROTOCOL, margins(left=6, horizontal=8, craniocaudal=15, superior=10)).plan.ctv == wanted
    assert plan_ifi(PROTOCOL, margins(horizontal=8, superior=10, craniocaudal=15, left=6)).plan.ctv == wanted


@pytest.mark.parametrize("name", list(MarginName))
def test_both_ends_of_the_range_are_allowed(name):
    for mm in (10, 15) if name in CRANIOCAUDAL else (6, 8):
        assert plan_ifi(PROTOCOL, Settings(margins={name: mm})).findings == ()


@pytest.mark.parametrize("name", list(MarginName))
@pytest.mark.parametrize("beyond", [-0.01, 0.01])
def test_a_margin_outside_the_range_is_refused_with_the_range(name, beyond):
    lowest, highest = (10, 15) if name in CRANIOCAUDAL else (6, 8)
    mm = lowest + beyond if beyond < 0 else highest + beyond
    with pytest.raises(UsageError) as caught:
        plan_ifi(PROTOCOL, Settings(margins={name: mm}))
    error = caught.value
    assert error.what == "margin outside the protocol's range"
    assert error.where == f"margin ifi.{name}"
    assert error.expected.startswith(f"{lowest} to {highest} mm")
    assert error.got == f"{mm:g} mm"
    assert "--off-protocol" in error.todo


def test_off_protocol_takes_the_margin_and_says_so():
    settings = Settings(margins={MarginName.LEFT: 20, MarginName.SUPERIOR: 12}, off_protocol=True)
    planned = plan_ifi(PROTOCOL, settings)
    assert planned.plan.ctv.left == 20
    (finding,) = planned.findings
    assert (finding.code, finding.severity) == ("MARGIN_OFF_PROTOCOL", Severity.WARNING)
    assert "left" in finding.where
    assert "20 mm" in finding.message
    assert "6 to 8 mm" in finding.message


@pytest.mark.parametrize("mm", [-1, -0.001, 100.5, float("nan"), float("inf")])
def test_off_protocol_is_no_leave_for_impossible_margins(mm):
    settings = Settings(margins={MarginName.HORIZONTAL: mm}, off_protocol=True)
    with pytest.raises(
        UsageError, match=r"margin cannot be used; where: margin ifi.horizontal; expected: 0 to 100"
    ):
        plan_ifi(PROTOCOL, settings)


@given(
    st.dictionaries(
        st.sampled_from(list(MarginName)), st.floats(0, 100, allow_nan=False), min_size=1, max_size=8
    )
)
def test_a_plan_never_leaves_the_range_unless_told(chosen):
    ifi = PROTOCOL.ifi
    try:
        ctv = plan_ifi(PROTOCOL, Settings(margins=chosen)).plan.ctv
    except UsageError:
        planned = plan_ifi(PROTOCOL, Settings(margins=chosen, off_protocol=True))
        assert {finding.code for finding in planned.findings} == {"MARGIN_OFF_PROTOCOL"}
        return
    for mm in (ctv.left, ctv.right, ctv.anterior, ctv.posterior):
        assert ifi.horizontal.lowest <= mm <= ifi.horizontal.highest
    for mm in (ctv.superior, ctv.inferior):
        assert ifi.craniocaudal.lowest <= mm <= ifi.craniocaudal.highest


def test_a_barrier_switched_off_is_gone_and_warned_of():
    planned = plan_ifi(PROTOCOL, Settings(barriers={"body": False, "lung": True}))
    assert planned.plan.barriers[0].structure == "lung"
    (finding,) = planned.findings
    assert (finding.code, finding.severity) == ("BARRIER_SWITCHED", Severity.WARNING)
    assert "body" in finding.where


def test_an_unknown_barrier_is_refused():
    with pytest.raises(
        UsageError, match=r"unknown barrier; where: setting barriers.skin; expected: one of body"
    ):
        plan_ifi(PROTOCOL, Settings(barriers={"skin": True}))


def test_changed_settings_are_told_and_kept_ones_are_not():
    planned = plan_ifi(PROTOCOL, Settings(ends=Ends.TAPERED, fill_ptv_holes=False))
    assert planned.plan.ends is Ends.TAPERED
    assert not planned.plan.fill_ptv_holes
    assert [(f.code, f.where) for f in planned.findings] == [
        ("SETTING_CHANGED", "ifi, ends"),
        ("SETTING_CHANGED", "ifi, fill_ptv_holes"),
    ]
    assert plan_ifi(PROTOCOL, Settings(ends=Ends.FLAT, fill_ptv_holes=True)).findings == ()


@pytest.mark.parametrize(
    "settings, gone",
    [
        (Settings(ends=Ends.FLAT), "ends"),
        (margins(horizontal=7, craniocaudal=12), "ifi.default_margins"),
        (margins(left=7, right=7, anterior=7, posterior=7, superior=12, inferior=12), "ifi.default_margins"),
    ],
)
def test_an_assumption_that_the_user_replaced_is_not_named(settings, gone):
    used = plan_ifi(PROTOCOL, settings).assumptions
    assert gone not in used
    assert len(used) == 2


def test_an_assumption_that_is_used_in_part_is_named():
    for settings in (margins(horizontal=7), margins(left=7, craniocaudal=12)):
        assert "ifi.default_margins" in plan_ifi(PROTOCOL, settings).assumptions


def test_a_margin_below_that_of_the_core_is_told():
    """It has no effect, for the core is in the CTV all the same."""
    small = {MarginName.SUPERIOR: 8.0, MarginName.HORIZONTAL: 6.0}
    settings = Settings(arm=ArmChoice.ENI, eni_margins=small, off_protocol=True)
    (told,) = [one for one in plan_eni(PROTOCOL, settings).findings if one.code == "CORE_OVER_MARGIN"]
    assert "(superior)" in told.message
    assert told.severity is Severity.WARNING
    usual = plan_eni(PROTOCOL, Settings(arm=ArmChoice.ENI)).findings
    assert "CORE_OVER_MARGIN" not in {one.code for one in usual}
