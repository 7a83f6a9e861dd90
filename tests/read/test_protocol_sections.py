"""Elective rules, choice of arm and doses in protocol files: mistakes with line and key; other protocols."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, UsageError
from pipeline.core.rules import ArmChoice, Settings
from pipeline.read.protocol_schema import protocol_schema, schema_path
from pipeline.read.protocols import (
    DEFAULT_PROTOCOL,
    checked_against_atlas,
    list_protocols,
    load_protocol,
    protocol_file,
)
from pipeline.read.yaml_file import read_yaml
from pipeline.run.targets import settle

TEXT = protocol_file(DEFAULT_PROTOCOL).read_text(encoding="utf-8")


def changed(folder: Path, *pairs: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "clinic.yaml"
    path.write_text(text, encoding="utf-8")
    return path


MISTAKES = [
    # elective rows
    ("regions: [III]", "regions: [VI]", "unknown region", "elective.rows.1.regions.0"),
    ("regions: [III]", "regions: [III, I]", "region stands twice", "elective.rows.1.regions.1"),
    ("regions: [I, II]", "regions: [II]", "no row for a region", "elective.rows"),
    ("- name: III", "- name: I-II", "row stands twice", "elective.rows.1.name"),
    ("8U, 8M]", "8U, 8U]", "station stands twice", "elective.rows.0.stations"),
    ("landmark: T1_top", "source: P", "key stands twice", "elective.rows.0.upper.0.source"),
    ("- landmark: T1_top", "- lesions: false", "a boundary goes by one thing", "elective.rows.0.upper.0"),
    ("- landmark: T1_top", "- landmark: T1_top\n          lesions: true", "a boundary goes by one thing",
     "elective.rows.0.upper.0"),
    ("{default: 25, range: [20, 30]", "{default: 35, range: [20, 30]", "default outside its range",
     "elective.rows.0.lower.0.outward.default"),
    ("{default: 25, range: [20, 30]", "{default: 25, range: [30, 20]", "range runs backwards",
     "elective.rows.0.lower.0.outward.range"),
    ("{default: 25, range: [20, 30], unit: mm", "{default: 25, range: [20, 30], unit: cm",
     "value that cannot be used", "elective.rows.0.lower.0.outward.unit"),
    ("unit: cc", "unit: mm", "value that cannot be used", "elective.finish.speck.unit"),
    # choice of arm
    ("threshold: 50, unit: mm", "unit: mm", "no threshold", "decision.steps.1"),
    ("threshold: 50, unit: mm", "threshold: 50, unit: months", "wrong unit", "decision.steps.1.unit"),
    ("asks: residual, arm: eni", "asks: residual, threshold: 1, unit: mm, arm: eni",
     "this question has no threshold", "decision.steps.0"),
    ("asks: late", "asks: large", "wrong unit", "decision.steps.3.unit"),
    ("asks: distant", "asks: residual", "question stands twice", "decision.steps.2.asks"),
    ("asks: otherwise", "asks: distant", "question stands twice", "decision.steps.4.asks"),
    ("default: 10\n    range: [0, 50]", "default: 60\n    range: [0, 50]", "default outside its range",
     "decision.close_to_stomach.default"),
    # doses
    ("number: 2", "number: 1", "plan stands twice", "doses.plans.1.number"),
    ("position: close", "position: far", "plan stands twice", "doses.plans.1.position"),
    ("boost: simultaneous", "boost: none", "levels do not fit the boost", "doses.plans.0.levels"),
    ("fractions: {default: 28, range: [28, 28]}", "fractions: {default: 28, range: [28, 29]}",
     "a simultaneous boost has the fractions of its base", "doses.plans.0.levels"),
    ("default: 2.14, range: [2.14, 2.22]", "default: 2.13, range: [2.14, 2.22]", "default outside its range",
     "doses.plans.0.levels.1.dose_per_fraction.default"),
    ("range: [59.92, 62.16]", "range: [60, 62.16]", "the defaults give a total outside its range",
     "doses.plans.0.levels.1.total.range"),
    ("measure: V20", "measure: D20", "unknown measure", "doses.organ_limits.1.measure"),
    ("measure: V20, at_most: 28", "measure: max, at_most: 28", "wrong unit", "doses.organ_limits.1.unit"),
    ("at_most: 28", "at_most: 28, below: 30", "a limit has one figure", "doses.organ_limits.1"),
    ("below: 45, ", "", "a limit has one figure", "doses.organ_limits.0"),
    ("fractions: {default: 33", "fractions: {default: 33.5", "value that cannot be used",
     "doses.plans.3.levels.0.fractions.default"),
    ("alpha_beta: {value: 10, unit: Gy, source: C", "alpha_beta: {value: 10, unit: Gy, source: Z",
     "source key that the file does not declare", "doses.alpha_beta.source"),
    ("threshold: 16, unit: months, source: R", "threshold: 16, unit: months", "missing key",
     "decision.steps.3.source"),
]  # fmt: skip


@pytest.mark.parametrize("old, new, what, key", MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, what: str, key: str) -> None:
    path = changed(tmp_path, (old, new))
    with pytest.raises(ConfigError) as caught:
        load_protocol(path)
    error = caught.value
    told = f"{error.what} {error.where} {error.expected} {error.got}"
    assert what in error.what, told
    assert error.where.endswith(f"key {key}"), told
    line = int(error.where.split("line ")[1].split(",")[0])
    here = TEXT[: TEXT.index(old)].count("\n") + 1
    assert abs(line - here) <= 40, told  # the key's own line, or that of what it belongs to
    assert error.expected


def test_a_missing_plan_for_an_arm_is_told(tmp_path: Path) -> None:
    start = TEXT.index("    - number: 4")
    stop = TEXT.index("  organ_limits:")
    path = tmp_path / "clinic.yaml"
    path.write_text(TEXT[:start] + TEXT[stop:], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no plan.*expected: a plan for ifi, close"):
        load_protocol(path)


@pytest.mark.parametrize(
    "old, new, what, key",
    [
        ("stations: [SCV_R", "stations: [SCV_X", "unknown station", "elective.rows.0.stations.0"),
        ('station: "16"', 'station: "61"', "unknown station", "elective.rows.2.upper.1.station"),
        ("landmark: T1_top", "landmark: T9_top", "unknown landmark", "elective.rows.0.upper.0.landmark"),
        (
            "[lung_left, lung_right",
            "[lung_links, lung_right",
            "unknown organ",
            "doses.required_organs.organs.0",
        ),
    ],
)
def test_names_that_the_atlas_does_not_have_are_told(tmp_path, old, new, what, key) -> None:
    path = changed(tmp_path, (old, new))
    load_protocol(path)
    with pytest.raises(ConfigError) as caught:
        checked_against_atlas(path)
    assert caught.value.what == what
    assert caught.value.where.endswith(f"key {key}")
    line = int(caught.value.where.split("line ")[1].split(",")[0])
    assert line == path.read_text(encoding="utf-8").split(new, 1)[0].count("\n") + 1


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_that_comes_along_speaks_of_what_the_atlas_has(name: str) -> None:
    assert checked_against_atlas(name).name == name


def _without(text: str, start: str, stop: str) -> str:
    return text[: text.index(start)] + text[text.index(stop) :]


def test_half_of_the_elective_rules_is_no_protocol(tmp_path: Path) -> None:
    path = tmp_path / "half.yaml"
    path.write_text(_without(TEXT, "  eni:\n", "ends:\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"half of the ENI arm.*no margins.eni"):
        load_protocol(path)


def test_a_choice_of_an_arm_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ifi.yaml"
    text = _without(TEXT, "# The CTV of elective nodal", "# The colours of")
    text = _without(text, "  eni:\n", "ends:\n")
    text = _without(text, "  eni.default_margins:", "  doses.defaults:")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"arm that the protocol does not have.*got: eni"):
        load_protocol(path)


# ------------------------------------------------------------------------------------- other protocols


def test_the_wide_protocol_differs_by_its_defaults_and_words_alone() -> None:
    """The same file with every ranged margin and boundary at its upper end."""
    narrow, wide = (
        read_yaml(protocol_file(name)).content for name in (DEFAULT_PROTOCOL, f"{DEFAULT_PROTOCOL}-wide")
    )
    differing = dict(_differences(narrow, wide))
    words = {"name", "title", "assumptions.eni.default_margins.rule", "assumptions.ifi.default_margins.rule"}
    assert words <= set(differing)
    figures = {key: value for key, value in differing.items() if key not in words}
    assert set(figures) == {
        "margins.ifi.horizontal.default",
        "margins.ifi.craniocaudal.default",
        "margins.eni.craniocaudal.default",
        "elective.rows.0.upper.1.outward.default",
        "elective.rows.0.lower.0.outward.default",
        "elective.rows.1.lower.1.outward.default",
        "elective.rows.2.upper.0.outward.default",
    }
    protocol = load_protocol(f"{DEFAULT_PROTOCOL}-wide")
    eni = protocol.eni
    assert eni is not None
    for one in (
        protocol.ifi.horizontal,
        protocol.ifi.craniocaudal,
        eni.craniocaudal,
        *eni.distances.values(),
    ):
        assert one.default == one.highest


def _differences(one: object, other: object, key: str = "") -> list[tuple[str, object]]:
    if isinstance(one, dict) and isinstance(other, dict):
        assert list(one) == list(other), key
        return [
            pair for name in one for pair in _differences(one[name], other[name], f"{key}.{name}".strip("."))
        ]
    if isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), key
        return [
            pair
            for n, (a, b) in enumerate(zip(one, other, strict=True))
            for pair in _differences(a, b, f"{key}.{n}")
        ]
    return [] if one == other else [(key, other)]


def test_a_protocol_of_the_involved_field_alone() -> None:
    protocol = load_protocol("escc-neoadjuvant-2024")
    planned = settle(protocol, Settings(arm=ArmChoice.IFI))
    plan = planned["ifi"].plan
    assert (plan.ctv.left, plan.ctv.superior, plan.pgtv) == (5, 20, None)
    for arm, told in ((ArmChoice.ENI, "no elective irradiation"), (ArmChoice.AUTO, "does not say which arm")):
        with pytest.raises(UsageError, match=told):
            settle(protocol, Settings(arm=arm))


# --------------------------------------------------------------------------------------------- schema


def test_the_schema_that_comes_along_is_the_one_of_the_code() -> None:
    """`make schema` writes it."""
    assert schema_path().read_text(encoding="utf-8") == protocol_schema()


def test_the_schema_names_the_sections_and_refuses_unknown_keys() -> None:
    schema = json.loads(protocol_schema())
    assert {"margins", "elective", "decision", "doses"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_points_editors_to_the_schema(name: str) -> None:
    first = protocol_file(name).read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../protocol.schema.json"
