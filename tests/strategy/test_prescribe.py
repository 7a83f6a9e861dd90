"""Dose plans: figures of the paper, ranges, EQD2, names with dose levels."""

from __future__ import annotations

import dataclasses
import functools

import pytest

from pipeline.core.case import LesionKind
from pipeline.core.decision import Facts, Measured, Resection
from pipeline.core.errors import UsageError
from pipeline.core.prescription import Boost, Prescription
from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.core.rules import Naming
from pipeline.core.targets import Target
from pipeline.read.protocols import load_protocol
from pipeline.strategy import decide, eqd2_gy, plan_of, prescribe, roi_names
from pipeline.targets import build_ifi
from tests.cases import case_of, disc, grid_of
from tests.cases import plan_of as arm_plan

PROTOCOL = load_protocol()
DOSES, DECISION = PROTOCOL.doses, PROTOCOL.decision
assert DOSES is not None
assert DECISION is not None
PLANS = {plan.number: plan for plan in DOSES.plans}


def made(number: int, **figures: float) -> Prescription:
    given = {f"plan{number}.{key.replace('__', '.')}": value for key, value in figures.items()}
    return prescribe(DOSES, PLANS[number], given, off_protocol=False).prescription


def test_eqd2_of_the_paper() -> None:
    """59.92 Gy in 28 fractions are 60.62 Gy in fractions of 2 Gy [P]."""
    assert eqd2_gy(59.92, 59.92 / 28, 10.0) == pytest.approx(60.62, abs=0.005)
    assert eqd2_gy(60, 2.0, 10.0) == pytest.approx(60)


# A case of the paper: regions, largest diameter in mm, months, beside the stomach or not; arm and plan.
CASES = [
    # Figure 4: above 5 cm in 7, 8M/Lo and 15-17, far from the stomach; 2R beside it, after 16 months.
    ((Region.III, Region.IV), 55.0, 10.0, False, ("ifi", 3)),
    ((Region.II,), 20.0, 17.0, True, ("ifi", 4)),
    # Figure 3: right supraclavicular, far; 8U, adjacent.
    ((Region.I,), 20.0, 10.0, False, ("eni", 1)),
    ((Region.II,), 20.0, 10.0, True, ("eni", 2)),
]


@pytest.mark.parametrize("regions, mm, months, close, wanted", CASES)
def test_the_patients_of_the_papers_figures_get_their_plans(regions, mm, months, close, wanted) -> None:
    measured = Measured(largest_diameter_mm=mm, regions=regions, every_lesion_placed=True)
    facts = Facts(resection=Resection.R0, months_to_recurrence=months, close_to_stomach=close)
    chosen = decide(DECISION, measured, facts, close_mm=10.0)
    assert chosen.arm is not None
    plan = plan_of(DOSES, chosen.arm, close=bool(chosen.close))
    assert plan is not None
    assert (chosen.arm, plan.number) == wanted


def test_the_defaults_of_the_four_plans() -> None:
    levels = {
        number: [
            (one.target, one.fractions, one.dose_per_fraction_gy, round(one.total_gy, 2))
            for one in made(number).levels
        ]
        for number in PLANS
    }
    assert levels == {
        1: [("PTV", 28, 1.8, 50.4), ("PGTV", 28, 2.14, 59.92)],
        2: [("PTV", 28, 1.8, 50.4), ("PGTV", 5, 2.0, 10.0)],
        3: [("PTV", 30, 2.0, 60.0)],
        4: [("PTV", 33, 1.8, 59.4)],
    }


def test_courses_one_after_the_other_add_up_and_levels_in_the_same_fractions_do_not() -> None:
    boost = made(2)
    assert boost.boost is Boost.SEQUENTIAL
    assert boost.dose_of("PGTV") == pytest.approx(60.4)
    assert boost.levels[1].cumulative_eqd2_gy == pytest.approx(50.4 * 11.8 / 12 + 10.0)
    assert made(1).dose_of("PGTV") == pytest.approx(59.92)
    assert made(3).dose_of("PGTV") is None


@pytest.mark.parametrize(
    "count, dose, fits",
    [
        (5, 2.0, True),
        (6, 2.0, True),
        (6, 1.8, True),
        (6, 1.7, False),
        (5, 1.9, False),
        (7, 1.8, False),
        (7, 2.0, False),
        (4, 2.0, False),
    ],
)
def test_all_three_ranges_of_the_boost_hold(count: int, dose: float, fits: bool) -> None:
    """5-7 fractions of 1.8-2 Gy, 10-12 Gy in all: 7 fractions never fit, and 5 only with 2 Gy [P]."""
    figures = {"PGTV__fractions": count, "PGTV__dose_per_fraction": dose}
    if fits:
        assert 10 - 1e-6 <= made(2, **figures).levels[1].total_gy <= 12 + 1e-6
        return
    with pytest.raises(UsageError, match=r"what fits: 5 x 2 Gy, 6 x 1.8 to 2 Gy"):
        made(2, **figures)


