"""Each fault planted in a small set of stations, and found; none found in a clean one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.stations.checks import check_stations
from pipeline.anatomy.stations.contact import nearer_than, shared_cc, touch
from pipeline.core.atlas import Apart, StationChecks
from pipeline.core.report import Severity
from tests.anatomy.places import Box, box_contours, station, stations_of
from tests.anatomy.stations.patients import ATLAS
from tests.cases import grid_of

GRID = grid_of(size=(100, 100, 40), spacing=(1.0, 1.0, 2.0))
U, V, W = GRID.frame.from_patient(GRID.to_patient([[49.5, 49.5, 19.5]]))[0]

# Right of the middle 1R, left of it 1L; 2R under 1R; 8M far below, 20 below that.
CLEAN: dict[str, Box] = {
    "1R": ((U - 20, U - 0), (V, V + 10), (W + 15, W + 31)),
    "1L": ((U + 0, U + 18), (V, V + 10), (W + 15, W + 31)),
    "2R": ((U - 20, U - 2), (V, V + 10), (W + 3, W + 15)),
    "8M": ((U - 10, U + 10), (V, V + 10), (W - 13, W - 5)),
    "20": ((U - 10, U + 10), (V, V + 10), (W - 37, W - 29)),
}
CHECKS = StationChecks(
    right=("1R",),
    left=("1L",),
    alike=("1R",),
    ratio=(0.6, 1.7),
    touching=(("1R", "1L"), ("1R", "2R")),
    apart=(Apart(pair=("2R", "8M"), mm=0.0), Apart(pair=("8M", "20"), mm=12.0)),
    volumes_cc={"1R": (1.0, 4.0), "8M": (0.5, 3.0)},
)


def found(**moved: Box | None) -> list[tuple[str, Severity, str]]:
    boxes = {
        name: box for name, box in {**CLEAN, **{k.strip("_"): v for k, v in moved.items()}}.items() if box
    }
    stations = stations_of(GRID, *(station(name, box_contours(GRID, box)) for name, box in boxes.items()))
    findings = check_stations(stations, CHECKS, lambda w: np.full(len(w), U))
    return [(one.code, one.severity, one.message) for one in findings]


def test_nothing_is_found_in_clean_stations() -> None:
    assert found() == []


def _box(u: tuple[float, float], w: tuple[float, float]) -> Box:
    return ((U + u[0], U + u[1]), (V, V + 10), (W + w[0], W + w[1]))


STOP, WARNING, INFO = Severity.STOP, Severity.WARNING, Severity.INFO
PLANTED = [
    ({"_20": _box((-10, 10), (-21, -9))}, "STATIONS_OVERLAP", WARNING, "8M and 20 share"),
    ({"_2R": _box((-20, -2), (1, 13))}, "STATIONS_DO_NOT_MEET", WARNING, "1R and 2R"),
    ({"_2R": _box((-20, -2), (-5, 15))}, "STATIONS_TOO_NEAR", WARNING, "2R and 8M touch"),
    ({"_20": _box((-10, 10), (-31, -19))}, "STATIONS_TOO_NEAR", WARNING, "8M and 20 lie nearer than 12 mm"),
    ({"_1L": _box((0, 11), (15, 31))}, "STATIONS_UNLIKE", WARNING, "1R has 1.8"),
    ({"_8M": _box((-10, -7), (-13, -5))}, "STATION_VOLUME_UNUSUAL", INFO, "8M 0.2 cc (0.5 to 3)"),
]


@pytest.mark.parametrize("moved, code, severity, message", PLANTED)
def test_a_planted_fault_is_found_and_nothing_else(moved, code, severity, message) -> None:
    told = [one for one in found(**moved) if one[0] == code]
    assert [one[:2] for one in told] == [(code, severity)]
    assert message in told[0][2]
    # An overlap is too near besides; no fault hides behind another one.
    assert {one[0] for one in found(**moved)} - {code} <= {"STATIONS_TOO_NEAR"}


def test_sides_that_were_changed_stop() -> None:
    told = found(_1R=CLEAN["1L"], _1L=CLEAN["1R"], _2R=None)
    assert [one[:2] for one in told] == [("STATION_ON_WRONG_SIDE", STOP)] * 2
    assert "The middle of 1R is 9 mm beyond the midline, and should be right of it" in told[0][2]


def test_without_a_midline_no_side_is_told() -> None:
    stations = stations_of(GRID, station("1R", box_contours(GRID, CLEAN["1L"])))
    assert check_stations(stations, CHECKS) == ()


def test_a_station_that_is_not_built_is_no_fault() -> None:
    assert found(_2R=None, _20=None, _1L=None) == []


def test_contact_of_solids() -> None:
    one, beside, over, away = (
        station("1R", box_contours(GRID, box)).solid
        for box in (
            ((U, U + 10), (V, V + 10), (W - 5, W + 5)),
            ((U + 10, U + 20), (V, V + 10), (W - 5, W + 5)),
            ((U + 5, U + 15), (V, V + 10), (W - 5, W + 5)),
            ((U + 16, U + 26), (V, V + 10), (W - 5, W + 5)),
        )
    )
    assert (touch(one, beside), touch(one, over), touch(one, away)) == (True, True, False)
    assert shared_cc(one, beside) == 0
    assert shared_cc(one, over) == pytest.approx(0.5, rel=0.2), "counted by lattice points"
    assert nearer_than(one, away, 8.0)
    assert not nearer_than(one, away, 5.5)


def test_the_checks_of_the_atlas_name_every_station() -> None:
    checks = ATLAS.checks
    assert set(checks.volumes_cc) == set(ATLAS.stations)
    assert all(right.replace("R", "L") == left for right, left in zip(checks.right, checks.left, strict=True))
    assert ("8M", "8Lo") in checks.touching
