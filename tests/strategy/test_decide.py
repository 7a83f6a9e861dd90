"""The choice of arm, by table and by the cases of the paper [P, R]."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest

from pipeline.core.decision import Chosen, Facts, Measured, Resection
from pipeline.core.errors import UsageError
from pipeline.core.regions import Region
from pipeline.read.protocols import load_protocol
from pipeline.strategy import decide

RULES = load_protocol().decision
assert RULES is not None
CLOSE_MM = RULES.close_mm.default
REGION_SETS = tuple(chain.from_iterable(combinations(Region, n) for n in range(1, 5)))
SKIPS = ({Region.I, Region.IV}, {Region.II, Region.IV})  # the paper's distant pairs


def choose(facts: Facts, **measured: object) -> Chosen:
    values = {
        "largest_diameter_mm": 20.0,
        "regions": (Region.II,),
        "every_lesion_placed": True,
        "gut_mm": 50.0,
        "stomach_known": True,
    }
    return decide(RULES, Measured(**{**values, **measured}), facts, close_mm=CLOSE_MM)


def by_the_book(
    resection: str | None, diameter: float, regions: tuple[Region, ...], months: float | None
) -> tuple[str | None, set[str]]:
    """The rules as a reader of the registry would say them: the arm, and the facts that are lacking."""
    if resection in {"R1", "R2"}:
        return "eni", set()
    large, skip = diameter > 50, any(pair <= set(regions) for pair in SKIPS)
    lacking = {"resection"} if resection is None else set()
    if large or skip:
        return (None, lacking) if lacking else ("ifi", set())
    if months is None:
        return None, lacking | {"months_to_recurrence"}
    if lacking:
        return None, lacking
    return ("ifi" if months > 16 else "eni"), set()


@pytest.mark.parametrize("resection", ["R0", "R1", "R2", None])
def test_every_combination_comes_out_as_the_registry_says(resection: str | None) -> None:
    looked_at = 0
    for diameter, regions, months, near in product(
        (49.9, 50.0, 50.1), REGION_SETS, (15.9, 16.0, 16.1, None), (True, False, None)
    ):
        arm, lacking = by_the_book(resection, diameter, regions, months)
        facts = Facts(
            resection=None if resection is None else Resection(resection),
            months_to_recurrence=months,
            close_to_stomach=near,
        )
        got = choose(facts, largest_diameter_mm=diameter, regions=regions, gut_mm=None)
        told = (resection, diameter, regions, months, near)
        assert got.arm == arm, told
        assert set(got.missing) == lacking | ({"close_to_stomach"} if near is None else set()), told
        assert got.close is near, told
        assert all(reason.rule and reason.source in {"A", "R"} for reason in got.reasons), told
        looked_at += 1
    assert looked_at == 3 * 15 * 4 * 3


def test_steps_after_one_that_is_answered_yes_are_told_and_not_asked() -> None:
    got = choose(Facts(resection=Resection.R0, months_to_recurrence=20), largest_diameter_mm=60.0)
    asked = ["no", "yes: ifi"]
    assert [reason.result for reason in got.reasons] == [*asked, "not asked", "not asked", "not asked", "far"]
    assert got.reasons[3].value == "20.0 months, stated"
    assert got.reasons[3].threshold == "16 months"
    assert got.reasons[4].value == "a step before is answered yes"
    first = choose(Facts(resection=Resection.R2))
    assert [reason.result for reason in first.reasons] == ["yes: eni", *["not asked"] * 4, "far"]
    assert first.missing == ()
    assert got.reasons[1].value == "60.0 mm, measured on the contours"
    assert got.reasons[1].threshold == "50 mm"


def test_a_stated_fact_goes_before_a_measured_one_and_the_reason_says_so() -> None:
    facts = Facts(
        resection=Resection.R0,
        months_to_recurrence=1,
        largest_diameter_mm=51,
        regions=(Region.I,),
        close_to_stomach=True,
    )
    got = choose(facts, largest_diameter_mm=10.0, regions=(Region.I, Region.IV))
    assert (got.arm, got.close) == ("ifi", True)
    assert "51.0 mm, stated" in [reason.value for reason in got.reasons]
    stated = choose(Facts(resection=Resection.R0, months_to_recurrence=1, regions=(Region.I, Region.IV)))
    assert "region I+IV, stated" in [reason.value for reason in stated.reasons]


def test_a_lesion_without_region_leaves_the_skip_question_open() -> None:
    facts = Facts(resection=Resection.R0, months_to_recurrence=1)
    got = choose(facts, regions=(Region.II,), every_lesion_placed=False)
    assert got.arm is None
    assert got.missing == ("regions",)


def test_regions_that_are_distant_already_need_no_more() -> None:
    facts = Facts(resection=Resection.R0)
    got = choose(facts, regions=(Region.II, Region.IV), every_lesion_placed=False)
    assert (got.arm, got.missing) == ("ifi", ())


@pytest.mark.parametrize("mm, close", [(0.0, True), (10.0, True), (10.1, False), (80.0, False)])
def test_close_is_what_lies_within_the_threshold(mm: float, close: bool) -> None:
    got = choose(Facts(resection=Resection.R1), gut_mm=mm)
    assert got.close is close
    assert got.reasons[-1].value == f"{mm:.1f} mm, measured"


def test_far_from_the_bowel_is_not_far_from_a_stomach_that_is_not_known() -> None:
    got = choose(Facts(resection=Resection.R1), gut_mm=80.0, stomach_known=False)
    assert (got.arm, got.close, got.missing) == ("eni", None, ("close_to_stomach",))
    assert got.reasons[-1].value.startswith("80.0 mm to the intestine; neither thoracic stomach")
    # What is close is close, whatever else there may be.
    assert choose(Facts(resection=Resection.R1), gut_mm=3.0, stomach_known=False).close is True
    for stomach, words in (
        (True, "what is known of stomach and intestine;"),
        (False, "no stomach is known;"),
    ):
        doubt = choose(
            Facts(resection=Resection.R1), gut_mm=80.0, stomach_known=stomach, gullet_in_doubt=True
        )
        assert doubt.close is None
        assert words in doubt.reasons[-1].value
        assert doubt.reasons[-1].value.endswith("the esophagus may be the thoracic stomach")
    stated = choose(Facts(resection=Resection.R1, close_to_stomach=False), gut_mm=80.0, stomach_known=False)
    assert stated.close is False


def test_a_yes_after_an_open_question_decides_nothing_and_says_so() -> None:
    got = choose(Facts(), largest_diameter_mm=60.0)
    assert got.arm is None
    asked = ["unknown", "yes: would be ifi"]
    assert [reason.result for reason in got.reasons] == [*asked, "not asked", "not asked", "not asked", "far"]
    assert got.missing == ("resection",)


def test_a_region_for_the_case_is_every_lesions_and_one_by_lesion_is_its_own() -> None:
    assert Facts(regions=(Region.II,)).region_of(["a", "b"]) == {"a": Region.II, "b": Region.II}
    assert Facts(regions=(Region.II, Region.III)).region_of(["a", "b"]) == {}
    assert Facts(region_by_lesion={"b": Region.IV}).region_of(["a", "b"]) == {"b": Region.IV}
    with pytest.raises(UsageError, match=r"there is not.*expected: one of a.*got: b"):
        Facts(region_by_lesion={"b": Region.IV}).region_of(["a"])


def test_by_exclusion_nothing_comes_out_before_every_step_is_answered() -> None:
    got = choose(Facts())
    assert got.arm is None
    assert [reason.result for reason in got.reasons][-2] == "unknown"
    assert got.reasons[-2].value == "steps before it are open: resection, months_to_recurrence"
    answered = choose(Facts(resection=Resection.R0, months_to_recurrence=3))
    assert answered.reasons[-2].result == "yes: eni"


def test_figures_beside_a_limit_are_told_from_it() -> None:
    large = choose(Facts(resection=Resection.R0), largest_diameter_mm=50.04)
    assert (large.reasons[1].value, large.reasons[1].result) == (
        "50.04 mm, measured on the contours",
        "yes: ifi",
    )
    late = choose(Facts(resection=Resection.R0, months_to_recurrence=16.0000001))
    assert late.reasons[3].value == "16.0000001 months, stated"
    far = choose(Facts(resection=Resection.R1), gut_mm=10.04)
    assert (far.reasons[-1].value, far.reasons[-1].result) == ("10.04 mm, measured", "far")
