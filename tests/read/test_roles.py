"""Which ROI is which lesion."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.case import LesionKind
from pipeline.core.errors import ConfigError, StructureError, UsageError
from pipeline.read.roles import (
    GtvChoice,
    RoleRules,
    assign_lesions,
    find_name,
    guess_role,
    load_roles,
    unrecognised,
)

T, N = LesionKind.TUMOUR, LesionKind.NODE


@pytest.fixture(scope="module")
def rules() -> RoleRules:
    return load_roles()


def assigned(names: list[str], rules: RoleRules, *choices: GtvChoice) -> dict[str, str]:
    return {names[one.index]: one.name for one in assign_lesions(names, rules, choices, where="set")}


@pytest.mark.parametrize(
    "name, kind",
    [
        *((name, T) for name in ("GTV", "gtv", "GTV-1", "GTV1", "GTV_2", " GTV ", "Gtv 01")),
        *((name, T) for name in ("GTV-T", "GTV_T1", "GTVp", "GTV_p", "gtvt", "GTV primary", "GTV tumour 2")),
        *((name, T) for name in ("GTV_rec", "GTV anastomosis", "GTV1-T", "iGTVp")),
        *((name, N) for name in ("GTV-N", "GTVn", "GTV-N1", "GTV_LN", "GTVnd", "GTV_LN2", "GTV node 3")),
        *(
            (name, N)
            for name in ("GTV lymph node", "GTV Lymph Nodes", "LN_GTV", "lymph node GTV 2", "GTV-N4R")
        ),
        *(
            (name, None)
            for name in ("PGTV", "PGTV-N", "CTV", "PTV-GTV", "GTV+5", "GTV_5mm", "GTV-N old", "GTV ring")
        ),
        *(
            (name, None)
            for name in ("Heart", "GTV_avoid", "pre GTV", "ITV", "lymph node", "Lung L-GTV", "GTVX", "")
        ),
    ],
)
def test_names(name: str, kind: LesionKind | None, rules: RoleRules) -> None:
    assert guess_role(name, rules) is kind


def test_one_of_a_kind_is_not_numbered_and_several_are(rules: RoleRules) -> None:
    names = ["GTV-N b", "Heart", "GTVn2", "GTV", "GTV-N"]
    assert assigned(names, rules) == {"GTV": "GTV-T", "GTVn2": "GTV-N1", "GTV-N": "GTV-N2"}
    assert assigned(["GTV-T2", "GTV-T1"], rules) == {"GTV-T2": "GTV-T1", "GTV-T1": "GTV-T2"}


def test_tumours_come_before_nodes(rules: RoleRules) -> None:
    order = [one.name for one in assign_lesions(["GTV-N", "GTV-T"], rules)]
    assert order == ["GTV-T", "GTV-N"]


@pytest.mark.parametrize(
    "names", [["GTV-1", "GTV-2"], ["GTV", "gtv"], ["GTV", "GTV-T"], ["GTV", "GTVp", "GTV-N"]]
)
def test_ambiguous_names_are_an_error_that_lists_them(names: list[str], rules: RoleRules) -> None:
    with pytest.raises(StructureError, match="ambiguous") as caught:
        assign_lesions([*names, "Heart"], rules, where="set")
    assert all(repr(name) in caught.value.got for name in [*names, "Heart"])
    assert "--gtv" in caught.value.todo


def test_a_name_that_patterns_of_both_kinds_match_is_ambiguous(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("tumour: ['gtv.*']\nnode: ['.*n']\nplain: []\nexclude: []\n")
    with pytest.raises(StructureError, match=r"ambiguous.*'GTV-N'"):
        assign_lesions(["GTV-N"], load_roles(file))


def test_no_gtv_lists_the_rois(rules: RoleRules) -> None:
    with pytest.raises(StructureError, match=r"no GTV among the ROIs.*'Heart', 'PTV'.*--gtv"):
        assign_lesions(["Heart", "PTV"], rules)
    with pytest.raises(StructureError, match="no ROI at all"):
        assign_lesions([], rules)
    with pytest.raises(StructureError, match=r"'R59' and 40 more"):
        assign_lesions([f"R{n}" for n in range(100)], rules)


def test_choices_take_the_place_of_the_patterns(rules: RoleRules) -> None:
    names = ["GTV", "gtv-x", "Tumor", "GTV-N"]
    choices = (GtvChoice(roi_name="tumor", kind=T), GtvChoice(roi_name="gtv-x", kind=N))
    assert assigned(names, rules, *choices) == {"Tumor": "GTV-T", "gtv-x": "GTV-N"}


def test_the_exact_name_goes_before_one_that_differs_in_case() -> None:
    assert find_name(["gtv", "GTV"], "GTV", "set") == 1
    with pytest.raises(StructureError, match=r"several ROIs of this name.*'gtv', 'GTV'"):
        find_name(["gtv", "GTV"], "Gtv", "set")
    with pytest.raises(StructureError, match="several ROIs of this name"):
        find_name(["GTV", "GTV"], "GTV", "set")
    with pytest.raises(StructureError, match=r"no ROI of this name.*'gtv', 'GTV'.*got: 'ctv'"):
        find_name(["gtv", "GTV"], "ctv", "set")


def test_one_roi_cannot_be_both_kinds(rules: RoleRules) -> None:
    choices = (GtvChoice(roi_name="A", kind=T), GtvChoice(roi_name="a", kind=N))
    with pytest.raises(UsageError, match="two kinds"):
        assign_lesions(["A"], rules, choices)


def test_names_that_speak_of_a_gtv_and_are_not_used(rules: RoleRules) -> None:
    assert unrecognised(["GTV", "GTV boost", "GTV+5", "Heart"], [0], rules) == ("GTV boost",)


@pytest.mark.parametrize(
    "text, message",
    [
        ("tumour: ['(']\nnode: []\nplain: []\nexclude: []\n", r"r.yaml, line 1, key tumour.0"),
        ("tumour: []\nnode: []\nplain: []\n", "missing key"),
        ("tumour: x\nnode: []\nplain: []\nexclude: []\n", "a list"),
    ],
)
def test_a_broken_file_names_its_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_roles(file)
