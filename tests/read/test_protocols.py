"""Protocol files: what the built-in one says, and what each kind of mistake is answered with."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.core.elective import End
from pipeline.core.errors import ConfigError, UsageError
from pipeline.core.rules import Ends
from pipeline.read.protocols import DEFAULT_PROTOCOL, list_protocols, load_protocol, protocol_file

BUILT_IN = protocol_file(DEFAULT_PROTOCOL)
TEXT = BUILT_IN.read_text(encoding="utf-8")


@pytest.fixture
def broken(tmp_path):
    """Write the built-in protocol with one part replaced, and return the error that loading gives."""

    def load(old: str, new: str) -> ConfigError:
        assert old in TEXT
        path = tmp_path / "clinic.yaml"
        path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_protocol(path)
        return caught.value

    return load


def line_of(part: str, text: str = TEXT) -> int:
    return text[: text.index(part)].count("\n") + 1


# ---------------------------------------------------------------------------------- the built-in file


def test_the_trial_protocol_has_the_figures_of_the_paper():
    protocol = load_protocol()
    assert protocol.name == DEFAULT_PROTOCOL == "esophagus-salvage-2020"
    horizontal, craniocaudal = protocol.ifi.horizontal, protocol.ifi.craniocaudal
    assert (horizontal.lowest, horizontal.default, horizontal.highest) == (6, 7, 8)
    assert (craniocaudal.lowest, craniocaudal.default, craniocaudal.highest) == (10, 12.5, 15)
    assert protocol.pgtv.default == protocol.ptv.default == 5
    assert {m.source for m in (horizontal, craniocaudal, protocol.pgtv, protocol.ptv)} == {"P"}
    assert protocol.ends is Ends.FLAT
    assert protocol.fill_ptv_holes is True


def test_the_trial_protocol_lists_its_barriers_and_colours():
    protocol = load_protocol()
    structures = [barrier.structure for barrier in protocol.barriers]
    assert structures == ["body", "lung", "airway", "bone", "heart", "great_vessels"]
    assert all(barrier.on and barrier.overlap_mm == 0 for barrier in protocol.barriers)
    assert protocol.colours["GTV-T"] == (255, 0, 0)
    assert set(protocol.colours) == {"GTV-T", "GTV-N", "PGTV", "CTV", "PTV"}


def test_defaults_are_the_middle_of_their_ranges_as_the_assumption_says():
    ifi = load_protocol().ifi
    for figure in (ifi.horizontal, ifi.craniocaudal):
        assert figure.default == (figure.lowest + figure.highest) / 2


def test_every_assumption_is_a_sentence_with_its_arms():
    assumptions = load_protocol().assumptions
    of_ifi = {name for name, one in assumptions.items() if "ifi" in one.arms}
    assert of_ifi == {"ends", "ifi.default_margins", "ifi.pgtv_without_dose"}
    assert {name for name, one in assumptions.items() if "eni" in one.arms} - {"ends"} == {
        "eni.core.horizontal",
        "eni.core.craniocaudal",
        "eni.IV.upper.station_16",
        "eni.IV.lower.station_20",
        "eni.envelope_gap",
        "eni.expansion_beyond_boundaries",
        "eni.conduit_in_stations",
        "eni.conduit_in_tumour_expansion",
        "eni.finish.gap",
        "eni.finish.sliver",
        "eni.finish.fleck",
        "eni.finish.speck",
        "eni.default_margins",
        "eni.or_includes_more",
        "eni.union_of_rows",
        "eni.tumour_as_node",
    }
    assert assumptions["ends"].unless_set == ("ends",)
    assert assumptions["eni.conduit_in_stations"].unless_set == ("eni.conduit_in_stations",)
    assert assumptions["eni.finish.sliver"].unless_set == ()  # nothing that a user sets
    assert all(one.sentence.endswith(".") for one in assumptions.values())


def test_the_rows_of_elective_irradiation_are_those_of_the_trial():
    """The trial protocol's table of boundaries and stations, figure by figure [P]."""
    rows = {row.name: row for row in load_protocol().eni.rows}
    neck = {"SCV_L", "SCV_R", "1L", "1R"}
    chest = {"2L", "2R", "4L", "4R", "7", "8U", "8M"}
    assert {name: set(row.stations) for name, row in rows.items()} == {
        "I-II": neck | chest,
        "III": chest,
        "IV": {"15", "16", "17", "18", "19", "20"},
    }
    told = {
        (row.name, end.value, term.name or term.sense.value): (term.outward.lowest, term.outward.highest)
        for row in rows.values()
        for end in End
        for term in row.terms(end)
    }
    assert told == {
        ("I-II", "upper", "T1_top"): (0, 0),
        ("I-II", "upper", "lesions"): (10, 15),
        ("I-II", "lower", "carina"): (20, 30),
        ("III", "upper", "clavicular_head_top"): (0, 0),
        ("III", "lower", "carina"): (20, 20),
        ("III", "lower", "lesions"): (10, 15),
        ("IV", "upper", "lesions"): (10, 15),
        ("IV", "upper", "16"): (0, 0),
        ("IV", "lower", "20"): (0, 0),
        ("IV", "lower", "lesions"): (15, 15),
    }


