"""The file of facts: what is taken, and what is refused with file, line and key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.core.decision import Facts, Gullet, Resection
from pipeline.core.errors import ConfigError, InputError
from pipeline.core.regions import Region
from pipeline.read.facts import read_facts


def facts(folder: Path, text: str, name: str = "facts.yaml") -> Facts:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_facts(path)


def test_every_fact_is_read(tmp_path: Path) -> None:
    got = facts(
        tmp_path,
        "resection: R1\nmonths_to_recurrence: 16.5\nlargest_diameter_mm: 50\nregions: [III, I]\n"
        "close_to_stomach: no\ngullet: in_place\n",
    )
    assert got.resection is Resection.R1
    assert (got.months_to_recurrence, got.largest_diameter_mm) == (16.5, 50)
    assert got.regions == (Region.III, Region.I)
    assert got.close_to_stomach is False
    assert got.gullet is Gullet.IN_PLACE
    assert len(got.sha256) == 64


def test_json_says_the_same(tmp_path: Path) -> None:
    said = {
        "resection": "R0",
        "months_to_recurrence": 3,
        "regions": {"GTV-N1": "II"},
        "close_to_stomach": True,
    }
    got = facts(tmp_path, json.dumps(said), "facts.json")
    assert (got.resection, got.months_to_recurrence, got.close_to_stomach) == (Resection.R0, 3, True)
    assert dict(got.region_by_lesion) == {"GTV-N1": Region.II}
    assert got.regions == ()


def test_what_is_not_said_stays_open(tmp_path: Path) -> None:
    got = facts(tmp_path, "resection: R0\n")
    assert (got.months_to_recurrence, got.largest_diameter_mm, got.close_to_stomach) == (None, None, None)
    assert (got.regions, dict(got.region_by_lesion), got.gullet) == ((), {}, None)


@pytest.mark.parametrize(
    "line, key, told",
    [
        ("gullet: removed", "gullet", "resected or in_place"),
        ("resection: R3", "resection", "R0, R1 or R2"),
        ("resection: 0", "resection", "R0, R1 or R2"),
        ("months_to_recurrence: yes", "months_to_recurrence", "a number"),
        ("months_to_recurrence: '7'", "months_to_recurrence", "a number"),
        ("months_to_recurrence: -1", "months_to_recurrence", "greater than or equal to 0"),
        ("months_to_recurrence: 601", "months_to_recurrence", "less than or equal to 600"),
        ("months_to_recurrence: .nan", "months_to_recurrence", "finite"),
        ("largest_diameter_mm: 0", "largest_diameter_mm", "greater than 0"),
        ("largest_diameter_mm: 501", "largest_diameter_mm", "less than or equal to 500"),
        ("close_to_stomach: 1", "close_to_stomach", "true or false"),
        ("regions: II", "regions", "a list"),
        ("regions: []", "regions", "a list"),
        ("regions: [V]", "regions.0", "one of I, II, III, IV"),
        ("regions: [2]", "regions.0", "one of I, II, III, IV"),
        ("regions: [I, I]", "regions", "each region once"),
        ("regions: {GTV-T: 4}", "regions.GTV-T", "one of I, II, III, IV"),
        ("months: 7", "months", "one of close_to_stomach"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(
    tmp_path: Path, line: str, key: str, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        facts(tmp_path, f"# facts\n\n{line}\n")
    assert caught.value.where == f"facts.yaml, line 3, key {key}"
    assert told in caught.value.expected


def test_no_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of facts"):
        read_facts(tmp_path / "none.yaml")


def test_an_empty_file_says_what_could_stand_in_it(tmp_path: Path) -> None:
    path = tmp_path / "facts.yaml"
    path.write_text("# nothing yet\n")
    with pytest.raises(ConfigError, match=r"file of facts is empty.*resection: R0.*leave --facts out"):
        read_facts(path)