@pytest.mark.parametrize("number, key, inside, outside", [
    (1, "PGTV__dose_per_fraction", (2.14, 2.22), (2.139, 2.221)),
    (4, "PTV__fractions", (33, 34), (32, 35)),
    (3, "PTV__dose_per_fraction", (2.0,), (1.9, 2.1)),
])  # fmt: skip
def test_ends_of_ranges_are_allowed_and_beyond_is_refused_or_told(number, key, inside, outside) -> None:
    for value in inside:
        made(number, **{key: value})
    for value in outside:
        with pytest.raises(UsageError, match="outside the protocol's range"):
            made(number, **{key: value})
        setting = f"plan{number}.{key.replace('__', '.')}"
        told = prescribe(DOSES, PLANS[number], {setting: value}, off_protocol=True).findings
        assert {one.code for one in told} == {"DOSE_OFF_PROTOCOL"}
        assert all(one.severity is Severity.WARNING for one in told)


@pytest.mark.parametrize("value", [27.5, 0.0, -1.0])
def test_fractions_are_whole(value: float) -> None:
    with pytest.raises(UsageError, match="whole"):
        made(4, PTV__fractions=value)


@pytest.mark.parametrize("value", [0.0, -2.0, 30.0, float("nan")])
def test_a_dose_that_cannot_be_is_refused_off_protocol_too(value: float) -> None:
    with pytest.raises(UsageError, match="dose cannot be used"):
        prescribe(DOSES, PLANS[3], {"plan3.PTV.dose_per_fraction": value}, off_protocol=True)


def test_limits_organs_and_follow_up_travel_with_the_plan() -> None:
    ifi, eni = made(3), made(1)
    assert [str(limit) for limit in ifi.limits] == [
        "spinal cord max < 45 Gy",
        "both lungs V20 <= 28 %",
        "both lungs mean <= 17 Gy",
        "heart V40 < 30 %",
        "thoracic stomach V40 <= 40 %",
    ]
    assert "chest CT at 50 Gy" in ifi.instructions[0].rule
    assert [one.rule for one in eni.instructions] == [ifi.instructions[1].rule]
    assert "gastric_conduit" in eni.required_organs


@functools.cache
def built() -> tuple[tuple[Target, ...], dict[str, LesionKind]]:
    grid = grid_of("HFS")
    case = case_of(
        grid, [{k: disc(20, 0, 6) for k in range(4, 7)}, {k: disc(-20, 0, 6) for k in range(4, 7)}]
    )
    targets = build_ifi(case, plan=arm_plan(), organs={}).targets
    return targets, {lesion.name: lesion.kind for lesion in case.lesions}


def named(naming: Naming, prescription: Prescription | None = None) -> list[str]:
    targets, kinds = built()
    assert set(kinds.values()) == {LesionKind.NODE}
    return list(roi_names(targets, kinds, naming, prescription).values())


@pytest.mark.slow
def test_names_of_both_schemes() -> None:
    assert named(Naming.PROTOCOL, made(1)) == ["GTV-N1", "GTV-N2", "PGTV", "CTV", "PTV"]
    assert named(Naming.TG263) == ["GTVn1", "GTVn2", "PTV_GTV", "CTV", "PTV"]
    assert named(Naming.TG263, made(1)) == ["GTVn1", "GTVn2", "PTV_5992", "CTV_5040", "PTV_5040"]
    assert named(Naming.TG263, made(2)) == ["GTVn1", "GTVn2", "PTV_6040", "CTV_5040", "PTV_5040"]
    assert named(Naming.TG263, made(3)) == ["GTVn1", "GTVn2", "PTV_GTV", "CTV_6000", "PTV_6000"]
    for names in (named(Naming.TG263, made(number)) for number in PLANS):
        assert len({name.lower() for name in names}) == len(names)
        assert all(len(name) <= 16 and name.isascii() for name in names)


def test_a_dose_of_equal_levels_would_still_give_two_names() -> None:
    """Not of this protocol, but of one that a user may write."""
    same = dataclasses.replace(
        made(1), levels=tuple(dataclasses.replace(one, cumulative_gy=50.4) for one in made(1).levels)
    )
    names = named(Naming.TG263, same)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("off_protocol", [True, False])
def test_a_simultaneous_boost_never_has_two_numbers_of_fractions(off_protocol: bool) -> None:
    figures = {"plan1.PTV.fractions": 25.0}
    with pytest.raises(
        UsageError, match="PTV 25, PGTV 28" if off_protocol else "outside the protocol's range"
    ):
        prescribe(DOSES, PLANS[1], figures, off_protocol=off_protocol)
    both = {"plan1.PTV.fractions": 25.0, "plan1.PGTV.fractions": 25.0}
    if off_protocol:
        levels = prescribe(DOSES, PLANS[1], both, off_protocol=True).prescription.levels
        assert {level.fractions for level in levels} == {25}


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), -float("inf"), 0.0, 2.5])
@pytest.mark.parametrize("off_protocol", [True, False])
def test_fractions_that_are_no_number_are_wrong_use(figure: float, off_protocol: bool) -> None:
    with pytest.raises(UsageError, match="fractions are whole"):
        prescribe(DOSES, PLANS[4], {"plan4.PTV.fractions": figure}, off_protocol=off_protocol)
    with pytest.raises(UsageError, match="dose"):
        prescribe(DOSES, PLANS[4], {"plan4.PTV.dose_per_fraction": float("nan")}, off_protocol=off_protocol)