def test_the_hash_is_of_the_file():
    assert load_protocol().sha256 == hashlib.sha256(BUILT_IN.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_that_comes_along_loads_under_its_name(name):
    assert load_protocol(name).name == name


def test_a_file_of_the_user_is_taken(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT.replace("default: 7", "default: 6.5"), encoding="utf-8")
    protocol = load_protocol(path)
    assert protocol.ifi.horizontal.default == 6.5
    assert protocol.file == "mine.yaml"
    assert protocol.sha256 != load_protocol().sha256
    assert protocol.name == "esophagus-salvage-2020 (changed)"


def test_a_copy_keeps_its_name_and_another_name_is_its_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(protocol_file(DEFAULT_PROTOCOL).read_bytes())
    assert load_protocol(path).name == "esophagus-salvage-2020"
    path.write_text(TEXT.replace("name: esophagus-salvage-2020", "name: ours", 1), encoding="utf-8")
    assert load_protocol(path).name == "ours"


def test_rules_turned_into_assumptions_are_named(tmp_path):
    path = tmp_path / "mine.yaml"
    bone = TEXT.replace("source: C\n    rule: No CTV in bone.", "source: A\n    rule: No CTV in bone.")
    path.write_text(
        bone.replace("source: P\n    rule: PTV is", "source: A\n    rule: PTV is"), encoding="utf-8"
    )
    assumptions = load_protocol(path).assumptions
    assert assumptions["barriers.bone"].unless_set == ("barriers.bone",)
    assert assumptions["margins.ptv"].unless_set == ()


# ---------------------------------------------------------------------------------------- its mistakes


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        UsageError, match=r"unknown protocol; expected: .*esophagus-salvage-2020.*; got: no-such"
    ):
        load_protocol("no-such")


@pytest.mark.parametrize("path", ["no-such.yaml", "folder/no-such", "/no/such.yaml"])
def test_a_path_where_nothing_lies_is_no_unknown_name(path):
    with pytest.raises(ConfigError, match="no such protocol file") as caught:
        load_protocol(path)
    assert (caught.value.where, caught.value.got) == (path, "nothing there")


def test_a_missing_key_is_told_with_the_line_of_the_place_it_belongs_to(broken):
    error = broken("    horizontal:\n      default: 7\n", "    horizontal:\n")
    assert error.what == "missing key"
    assert (
        error.where == f"clinic.yaml, line {line_of('    horizontal:')}, key margins.ifi.horizontal.default"
    )
    assert (error.expected, error.got) == ("the key default", "nothing")


