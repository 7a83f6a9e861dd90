"""Mistakes in a station atlas: each is answered with its place, what was expected and what stands there."""

from __future__ import annotations

import re

import pytest

from pipeline.core.errors import ConfigError
from pipeline.read.resources import resource_folder
from pipeline.read.station_rules import load_station_atlas

TEXT = (resource_folder("atlas") / "stations.yaml").read_text(encoding="utf-8")


@pytest.fixture
def broken(tmp_path):
    """Write the built-in atlas with one part replaced, and return the error that loading gives."""

    def load(old: str, new: str) -> ConfigError:
        assert old in TEXT
        path = tmp_path / "clinic.yaml"
        path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_station_atlas(path)
        return caught.value

    return load


def line_of(part: str) -> int:
    return TEXT[: TEXT.index(part)].count("\n") + 1


@pytest.mark.parametrize(
    "old, new, what, key, expected, got",
    [
        # sources
        (
            "bed_core: {mm: 10, source: OWN}",
            "bed_core: {mm: 10, source: NEW}",
            "unknown source",
            "figures.bed_core.source",
            "one of P, AJCC8",
            "NEW",
        ),
        (
            "    source: P\n  landmarks_2_4",
            "    source: NEW\n  landmarks_2_4",
            "unknown source",
            "options.boundary_1_2.source",
            "one of P, AJCC8",
            "NEW",
        ),
        (
            '  STD: "M: the',
            '  STD: "the',
            "source without evidence tag",
            "sources.STD",
            "V:, M: or I:",
            "the st",
        ),
        (
            "cranial: carina [AJCC8]\n      caudal: lower border",
            "cranial: carina [AJCC9]\n      caudal: lower border",
            "unknown source",
            "stations.7.borders.cranial",
            "one of P, AJCC8",
            "AJCC9",
        ),
        (
            "the upper end of the azygos vein, source: OWN",
            "the upper end of the azygos vein, source: NEW",
            "unknown source",
            "levels.azygos_vein_top.attempts.0.source",
            "one of P",
            "NEW",
        ),
        # figures
        (
            "bed_core: {mm: 10, source: OWN}",
            "bed_core: {mm: 10}",
            "missing key",
            "figures.bed_core.source",
            "the key source",
            "nothing",
        ),
        (
            "bed_core: {mm: 10, source: OWN}",
            "bed_core: 10",
            "value that cannot be used",
            "figures.bed_core",
            "a mapping",
            "10",
        ),
        (
            "bed_core: {mm: 10,",
            "bed_core: {mm: -1,",
            "value that cannot be used",
            "figures.bed_core.mm",
            "greater than or equal to 0",
            "-1",
        ),
        (
            "{near: {point: junction, mm: cardia}}",
            "{near: {point: junction, mm: 15}}",
            "figure without a source",
            "stations.16.all_of.1.near.mm",
            "the name of a figure",
            "15",
        ),
        (
            "{level: hiatus, below: cardia_below_hiatus}",
            "{level: hiatus, below: 3.5}",
            "figure without a source",
            "stations.16.all_of.0.slab.from.below",
            "the name of a figure",
            "3.5",
        ),
        (
            "inset: scv_below_notch",
            "inset: five",
            "unknown figure",
            "stations.SCV_R.inset",
            "one of `fig",
            "five",
        ),
        # options
        (
            "default: notch",
            "default: nodge",
            "unknown name",
            "options.boundary_1_2.default",
            "one of notch, ap",
            "nodge",
        ),
        (
            "apex: lung_apex}",
            "apex: lung_top}",
            "unknown name",
            "options.boundary_1_2.choices.apex",
            "one of",
            "lung_top",
        ),
        # levels
        (
            "mm: 10, error: 5, inferred: true, how: 10 mm above",
            "mm: 10, error: 0, inferred: true, how: 10 mm above",
            "value that cannot be used",
            "levels.azygos_vein_top.attempts.1.error",
            "greater than 0",
            "0",
        ),
        (
            "{method: above, landmark: carina, mm: -40",
            "{method: above, landmark: karina, mm: -40",
            "landmark that does not stand before this one",
            "levels.subcarinal_low.attempts.1.landmark",
            "carina",
            "karina",
        ),
        # stations
        (
            '  "7":\n    region: III',
            '  "7":\n    region: V',
            "unknown region",
            "stations.7.region",
            "one of I, II",
            "V",
        ),
        (
            '  "7":\n    region: III',
            '  "7":\n    name: x\n    region: III',
            "unknown key",
            "stations.7.name",
            "one of all_of",
            "name",
        ),
        (
            '  "18":\n    region: IV\n    all_of:',
            '  "18":\n    region: IV\n    any_of: []\n    all_of:',
            "station without one rule",
            "stations.18",
            "all_of or any_of",
            "all_of and any_of",
        ),
        (
            "    all_of:\n      - {near: {path: common_hepatic, mm: around_artery}}\n",
            "",
            "station without one rule",
            "stations.18",
            "all_of or any_of",
            "neither",
        ),
        (
            "    borders: {as: SCV_R mirrored}",
            "    borders: {}",
            "value that cannot be used",
            "stations.SCV_L.borders",
            "at least 1",
            "{}",
        ),
        (
            'priority: ["20", "18",',
            'priority: ["20",',
            "priority does not list each station once",
            "priority",
            "each of SCV_R",
            "without 18, with doubles besides",
        ),
        (
            'priority: ["20", "18",',
            'priority: ["20", "18", "18",',
            "priority does not list each station once",
            "priority",
            "each of SCV_R",
            "without none, with doubles besides",
        ),
        (
            'priority: ["20", "18",',
            'priority: ["20", "18", "3A",',
            "priority does not list each station once",
            "priority",
            "each of SCV_R",
            "without none, with 3A besides",
        ),
        (
            'priority: ["20",',
            "priority: [20,",
            "value that cannot be used",
            "priority.0",
            "text (put it in quotes)",
            "20",
        ),
        (
            "least_cc: 0.2",
            "least_cc: -1",
            "value that cannot be used",
            "finish.least_cc",
            "greater than or",
            "-1",
        ),
        # terms
        (
            "      - {space: before_spine}\n",
            "      - {space: before_spine, mask: heart}\n",
            "term that is none",
            "stations.1R.all_of.5",
            "one key, the primitive",
            "space, mask",
        ),
        (
            "      - {space: before_spine}\n",
            "      - before_spine\n",
            "term that is none",
            "stations.1R.all_of.5",
            "one key, the primitive",
            "before_spine",
        ),
        (
            "      - {space: before_spine}\n",
            "      - {space: }\n",
            "term without keys",
            "stations.1R.all_of.5.space",
            "a mapping of keys",
            "None",
        ),
        (
            "      - {space: before_spine}\n",
            "      - {any_of: []}\n",
            "combination of nothing",
            "stations.1R.all_of.5.any_of",
            "a list of terms",
            "[]",
        ),
        (
            "      - {space: before_spine}\n",
            "      - {not: [{space: before_spine}]}\n",
            "term that is none",
            "stations.1R.all_of.5.not",
            "one key, the primitive",
            "[{'space'",
        ),
        (
            "- {farthest: {along: celiac_trunk, from: aorta}}",
            "- farthest",
            "way without keys",
            "points.celiac_tip.0",
            "a mapping",
            "farthest",
        ),
        (
            "by: bed_behind_trachea, at: C7_top}",
            "by: 8, at: C7_top}",
            "figure without a source",
            "paths.esophageal_bed.1.knots.0.by",
            "the name of a figure",
            "8",
        ),
        # groups
        (
            "  chest_veins: [",
            "  circle: [gut, circle]\n  chest_veins: [",
            "group holds itself",
            "groups.circle",
            "no circle",
            "circle",
        ),
        (
            "gut: [esophagus,",
            "gut: [abdomen_barriers, esophagus,",
            "group holds itself",
            "groups.gut",
            "no circle",
            "gut",
        ),
        # keys that YAML 1.1 does not take for text, and doubles
        (
            "{side: {keep: left, of: trachea, edge: left}}",
            "{side: {keep: left, on: trachea, edge: left}}",
            "key that is no text",
            "spaces.left_of_left_edge.first_of.0.side.on",
            "text (put it in quotes)",
            "on",
        ),
        (
            '  "7":\n    region: III',
            "  7:\n    region: III",
            "key that is no text",
            "stations.7",
            "text (put it in quotes)",
            "7",
        ),
        (
            "  chest_veins: [",
            "  no: [",
            "key that is no text",
            "groups.no",
            "text (put it in quotes)",
            "no",
        ),
        (
            "  bed_core: {mm: 10,",
            "  bed: {mm: 3, source: OWN}\n  bed_core: {mm: 10,",
            "key stands twice",
            "figures.bed",
            "each key once",
            "the first one in line",
        ),
        (
            'version: "1"',
            "version: 1",
            "value that cannot be used",
            "version",
            "text (put it in quotes)",
            "1",
        ),
        ('version: "1"\n', "", "missing key", "version", "the key version", "nothing"),
    ],
)
def test_a_mistake_is_told_with_its_place(broken, old, new, what, key, expected, got) -> None:
    error = broken(old, new)
    assert error.what == what
    assert re.fullmatch(rf"clinic\.yaml, line \d+, key {re.escape(key)}", error.where), error.where
    assert expected in error.expected
    assert error.got.startswith(got), error.got
    assert error.todo


def test_the_line_is_that_of_the_mistake(broken) -> None:
    old = "{near: {point: junction, mm: cardia}}"
    assert f"line {line_of(old)}," in broken(old, "{near: {point: junction, mm: 15}}").where
    old = "    inset: scv_below_notch"
    assert f"line {line_of(old)}," in broken(old, "    inset: five").where


def test_an_alias_inside_what_it_stands_for_is_told(tmp_path) -> None:
    path = tmp_path / "clinic.yaml"
    path.write_text("spaces: &a {inner: *a}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="file is not YAML"):
        load_station_atlas(path)
