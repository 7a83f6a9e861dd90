"""Uncertain landmarks at a boundary: the one that decides, and the one that may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.elective import (
    Boundary,
    BoundaryTerm,
    ElectiveBuilt,
    ElectiveRow,
    End,
    RowBuilt,
    Sense,
)
from pipeline.core.ranged import Ranged
from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.run.boundaries import uncertain_boundaries
from pipeline.targets import PatientMap
from tests.run.test_arms import known_of

MM = Ranged(default=0.0, lowest=0.0, highest=0.0, source="P")


def term(sense: Sense, name: str, key: str) -> BoundaryTerm:
    return BoundaryTerm(sense=sense, name=name, outward=MM, key=key, rule="A rule.", source="P")


LESIONS = term(Sense.LESIONS, "", "lesions")
T1 = term(Sense.LANDMARK, "T1_top", "T1_top")
STATION = term(Sense.STATION, "20", "20")


def landmark(name: str, error: float, *, inferred: bool = True) -> Landmark:
    return Landmark(name=name, point_mm=(0.0, 0.0, 60.0), inferred=inferred, error_mm=error, how="told")


def told(
    end: End, *, level: float, decides: BoundaryTerm, others: dict[BoundaryTerm, float], marks: list[Landmark]
) -> list[str]:
    """Messages for one boundary of one row."""
    terms = (decides, *others)
    empty = Boundary(end=End.UPPER, level_mm=0.0, term=LESIONS)
    row = ElectiveRow(
        name="II",
        regions=(Region.II,),
        stations=(),
        upper=terms if end is End.UPPER else (LESIONS,),
        lower=terms if end is End.LOWER else (LESIONS,),
        rule="A rule.",
        source="P",
    )
    own = Boundary(end=end, level_mm=level, term=decides, others={one.key: mm for one, mm in others.items()})
    built = ElectiveBuilt(
        rows=(
            RowBuilt(
                row=row,
                lesions=("GTV-T",),
                upper=own if end is End.UPPER else empty,
                lower=own if end is End.LOWER else replace(empty, end=End.LOWER),
                stations_cc={},
                stations_whole_cc={},
                expansion_cc=0.0,
            ),
        ),
        core_cc=0.0,
        uncropped_cc=0.0,
        barriers_cc={},
        smoothing_cc=0.0,
    )
    found_map = known_of().map
    assert found_map is not None
    patient = PatientMap(
        stations=replace(found_map.stations, levels={"20": ("celiac_axis_origin",)}),
        landmarks=Landmarks(found={one.name: one for one in marks}),
        regions={},
    )
    findings = uncertain_boundaries(built, patient)
    assert all(one.severity is Severity.STOP for one in findings)
    assert all(one.where == f"eni.CTV, region II, {end} boundary" for one in findings)
    return [one.message for one in findings]


@pytest.mark.parametrize("error, stops", [(10.0, 0), (10.1, 1)])
def test_the_one_that_decides(error: float, stops: int) -> None:
    messages = told(End.UPPER, level=60.0, decides=T1, others={}, marks=[landmark("T1_top", error)])
    assert len(messages) == stops
    assert all(one.startswith("T1_top sets it") for one in messages)


@pytest.mark.parametrize("end, sign", [(End.UPPER, 1.0), (End.LOWER, -1.0)])
@pytest.mark.parametrize("beyond, stops", [(17.9, 1), (18.1, 0)])
def test_one_that_may_lie_beyond_it(end: End, sign: float, beyond: float, stops: int) -> None:
    """Of an expected error of 18 mm, with the boundary 17.9 or 18.1 mm further out."""
    messages = told(
        end,
        level=60.0 + sign * beyond,
        decides=LESIONS,
        others={T1: 60.0},
        marks=[landmark("T1_top", 18.0)],
    )
    assert [one.startswith("T1_top may set it") for one in messages] == [True] * stops


def test_one_that_was_seen_stops_nothing() -> None:
    seen = landmark("T1_top", 18.0, inferred=False)
    assert told(End.UPPER, level=60.0, decides=T1, others={}, marks=[seen]) == []


def test_a_level_of_the_station_that_decides() -> None:
    marks = [landmark("celiac_axis_origin", 12.0)]
    (message,) = told(End.LOWER, level=0.0, decides=STATION, others={}, marks=marks)
    assert message.startswith("celiac_axis_origin, by which station 20 is told, sets it")