def test_an_unknown_key_is_told_with_the_known_ones(broken):
    error = broken("default: 12.5", "default: 12.5\n      preset: 11")
    assert error.what == "unknown key"
    line = line_of("default: 12.5") + 1
    assert error.where == f"clinic.yaml, line {line}, key margins.ifi.craniocaudal.preset"
    assert error.expected == "one of default, range, rule, source, unit"
    assert error.got == "preset"


def test_an_unknown_key_inside_a_list_or_a_mapping_is_told(broken):
    error = broken("  - structure: body\n", "  - structure: body\n    depth: 2\n")
    assert error.where.endswith("key barriers.0.depth")
    assert error.expected == "one of enabled, overlap, rule, source, structure, unit"
    error = broken("    arms: [ifi]\n    unless_set", "    arms: [ifi]\n    when: now\n    unless_set")
    assert error.where.endswith("key assumptions.ifi.default_margins.when")
    assert error.expected == "one of arms, rule, source, unless_set"


@pytest.mark.parametrize(
    "old, new, key, expected, got",
    [
        ("default: 12.5", "default: wide", "margins.ifi.craniocaudal.default", "a number", "wide"),
        ("default: 12.5", 'default: "12.5"', "margins.ifi.craniocaudal.default", "a number", "12.5"),
        ("default: 12.5", "default: true", "margins.ifi.craniocaudal.default", "a number", "True"),
        ("default: 12.5", "default: .nan", "margins.ifi.craniocaudal.default", "a finite number", "nan"),
        ("value: 5", "value: -5", "margins.pgtv.value", "greater than or equal to 0", "-5"),
        ("value: 5", "value: 500", "margins.pgtv.value", "less than or equal to 100", "500"),
        ("unit: mm", "unit: cm", "margins.pgtv.unit", "mm", "cm"),
        (
            "source: P",
            "source: p",
            "margins.pgtv.source",
            "String should match pattern ^[A-Z][A-Z0-9]*$",
            "p",
        ),
        ("value: flat", "value: round", "ends.value", "flat or tapered", "round"),
        ("value: true", "value: 1", "fill_ptv_holes.value", "true or false", "1"),
        ("enabled: true", "enabled: yes please", "barriers.0.enabled", "true or false", "yes please"),
        ('version: "1"', "version: 1", "version", "text (put it in quotes)", "1"),
        ("rgb: [255, 0, 0]", "rgb: [256, 0, 0]", "colours.GTV-T.rgb.0", "less than or equal to 255", "256"),
        ("arms: [ifi]", "arms: ifi", "assumptions.ifi.default_margins.arms", "a list", "ifi"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told(broken, old, new, key, expected, got):
    error = broken(old, new)
    assert error.what == "value that cannot be used"
    assert error.where == f"clinic.yaml, line {line_of(old)}, key {key}"
    assert (error.expected, error.got) == (expected, got)
    assert error.todo


@pytest.mark.parametrize("rgb", ["[255, 0]", "[255, 0, 0, 0]"])
def test_a_colour_has_three_parts(broken, rgb):
    error = broken("rgb: [255, 0, 0]", f"rgb: {rgb}")
    assert "key colours.GTV-T.rgb" in error.where
    assert "3 items" in error.expected


def test_a_default_outside_its_range_is_told(broken):
    error = broken("default: 12.5", "default: 9")
    assert error.what == "default outside its range"
    assert (
        error.where == f"clinic.yaml, line {line_of('default: 12.5')}, key margins.ifi.craniocaudal.default"
    )
    assert (error.expected, error.got) == ("10 to 15 mm", "9 mm")


def test_a_range_that_runs_backwards_is_told(broken):
    error = broken("range: [6, 8]", "range: [8, 6]")
    assert error.what == "range runs backwards"
    assert error.where == f"clinic.yaml, line {line_of('range: [6, 8]')}, key margins.ifi.horizontal.range"


def test_a_source_key_without_its_text_is_told(broken):
    error = broken("  C: common radiotherapy practice\n", "")
    assert error.what == "source key that the file does not declare"
    assert error.where.endswith("key fill_ptv_holes.source")
    assert (error.expected, error.got) == ("one of P, R, A", "C")


def test_a_barrier_that_stands_twice_is_told(broken):
    error = broken("structure: bone", "structure: lung")
    assert error.what == "barrier stands twice"
    assert error.where == f"clinic.yaml, line {line_of('structure: bone')}, key barriers.3.structure"


def test_an_assumption_about_an_unknown_setting_is_told(broken):
    error = broken("ifi.craniocaudal]", "ifi.length]")
    assert error.what == "unknown setting"
    assert error.where.endswith("key assumptions.ifi.default_margins.unless_set.1")
    assert "ifi.horizontal" in error.expected


def test_a_key_that_stands_twice_is_told_with_both_lines(broken):
    error = broken("default: 12.5", "default: 12.5\n      default: 14")
    first = line_of("default: 12.5")
    assert error.what == "key stands twice"
    assert error.where == f"clinic.yaml, line {first + 1}, key margins.ifi.craniocaudal.default"
    assert error.got == f"the first one in line {first}"


def test_a_misspelt_key_is_told_before_the_one_that_it_leaves_missing(broken):
    error = broken("range: [10, 15]\n      unit: mm", "rnge: [10, 15]\n      unit: mm")
    assert error.what == "unknown key (the first of 2 problems)"
    assert error.got == "rnge"
    assert "range" in error.expected


def test_several_mistakes_are_counted_and_the_first_by_line_is_told(broken):
    error = broken("range: [10, 15]\n      unit: mm", "range: ten\n      unit: cm")
    assert error.what == "value that cannot be used (the first of 2 problems)"
    assert error.where.endswith("key margins.ifi.craniocaudal.range")


@pytest.mark.parametrize(
    "raw, got",
    [
        (b"margins: [1, 2", "expected ',' or ']'"),
        (b"\xff\xfe\x00", "no text"),
        (b"a: 1\n---\nb: 2\n", "but found another document"),
        (b"when: 2020-13-45\n", "ValueError"),
        (b"x: !!python/object:os.system {}\n", "could not determine a constructor"),
        (b"[" * 5000, "deeper nesting"),
    ],
)
def test_what_is_no_yaml_is_told(tmp_path, raw, got):
    path = tmp_path / "clinic.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match="file is not YAML") as caught:
        load_protocol(path)
    assert got in caught.value.got
    assert caught.value.where.startswith("clinic.yaml")


@pytest.mark.parametrize("raw", [b"", b"- one\n- two\n", b"just text\n"])
def test_a_document_that_is_no_mapping_is_told(tmp_path, raw):
    path = tmp_path / "clinic.yaml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_protocol(path)
    assert caught.value.where == "clinic.yaml, line 1"
    assert caught.value.expected == "a mapping of keys to values"


def test_a_file_picked_by_mistake_is_not_read_whole(tmp_path):
    path = tmp_path / "scan.nii"
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="file is too large"):
        load_protocol(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "clinic.yaml"
    path.write_text(TEXT, encoding="utf-8")
    original = Path.open

    def refuse(self, *args, **kwargs):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"file cannot be read; where: clinic\.yaml; .*Permission denied"):
        load_protocol(path)


def test_an_alias_is_no_repeated_key(tmp_path):
    path = tmp_path / "clinic.yaml"
    aliased = TEXT.replace("GTV-T: {rgb", "GTV-T: &red {rgb").replace(
        "GTV-N: {rgb: [255, 105, 180], source: P}", "GTV-N: *red"
    )
    path.write_text(aliased, encoding="utf-8")
    assert load_protocol(path).colours["GTV-N"] == (255, 0, 0)
