"""Values that speak of stations: what they refuse, and how regions lie to each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.regions import Region, Spread, spread
from pipeline.core.stations import LesionPlace, LesionPlaces, Stations
from tests.closed_forms import make_grid

GRID = make_grid(size=(4, 5, 3))
LABELS = np.zeros(GRID.shape, dtype=np.uint8)
I, II, III, IV = Region  # noqa: E741 - the protocol's own names


@pytest.mark.parametrize("pair", list(combinations(Region, 2)))
def test_pairs_of_regions(pair: tuple[Region, Region]) -> None:
    distant = pair in {(I, IV), (II, IV)}
    assert spread(pair) is spread(pair[::-1]) is (Spread.DISTANT if distant else Spread.CLOSE)


@pytest.mark.parametrize(
    "regions, expected",
    [
        ([], Spread.NONE),
        ([III], Spread.ONE),
        ([II, II, II], Spread.ONE),
        ([I, II, III], Spread.CLOSE),
        ([I, III, IV], Spread.DISTANT),
        ([II, III, IV], Spread.DISTANT),
        (list(Region), Spread.DISTANT),
    ],
)
def test_sets_of_regions(regions: list[Region], expected: Spread) -> None:
    assert spread(regions) is expected


def test_each_station_is_built_or_not() -> None:
    regions = {"7": III, "20": IV}
    stations = Stations(
        grid=GRID, regions=regions, built={}, not_built=dict.fromkeys(regions, "no"), labels=LABELS
    )
    assert dict(stations.label_of) == {"7": 1, "20": 2}
    with pytest.raises(ValueError, match="read-only"):
        stations.labels[0, 0, 0] = 1
    with pytest.raises(GeometryError, match="either built or not"):
        Stations(grid=GRID, regions=regions, built={}, not_built={"7": "no"}, labels=LABELS)
    with pytest.raises(GeometryError, match="do not fit the CT"):
        Stations(grid=GRID, regions={}, built={}, not_built={}, labels=LABELS[1:])


def test_the_regions_of_all_lesions() -> None:
    def place(*regions: Region) -> LesionPlace:
        return LesionPlace(
            roi="GTV-N", level=None, shares=(), nearest=None, nearest_mm=None, second=None, second_mm=None,
            regions=regions,
        )  # fmt: skip

    assert LesionPlaces(places=(place(IV), place(), place(II, IV))).regions == (II, IV)
