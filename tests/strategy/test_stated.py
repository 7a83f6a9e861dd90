"""A stated fact that contours or anatomy contradict is told; one that agrees with them is not."""

from __future__ import annotations

import pytest

from pipeline.core.decision import Facts, Measured
from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.read.protocols import load_protocol
from pipeline.strategy import stated_otherwise

RULES = load_protocol().decision
assert RULES is not None
MEASURED = Measured(
    largest_diameter_mm=40.0, regions=(Region.II, Region.III), every_lesion_placed=True, gut_mm=10.0
)


def told(facts: Facts, measured: Measured = MEASURED, *, close_mm: float = 10.0) -> list[str]:
    found = stated_otherwise(RULES, measured, facts, close_mm=close_mm)
    assert all(one.severity is Severity.WARNING for one in found)
    return [one.message if one.code.startswith("DIAMETER") else one.code for one in found]


def test_nothing_stated_contradicts_nothing() -> None:
    assert told(Facts()) == []


@pytest.mark.parametrize("regions", [(Region.III, Region.II), (Region.II, Region.III)])
def test_the_same_regions_in_any_order(regions: tuple[Region, ...]) -> None:
    assert told(Facts(regions=regions)) == []


def test_other_regions() -> None:
    assert told(Facts(regions=(Region.II,))) == ["REGIONS_STATED_OTHERWISE"]
    unknown = Measured(largest_diameter_mm=40.0)
    assert told(Facts(regions=(Region.II,)), unknown) == []


@pytest.mark.parametrize("stated", [32.0, 36.0, 48.0])
def test_a_diameter_within_a_fifth(stated: float) -> None:
    assert told(Facts(largest_diameter_mm=stated)) == []


@pytest.mark.parametrize("stated, own, turns", [(31.9, 40.0, False), (48.1, 40.0, False), (80.0, 25.0, True),
                                                (50.1, 50.0, True), (50.0, 50.1, True), (60.0, 51.0, False),
                                                (6.0, 1.0, False), (7.0, 1.0, False)])  # fmt: skip
def test_another_diameter(stated: float, own: float, turns: bool) -> None:
    found = told(Facts(largest_diameter_mm=stated), Measured(largest_diameter_mm=own))
    differs = turns or abs(stated - own) > max(5.0, 0.2 * own)
    assert len(found) == differs
    assert all(("on the other side of the rule's limit" in one) is turns for one in found)


@pytest.mark.parametrize(
    "stated, gut_mm, contradicted",
    [(True, 10.0, False), (True, 10.1, True), (False, 10.0, True), (False, 10.1, False), (True, None, False)],
)
def test_close_and_far(stated: bool, gut_mm: float | None, contradicted: bool) -> None:
    found = told(Facts(close_to_stomach=stated), Measured(largest_diameter_mm=40.0, gut_mm=gut_mm))
    assert found == ["DISTANCE_STATED_OTHERWISE"] * contradicted
