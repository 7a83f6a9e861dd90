from __future__ import annotations

from itertools import combinations

import pytest

from pipeline.core.errors import ConfigError
from pipeline.core.regions import Region
from pipeline.read import load_station_colours
from pipeline.read.resources import resource_folder


def test_every_station_can_be_told_from_every_other():
    colours = load_station_colours()
    for one, other in combinations(colours.stations.values(), 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) >= 60, (one, other)


def test_a_station_without_a_colour_has_its_region_s():
    colours = load_station_colours()
    assert colours.of("7", Region.III) == (80, 130, 255)
    assert colours.of("3A", Region.II) == colours.regions[Region.II]


def test_a_value_that_is_no_colour_is_told(tmp_path):
    text = (resource_folder("configs") / "colours" / "stations.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("[70, 210, 90]", "[70, 210, 900]", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.yaml, line \d+, key regions\.II\.2"):
        load_station_colours(tmp_path / "mine.yaml")
