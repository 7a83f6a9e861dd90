"""Texts of options into values, and what is wrong use."""

from __future__ import annotations

import pytest

from pipeline.cli.options import chosen_from, formats_from, gtv_choices
from pipeline.core.case import LesionKind
from pipeline.core.errors import UsageError
from pipeline.core.rules import ArmChoice, Ends, MarginName, Settings


def settings(*, margins=(), switches=(), arm=ArmChoice.IFI) -> Settings:
    return chosen_from(arm=arm, margins=margins, switches=switches, off_protocol=False).settings


def test_nothing_stated_leaves_all_to_the_protocol():
    assert settings() == Settings(arm=ArmChoice.IFI)


@pytest.mark.parametrize("text", ["horizontal=7.5", "ifi.horizontal=7.5", " ifi.horizontal = 7.5 "])
def test_a_margin_is_read_with_and_without_its_arm(text):
    assert settings(margins=[text]).margins == {MarginName.HORIZONTAL: 7.5}


@pytest.mark.parametrize("name", list(MarginName))
def test_every_margin_has_its_name(name):
    assert settings(margins=[f"{name.value}=10"]).margins == {name: 10.0}


def test_margins_of_both_arms_are_told_apart():
    read = settings(margins=["ifi.left=6", "eni.craniocaudal=30"], arm=ArmChoice.BOTH)
    assert (read.margins, read.eni_margins) == (
        {MarginName.LEFT: 6.0},
        {MarginName.CRANIOCAUDAL: 30.0},
    )
    assert settings(margins=["superior=35"], arm=ArmChoice.ENI).eni_margins == {MarginName.SUPERIOR: 35.0}


def test_figures_switches_and_variants_of_the_map_are_told_apart():
    chosen = chosen_from(
        arm=ArmChoice.ENI,
        margins=(),
        switches=[
            "eni.I-II.lower.carina=20",
            "eni.conduit_in_stations=true",
            "boundary_1_2=apex",
            "keep_uncropped=yes",
            "plan1.PGTV.dose_per_fraction=2.2",
        ],
        off_protocol=True,
        allow_inferred=False,
    )
    read = chosen.settings
    assert read.figures == {"eni.I-II.lower.carina": 20.0, "plan1.PGTV.dose_per_fraction": 2.2}
    assert read.switches == {"eni.conduit_in_stations": True}
    assert chosen.options == {"boundary_1_2": "apex"}
    assert read.keep_uncropped
    assert read.off_protocol
    assert not read.allow_inferred


@pytest.mark.parametrize("arm", [ArmChoice.BOTH, ArmChoice.AUTO])
def test_with_two_arms_a_margin_names_its_own(arm):
    with pytest.raises(UsageError, match=r"does not say for which arm.*ifi.left or eni.left"):
        settings(margins=["left=6"], arm=arm)


def test_settings_are_read():
    read = settings(
        switches=["ends=tapered", "fill_ptv_holes=False", "barriers.body=off", "barriers.lung=ON"]
    )
    assert read.ends is Ends.TAPERED
    assert read.fill_ptv_holes is False
    assert read.barriers == {"body": False, "lung": True}


@pytest.mark.parametrize(
    "margins, what, told",
    [
        (["horizontal"], "option cannot be read", r"\[ifi.|eni.\]NAME=MM; got: horizontal"),
        (["=7"], "option cannot be read", "got: =7"),
        (["horizontal="], "option cannot be read", "got: horizontal="),
        (["horizontal=7mm"], "margin is not a number", "where: --margin horizontal; .*got: 7mm"),
        (["pgtv=6"], "unknown margin", "one of horizontal, craniocaudal, left.*fixed by the protocol"),
        (["cranial=6"], "unknown margin", "where: --margin cranial"),
        (
            ["eni.horizontal=6"],
            "margin of an arm that is not asked for",
            "expected: ifi.horizontal, or --arm both",
        ),
        (["both.left=6"], "unknown margin", "got: both.left"),
        (["left=6", "left=7"], "stated twice", "got: left=7"),
        (["left=6", "ifi.left=7"], "stated twice", "got: ifi.left"),
    ],
)
def test_a_margin_that_cannot_be_read_is_wrong_use(margins, what, told):
    with pytest.raises(UsageError, match=told) as caught:
        settings(margins=margins)
    assert caught.value.what.startswith(what)


@pytest.mark.parametrize(
    "switches, what, told",
    [
        (["ends=round"], "setting cannot be read", "expected: flat or tapered; got: round"),
        (["keep_uncropped=2"], "setting cannot be read", "where: --set keep_uncropped"),
        (["fill_ptv_holes=maybe"], "setting cannot be read", "expected: true or false.*got: maybe"),
        (["barriers.body=0"], "setting cannot be read", "where: --set barriers.body"),
        (["ends=flat", "ends=tapered"], "stated twice", "where: --set ends"),
        (["ends"], "option cannot be read", "expected: KEY=VALUE"),
    ],
)
def test_a_setting_that_cannot_be_read_is_wrong_use(switches, what, told):
    with pytest.raises(UsageError, match=told) as caught:
        settings(switches=switches)
    assert caught.value.what == what


def test_lesions_are_read_and_their_names_may_hold_an_equals_sign():
    assert gtv_choices(["GTV-1=GTV-T", "node a=b =gtv-n"]) == (
        ("GTV-1", LesionKind.TUMOUR),
        ("node a=b", LesionKind.NODE),
    )


@pytest.mark.parametrize(
    "texts, told",
    [
        (["GTV-1=CTV"], "unknown kind of lesion; where: --gtv GTV-1; expected: GTV-T or GTV-N; got: CTV"),
        (["GTV-1"], "option cannot be read"),
        (["a=GTV-T", "a=GTV-N"], "stated twice"),
    ],
)
def test_a_lesion_that_cannot_be_read_is_wrong_use(texts, told):
    with pytest.raises(UsageError, match=told):
        gtv_choices(texts)


def test_formats_are_read():
    assert formats_from("rtstruct, NIfTI,seg") == {"rtstruct", "nifti", "seg"}
    assert formats_from("") == frozenset()
    with pytest.raises(
        UsageError, match=r"unknown output format; .*expected: rtstruct, nifti, seg; got: stl"
    ):
        formats_from("rtstruct,stl")
