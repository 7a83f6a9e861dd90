"""The names of atlas/station_names.yaml, and what its reader refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError
from pipeline.read import StationNames, load_organ_names, load_station_names

_MAP = "1R 1L SCV_R SCV_L 2R 2L 4R 4L 7 8U 8M 8Lo 9R 9L 15 16 17 18 19 20"
AJCC = _MAP.split()

NAMES = {
    "1R": "1R", "1 right": "1R", "Station 2R": "2R", "St_4L": "4L", "station-4-left": "4L", "LN 7": "7",
    "LN_Station_8M": "8M", "Level 8 lower": "8Lo", "8_Lo": "8Lo", "8LO": "8Lo", "Stn 8U": "8U",
    "level 15": "15",
    "SCV_L": "SCV_L", "Supraclav L": "SCV_L", "Left supraclavicular": "SCV_L", "LN_Sclav_R": "SCV_R",
    "Station SCV_R": "SCV_R", "R supraclav": "SCV_R", "Subcarinal": "7", "subcarinal nodes": "7", "7": "7",
    "LN_Diaphragmatic": "15", "Upper paratracheal R": "2R", "left lower paratracheal": "4L", " 20 ": "20",
    "Lymph node station 9 (L)": "9L", "Lower paraesophageal": "8Lo", "Coeliac nodes": "20", "LN celiac": "20",
    "Left gastric nodes": "17", "rechts 7": None, "Nodal station 18": "18", "LNs splenic artery": "19",
}  # fmt: skip

JES = {
    "101R": "1R", "No. 101L": "1L", "104 left": "SCV_L", "JES 105": "8U", "Station 107": "7", "LN 108": "8M",
    "JES-110": "8Lo", "112pulR": "9R", "JES 7": "17", "JES station 9": "20",
}  # fmt: skip

NO_STATION = (
    "PTV 20", "CTV_7", "GTV-N7", "2.0", "1-7", "15,5", "(20)", "-7", "20Gy", "7+5", "7 mm", "1", "2", "4",
    "8", "9", "L1", "L4", "R4", "T4", "N2", "4R+7", "8L", "8R", "Level 4L", "Level 7", "LN_Neck_IV_L",
    "LN_Neck_VII_L",
    "106recR", "106tbL", "106pre", "105", "107", "108", "110", "JES 8a", "LN 5", "3A", "SCV", "Station", "",
    "left gastric artery", "celiac_trunk", "splenic_artery", "Ring 7", "7 old",
)  # fmt: skip


@pytest.fixture(scope="module")
def names() -> StationNames:
    return load_station_names()


def test_the_stations_are_those_of_the_map(names: StationNames) -> None:
    assert sorted(names.organs) == sorted(AJCC)
    assert dict(names.sides) == {
        name: "left" if name.endswith("L") else "right" for name in AJCC if name.endswith(("L", "R"))
    }
    for name in AJCC:
        match = names.find(name)
        assert match is not None
        assert (match.organ, match.rank) == (name, 0)


@pytest.mark.parametrize("table", [NAMES, JES])
def test_names(table: dict[str, str | None], names: StationNames) -> None:
    found = {name: names.find(name) for name in table}
    assert {name: match.organ if match else None for name, match in found.items()} == table
    assert {names.is_jes(name) for name, match in found.items() if match} == {table is JES}


@pytest.mark.parametrize("name", NO_STATION)
def test_what_is_no_station(name: str, names: StationNames) -> None:
    assert names.find(name) is None


def test_no_name_is_that_of_an_organ(names: StationNames) -> None:
    assert not set(names.synonyms) & set(load_organ_names().synonyms)


def test_numbers(names: StationNames) -> None:
    assert all(names.by_number_alone(name) for name in ("7", "LN 7", "20"))
    assert not any(names.by_number_alone(name) for name in ("Station 7", "8M", "LN 4L", "Subcarinal"))
    assert all(names.means_other_by_jes(name) for name in ("7", "Station 20", "LN 16"))
    assert not any(
        names.means_other_by_jes(name) for name in ("JES 7", "Station 107", "4L", "Subcarinal", "x")
    )


HEAD = "edition: '1'\nsides: {left: [L], right: [R]}\nwords: {of: ['', Station]}\nstations:\n"


@pytest.mark.parametrize(
    "entry, message",
    [
        ("  '4{side}': {names: ['{of}4']}", r"cannot be used.*line 5.*expected: a name with \{side\}"),
        ("  '7': {names: ['{off}7']}", r"cannot be used.*placeholders among of; got: \{off\}7"),
        ("  '7': {names: ['{side}7']}", r"cannot be used.*placeholders among of"),
        ("  '7': {names: [' - ']}", "cannot be used"),
        (
            "  '7': {names: [Subcarinal]}\n  '8': {names: [SUBCARINAL]}",
            "one name for two stations.*line 6.*that 7 does",
        ),
        ("  '7': [Subcarinal]", "value that cannot be used"),
    ],
)
def test_refusals(entry: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text(HEAD + entry)
    with pytest.raises(ConfigError, match=message):
        load_station_names(tmp_path / "names.yaml")
