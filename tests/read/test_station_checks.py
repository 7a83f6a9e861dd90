"""The checks of a station atlas: read as they stand, refused where they point to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.atlas import Apart, StationChecks
from pipeline.core.errors import ConfigError
from pipeline.read.resources import resource_folder
from pipeline.read.station_rules import load_station_atlas

ATLAS = (resource_folder("atlas") / "stations.yaml").read_text(encoding="utf-8")


def atlas_with(folder: Path, old: str, new: str) -> Path:
    assert ATLAS.count(old) == 1
    path = folder / "stations.yaml"
    path.write_text(ATLAS.replace(old, new), encoding="utf-8")
    return path


def test_the_checks_as_they_stand() -> None:
    checks = load_station_atlas().checks
    assert dict(zip(checks.right, checks.left, strict=True))["SCV_R"] == "SCV_L"
    assert checks.volumes_cc["2L"] == (1.0, 20.0)
    assert Apart(pair=("8Lo", "20"), mm=20.0) in checks.apart
    assert checks.ratio == (0.5, 1.7)


def test_an_atlas_may_have_no_checks(tmp_path: Path) -> None:
    path = tmp_path / "stations.yaml"
    path.write_text(ATLAS[: ATLAS.index("\nchecks:")] + "\n", encoding="utf-8")
    assert load_station_atlas(path).checks == StationChecks()


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("checks:\n  source: OWN", "checks:\n  source: NOBODY", "unknown name"),
        ("{pair: [9R, 9L], mm: 0}", "{pair: [9R, 9X], mm: 0}", "9X"),
        ("{pair: [9R, 9L], mm: 0}", "{pair: [9R], mm: 0}", "value that cannot be used"),
        ('left: [SCV_L, "1L", "2L", "4L", 9L]', 'left: [SCV_L, "1L", "2L", "4L"]', "sides that do not pair"),
        ("alike: [SCV_R,", "alike: [SCV_L,", "SCV_L"),
        ("ratio: [0.5, 1.7]", "ratio: [1.7, 0.5]", "ends that hold nothing"),
        ("SCV_L: [10, 60]", "SCV_L: [60, 10]", "ends that hold nothing"),
    ],
)
def test_refusals(old: str, new: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        load_station_atlas(atlas_with(tmp_path, old, new))
